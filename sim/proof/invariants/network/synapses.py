"""What is claimed of synapses: every weight counts once, and a sum begins again once."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from amaranth import Array, Cat, Const, Mux, Shape, Signal, Value

from .....hdl.network.core import AHEAD
from .....hdl.network.synapses import WRITTEN, Synapses
from .....hdl.population import SINGLE
from .....network.grid import Loop
from .....network.plan import Add, Deliver, Plan
from ..harness import Harness, implies, same
from .contracts import Takes, taken

__all__ = ["between", "synapses"]


_NEXT = {"place": "fetched_place", "within": "within", "row": "fetched_row"}


class Fetches:
    """What is fetched from a port, now and by clocks ago.

    Attributes
    ----------
    valid, place, ends, row : list of Value
        Whether a sum is, in which lane, whether its row begins again then, and which row.
    next : dict of str to Signal
        Of what is fetched next: ``place``, ``row``, counted from the first of its population, and
        ``within``, which neuron of a place it is.
    """

    def __init__(self, h: Harness, dut: Synapses, plan: Plan, port: int) -> None:
        m, fetch = h.m, dut.fetch[port]
        place, within = Signal(max(1, dut._places)), Signal.like(fetch.group)
        at, row = Signal.like(dut.sums), Signal(range(2 * dut._depth), name=f"row_fetched_{port}")
        ends = (place == plan.lanes - 1) | (within == fetch.group)
        m.d.comb += row.eq(dut.base[port] + at)
        with m.If(fetch.valid):
            m.d.sync += [
                place.eq(Mux(ends | fetch.last, 0, place + 1)),
                within.eq(Mux(fetch.last | (within == fetch.group), 0, within + 1)),
                at.eq(Mux(fetch.last, 0, at + ends)),
            ]
        self.next = {"place": place, "within": within, "row": at}
        self.valid, self.place, self.ends = [fetch.valid], [place], [fetch.valid & ends]
        self.row, self.last = [row], fetch.last
        for _ in range(AHEAD):
            for each in (self.valid, self.place, self.ends, self.row):
                each.append(h.was(each[-1]))


def between(h: Harness, dut: Synapses, plan: Plan, fetches: list[Fetches]) -> list[Value]:
    """What synapses need of what is around them.

    While something is under way, what comes is of one projection; nothing is fetched then, or
    loaded; and no row is fetched again before it has begun again.
    """
    begins = dut.valid & dut.ready
    once = h.was(dut.busy | begins)
    kept = Cat(dut.is_current, dut.shift, dut.port, dut.loop.valid)
    if plan.amounts:
        kept = Cat(kept, dut.drawn, dut.amount)
    rows = Cat(dut.sums, dut.rows)
    loop = dut.loop
    steps = Cat(dut.rows, loop.next_weights, loop.next_sums, loop.line_weights, loop.line_sums)
    found = [
        implies(once, same(kept, h.was(kept))),
        implies(once & ~dut.is_current & ~loop.valid, same(rows, h.was(rows))),
        implies(once & loop.valid, same(steps, h.was(steps))),
        implies(dut.valid & loop.valid, ~dut.is_current),
        implies(dut.valid & dut.is_current, dut.rows == 1),
        implies(dut.valid, (dut.rows != 0) & (dut.port < len(plan.bases))),
        implies(dut.valid, dut.shift < len(plan.shifts)),
        implies(dut.load.valid, ~dut.busy & ~dut.valid),
        *([implies(dut.look, ~dut.busy & ~dut.valid)] if dut._linked else []),
    ]
    if plan.amounts:
        found.append(implies(dut.valid, dut.amount < len(plan.amounts)))
    if not dut._loops:
        found.append(~loop.valid)
    if not any(isinstance(each, Add) for _, work in plan.order for each in work):
        found.append(~dut.is_current)
    for port, (bases, f) in enumerate(zip(plan.bases, fetches, strict=True)):
        again = [f.ends[k] & (f.row[k] == f.row[0]) for k in (1, 2)]
        held = Cat(f.valid[1:]).any()
        mine = dut.valid & (dut.port == port)
        found += [
            implies(mine, dut.rows <= len(bases)),
            implies(mine & ~loop.valid, dut.sums + dut.rows <= len(bases)),
            implies(f.valid[0], ~dut.busy & ~dut.valid & (f.row[0] < len(bases))),
            implies(f.valid[0], ~Cat(again).any()),
            implies(dut.valid, ~f.valid[1]),
            implies(f.valid[0] & f.last, f.ends[0]),
            implies(held, dut.drop[port] == h.was(dut.drop[port])),
            dut.drop[port] < len(dut._drops),
        ]
    return found


@dataclass(frozen=True)
class Place:
    """Rows that a spike goes through one after the other.

    Attributes
    ----------
    down, across : int
        Steps to it: none of what is no convolution.
    there : Value
        Whether the spike has it.
    sums, weights : Value
        Its first rows.
    reaches : Value
        Whether the watched row of sums is among its rows.
    weight : Value
        The row of weights for that.
    """

    down: int
    across: int
    there: Value
    sums: Value
    weights: Value
    reaches: Value
    weight: Value


def steps_of(dut: Synapses, loop: Loop) -> Value:
    """The steps from row to row are those of a convolution."""
    to, back = dut.loop, loop.rows - 1
    return Cat(
        to.next_weights == loop.across[0] - back,
        to.next_sums == loop.across[1] - back,
        to.line_weights == loop.down[0],
        to.line_sums == loop.down[1],
        dut.rows == loop.rows,
    ).all()


def synapses(dut: Synapses, plan: Plan, port: int = 0) -> Harness:
    """The claims of any one sum of a port, whatever weights and currents come for it."""
    of = _Sum(dut, plan, port)
    for condition in (*between(of.h, dut, plan, of.fetches), *of.goes()):
        of.h.assume(condition)
    for claim in (_under_way, _goes_on, _ends, _adds, _apart, _fetched, _loads):
        claim(of)
    return of.h


class _Sum:
    """Any one sum of a port, and what it should be.

    Attributes
    ----------
    row, lane : Signal
        Which sum it is.
    has : Signal
        What the memory has.
    total : Signal
        What it should have when nothing is under way.
    begins : Signal
        A spike or a current is taken.
    clears : list of Value
        The row's last sum is fetched: now, and by clocks ago.
    """

    def __init__(self, dut: Synapses, plan: Plan, port: int) -> None:
        self.dut, self.plan, self.port = dut, plan, port
        self.width, bases = plan.widths[port], plan.bases[port]
        rows, self.lanes = bases.shape
        name = f"{rows} rows of {self.lanes} sums of {self.width} bits"
        name += ", weights loaded" if dut._loaded else ""
        name += ", linked" if dut._linked else ""
        name += ", drawn" if plan.amounts else ""
        name += ", convolutions" if dut._loops else ""
        name += f", input {port}" if len(plan.bases) > 1 else ""
        self.h = h = Harness(name, dut=dut, search=20)
        self.row = h.constant(range(max(2, rows)), "watched_row")
        self.lane = h.constant(range(max(2, self.lanes)), "watched_lane")
        h.assume((self.row < rows) & (self.lane < self.lanes))
        self.mine = dut.port == port if len(plan.bases) > 1 else Const(1)
        self.signed = Shape(self.width, signed=True)
        self.sums, self.weights = f"sums_{port}", f"{SINGLE}weights" if dut._loaded else "weights_0"
        self.has = Signal(self.signed, name="has")
        h.m.d.comb += self.has.eq(self.of(h.look(f"dut.{self.sums}", self.row)))
        start = [Const(int(v), self.signed) for v in bases.reshape(-1)]
        self.base = Array(start)[self.row * self.lanes + self.lane]
        self._count()

    def of(self, words: Any) -> Value:
        """Of a row of sums, the watched one."""
        return Value.cast(words).word_select(self.lane, self.width).as_signed()

    def register(self, name: str) -> Value:
        """Of a register a lane, the watched one."""
        each = [self.h.register(f"{name}_{self.port}_{k}") for k in range(self.lanes)]
        return Array(each)[self.lane]

    def weight(self, address: Value) -> Value:
        """Of a row of weights, that of the watched lane."""
        words = self.h.look(f"dut.{self.weights}", address[: len(self.dut.weights)])
        return self.own(words)

    @staticmethod
    def address(places: list[Place], else_: Any = 0) -> Value:
        """The row of weights for the watched sums."""
        found = Value.cast(else_)
        for place in places:
            found = Mux(place.reaches, place.weight, found)
        return found

    def own(self, words: Any) -> Value:
        return Value.cast(words).word_select(self.lane, self.plan.bits).as_signed()

    def operand(self, weight: Value, current: Value, lane: Value, draw: Value) -> Value:
        """What is added for a weight, or what was drawn of it, or for a current for a lane."""
        if self.lanes > 1:
            current = Mux(lane == self.lane, current, 0).as_signed()
        value = Mux(self.dut.is_current, current, weight).as_signed()
        return self.drawn(draw < 2 * weight.as_unsigned() + 1, self.shifted(value))

    def shifted(self, value: Value) -> Value:
        """What a weight or a current adds."""
        return Array(value.shift_left(by) for by in self.plan.shifts)[self.dut.shift]

    def drawn(self, counts: Value, else_: Value) -> Value:
        """What is added where it is drawn whether a weight counts."""
        amounts = self.plan.amounts
        if not amounts:
            return else_
        return Mux(self.dut.drawn, Mux(counts, Array(amounts)[self.dut.amount], 0), else_)

    @property
    def draw(self) -> Value:
        """What the source draws of the spike that is given."""
        return self.dut.draw if self.plan.amounts else Const(0, 1)

    def kept_draw(self, name: str) -> Value:
        """The same in a register."""
        return self.h.register(name) if self.plan.amounts else Const(0, 1)

    @property
    def looped(self) -> Value:
        """What comes, or is under way, is of a convolution."""
        return self.dut.loop.valid if self.dut._loops else Const(0)

    def places(
        self, sums: Value, weights: Value, rows: Value, across: Value, down: Value
    ) -> list[Place]:
        """Where a spike goes from its first rows: on by so many, across and down."""
        bits, (wide, high) = len(self.dut.sums), self.most
        across_by, down_by = (self.loop.across, self.loop.down) if self.loop else ((0, 0), (0, 0))
        found = []
        for y in range(high):
            for x in range(wide):
                there = self.looped & (across > x) & (down > y) if x or y else Const(1)
                first = Signal(bits), Signal(len(self.dut.weights))
                behind = Signal(bits)
                self.h.m.d.comb += [
                    first[0].eq(sums + y * down_by[1] + x * across_by[1]),
                    first[1].eq(weights + y * down_by[0] + x * across_by[0]),
                    behind.eq(self.row - first[0]),
                ]
                reaches = there & (behind < rows)
                found.append(Place(y, x, there, *first, reaches, first[1] + behind))
        return found

    def later(self) -> list[Place]:
        """Those behind the one whose rows are read."""
        if not self.dut._loops:
            return []
        y, x, _ = self.at
        return [
            replace(p, reaches=p.reaches & ((p.down > y) | ((p.down == y) & (p.across > x))))
            for p in self.taken
        ]

    def goes(self) -> list[Value]:
        """What comes of a convolution is of the plan's, and goes somewhere."""
        if self.loop is None:
            return []
        to = self.dut.loop
        found = [steps_of(self.dut, self.loop), *self.within(to.across, to.down)]
        return [implies(self.dut.valid & to.valid, condition) for condition in found]

    def within(self, *steps: Value) -> list[Value]:
        """It has a place, and no more than the plan's, across and down."""
        pairs = zip(steps, self.most, strict=True)
        return [(count != 0) & (count <= most) for count, most in pairs]

    def _count(self) -> None:
        h, m, dut = self.h, self.h.m, self.dut
        works = [each for _, work in self.plan.order for each in work]
        loops = {each.loop for each in works if isinstance(each, Deliver) and each.loop}
        assert len(loops) <= 1
        self.loop = next(iter(loops), None)
        self.most = [int(n) for n in self.plan.sources[:, 2:].max(axis=0, initial=1)]
        self.across, self.down = Signal.like(dut.loop.across), Signal.like(dut.loop.down)
        self.begins, self.covers = Signal(name="begins"), Signal(name="covers")
        self.total, fresh = Signal(self.signed, name="total"), Signal(init=1)
        kept = Signal(self.signed)
        self.first, self.count = Signal.like(dut.sums), Signal.like(dut.rows)
        self.rows_of_weights = Signal.like(dut.weights)
        loop = dut.loop
        self.coming = self.places(dut.sums, dut.weights, dut.rows, loop.across, loop.down)
        begun = self.first, self.rows_of_weights, self.count, self.across, self.down
        self.taken = self.places(*begun)
        m.d.comb += [
            self.begins.eq(dut.valid & dut.ready),
            self.covers.eq(Cat(place.reaches for place in self.coming).any() & self.mine),
            self.total.eq(Mux(fresh, self.base, kept)),
        ]
        with m.If(self.begins):
            m.d.sync += [
                self.first.eq(dut.sums),
                self.count.eq(dut.rows),
                self.rows_of_weights.eq(dut.weights),
                self.across.eq(loop.across),
                self.down.eq(loop.down),
            ]
        weight = self.weight(self.address(self.coming))
        added = self.operand(weight, dut.current, dut.lane, self.draw)
        count = len(self.plan.bases)
        self.fetches = [Fetches(h, dut, self.plan, port) for port in range(count)]
        f = self.fetches[self.port]
        self.clears = [ends & (row == self.row) for ends, row in zip(f.ends, f.row, strict=True)]
        with m.If(self.clears[0]):
            m.d.sync += fresh.eq(1)
        with m.Elif(self.begins & self.covers):
            m.d.sync += [kept.eq(self.total + added), fresh.eq(0)]
        if dut._loops:  # steps down and across, and rows on, of the row that is read
            self.at = Signal.like(self.down), Signal.like(self.across), Signal.like(self.count)
            m.d.comb += [
                self.at[0].eq(self.down - 1 - h.register("down")),
                self.at[1].eq(self.across - 1 - h.register("across")),
                self.at[2].eq(self.count - 1 - h.register("rows_left")),
            ]
        # rows that were read and are not written yet
        self.flying = h.register("under_way")
        self.rows = [h.register(f"row_{k}") for k in range(WRITTEN)]
        self.hits = [
            self.flying[k] & (self.rows[k] == self.row) & self.mine for k in range(WRITTEN)
        ]
        self._rest()

    def _rest(self) -> None:
        """Whether the watched row is still to be read, and the row of weights for it."""
        go, at, left = (self.h.register(n) for n in ("go", "row_of_sums", "rows_left"))
        behind = (self.row - at)[: len(at)]
        here, later = behind <= left, self.later()
        self.to_come = go & self.mine & (here | Cat(p.reaches for p in later).any())
        address = self.h.register("row_of_weights") + behind
        self.address_to_come = Mux(here, address, self.address(later))


