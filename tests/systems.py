"""Random neurons: 1 to 4 states, 1 or 2 inputs, every operation, constants over nine decades.

What they compute means nothing; they are what nobody thought of. A system is kept if its float
model stays finite under its own currents.
"""

from dataclasses import dataclass
from unittest.mock import patch

import numpy as np
from checks import one_step_errors, without_gates

from scneuro import Input, Neuron, State
from scneuro.engine import choice
from scneuro.signals.spikes import lateness
from scneuro.sim.compare import parity
from scneuro.sim.compare.vectors import random_vectors

__all__ = [
    "STEPS",
    "FreeRun",
    "finite_systems",
    "free_run",
    "free_runs",
    "stimulus",
    "system",
    "verdict",
    "violations",
]

STEPS = 2_000
FUNCTIONS = ("exp", "tanh", "sin", "cos", "sqrt", "log", "expm1", "arctan", "cbrt", "log1p")


class _Writer:
    """Writes a random ``update()`` as text."""

    def __init__(self, rng, states, inputs):
        self.rng, self.states, self.inputs = rng, states, inputs

    def constant(self):
        """Nine decades, most of them near 1."""
        decade = self.rng.normal(0, 1.5) if self.rng.random() < 0.8 else self.rng.uniform(-5, 4)
        value = 10 ** np.clip(decade, -5, 4) * self.rng.uniform(1, 10) / 3
        return f"{float(value * self.rng.choice([-1, 1])):.4g}"

    def size(self):
        return self.constant().lstrip("-")

    def variable(self):
        return str(self.rng.choice(self.states + self.inputs))

    def choice(self, *options):
        return options[self.rng.integers(len(options))]()

    def leaf(self):
        if self.rng.random() < 0.75:
            return self.variable()
        return self.constant()

    def number(self, depth):
        if depth <= 0:
            return self.leaf()
        a, b = (lambda: self.number(depth - 1)), (lambda: self.number(depth - 2))
        return self.choice(
            lambda: f"({a()} + {b()})",
            lambda: f"({a()} - {b()})",
            lambda: f"{self.constant()} * {a()}",
            lambda: f"({a()}) * ({b()})",
            lambda: f"({a()}) / (1 + np.abs({b()}))",
            lambda: f"({a()}) / {self.size()}",
            lambda: self.function(depth),
            lambda: f"np.abs({a()})",
            lambda: f"np.minimum({a()}, {b()})",
            lambda: f"np.maximum({a()}, {self.constant()})",
            lambda: (
                f"np.clip({a()}, -{self.constant().lstrip('-')}, {self.rng.uniform(1, 50):.3g})"
            ),
            lambda: f"np.where({self.condition(depth)}, {a()}, {b()})",
            lambda: f"({self.variable()})**{self.rng.integers(2, 4)}",
        )

    def function(self, depth):
        name = str(self.rng.choice(FUNCTIONS))
        inner = self.number(depth - 1)
        if name in ("exp", "expm1"):
            return f"np.{name}(np.clip({inner}, -8, {self.rng.uniform(0.5, 4):.3g}))"
        if name in ("sqrt",):
            return f"np.sqrt(np.abs({inner}))"
        if name == "log":
            return f"np.log(np.abs({inner}) + {self.rng.uniform(0.05, 2):.3g})"
        if name == "log1p":
            return f"np.log1p(np.abs({inner}))"
        if name in ("sin", "cos", "tanh", "arctan"):
            return f"np.{name}({10 ** self.rng.uniform(-2, 0.5):.3g} * ({inner}))"
        return f"np.{name}({inner})"

    def condition(self, depth):
        sign = self.rng.choice([">", ">=", "<", "<="])
        plain = f"{self.variable()} {sign} {self.constant()}"
        if depth > 1 and self.rng.random() < 0.3:
            return f"({plain}) {self.rng.choice(['&', '|'])} ({self.condition(0)})"
        return plain


def system(seed):
    """The random neuron of a seed: a class."""
    rng = np.random.default_rng(seed)
    states = ["V", "w", "x", "y"][: rng.integers(1, 5)]
    inputs = ["I", "J"][: rng.integers(1, 3)]
    w = _Writer(rng, states, inputs)
    lines = [f"def update(self, {', '.join(states + inputs)}):"]
    for name in states:
        terms = [w.number(int(rng.integers(1, 4))) for _ in range(rng.integers(1, 3))]
        rate = 10 ** rng.uniform(-2.5, -0.3)
        lines.append(f"    d_{name} = {' + '.join(terms)}")
        if rng.random() < 0.85:  # a state that decays
            lines.append(
                f"    {name}_ = {name} + {rate:.4g} * ({w.constant()} * d_{name} - {name})"
            )
        else:  # a map
            lines.append(f"    {name}_ = {w.constant()} * np.tanh(d_{name})")
    threshold = 10 ** rng.uniform(-1, 1.5)
    lines.append(f"    spike = {states[0]}_ >= {threshold:.4g}")
    if rng.random() < 0.6:
        reset = f"{-threshold * rng.uniform(0, 1):.4g}"
        lines.append(f"    {states[0]}_ = np.where(spike, {reset}, {states[0]}_)")
    lines.append(f"    return spike, {', '.join(f'{n}_' for n in states)}")
    space = {"np": np}
    exec("\n".join(lines), space)
    most = float(10 ** rng.uniform(-0.5, 1.3))
    body = {
        "update": space["update"],
        "source": "\n".join(lines),
        "currents": tuple(round(most * f, 3) for f in (1.0, 0.5, -0.5)),
        **{n: State() for n in states},
        **{n: Input() for n in inputs},
    }
    return type(f"System{seed}", (Neuron,), body)


