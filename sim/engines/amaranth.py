"""The gates in Amaranth's own simulator, driven as ``driver.cc`` drives them compiled."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import numpy as np
from amaranth import Value
from amaranth.sim import Simulator

from ...errors import ScneuroError
from ..contracts.contract import Contract
from .packing import CHUNK, chunked

__all__ = ["SimulatedGates"]

_PERIOD = 1e-6


class SimulatedGates:
    """Gates in Amaranth's simulator; see :class:`~scneuro.sim.engines.drive.Driven`.

    Parameters
    ----------
    contract : Contract
    stall : int

    Raises
    ------
    ScneuroError
        The hardware has no clock.
    """

    def __init__(self, contract: Contract, *, stall: int = 0) -> None:
        self._contract, self._stall, self.clocks = contract, stall, 0
        self.simulator = Simulator(contract.gates)
        try:
            self.simulator.add_clock(_PERIOD)
        except NameError:
            raise ScneuroError(
                f"{contract.name}: the hardware has no sync domain",
                "state registers belong in m.d.sync",
            ) from None
        self.simulator.add_testbench(self._serve)
        self._todo: list[tuple[list[int], list[int]]] = []
        self._records: list[list[int]] = [[] for _ in contract.signature.seen]

    def run(self, words: np.ndarray, ends: np.ndarray) -> list[np.ndarray]:
        """Go on with frames: the records of what is seen."""
        for records in self._records:
            records.clear()
        self._todo.append(([_whole(row) for row in words.tolist()], ends.tolist()))
        while self._todo:
            self.simulator.advance()
        seen = self._contract.signature.seen
        return [chunked(r, port.chunks) for r, port in zip(self._records, seen, strict=True)]

    async def _serve(self, ctx: Any) -> None:
        while True:
            if self._todo:
                await self._drive(ctx, *self._todo[0])
                self._todo.pop()
            else:
                await ctx.tick()

    async def _drive(self, ctx: Any, words: list[int], ends: list[int]) -> None:
        gates, signature = self._contract.gates, self._contract.signature
        payload = Value.cast(gates.i.payload)
        start, ready = getattr(gates, "tick", None), getattr(gates, "ready", None)
        held = start is not None and ready is None
        seen = [Value.cast(attrgetter(port.path)(gates)) for port in signature.seen]
        masks = [None if p.mask is None else _whole(p.mask.tolist()) for p in signature.seen]
        looked = [gates.i.ready, gates.o.valid, *seen]
        looked += [gates.done] if start is not None else []
        looked += [ready] if ready is not None else []
        if held:
            ctx.set(start, 1)
        driven = [gates.i.valid, gates.o.ready, *([] if ready is None else [start])]
        driving: tuple[int, ...] = (-1, -1, -1)
        word = frame = given = left = finished = quiet = 0
        shown = -1
        while finished < len(ends) or quiet < signature.rest:
            may = self._coin()
            gives = frame < len(ends) and word < ends[frame]
            starts = frame < len(ends) and not gives
            valid, taking = gives and (may & 1 or not held), may >> 1 & 1
            if fresh := valid and shown != word:
                ctx.set(payload, words[word])
                shown = word
            drives = valid, taking, starts
            for port, value, before in zip(driven, drives, driving, strict=False):
                if value != before:  # each is a step of the simulator
                    ctx.set(port, value)
            driving = drives
            _, _, accepts, leaves, *values = await ctx.tick().sample(*looked)
            self.clocks += 1
            quiet += 1
            leaving = leaves and taking
            for records, value, mask, port in zip(
                self._records, values, masks, signature.seen, strict=False
            ):
                if leaving if mask is None else value & mask:
                    if len(records) == port.most * len(ends):
                        raise ScneuroError(*self._contract.excess)
                    records.append(value)
                    quiet = 0
            if leaves:
                quiet = 0
            if leaving and signature.answers and left == signature.answers * given:
                raise ScneuroError(*self._contract.excess)
            left += leaving
            if start is not None and values[len(seen)]:
                finished, quiet = finished + 1, 0
            if valid and accepts:
                word, quiet = word + 1, 0
                given += word == ends[given]
            elif ready is not None and starts and values[-1]:
                frame, quiet = frame + 1, 0
            if held:
                frame = given
            if signature.answers and left == signature.answers * (frame + 1):
                frame = finished = frame + 1
            if quiet > signature.patience:
                raise ScneuroError(*self._contract.silence)
            if fresh and not accepts and signature.asleep > 2:  # which is much quicker to simulate
                await ctx.delay((signature.asleep - 1.5) * _PERIOD)
                self.clocks += signature.asleep - 2

    def _coin(self) -> int:
        """Whether something is done in a clock: always, or at random if the seed is not 0."""
        if not self._stall:
            return -1
        seed = self._stall
        seed ^= seed << 13 & 0xFFFFFFFF
        seed ^= seed >> 17
        seed ^= seed << 5 & 0xFFFFFFFF
        self._stall = seed
        return seed


def _whole(chunks: list[int]) -> int:
    """A payload, of its chunks, lowest first."""
    return sum(chunk << CHUNK * k for k, chunk in enumerate(chunks))
