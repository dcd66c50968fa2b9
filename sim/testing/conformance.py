"""A conformance suite that any neuron class can be run through in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ...neuron import Neuron
from ...signals.stimulus import adversarial
from ..compare.vectors import vector_parity

__all__ = ["conformance"]


def conformance(neuron: type[Neuron] | Neuron, *, steps: int = 500) -> type:
    """A pytest class that checks a neuron at every fidelity.

    Parameters
    ----------
    neuron : Neuron class or instance
    steps : int
        Length of each simulation.

    Examples
    --------
    In a test file, one line is the whole suite::

        TestMine = conformance(MyNeuron)
    """
    instance = neuron if isinstance(neuron, Neuron) else neuron()
    typical = instance.currents[0]

    class Conformance:
        def test_reset_restores_the_initial_state(self) -> None:
            for runner in (instance, instance.fixed()):
                runner.reset()  # another test may have run it
                start = [runner.read(n) for n in runner.state_names]
                runner.run(np.full(50, typical))
                runner.reset()
                assert [runner.read(n) for n in runner.state_names] == start

        def test_steps_and_runs_agree(self) -> None:
            first = next(iter(instance.input_defaults))
            for runner in (instance, instance.fixed()):
                recording = runner.run(np.full(50, typical))
                runner.reset()
                steps_taken = [runner.step(**{first: typical}) for _ in range(50)]
                assert [bool(s) for s, _ in steps_taken] == recording.spike.tolist()
                name = runner.state_names[0]
                assert [float(v) for _, v in steps_taken] == recording.states[name].tolist()

        def test_many_neurons_are_many_times_one(self) -> None:
            if instance.noises:
                return  # each draws noise of its own
            currents = typical * np.linspace(0.5, 1.5, 3)
            for runner in (instance, instance.fixed()):
                together = runner.run(np.tile(currents, (50, 1)))
                for n, current in enumerate(currents):
                    alone = runner.run(np.full(50, current))
                    name = runner.state_names[0]
                    assert np.array_equal(together.states[name][:, n], alone.states[name])

        def test_gates_equal_the_model_on_typical_input(self, parity: Any) -> None:
            parity(instance, np.full(steps, typical))

        def test_gates_equal_the_model_on_adversarial_input(self, parity: Any) -> None:
            parity(instance, adversarial(steps), levels=(1, 2))

        def test_gates_equal_the_model_from_any_state(self) -> None:
            if instance.hardware(instance.fixed()) is None:
                result = vector_parity(instance.fixed(), 4 * steps, progress=False)
                assert result.ok, f"{result.mismatches} of {result.vectors} differ: {result.first}"

        @pytest.mark.proof
        def test_gates_equal_the_model_for_all_states_and_inputs(self, prove: Any) -> None:
            if instance.hardware(instance.fixed()) is None:
                prove(instance, held=True)
                prove(instance)

    Conformance.__name__ = Conformance.__qualname__ = f"Conformance[{instance.name}]"
    Conformance.__doc__ = f"{instance.name}, at every fidelity."
    return Conformance