def _under_way(of: _Sum) -> None:
    """What is under way, and in which clock of its own."""
    h, dut, flying = of.h, of.dut, of.flying
    go, active, last, clocks, left = (
        h.register(n) for n in ("go", "active", "last", "clocks", "rows_left")
    )
    longest = Mux(of.count > WRITTEN, of.count - 1, WRITTEN)
    clock = Signal.like(clocks, name="clock")
    h.m.d.comb += clock.eq(longest - clocks)
    h.claim(
        "busy",
        "it is busy from the clock after something is taken until its last row is written, and "
        "never else",
        *taken(h, dut),
        implies(flying.any(), dut.busy),
    )
    first, weights = of.first, h.register("row_of_weights")
    straight = ~of.looped
    h.know(
        implies(active, (clocks <= longest) & (of.count != 0)),
        implies(last, active & (clocks == 0)),
        implies(straight & active & (clocks == 0), last),
        implies(~active, clocks == 0),
        implies(straight, go == (active & (clock < of.count))),
        implies(straight & go, left == of.count - 1 - clock),
        implies(go, active),
        implies(~go, left == 0),
        implies(straight & go, h.register("row_of_sums") == first + clock),
        implies(
            straight & go & ~dut.is_current,
            weights == (of.rows_of_weights + clock)[: len(weights)],
        ),
        implies(dut.busy & ~dut.is_current & straight, first == dut.sums),
        implies(dut.busy & ~dut.is_current, of.count == dut.rows),
        implies(dut.busy & dut.is_current, of.count == 1),
        implies(dut.busy, dut.shift < len(of.plan.shifts)),
        implies(dut.busy, dut.port < len(of.plan.bases)),
    )
    for port, bases in enumerate(of.plan.bases):
        own = dut.busy & (dut.port == port)
        h.know(
            implies(own & straight, first + of.count <= len(bases)),
            implies(own, of.count <= len(bases)),
        )
    for k, row in enumerate(of.rows):
        here, own = flying[k] & straight, active & (clock > k)
        h.know(
            implies(here, (row >= first) & (row < first + of.count)),
            implies(straight & own, flying[k] == (clock < of.count + 1 + k)),
            implies(own & here, row + k + 1 == first + clock),
            implies(active & ~own & here, row + k >= first + clock + WRITTEN),
            implies(~active & here, row + k >= first + WRITTEN),
            *(implies(here & flying[j], row != of.rows[j]) for j in range(k)),
        )


