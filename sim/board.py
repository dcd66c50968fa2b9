"""A whole board design in the simulator, read through its UART pin."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..fixed import FixedNeuron
from ..hdl.link.samples import FRAME_BYTES, FrameReader, Sample
from ..hdl.top import Plan, Top
from ..hdl.uart import divisor, levels
from ..population import FixedPopulation
from .engines.bench import run_bench

__all__ = ["BoardRun", "expected_samples", "simulate_board"]


_HELD = 4
_PATIENCE = 4  # times what the samples need
_BYTE = 0x6E  # any but + and -


@dataclass(frozen=True)
class BoardRun:
    """What came out of the pins.

    Attributes
    ----------
    samples : list of Sample
    bad, lost : int
        Bytes outside valid frames, and frames missing.
    lit : bool
        The LED was on at the end.
    late : bool
    """

    samples: list[Sample]
    bad: int
    lost: int
    lit: bool
    late: bool


def simulate_board(
    hardware: Any,
    fixed: FixedNeuron,
    plan: Plan,
    samples: int,
    *,
    bytes_at: Sequence[int] = (),
    press_at: Sequence[int] = (),
    max_cycles: int | None = None,
) -> BoardRun:
    """Run a board's design until its UART has sent ``samples`` frames.

    Parameters
    ----------
    hardware, fixed, plan
        As for :class:`~scneuro.hdl.top.Top`.
    samples : int
    bytes_at : sequence of int
        Send a byte to the board after this many frames.
    press_at : sequence of int
        Hold the button down for four frames after this many.
    max_cycles : int, optional
        Clocks in which all frames must have come; by default several times as many as they need.

    Raises
    ------
    ScneuroError
        If they have not.
    """
    top = Top(hardware, fixed, plan)
    clocks = divisor(plan.clock_hz, plan.baud)
    reader = FrameReader()
    found: list[Sample] = []
    state = {"lit": False, "late": False}

    async def listen(ctx: Any) -> None:
        while len(found) < samples:
            await ctx.negedge(top.tx)
            await ctx.tick().repeat(clocks + clocks // 2)
            byte = 0
            for bit in range(8):
                byte |= ctx.get(top.tx) << bit
                await ctx.tick().repeat(clocks)
            if ctx.get(top.tx):  # the stop bit
                found.extend(reader.feed(bytes([byte])))
            state.update(lit=bool(ctx.get(top.led)), late=bool(ctx.get(top.late)))

    async def talk(ctx: Any) -> None:
        for count in sorted(bytes_at):
            while len(found) < count:
                await ctx.tick().repeat(10 * clocks)
            for bit in levels(_BYTE):
                ctx.set(top.rx, bit)
                await ctx.tick().repeat(clocks)

    async def press(ctx: Any) -> None:
        for count in sorted(press_at):
            while len(found) < count:
                await ctx.tick().repeat(10 * clocks)
            ctx.set(top.button, 1)
            while len(found) < count + _HELD:
                await ctx.tick().repeat(10 * clocks)
            ctx.set(top.button, 0)

    if max_cycles is None:
        between = max(plan.every * plan.tick_clocks, FRAME_BYTES * 10 * clocks)
        max_cycles = _PATIENCE * (samples + 1) * between
    run_bench(
        top,
        listen,
        max_cycles=max_cycles,
        background=[*([talk] if bytes_at else []), *([press] if press_at else [])],
        period=1 / plan.clock_hz,
        what=f"frames from the board of {fixed.name}, {samples} wanted",
    )
    return BoardRun(found, reader.bad, reader.lost, state["lit"], state["late"])


def expected_samples(
    fixed: FixedNeuron | FixedPopulation, plan: Plan, currents: Sequence[int]
) -> list[Sample]:
    """What the integer model says the frames hold, given the current each frame reports.

    The current changes at the step after the one before's frame at the earliest, so the frames' own
    currents, one to every ``plan.every`` steps, decide the run where they are constant.
    """
    first = next(iter(fixed.lowered.inputs))
    words = fixed.lowered.input_words
    fixed.reset()
    one = fixed.one if isinstance(fixed, FixedPopulation) else fixed  # looked at: its first neuron
    result = []
    for number, current in enumerate(currents):
        spikes = 0
        for _ in range(1 if number == 0 else plan.every):
            spike, _ = one.step(**{first: current * words[first].lsb})
            spikes += int(np.ravel(spike)[0])
        word = int(np.ravel(one.words[fixed.state_names[0]])[0])
        result.append(Sample(number % 256, min(spikes, 255), word, current))
    return result
