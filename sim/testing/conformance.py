"""A conformance suite that any neuron class can be run through in one line."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np
import pytest

from ...hdl import build
from ...neuron import Neuron
from ...signals.stimulus import adversarial
from ..compare.vectors import vector_parity

__all__ = ["conformance"]

_FORMS = pytest.mark.parametrize("dsp", [True, False], ids=["dsp", "logic"])


def conformance(neuron: type[Neuron] | Neuron, *, steps: int = 500) -> type:
    """A pytest class that checks a neuron at every fidelity, its gates in DSPs and in logic.

    Every test has a neuron of its own, so they may run in any order. What does not apply to a
    neuron is skipped, with the reason.

    Parameters
    ----------
    neuron : Neuron class or instance
        An instance is never run: each test has a copy of it, from its initial state.
    steps : int
        Length of each simulation.

    Examples
    --------
    In a test file, one line is the whole suite::

        TestMine = conformance(MyNeuron)
    """
    template = neuron if isinstance(neuron, Neuron) else neuron()
    typical = template.currents[0]

    def fresh() -> Neuron:
        """The neuron as it was made: its class, parameters, currents and seed, and no history."""
        made = object.__new__(type(template))
        own = {name: value for name, value in vars(template).items() if name != "graph"}
        vars(made).update(copy.deepcopy(own))
        made.reset()
        return made

    def generated() -> Neuron:
        """A fresh neuron; skips where its hardware is its own."""
        made = fresh()
        if made.hardware(made.fixed()) is not None:
            pytest.skip(f"{made.name} brings its own hardware: there is no generated datapath")
        return made

    def in_gates(dsp: bool) -> tuple[Neuron, dict[str, Any]]:
        """A fresh neuron, and for ``parity`` its hardware in one form; hand-written has one."""
        made = fresh()
        fixed = made.fixed()
        if made.hardware(fixed) is not None and not dsp:
            pytest.skip(f"{made.name} brings its own hardware, which has one form")
        return made, {"fixed": fixed, "make": lambda: build(made, fixed, dsp=dsp)}

    class Conformance:
        def test_reset_restores_the_initial_state(self) -> None:
            for runner in (fresh(), fresh().fixed()):
                start = [runner.read(n) for n in runner.state_names]
                runner.run(np.full(50, typical))
                runner.reset()
                assert [runner.read(n) for n in runner.state_names] == start

        def test_steps_and_runs_agree(self) -> None:
            first = next(iter(template.input_defaults))
            for runner in (fresh(), fresh().fixed()):
                recording = runner.run(np.full(50, typical))
                runner.reset()
                steps_taken = [runner.step(**{first: typical}) for _ in range(50)]
                assert [bool(s) for s, _ in steps_taken] == recording.spike.tolist()
                name = runner.state_names[0]
                assert [float(v) for _, v in steps_taken] == recording.states[name].tolist()

        def test_many_neurons_are_many_times_one(self) -> None:
            if template.noises:
                pytest.skip(f"{template.name} is noisy: many neurons each draw noise of their own")
            currents = typical * np.linspace(0.5, 1.5, 3)
            for runner in (fresh(), fresh().fixed()):
                together = runner.run(np.tile(currents, (50, 1)))
                for n, current in enumerate(currents):
                    alone = runner.run(np.full(50, current))
                    name = runner.state_names[0]
                    assert np.array_equal(together.states[name][:, n], alone.states[name])

        @_FORMS
        def test_gates_equal_the_model_on_typical_input(self, parity: Any, dsp: bool) -> None:
            made, options = in_gates(dsp)
            parity(made, np.full(steps, typical), **options)

        @_FORMS
        def test_gates_equal_the_model_on_adversarial_input(self, parity: Any, dsp: bool) -> None:
            made, options = in_gates(dsp)
            word = next(iter(made.input_words.values()))
            parity(made, adversarial(steps, word=word), levels=(1, 2), **options)

        @_FORMS
        def test_gates_equal_the_model_from_any_state(self, dsp: bool) -> None:
            result = vector_parity(generated().fixed(), 4 * steps, dsp=dsp, progress=False)
            assert result.ok, f"{result.mismatches} of {result.vectors} differ: {result.first}"

        @pytest.mark.proof
        @_FORMS
        def test_gates_equal_the_model_for_all_states_and_inputs(
            self, prove: Any, dsp: bool
        ) -> None:
            made = generated()
            for held in (True, False):
                prove(made, held=held, dsp=dsp)

    Conformance.__name__ = Conformance.__qualname__ = f"Conformance[{template.name}]"
    Conformance.__doc__ = f"{template.name}, at every fidelity."
    return Conformance