def _goes_on(of: _Sum) -> None:
    """Where a spike of a convolution is, and which rows of its are under way."""
    if of.loop is None:
        return
    h, dut, looped = of.h, of.dut, of.looped
    go, active, clocks, left = (h.register(n) for n in ("go", "active", "clocks", "rows_left"))
    across, down = h.register("across"), h.register("down")
    here = active & looped
    h.know(
        implies(dut.busy & looped, active & ~dut.is_current),
        *(implies(here, condition) for condition in of.within(of.across, of.down)),
        implies(here, steps_of(dut, of.loop)),
        implies(here, h.register("line") == of.across - 1),
        implies(here & go, (across < of.across) & (down < of.down) & (left < of.count)),
    )
    at = of.at
    for place in of.taken:
        this = here & go & (at[0] == place.down) & (at[1] == place.across)
        for name, first in (("row_of_sums", place.sums), ("row_of_weights", place.weights)):
            register = h.register(name)
            h.know(implies(this, register == (first + at[2])[: len(register)]))
    # the watched row is one that is to be read, or of those that are to be written
    h.know(
        *(implies(here & hit, ~Cat(of.to_come, of.hits[:k]).any()) for k, hit in enumerate(of.hits))
    )
    for place in of.taken:
        if not place.across:
            line = here & go & (at[0] == place.down)
            h.know(implies(line, h.register("line_sums") == place.sums))
            h.know(implies(line, h.register("line_weights") == place.weights))
    # the clocks of a spike that is none are counted, too, and are over when it is
    longest = Mux(of.count > WRITTEN, of.count - 1, WRITTEN)
    clock, early = (longest - clocks)[: len(clocks)], here & (clocks != 0)
    first = go & (at[0] == 0) & (at[1] == 0) & (at[2] == clock)
    h.know(implies(early & (clock < of.count), first))
    h.know(*(implies(early & (clock == k + 1), of.flying[k]) for k in range(WRITTEN - 1)))


