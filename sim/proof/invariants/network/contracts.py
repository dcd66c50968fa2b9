"""What the blocks of a network promise each other: assumed of one, claimed of the other."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Module, Mux, Signal, Value
from amaranth.lib import wiring

from .....hdl.network.core import AHEAD, Core
from .....hdl.network.scan import Scan
from .....hdl.network.synapses import WRITTEN, Synapses
from ..harness import Harness, implies, same

__all__ = ["AnyBlock", "Silence", "Takes", "Turns", "held", "reads", "taken"]


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


class Silence:
    """How long a scan gives no spike.

    Attributes
    ----------
    silent, given : Signal
        Since it started, clocks in which it was busy and gave none, and spikes that were taken.
    """

    def __init__(self, h: Harness, dut: Scan) -> None:
        self.dut = dut
        self.silent = Signal(len(dut.words) + 2, name="silent")
        self.given = Signal.like(dut.index, name="given")
        with h.m.If(dut.start):
            h.m.d.sync += [self.silent.eq(0), self.given.eq(0)]
        with h.m.Else():
            h.m.d.sync += self.silent.eq(self.silent + (dut.busy & ~dut.valid))
            h.m.d.sync += self.given.eq(self.given + (dut.valid & dut.ready))

    def ends(self) -> list[Value]:
        """It is silent for a clock a word, and two; before a spike come no more than its number."""
        dut = self.dut
        return [
            implies(dut.busy, self.silent + ~dut.valid <= dut.words + 2),
            implies(dut.valid, self.given <= dut.index),
        ]


class Takes:
    """How long ago synapses took something, and how many rows it goes through.

    Attributes
    ----------
    since : Signal
        1 in the clock after.
    rows : Signal
    """

    def __init__(self, h: Harness, dut: Synapses) -> None:
        self.dut, loop = dut, dut.loop
        rows = dut.rows * loop.across * loop.down
        self.rows = Signal(len(rows), name="rows_of_taken")
        self.since = Signal(len(rows) + 2, init=(1 << (len(rows) + 2)) - 1, name="since_taken")
        with h.m.If(dut.valid & dut.ready):
            h.m.d.sync += [self.since.eq(1), self.rows.eq(Mux(loop.valid, rows, dut.rows))]
        with h.m.Elif(~self.since.all()):
            h.m.d.sync += self.since.eq(self.since + 1)

    def ends(self) -> list[Value]:
        """After so many clocks they are ready again, and after so many over."""
        dut, looped, rows = self.dut, self.dut.loop.valid, self.rows
        alone = Mux(rows > WRITTEN, rows, WRITTEN + 1)
        return [
            implies(~dut.ready, dut.busy & (self.since < Mux(looped, rows + WRITTEN + 1, alone))),
            implies(dut.busy, self.since <= rows + WRITTEN + looped),
        ]


class Turns:
    """The rows of a population in a step: fetched, and their spikes shown, in turn.

    Attributes
    ----------
    open : Signal
        A step of it has begun, and is not done.
    clocks, most : Signal, int
        The how manieth clock of a step of it this is, and how many there are at most.
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
        self.most = core.rows * core.form.interval + AHEAD + core._last + 1
        self.clocks = Signal(range(2 * self.most), name=f"{name}_clocks")
        m.d.sync += self.clocks.eq(Mux(starts, 1, self.clocks + self.open))
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

    def ends(self) -> list[Value]:
        """A step of it is done after so many clocks."""
        return [implies(self.open, self.clocks <= self.most)]
