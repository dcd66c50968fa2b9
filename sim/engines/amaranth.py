"""The gates in Amaranth's own simulator, with the surface of the models."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.sim import Simulator

from ...errors import ScneuroError
from ...fixed import FixedNeuron
from ...hdl import Neuron, hand_written
from ...runner import Runner
from ...words import quantize
from .packing import unpack

__all__ = ["HardwareNeuron", "SimulatedNeuron", "simulate_steps"]

_PATIENCE = 100_000  # clocks a hand-written neuron may take for one step
_PERIOD = 1e-6


class _Bench:
    """One hardware neuron on its streams; every result is (spike, word, registers)."""

    def __init__(self, hardware: Any, fixed: FixedNeuron) -> None:
        self._hardware, self._fixed = hardware, fixed
        self._first = fixed.state_names[0]
        self._widths = {n: r.width for n, r in fixed.lowered.registers.items()}
        self.simulator = Simulator(hardware)
        try:
            self.simulator.add_clock(_PERIOD)
        except NameError:
            raise ScneuroError(
                f"{fixed.name}: the hardware has no sync domain",
                "state registers belong in m.d.sync",
            ) from None
        self.simulator.add_testbench(self._serve)
        self._todo: list[int] = []
        self._done: list[tuple[int, int, dict[str, int]]] = []

    async def _serve(self, ctx: Any) -> None:
        hardware = self._hardware
        payload, state = hardware.i.payload.as_value(), hardware.state.as_value()
        wait = getattr(hardware, "latency", 1) - 1
        ctx.set(hardware.o.ready, 1)
        while True:
            if not self._todo:
                await ctx.tick()
                continue
            ctx.set(payload, self._todo.pop(0))
            ctx.set(hardware.i.valid, 1)
            if wait:  # nothing to see before: sleep through it, which is much quicker to simulate
                await ctx.delay((wait - 0.5) * _PERIOD)
            for _ in range(_PATIENCE):
                *_, accepted = await ctx.tick().sample(hardware.i.ready)
                if accepted:
                    break
            ctx.set(hardware.i.valid, 0)
            for _ in range(_PATIENCE if accepted else 0):
                if ctx.get(hardware.o.valid):
                    break
                await ctx.tick()
            else:
                raise ScneuroError(
                    f"{self._fixed.name}: the hardware gave no result in {_PATIENCE:,} clocks",
                    "i.ready must accept every input, and o.valid must rise once for each",
                )
            result = hardware.o.payload
            self._done.append(
                (
                    ctx.get(result.spike),
                    ctx.get(result[self._first]),
                    unpack(ctx.get(state), self._widths),
                )
            )
            await ctx.tick()
            if ctx.get(hardware.o.valid):
                raise ScneuroError(
                    f"{self._fixed.name}: the hardware gave a second result for one input",
                    "o.valid must fall when o.ready takes the result",
                )

    def step(self, words: dict[str, int]) -> tuple[int, int, dict[str, int]]:
        packed = 0
        for position, name in enumerate(self._fixed.lowered.inputs):
            packed |= (words[name] & 0xFFFF) << (16 * position)
        self._todo.append(packed)
        while not self._done:
            self.simulator.advance()
        return self._done.pop()


def simulate_steps(
    hardware: Any, fixed: FixedNeuron, words: dict[str, np.ndarray], vcd: Path | None = None
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """Run hardware over input words (T,): the spike flag, first word and registers of every step.

    With ``vcd``, the waveform is written there.
    """
    bench = _Bench(hardware, fixed)
    writer = bench.simulator.write_vcd(str(vcd)) if vcd else nullcontext()
    with writer:
        for t in range(len(next(iter(words.values())))):
            yield bench.step({name: int(values[t]) for name, values in words.items()})


class HardwareNeuron(Runner):
    """A neuron's hardware in some engine, one neuron, with the surface of the models.

    Parameters
    ----------
    make : callable
        Returns a new instance of the hardware (as ``scneuro.hdl.build`` does).
    fixed : FixedNeuron
        Its formats.
    """

    def __init__(self, make: Any, fixed: FixedNeuron) -> None:
        self.name, self.dt = fixed.name, fixed.dt
        self.state_names, self.input_defaults = fixed.state_names, fixed.input_defaults
        self._make, self._fixed = make, fixed
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
        spike, self.registers = self._step({name: int(value) for name, value in inputs.items()})
        return bool(spike)

    def _step(self, words: dict[str, int]) -> tuple[int, dict[str, int]]:
        """One step on input words: the spike flag and the registers after it."""
        raise NotImplementedError


class SimulatedNeuron(HardwareNeuron):
    """A neuron's hardware in Amaranth's simulator; see :class:`HardwareNeuron`."""

    _bench: _Bench | None = None

    def reset(self) -> None:
        super().reset()
        self._bench = None

    def _step(self, words: dict[str, int]) -> tuple[int, dict[str, int]]:
        if self._bench is None:
            self._bench = _Bench(self._make(), self._fixed)
        spike, _, registers = self._bench.step(words)
        return spike, registers