def _ends(of: _Sum) -> None:
    """How long it takes, which is no longer than its rows."""
    h, looped = of.h, of.looped
    takes = Takes(h, of.dut)
    h.claim(
        "ends",
        f"it is ready a clock a row after something was taken, and {WRITTEN + 1} at least, and "
        f"over {WRITTEN} after the last row was read; "
        f"after a spike of a convolution it is ready {WRITTEN + 1} clocks after its last row was",
        *takes.ends(),
    )
    since, rows = takes.since, takes.rows
    go, active, clocks = (h.register(n) for n in ("go", "active", "clocks"))
    longest = Mux(of.count > WRITTEN, of.count - 1, WRITTEN)
    straight = of.dut.busy & ~looped
    h.know(
        implies(straight, rows == of.count),
        implies(straight & active, since + clocks == longest + 1),
    )
    for k, row in enumerate(of.rows):
        h.know(implies(straight & ~active & of.flying[k], since == row - of.first + k + 2))
    if not of.dut._loops:
        return
    here = active & looped
    h.know(implies(here, rows == of.count * of.across * of.down))
    h.know(implies(here & ~go, (since > rows) & (since <= rows + WRITTEN + 1)))
    for k in range(WRITTEN):
        h.know(implies(here & ~go & of.flying[k], since <= rows + 1 + k))
    for place in of.taken:
        this = here & go & (of.at[0] == place.down) & (of.at[1] == place.across)
        before = (place.down * of.across + place.across) * of.count + of.at[2]
        h.know(implies(this, since == before + 1))


