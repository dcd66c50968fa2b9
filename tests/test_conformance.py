"""The conformance suite: every test has a neuron of its own, both forms, and no silent pass."""

import numpy as np
import pytest

from scneuro import LIF, AdEx, NoisyLIF
from scneuro.hdl import Neuron
from scneuro.sim import conformance

GATES = (
    "test_gates_equal_the_model_on_typical_input",
    "test_gates_equal_the_model_on_adversarial_input",
)


class Own(LIF):
    def hardware(self, fixed):
        return Neuron(fixed)


def test_a_suite_never_runs_the_neuron_it_was_given():
    neuron = LIF(t_ref=2.0)
    neuron.run(np.full(50, 4.0))
    before = neuron.V, neuron.r
    suite = conformance(neuron, steps=20)()
    suite.test_steps_and_runs_agree()
    suite.test_many_neurons_are_many_times_one()
    suite.test_reset_restores_the_initial_state()
    suite.test_gates_equal_the_model_from_any_state(True)
    assert (neuron.V, neuron.r) == before
    assert before != (LIF().E_L, 0.0)


@pytest.mark.parametrize("test", GATES)
def test_every_test_has_the_class_parameters_currents_and_seed_of_an_instance(test):
    neuron = AdEx.preset("bursting", b=0.2)
    neuron.seed = 77
    neuron.run(np.full(100, 1.0))
    seen = []

    def parity(given, stimulus, **options):
        seen.append(given)
        assert (type(given), given.parameters) == (AdEx, neuron.parameters)
        assert (given.seed, given.currents) == (77, neuron.currents)
        assert given.V == given.initial["V"] != neuron.V
        assert bool(options["make"]().dsp) is dsp

    suite = conformance(neuron, steps=20)()
    for dsp in (True, False):
        getattr(suite, test)(parity, dsp=dsp)
    assert seen[0] is not seen[1]
    assert all(neuron is not other for other in seen)


def test_the_gates_are_checked_and_proved_in_both_forms():
    suite, forms = conformance(LIF)(), []
    tests = (*GATES, "test_gates_equal_the_model_from_any_state")
    tests += ("test_gates_equal_the_model_for_all_states_and_inputs",)
    for test in tests:
        marks = {mark.name: mark for mark in getattr(suite, test).pytestmark}
        assert marks["parametrize"].args == ("dsp", [True, False])
    suite.test_gates_equal_the_model_for_all_states_and_inputs(
        lambda neuron, **form: forms.append(form), dsp=False
    )
    assert forms == [{"held": True, "dsp": False}, {"held": False, "dsp": False}]


def test_what_does_not_apply_is_skipped_with_the_reason():
    own, noisy = conformance(Own)(), conformance(NoisyLIF)()
    with pytest.raises(pytest.skip.Exception, match="each draw noise of their own"):
        noisy.test_many_neurons_are_many_times_one()
    with pytest.raises(pytest.skip.Exception, match="its own hardware: there is no generated"):
        own.test_gates_equal_the_model_from_any_state(dsp=True)
    with pytest.raises(pytest.skip.Exception, match="its own hardware: there is no generated"):
        own.test_gates_equal_the_model_for_all_states_and_inputs(None, dsp=True)
    with pytest.raises(pytest.skip.Exception, match="its own hardware, which has one form"):
        own.test_gates_equal_the_model_on_typical_input(None, dsp=False)


TestOwnHardware = conformance(Own, steps=30)
