"""What is claimed of a step's end: it comes, and when at the latest."""

from __future__ import annotations

from amaranth import Cat, Const, Mux, Signal, Value

from .....hdl.network import Network
from .....hdl.network.synapses import WRITTEN
from .....network.plan import Add, Deliver
from ..harness import Harness, implies
from .around import Around
from .contracts import Silence, Takes

__all__ = ["ends"]


def ends(dut: Network) -> Harness:
    """The claims of when a step is over, where sources fire that there are, and no others."""
    of = _Clocks(dut)
    _waits(of)
    for k, (name, work) in enumerate(of.phases):
        if work is None:
            _update(of, k, name)
        else:
            _deliver(of, k, work)
    _send(of)
    _claims(of)
    return of.h


class _Clocks(Around):
    """A network and the clocks of its step.

    Attributes
    ----------
    before, within, waits : Signal
        Clocks of the step before its phase began, and since; but for those in which it waited for
        populations that begin anew.
    held : Signal
        A word waits to be taken.
    bounds : list of int
        By phase, how many clocks it has at most.
    anew, sends : int
        Clocks to begin anew, and for the words of the outputs, at most.
    """

    def __init__(self, dut: Network) -> None:
        super().__init__(dut)
        h, m = self.h, self.h.m
        made, network = self.plan, dut.fixed.network
        self.counts = [0 if work is None else self._count(network, work) for _, work in self.phases]
        self.apart = [self._apart(work) for _, work in self.phases]
        self.bounds = [
            self.turns[name].most + 4
            if work is None
            else work.words + count * apart + 11
            if isinstance(work, Deliver)
            else work.words * apart + 8
            for (name, work), count, apart in zip(self.phases, self.counts, self.apart, strict=True)
        ]
        self.anew = max(core.rows for core in dut.cores.values())
        self.sends = 2 * made.output_words
        self.most = sum(self.bounds) + self.anew + self.sends
        self.silence, self.takes = Silence(h, self.scan), Takes(h, self.synapses)
        each = self.silence.ends(), self.takes.ends(), *(t.ends() for t in self.turns.values())
        for condition in (condition for conditions in each for condition in conditions):
            h.assume(condition)
        bits = range(2 * self.most)
        self.before, self.within = Signal(bits, name="before"), Signal(bits, name="within")
        self.waits = Signal(bits, name="waits")
        self.held, self.waiting = Signal(name="held"), Signal(name="waiting")
        ready = Cat(core.ready for core in dut.cores.values()).all()
        updates = self.is_in(lambda work: work is None)
        m.d.comb += [
            self.held.eq(dut.o.valid & ~dut.o.ready),
            self.waiting.eq(self.at("choose") & updates & ~ready),
        ]
        with m.If(dut._begin):
            m.d.sync += [self.before.eq(0), self.within.eq(0), self.waits.eq(0)]
        with m.Elif(self.at("next")):
            m.d.sync += [self.before.eq(self.before + self.within + 1), self.within.eq(0)]
        with m.Elif(self.waiting):
            m.d.sync += self.waits.eq(self.waits + 1)
        with m.Elif(self.computing & ~self.held):
            m.d.sync += self.within.eq(self.within + 1)
        h.know(implies(self.at("choose"), self.within == 0))

    @staticmethod
    def _count(network: object, work: Deliver | Add) -> int:
        """Spikes, or currents, at most."""
        if isinstance(work, Add):
            return work.words
        return int(network.nodes[network.projections[work.projection].source].count)  # type: ignore[attr-defined]

    @staticmethod
    def _apart(work: Deliver | Add | None) -> int:
        """Clocks from one to the next, at most."""
        if isinstance(work, Deliver) and work.loop is not None:
            return work.most + WRITTEN + 1
        return max(work.rows if isinstance(work, Deliver) else 1, WRITTEN + 1)

    def before_phase(self, k: int) -> int:
        """Clocks of the phases before one, at most."""
        return sum(self.bounds[:k])


def _waits(of: _Clocks) -> None:
    """Populations begin anew when a step begins, or did before."""
    h = of.h
    clocks = of.before + of.within + of.waits
    for turns in of.turns.values():
        begun = turns.since > clocks
        h.know(implies(of.computing, begun | (turns.since > turns.core.rows)))
    h.know(implies(of.computing, of.waits <= of.anew), implies(of.computing, of.waits <= clocks))


def _update(of: _Clocks, k: int, name: str) -> None:
    h, turns = of.h, of.turns[name]
    h.know(
        implies(of.at("update") & (of.phase == k), of.within == turns.clocks),
        *(
            implies(of.at(state) & (of.phase == k), of.within <= turns.most + 1 + by)
            for by, state in enumerate(("written", "settled", "next"))
        ),
    )


