"""Neurons of the literature, written down by someone who knew nothing of the compiler.

Each fires as often in integers as in float, over 20,000 steps on the same words. Where it does not,
float itself must lose its count when its states are merely rounded to the registers.
"""

import importlib.util
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from checks import check_one_step

from scneuro import Neuron
from scneuro.signals.stimulus import as_words

STEPS = 20_000
FOLDER = Path(__file__).parent / "textbook"
NAMES = sorted(path.stem for path in FOLDER.glob("*.py"))

# chaotic, or near a current at which it changes from one rhythm to another
SENSITIVE = {
    "aihara": (0.1, 0.9),
    "pinsky_rinzel": (2.5,),
    "chay": (0.0,),
    "courbage_nekorkin": (0.1, 0.2, 0.3),
    "rulkov": (0.16, 0.3),
}
KEPT = {"courbage_nekorkin", "cubic_if", "nagumo_sato"}
QUICK = KEPT | {
    "fitzhugh_nagumo",
    "hindmarsh_rose",
    "ifb",
    "izhikevich_2007",
    "resonate_and_fire",
    "rulkov",
    "theta_neuron",
}


@cache
def neuron_of(name):
    spec = importlib.util.spec_from_file_location(f"textbook_{name}", FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    (kind,) = [
        value
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, Neuron) and value is not Neuron
    ]
    return kind()


def marked(names):
    """Some for every run, the quick ones for CI, of the others every other one for the night."""
    slow = [n for n in names if n not in QUICK]
    marks = {n: [pytest.mark.slow, *[pytest.mark.nightly] * (k % 2)] for k, n in enumerate(slow)}
    marks |= {n: [pytest.mark.slow] for n in QUICK - KEPT}
    return [pytest.param(n, marks=marks.get(n, [])) for n in names]


@cache
def spikes(name):
    """Of float and of integers, by current."""
    neuron = neuron_of(name)
    current = np.tile(as_words(np.array(neuron.currents)), (STEPS, 1))
    runs = [runner.run(current, progress=False) for runner in (neuron, neuron.fixed())]
    return [dict(zip(neuron.currents, run.spikes.tolist(), strict=True)) for run in runs]


def spikes_of_rounded_float(name, currents, runs=4):
    """Of float whose states are rounded to the registers' resolution after every step.

    To nearest, and ``runs`` - 1 times with an error of less than half an LSB of the register.
    """
    neuron = neuron_of(name)
    registers = neuron.fixed().lowered.registers
    rng = np.random.default_rng(1)
    shape = len(currents), runs
    values = {n: np.full(shape, neuron.initial[n]) for n in registers}
    current = np.broadcast_to(as_words(np.array(currents))[:, None], shape)
    count = np.zeros(shape, dtype=int)
    for _ in range(STEPS):
        with np.errstate(all="ignore"):  # rounded, a state may meet a 0/0 that has a limit
            spike, *states = neuron.update(*values.values(), current)
            beside = neuron.update(*(v + 2.0**-30 for v in values.values()), current)[1:]
        states = [np.where(np.isnan(s), t, s) for s, t in zip(states, beside, strict=True)]
        count += spike
        for (n, r), state in zip(registers.items(), states, strict=True):
            error = np.where(np.arange(runs) > 0, rng.uniform(-0.5, 0.5, shape), 0.0)
            values[n] = r.to_real(np.floor(np.ldexp(state, r.fraction) + 0.5 + error))
    return dict(zip(currents, count.tolist(), strict=True))


def test_every_neuron_says_where_it_is_from():
    assert len(NAMES) == 39
    assert set(SENSITIVE) | QUICK <= set(NAMES)
    for name in NAMES:
        neuron = neuron_of(name)
        assert len(neuron.currents) >= 3
        assert type(neuron).__doc__


@pytest.mark.parametrize("name", marked(NAMES))
def test_a_neuron_of_the_literature_is_accepted_within_its_bounds(name):
    neuron = neuron_of(name)
    lowered = neuron.fixed().lowered
    for state, bound in lowered.bounds.items():
        assert bound <= lowered.budgets[state] <= lowered.registers[state].word.lsb
    assert check_one_step(neuron, 2000) > 0.9


@pytest.mark.parametrize("name", marked(NAMES))
def test_a_neuron_of_the_literature_fires_as_often_in_integers_as_in_float(name):
    of_float, of_integers = spikes(name)
    for current, count in of_float.items():
        if current not in SENSITIVE.get(name, ()):
            assert of_integers[current] == count, f"at {current}"
    assert max(of_float.values()) >= 10


@pytest.mark.parametrize("name", marked(SENSITIVE))
def test_a_neuron_whose_spikes_may_differ_is_one_that_rounding_alone_changes(name):
    currents = SENSITIVE[name]
    of_float, of_integers = spikes(name)
    rounded = spikes_of_rounded_float(name, currents)
    for current in currents:
        counts, exact = rounded[current], of_float[current]
        assert any(count != exact for count in counts), f"at {current}"
        # rounded to nearest, an orbit may close that would not: some percent of the spikes
        assert abs(of_integers[current] - exact) <= max(0.1 * exact, 4), f"at {current}"
