"""Bit parity over 100,000 steps for each neuron, from arbitrary states and running freely."""

import pytest
from checks import nightly

from scneuro import LIF, AdEx, Izhikevich
from scneuro.signals.stimulus import adversarial
from scneuro.sim import parity, vector_parity

pytestmark = pytest.mark.slow


NEURONS = (LIF(), Izhikevich(), AdEx())


@pytest.mark.parametrize(
    "neuron", nightly(NEURONS, lambda n: n.name != "LIF"), ids=lambda n: n.name
)
def test_the_pipeline_equals_the_model_from_100_000_states(neuron):
    result = vector_parity(neuron.fixed(), 100_000, dsp=True, progress=False)
    assert result.vectors == 100_000
    assert result.ok, result.first


@pytest.mark.parametrize(
    "neuron", nightly(NEURONS, lambda n: n.name == "AdEx"), ids=lambda n: n.name
)
@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
def test_the_neuron_equals_the_model_on_adversarial_input(neuron, rounding):
    fixed = neuron.fixed(rounding=rounding)
    result = parity(neuron, adversarial(6_000, seed=3), fixed=fixed, progress=False)
    assert result.bit_exact, str(result)
    assert result.within_bound, str(result)