def _adds(of: _Sum) -> None:
    """What the memory has, and what is still to be added to it."""
    h, dut, hits = of.h, of.dut, of.hits
    weight = of.weight(of.address_to_come)
    now = [h.register("kept_current"), h.register("lane"), of.kept_draw("kept_draw")]
    then = [h.register("later_current"), h.register("later_lane"), of.kept_draw("later_draw")]
    words = h.part("dut", of.weights).read_ports[0].data
    kept = Array(h.register(f"weight_{k}") for k in range(of.lanes))[of.lane]
    shifted = of.drawn(kept[0], of.shifted(kept))
    whole = of.has + Mux(hits[0], of.operand(of.own(words), *then), 0)
    whole = whole + Mux(hits[1], shifted, 0)
    added = of.register("added")
    whole = Mux(hits[2], added, whole) + Mux(of.to_come, of.operand(weight, *now), 0)
    clearing = of.clears[1] | of.clears[2]
    h.claim(
        "adds",
        "when nothing is under way, any sum is its base and the weight of every spike that reached "
        "it since it was fetched, shifted"
        + (", or what was drawn of it" if of.plan.amounts else "")
        + (", at each place across and down that it has" if dut._loops else "")
        + ", and every current: each once, in any order",
        implies(~dut.busy & ~clearing, of.has == of.total),
    )
    read = of.of(h.part("dut", of.sums).read_ports[0].data)
    h.know(
        of.total == Mux(clearing, of.base, whole[: of.width].as_signed()),
        implies(hits[0], read == of.has),
        implies(hits[1], of.register("kept") == of.has),
    )


