"""What the blocks of a network promise each other: assumed of one, claimed of the other."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from .....hdl.network.core import Core
from .....hdl.network.scan import Scan
from .....hdl.network.synapses import Synapses
from ..harness import Harness, implies, same

__all__ = ["AnyBlock", "Turns", "held", "reads", "taken"]


class AnyBlock(wiring.Component):  # type: ignore[misc]
    """The ports of a block, with anything at any clock on those it drives."""

    def __init__(self, of: Any) -> None:
        super().__init__(of.signature)
        self.of = of

    def __getattr__(self, name: str) -> Any:
        if "of" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.of, name)

    def elaborate(self, platform: object) -> Module:
        return Module()


def held(h: Harness, dut: Scan, *kept: Any) -> list[Value]:
    """What a scan needs: it starts when it is over, and what it reads stays until it is."""
    given = Cat(dut.base, dut.words, *(Value.cast(value) for value in kept))
    return [
        implies(dut.start, ~dut.busy),
        implies(h.was(dut.start | dut.busy), same(given, h.was(given))),
    ]


def reads(h: Harness, dut: Scan) -> list[Value]:
    """What a scan does: it reads its words when it is busy, and what it gives stays."""
    waits = h.was(dut.valid & ~dut.ready)
    return [
        implies(dut.busy, h.was(dut.start | dut.busy)),
        implies(dut.valid, dut.busy),
        implies(waits, dut.valid & (dut.index == h.was(dut.index))),
        implies(dut.enable, dut.busy & ((dut.address - dut.base)[: len(dut.address)] < dut.words)),
    ]


def taken(h: Harness, dut: Synapses) -> list[Value]:
    """What synapses do: they are busy after something was taken, and never else."""
    begins = dut.valid & dut.ready
    return [implies(h.was(begins), dut.busy), implies(dut.busy, h.was(dut.busy | begins))]


class Turns:
    """The rows of a population in a step: fetched, and their spikes shown, in turn.

    Attributes
    ----------
    open : Signal
        A step of it has begun, and is not done.
    fetched : dict of str to Signal
        By input, rows that were fetched in the step.
    shown : Signal
        Rows whose spikes were shown in it.
    since : Signal
        Clocks since it began anew, or since the start; no more than one more than it has rows.
    """

    def __init__(self, h: Harness, core: Core, name: str) -> None:
        m, self.core = h.m, core
        self.open = Signal(name=f"{name}_open")
        starts = core.tick & core.ready
        with m.If(starts):
            m.d.sync += self.open.eq(1)
        with m.Elif(core.done):
            m.d.sync += self.open.eq(0)
        inputs = core._fixed.lowered.inputs
        self.fetched = {to: Signal(range(core.rows + 1), name=f"{name}_{to}") for to in inputs}
        self.shown = Signal(range(core.rows + 1), name=f"{name}_shown")
        self.fetches = {to: core.fetch[to] for to in inputs if to in core.pipeline.reads}
        self.counts = [(self.fetched[to], view) for to, view in self.fetches.items()]
        self.counts.append((self.shown, core.written.spike))
        for count, view in self.counts:
            m.d.sync += count.eq(Mux(starts, 0, count + view.valid))
        self.since = Signal(range(core.rows + 2), init=1, name=f"{name}_since")
        with m.If(core.restart):
            m.d.sync += self.since.eq(1)
        with m.Elif(self.since <= core.rows):
            m.d.sync += self.since.eq(self.since + 1)

    def asked(self) -> list[Value]:
        """What a population needs: a step begins, anew or not, when none is under way.

        Its memories are read, or written, only then.
        """
        core = self.core
        found = [
            implies(core.tick, ~self.open & ~core.restart),
            implies(core.restart, ~self.open & core.ready),
        ]
        if core._linked:
            reached = core.look | core.write.as_value().any()
            found.append(implies(reached, ~self.open & core.ready & ~core.tick))
            found.append(~(core.look & core.write.as_value().any()))
        return found

    def kept(self) -> list[Value]:
        """What it does: each row once in a step, in turn, and it is done when all were.

        Where it begins anew it is ready again when so many clocks have passed as it has rows.
        """
        core, found = self.core, []
        for count, view in self.counts:
            found += [
                implies(view.valid, self.open & (view.row == count) & (count < core.rows)),
                implies(core.done, count + view.valid == core.rows),
            ]
        silent = [core.fetch[to].valid for to in self.fetched if to not in self.fetches]
        anew = implies(~self.open & ~core.ready, self.since <= core.rows)
        return [*found, implies(core.done, self.open), ~Cat(silent).any(), anew]
