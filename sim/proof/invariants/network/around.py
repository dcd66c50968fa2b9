"""A network around its blocks, which may do anything that they promise, and where it is."""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Const, Signal, Value

from .....hdl.network import Network
from .....hdl.network.synapses import bits_for
from .....network.plan import Add
from ..harness import Harness, implies
from .contracts import AnyBlock, Turns, reads, taken

__all__ = ["Around"]


class Around:
    """A network whose populations, synapses and scan do anything that theirs may.

    Attributes
    ----------
    turns : dict of str to Turns
        By population.
    """

    def __init__(self, dut: Network) -> None:
        self.dut, self.plan = dut, dut.plan
        dut._synapses = self.synapses = AnyBlock(dut._synapses)
        dut.cores = {name: AnyBlock(core) for name, core in dut.cores.items()}
        dut._scan = self.scan = AnyBlock(dut._scan)
        dut.counts = {name: AnyBlock(counts) for name, counts in dut.counts.items()}
        name = f"{dut.name}, weights loaded" if dut.loaded else dut.name
        name += ", linked" if dut.linked else ""
        linked = ("found",) if dut.linked else ()
        self.h = h = Harness(name, dut=dut, search=64)
        for block, outputs in (
            (self.synapses, ("ready", "busy", "o", *linked, *("limited",) * len(linked))),
            (self.scan, ("address", "enable", "index", "valid", "busy")),
            *(
                (core, ("fetch", "ready", "done", "written", *linked))
                for core in dut.cores.values()
            ),
            *((counts, ("written", *linked)) for counts in dut.counts.values()),
        ):
            h.free(*(getattr(block, name) for name in outputs))
        self.turns = {n: Turns(h, core, n) for n, core in dut.cores.items()}
        for turns in self.turns.values():
            for condition in turns.kept():
                h.assume(condition)
        for condition in (*reads(h, self.scan), *taken(h, self.synapses)):
            h.assume(condition)
        self.computing = h.register("computing")
        self.phase, self.phases = dut._phase, dut.phases
        self.frame, self.step = dut._frame, dut._step
        self.adds = self.is_in(lambda work: isinstance(work, Add))
        self.frames, self.spikes = h.part("dut", "frames"), h.part("dut", "spikes")
        self._tie()

    def at(self, *states: str) -> Value:
        """The sequence is in one of these states."""
        state, codes = self.h.register("fsm_state"), self.dut._state.encoding
        return Cat(state == codes[name] for name in states if name in codes).any()

    def is_in(self, wanted: Any) -> Value:
        """The phase is one of those wanted."""
        return Cat(
            self.phase == k for k, (_, work) in enumerate(self.phases) if wanted(work)
        ).any() | Const(0)

    def names(self, name: str) -> Value:
        """The phase is one of a population."""
        return Cat(self.phase == k for k, (n, _) in enumerate(self.phases) if n == name).any()

    def look(self, memory: str, word: Value, slot: Value) -> Value:
        """A word of a slot of a memory."""
        made = self.plan
        words = made.frame_words if memory == "frames" else made.spike_words
        slots = made.input_slots if memory == "frames" else made.slots
        at = Signal(bits_for(words))
        self.h.m.d.comb += at.eq(word)
        place = Cat(at, slot[: (slots - 1).bit_length()]) if slots > 1 else at
        return self.h.look(f"dut.{memory}", Cat(place, Const(0, 1)))

    def _tie(self) -> None:
        """Which state the sequence is in, and what may be under way in it."""
        h, dut, at = self.h, self.dut, self.at
        synapses, scan = self.synapses, self.scan
        work = at("choose", "deliver", "update", "written", "settled", "next")
        updates = self.is_in(lambda each: each is None)
        h.know(
            h.register("fsm_state") < len(dut._state.encoding),
            self.computing == ~at("idle"),
            implies(work, self.phase < len(self.phases)),
            implies(at("update", "written", "settled"), updates),
            implies(at("deliver"), ~updates & ~dut._late),
            implies(synapses.busy, at("deliver")),
            implies(scan.busy, at("deliver") & ~self.adds),
            implies(h.register("row_there"), at("deliver") & ~self.adds),
            implies(dut._adding, at("deliver") & self.adds),
            implies(self.spikes.write_ports[0].en, at("update", "written")),
        )
        made, there = self.plan, dut._waiting + self.computing
        room, slot = made.input_slots - made.delay - 1, h.register("slot")
        h.know(
            slot == (self.frame + there)[: len(slot)],
            there <= room + 1,
            implies(h.register("word_of_frame") != 0, there <= room),
        )
        for name, turns in self.turns.items():
            mine = [k for k, (n, each) in enumerate(self.phases) if n == name and each is None]
            here = at("update") & (self.phase == mine[0])
            h.know(turns.open == here)
            for count, _ in turns.counts:
                h.know(count <= turns.core.rows)