def _apart(of: _Sum) -> None:
    read = of.h.part("dut", of.sums).read_ports[0]
    waits = Cat(*of.hits, of.clears[1], of.clears[2]).any()
    of.h.claim(
        "apart",
        "a row of sums is never read while it waits to be written, or is",
        implies(read.en & (read.addr == of.row), ~waits),
    )


def _fetched(of: _Sum) -> None:
    """A sum becomes a word, and its row begins again."""
    h, dut, port = of.h, of.dut, of.port
    f = of.fetches[port]
    wanted = [
        v & (p == of.lane) & (r == of.row) for v, p, r in zip(f.valid, f.place, f.row, strict=True)
    ]
    totals: list[Any] = [of.total]
    for _ in range(AHEAD):
        totals.append(h.was(totals[-1]))
    drop = Array(dut._drops)[dut.drop[port]]
    value = totals[-1] >> drop
    most = (1 << 15) - 1
    word = Mux(value > most, most, Mux(value < ~most, ~most, value))
    h.claim(
        "word",
        f"{AHEAD + 1} clocks after a sum is fetched there is its word: shifted, and at its limit "
        "where it is beyond; the word stays until the next one is there",
        implies(h.was(wanted[-1]), dut.o[port] == h.was(word)),
        implies(h.begun & ~h.was(f.valid[-1]), dut.o[port] == h.was(dut.o[port])),
    )
    if dut._linked:
        limited = dut.limited[port]
        h.claim(
            "limited",
            "with a word comes whether its sum is beyond, which stays as the word does",
            implies(h.was(wanted[-1]), limited == h.was((value > most) | (value < ~most))),
            implies(h.begun & ~h.was(f.valid[-1]), limited == h.was(limited)),
        )
    h.claim(
        "again",
        "when the last sum of a row is fetched, the row begins again with its base, once, and no "
        "other row does",
        implies(of.clears[3], of.has == of.base),
        implies(h.was(~(of.clears[2] | of.hits[2])), of.has == h.was(of.has)) | ~h.begun,
    )
    h.know(*(h.register(f"{_NEXT[n]}_{port}") == v for n, v in f.next.items()))
    for k in (1, 2):
        names = {"wanted": f.valid, "place": f.place, "clear": f.ends}
        h.know(
            *(h.register(f"{n}_{port}_{k - 1}") == v[k] for n, v in names.items()),
            implies(f.ends[k], f.valid[k]),
            implies(f.valid[k], h.register(f"of_{port}_{k - 1}") == f.row[k]),
            implies(f.valid[k], f.row[k] < len(of.plan.bases[port])),
        )
    memory = h.part("dut", of.sums)
    quiet = ~h.register("active") & ~of.flying.any()
    h.know(
        implies(f.valid[1] | f.valid[2], quiet),
        implies(f.valid[1] & f.ends[2], f.row[1] != f.row[2]),
        implies(wanted[1], (totals[1] == of.has) & (of.of(memory.read_ports[0].data) == of.has)),
        implies(wanted[2], (totals[2] == of.has) & (of.register("kept") == of.has)),
        h.register(f"picks_{port}") == f.valid[3],
        implies(wanted[3], h.register(f"picked_{port}") == totals[3]),
    )
    if h.has(f"dut.begins_{port}"):
        begins = h.part("dut", f"begins_{port}").read_ports[0].data
        again = h.register(f"begins_{port}")
        h.know(
            of.of(h.look(f"dut.begins_{port}", of.row)) == of.base,
            implies(of.clears[1], of.of(begins) == of.base),
            implies(of.clears[2], of.of(again) == of.base),
        )