def _deliver(of: _Clocks, k: int, work: Deliver | Add) -> None:
    """What is given to the synapses: each time it waits until they are ready again."""
    h, m, scan, synapses, takes = of.h, of.h.m, of.scan, of.synapses, of.takes
    count, apart = of.counts[k], of.apart[k]
    here = of.at("deliver") & (of.phase == k)
    adds = isinstance(work, Add)
    bits = range(2 * of.most)
    given, waits, room = (Signal(bits, name=f"{n}_{k}") for n in ("given", "waits", "room"))
    # given: by the scan, or to be added; room: for waits, of those that were given away
    there = h.register("current_there") if adds else h.register("row_there")
    gone = there & (synapses.ready | ~synapses.valid)
    starts = of.at("choose") & (of.phase == k)
    comes = gone if adds else scan.valid & scan.ready
    with m.If(starts):
        m.d.sync += [given.eq(0), waits.eq(0), room.eq(0)]
    with m.Elif(here):
        m.d.sync += [
            given.eq(given + comes),
            waits.eq(waits + (there & ~gone)),
            room.eq(room + Mux(gone, apart - 1, 0)),
        ]
    if isinstance(work, Deliver):
        h.assume(implies(here & scan.valid, scan.index < count))
        if work.loop is not None:
            begins = synapses.valid & synapses.ready & here
            rows = synapses.rows * synapses.loop.across * synapses.loop.down
            h.assume(implies(begins, rows <= work.most))
    most = work.most if isinstance(work, Deliver) else 1
    tail = most + WRITTEN + 1
    since = Mux(takes.since > tail, tail + 1, takes.since)
    under_way = Mux(since > apart, apart - 1, since - 1)
    left = given if adds else given - there
    h.know(
        implies(here, room + (apart - 1) * (count - left) == (apart - 1) * count),
        implies(here, left <= count),
        implies(here & synapses.busy, (room != 0) & (takes.rows <= most)),
        implies(here, (room == 0) | (room >= apart - 1)),
        implies(here & (room == 0), waits == 0),
        implies(here & (room != 0), waits <= room - (apart - 1) + under_way),
    )
    last = Mux(room == 0, 0, room - (apart - 1) + since)
    over = of.at("next") & (of.phase == k)
    if adds:
        adding, asked = of.dut._adding, h.register("asked")
        ends = here & ~there & (~adding | (asked == work.words))
        h.know(
            implies(here & adding, (asked == given + there) & (asked <= work.words)),
            implies(here & ~adding, (given == work.words) & ~there),
            implies(here & adding & there, of.within <= 2 + given + waits),
            implies(here & adding & ~there & (asked != work.words), of.within == 1),
            implies(ends & adding, takes.since == 1),
            implies(ends, of.within <= 2 + given + last),
        )
    else:
        silent = work.words + 2
        h.know(
            implies(here & scan.busy, given == of.silence.given),
            implies(here, given <= count),
            implies(here & scan.busy, of.within <= 1 + of.silence.silent + given + waits),
            implies(here & ~scan.busy & there, of.within <= 1 + silent + given + waits),
            implies(here & ~scan.busy & ~there, of.within <= 2 + silent + given + last),
        )
    h.know(implies(over, of.within < of.bounds[k]), implies(here, of.within < of.bounds[k]))


def _send(of: _Clocks) -> None:
    words = of.plan.output_words
    if words:
        sent = of.h.register("sent")
        within = 2 * sent + of.at("send")
        of.h.know(implies(of.at("read", "send"), (of.within == within) & (sent < words)))


def _claims(of: _Clocks) -> None:
    h, dut = of.h, of.dut
    work = of.at("choose", "deliver", "update", "written", "settled", "next")
    mine = [implies(work & (of.phase == k), of.within < bound) for k, bound in enumerate(of.bounds)]
    h.claim(
        "goes_on",
        "every phase is over after as many clocks as its words, spikes, currents or neurons take, "
        f"and populations that begin anew make a step wait for {of.anew} at most",
        *mine,
        implies(of.computing, of.waits <= of.anew),
    )
    clocks = Signal(range(2 * of.most), name="clocks")
    with h.m.If(dut._begin):
        h.m.d.sync += clocks.eq(0)
    with h.m.Elif(of.computing & ~of.held):
        h.m.d.sync += clocks.eq(clocks + 1)
    h.claim(
        "ends",
        f"`done` comes {of.most} clocks after a step began at most, but for those in which a word "
        f"waits to be taken; with as many as its frame has words, that is within the "
        f"{dut.worst_clocks} of `worst_clocks`",
        implies(of.computing & ~of.held, clocks < of.most),
        implies(h.was(of.computing) & ~of.computing, h.was(dut.done)),
        Const(of.most + of.plan.frame_words <= dut.worst_clocks),
    )
    h.know(implies(of.computing, clocks == of.before + of.within + of.waits))
    for k in range(len(of.phases)):
        h.know(implies(work & (of.phase == k), of.before <= of.before_phase(k)))
    whole: Value = of.at("read", "send")
    h.know(implies(whole, of.before <= of.before_phase(len(of.phases))))
