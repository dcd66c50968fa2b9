"""A neuron's gates with the surface of the models, in either engine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.traces import Traces
from ...fixed import FixedNeuron
from ...hdl import Neuron, hand_written
from ...runner import Runner
from ...tools.progress import progress as bar
from ...words import quantize
from ..contracts.neuron import NeuronContract
from .compiled import compile_hardware
from .drive import Driven, Stretch

__all__ = ["CompiledNeuron", "SimulatedNeuron", "compiled_steps", "simulate_steps"]


def simulate_steps(
    hardware: Any, fixed: FixedNeuron, words: dict[str, np.ndarray], vcd: Path | None = None
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """Run hardware over input words (T,): the spike flag, first word and registers of every step.

    With ``vcd``, the waveform is written there.
    """
    driven = Driven(NeuronContract(hardware, fixed), "amaranth")
    with driven.gates.simulator.write_vcd(str(vcd)) if vcd else nullcontext():
        yield from _each(driven.stretches(words))


def compiled_steps(
    hardware: Any, fixed: FixedNeuron, words: dict[str, np.ndarray], *, library: Path | None = None
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """As :func:`~scneuro.sim.simulate_steps`, compiled.

    Parameters
    ----------
    hardware : Component
        A neuron's hardware; not used if ``library`` is given.
    fixed : FixedNeuron
    words : dict of str to ndarray, shape (T,)
    library : path, optional
        A design compiled already, such as a netlist.
    """
    driven = Driven(NeuronContract(hardware, fixed), library=library)
    yield from _each(driven.stretches(words))


def _each(stretches: Iterator[Stretch]) -> Iterator[tuple[int, int, dict[str, int]]]:
    """Step by step."""
    for stretch in stretches:
        _, _, *names = stretch.tables
        columns = [values.tolist() for values in stretch.tables.values()]
        for spike, word, *registers in zip(*columns, strict=True):
            yield spike, word, dict(zip(names, registers, strict=True))


class HardwareNeuron(Runner):
    """A neuron's hardware in some engine, one neuron, with the surface of the models.

    Parameters
    ----------
    make : callable
        Returns a new instance of the hardware (as ``scneuro.hdl.build`` does).
    fixed : FixedNeuron
        Its formats.
    """

    _engine: str

    def __init__(self, make: Any, fixed: FixedNeuron) -> None:
        self.name, self.dt = fixed.name, fixed.dt
        self.state_names, self.input_defaults = fixed.state_names, fixed.input_defaults
        self._make, self._fixed = make, fixed
        self._options: dict[str, Any] = {}
        self.reset()

    def __repr__(self) -> str:
        return f"<{self.name} in gates: {type(self).__name__}>"

    def prove(self, **options: Any) -> Any:
        """Prove its gates for all states and inputs: :func:`~scneuro.sim.proof.prove`.

        Raises
        ------
        ScneuroError
            If the hardware is hand-written, or bitwuzla is missing.
        """
        from ..proof import prove

        hardware = self._make()
        if not isinstance(hardware, Neuron):
            raise hand_written(self.name)
        return prove(self._fixed, hardware.form, **options)

    def reset(self) -> None:
        """Start over from power-on."""
        self.registers = {n: r.init for n, r in self._fixed.lowered.registers.items()}
        self._shape = ()
        self._driven: Driven | None = None

    def read(self, name: str) -> Any:
        r = self._fixed.lowered.registers[name]
        return r.to_word(self.registers[name]) * r.word.lsb

    def write(self, name: str, value: Any) -> None:
        raise AttributeError(f"{self.name}: the registers of hardware cannot be set from outside")

    def _convert(self, name: str, values: np.ndarray) -> np.ndarray:
        unit, word = self._fixed.lowered.inputs[name], self._fixed.lowered.input_words[name]
        return quantize(values, f"{self.name}: {name}", word, unit)

    def _resize(self, count: int) -> None:
        raise ValueError(f"{self.name}: simulated hardware is one neuron, not {count}")

    def _advance(self, inputs: dict[str, Any]) -> Any:
        (stretch,) = self._stretches({n: np.array([value]) for n, value in inputs.items()})
        return bool(stretch.tables["spike"][0])

    def _run_steps(
        self,
        arrays: dict[str, np.ndarray],
        traces: Traces,
        recorded: tuple[str, ...],
        progress: bool,
    ) -> dict[str, int]:
        """As of any runner; the engine is given as many steps as it takes at a time."""
        count, begin = len(next(iter(arrays.values()))), 0
        registers = self._fixed.lowered.registers
        for stretch in bar(self._stretches(arrays), self.name, unit="block", wanted=progress):
            filled = traces.stretch(begin, min(begin + stretch.frames, count))
            filled["spike"][:] = stretch.tables["spike"] != 0
            for name in recorded:
                r = registers[name]
                filled[name][:] = r.to_word(stretch.tables[name]) * r.word.lsb
            traces.keep(filled)
            begin += stretch.frames
        return {}

    def _stretches(self, words: dict[str, np.ndarray]) -> Iterator[Stretch]:
        if self._driven is None:
            contract = NeuronContract(self._made(), self._fixed)
            self._driven = Driven(contract, self._engine, **self._options)
        for stretch in self._driven.stretches(words):
            self.registers = {n: int(stretch.tables[n][-1]) for n in self.state_names}
            yield stretch

    def _made(self) -> Any:
        return self._make()


class SimulatedNeuron(HardwareNeuron):
    """A neuron's hardware in Amaranth's simulator; see :class:`HardwareNeuron`."""

    _engine = "amaranth"


class CompiledNeuron(HardwareNeuron):
    """A neuron's hardware, compiled; see :class:`HardwareNeuron`."""

    _engine = "cxxrtl"

    def _made(self) -> Any:
        hardware = self._make()
        if not self._options:  # once, however often it starts over
            self._options = {"library": compile_hardware(hardware)}
        return hardware