def _loads(of: _Sum) -> None:
    """Any one row of weights."""
    h, m, dut = of.h, of.h.m, of.dut
    if not dut._loaded and not dut._linked:
        return
    rows, bits = len(of.plan.weights), of.plan.bits
    row = h.constant(range(max(2, rows)), "watched_weights")
    h.assume(row < rows)
    kept, fresh = Signal(of.lanes * bits), Signal(init=1)
    with m.If(dut.load.valid & (dut.load.row == row)):
        m.d.sync += [kept.eq(dut.load.weights), fresh.eq(0)]
    initial: Any = Const(0, len(kept))
    if not dut._loaded:
        fields = of.plan.weights & ((1 << bits) - 1)
        whole = [sum(int(v) << (bits * k) for k, v in enumerate(each)) for each in fields]
        initial = Array(Const(value, len(kept)) for value in whole)[row]
    read, has = h.part("dut", of.weights).read_ports[0], h.look(f"dut.{of.weights}", row)
    h.claim(
        "loads",
        "a row of weights is what was written for it last, or its initial one"
        + ("; none is read as one is written" if dut._loaded else ""),
        has == Mux(fresh, initial, kept),
        *([implies(dut.load.valid, ~read.en)] if dut._loaded and not dut._linked else []),
    )
    if dut._linked:
        looked = dut.look & ~dut.load.valid & (dut.load.row == row)
        h.claim(
            "found",
            "a clock after a row of weights is asked for it is there, as it lies",
            implies(h.was(looked), dut.found == h.was(has)),
        )