def stimulus(neuron, seed=0, steps=STEPS):
    """Input words that the neuron is meant for: its currents, held and noisy, column by column."""
    rng = np.random.default_rng(seed)
    most = max(abs(c) for c in neuron.currents)
    runs = []
    for k in range(4):
        held = np.full(steps, (0.0, *neuron.currents)[k])
        noisy = held + most * 0.3 * np.repeat(rng.standard_normal(steps // 20 + 1), 20)[:steps]
        runs.append(np.clip(noisy if k % 2 else held, -most, most))
    words = np.round(np.array(runs).T * 256) / 256
    return {
        name: (words if k == 0 else words[:, ::-1]) for k, name in enumerate(neuron.input_defaults)
    }


def finite_systems(count, first=0):
    """``count`` (seed, neuron) whose float model stays finite and is not constant."""
    found, seed = 0, first
    while found < count:
        neuron = system(seed)()
        with np.errstate(all="ignore"):
            run = neuron.run(progress=False, **stimulus(neuron))
        values = np.array(list(run.states.values()))
        if np.all(np.isfinite(values)) and np.max(np.abs(values)) < 1e6:
            yield seed, neuron
            found += 1
        seed += 1


def violations(neuron, fixed, count=3_000):
    """Steps from arbitrary states that exceed their bound."""
    try:
        _, errors = one_step_errors(neuron, fixed, random_vectors(fixed, count))
    except AssertionError:
        return 1  # a decision that is no near tie
    return sum(int(np.sum(~(error <= 1))) for error in errors.values())


@dataclass(frozen=True)
class FreeRun:
    """One run of 2,000 steps, float's and the integers'; all per state, in LSB of its word.

    ``in_range``: float stays within the registers. ``stable``: float whose states are rounded to
    the registers after every step stays within an LSB of float. ``apart``: the rms difference of
    the integers from float; ``off``: that over the steps between spikes of which none is late, if
    there are any; ``rounded``: that of rounded float. ``deviation``: float's own.
    """

    inputs: dict
    in_range: bool
    stable: bool
    apart: dict
    off: dict
    rounded: dict
    deviation: dict

    @property
    def kept(self):
        """The integers are within an LSB of float."""
        return all(apart <= 1 for apart in self.apart.values())

    @property
    def lost(self):
        """A state is off by more than 2 LSB, and by a tenth of what float's deviates."""
        return any(off > max(2, 0.1 * self.deviation[n]) for n, off in self.off.items())

    @property
    def as_rounded(self):
        """The integers are no further from float than twice what rounding alone makes."""
        return all(a <= max(1, 2 * self.rounded[n]) for n, a in self.apart.items())


def free_runs(neuron, fixed, finest=None):
    """The four runs of :func:`stimulus`: a :class:`FreeRun` each.

    ``finest`` are the registers that float is rounded to, if not those of ``fixed``: what is coarse
    on purpose makes nothing unstable.
    """
    registers = fixed.lowered.registers
    finest = finest or registers
    given = stimulus(neuron, 1)
    float_run, run = neuron.run(progress=False, **given), fixed.run(progress=False, **given)
    neuron.reset()
    rounded = {name: np.zeros_like(values) for name, values in float_run.states.items()}
    for t in range(STEPS):
        neuron.step(**{name: values[t] for name, values in given.items()})
        for name, r in finest.items():
            value = np.floor(np.ldexp(neuron.read(name), r.fraction) + 0.5)
            value = np.ldexp(value, -r.fraction)
            neuron.write(name, value)
            rounded[name][t] = value
    found = []
    for k in range(float_run.spike.shape[1]):
        in_range = stable = True
        apart, on_time, merely, deviation = {}, {}, {}, {}
        trains = [np.flatnonzero(r.spike[:, k]) for r in (float_run, run)]
        late = lateness(*trains, steps=STEPS) if all(map(len, trains)) else np.zeros(STEPS)
        here = (late == 0) | ~np.any(late == 0)
        for name, r in registers.items():
            values, lsb = float_run.states[name][:, k], r.word.lsb
            in_range &= bool(np.all((values >= r.to_real(r.least)) & (values <= r.to_real(r.most))))
            off = rounded[name][:, k] - values
            stable &= bool(np.max(np.abs(off)) <= lsb)
            merely[name] = float(np.sqrt(np.mean(off**2))) / lsb
            off = run.states[name][:, k] - values
            apart[name] = float(np.sqrt(np.mean(off**2))) / lsb
            on_time[name] = float(np.sqrt(np.mean(off[here] ** 2))) / lsb
            deviation[name] = float(np.std(values)) / lsb
        inputs = {name: values[:, k] for name, values in given.items()}
        found.append(FreeRun(inputs, in_range, stable, apart, on_time, merely, deviation))
    return found


def free_run(neuron, fixed):
    """How many runs are in range and stable in float, and how many of these stay within an LSB."""
    good = [run for run in free_runs(neuron, fixed) if run.in_range and run.stable]
    return len(good), sum(run.kept for run in good)


def verdict(neuron, fixed, inputs):
    """What ``scneuro parity`` says of a run, but for the gates, which are not simulated."""
    with (
        patch.object(parity, "compare_bits", without_gates),
        patch.object(choice, "is_installed", lambda: False),  # compiling takes longer than running
        np.errstate(all="ignore"),
    ):
        return parity.parity(neuron, inputs, fixed=fixed, make=lambda: None, progress=False)
