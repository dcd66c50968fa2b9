"""A neuron or a population as the network of one population: the same integers."""

import numpy as np
import pytest

from scneuro import (
    LIF,
    AdEx,
    ConductanceLIF,
    EscapeLIF,
    HodgkinHuxley,
    Input,
    Izhikevich,
    Network,
    Neuron,
    NoisyLIF,
    Population,
    ScneuroError,
    State,
)
from scneuro.hdl.network import Network as Gates
from scneuro.network import Scale


class Biased(Neuron):
    """Inputs with defaults that no word holds, and one that has the neuron's name."""

    v = State(word="Q6.10")
    drive = Input(word="Q6.10", default=0.3)
    Biased = Input(word="Q4.12", default=-0.777)

    def update(self, v, drive, Biased):
        v = v + 0.1 * (drive + 3.0 * Biased - v)
        return v >= 1.0, np.where(v >= 1.0, 0.0, v)


def rng(seed=0):
    return np.random.default_rng(seed)


def given(target, steps, seed=1):
    """Inputs around what makes it fire, each neuron its own."""
    count = getattr(target, "count", 1)
    r = rng(seed)
    most = target.currents[0]
    drawn = {n: most * r.uniform(0, 3.5, (steps, count)) for n in target.input_defaults}
    return {n: x / 50 if n == "I_inh" else x for n, x in drawn.items()}


def words(neuron, **chosen):
    neuron.set_words(**chosen)
    return neuron


def budgeted(neuron):
    neuron.budget = 2.0
    return neuron


CASES = {
    "a neuron": lambda: LIF(),
    "one with a dt": lambda: AdEx(dt=0.05),
    "three states": lambda: Izhikevich(),
    "many states": lambda: HodgkinHuxley(),
    "two inputs": lambda: Population(ConductanceLIF(), 5),
    "words": lambda: Population(words(LIF(), I="Q12.4"), 3),
    "budget": lambda: Population(budgeted(AdEx()), 3),
    "parameters": lambda: Population(AdEx(), 4, parameters={"a": [1.0, 2, 3, 4]}),
    "init": lambda: Population(LIF(), 3, init={"V": [-70.0, -60, -55]}),
    "lanes": lambda: Population(LIF(), 8, lanes=4, interval=2),
    "noise": lambda: Population(NoisyLIF(), 6, lanes=2),
    "escape noise": lambda: EscapeLIF(),
    "defaults": lambda: Population(Biased(), 7),
}


@pytest.mark.parametrize("case", CASES)
def test_its_integers_are_those_of_what_it_is_made_of(case):
    target = CASES[case]()
    arrays = given(target, 400)
    net = Network.of(target)
    fixed = net.fixed()
    own = target.fixed()
    single = isinstance(target, Neuron)
    expected = own.run(**{n: a[:, 0] if single else a for n, a in arrays.items()}, progress=False)
    found = fixed.run(**arrays, progress=False)
    (name,) = net.layers
    spikes = expected.spike[:, None] if single else expected.spike
    assert np.array_equal(found.spike[name], spikes)
    assert spikes.any()
    for state in own.state_names:
        wanted = np.asarray(expected[state]).reshape(spikes.shape)
        assert np.array_equal(found.states[name][state], wanted), state
    registers = fixed.populations[name].registers  # guard bits and parameters, too
    for state, values in own.registers.items():
        assert np.array_equal(registers[state], np.reshape(values, -1)), state


def test_names_are_those_of_the_neuron():
    net = Network.of(Population(Biased(), 2))
    assert (net.name, [*net.inputs], [*net.layers]) == ("Biased", ["drive", "Biased"], ["Biased_"])
    other = Network.of(LIF(), "mine")
    assert (other.name, [*other.layers], other.inputs["I"].kind) == ("mine", ["LIF"], "current")
    assert isinstance(other.projections[0].map, Scale)


def test_what_cannot_be_one_is_refused():
    with pytest.raises(
        TypeError, match=r"Network.of\(\) takes a neuron, and LIF is its class: write LIF\(\)"
    ):
        Network.of(LIF)

    class Drawn(LIF):
        def hardware(self, fixed):
            return object()

    with pytest.raises(ScneuroError, match="Drawn brings its own hardware"):
        Gates(Network.of(Drawn()).fixed())
