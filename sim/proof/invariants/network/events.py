"""What is claimed of a step: its phases in turn, and every spike and current once."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Cat, Const, Mux, Signal
from amaranth.lib import data

from .....hdl.network import Network
from .....hdl.network.synapses import bits_for
from .....network.plan import Add, Deliver
from ..harness import Harness, implies, same
from .around import Around
from .contracts import held
from .synapses import Fetches, between, steps_of

__all__ = ["events"]


def events(dut: Network) -> Harness:
    """The claims of what populations are given in a step."""
    of = Around(dut)
    _turns(of)
    _spikes(of)
    _sources(of)
    _drawn(of)
    _currents(of)
    _promises(of)
    return of.h


def _turns(of: Around) -> None:
    """Every phase begins once a step, in turn."""
    h, m, dut, at = of.h, of.h.m, of.dut, of.at
    count = len(of.phases)
    turn, begins = Signal(range(count + 1), name="turn"), Signal(name="phase_begins")
    delays = [work.delay if isinstance(work, Deliver) else 0 for _, work in of.phases]
    most = max(delays)
    since, delay = Signal(range(most + 1), name="since"), Signal(range(most + 1))
    started = dut._scan.start | dut._begin_adding
    ticks = Cat(core.tick & core.ready for core in dut.cores.values()).any()
    left_out = Signal(name="left_out")
    m.d.comb += [
        delay.eq(Array(delays)[of.phase]),
        left_out.eq(at("choose") & ~of.is_in(lambda work: work is None) & (since < delay)),
        begins.eq(started | ticks | left_out),
    ]
    with m.If(dut._begin):
        m.d.sync += turn.eq(0)
        with m.If(dut._restart):
            m.d.sync += since.eq(0)
    with m.Elif(begins):
        m.d.sync += turn.eq(turn + 1)
    with m.If(dut.done & (since != most)):
        m.d.sync += since.eq(since + 1)
    with m.If(dut._anew):
        m.d.sync += since.eq(0)
    one = [started & left_out, started & ticks, ticks & left_out]
    mine = [
        implies(core.tick, of.is_in(lambda work: work is None) & (of.names(name)))
        for name, core in dut.cores.items()
    ]
    h.claim(
        "turns",
        "in a step every phase begins once, in turn, and only when the one before is over",
        implies(begins, (of.phase == turn) & (turn < count) & of.computing),
        ~Cat(one).any(),
        implies(dut.o.valid, turn == count),
        *mine,
    )
    h.claim(
        "late",
        "nothing is delivered of a step before the start, or before the last one that began anew",
        implies(started, since >= delay),
        implies(dut._late & at("choose"), left_out),
    )
    h.know(
        dut._age == since,
        since <= most,
        implies(at("choose"), turn == of.phase),
        implies(at("deliver", "update", "written", "settled", "next"), turn == of.phase + 1),
        implies(at("read", "send"), turn == count),
        turn <= count,
    )


def _spikes(of: Around) -> None:
    """Every spike that the scan gives is an event with its own row of weights."""
    h, m, synapses, scan = of.h, of.h.m, of.synapses, of.scan
    there, row = Signal(name="event_there"), Signal.like(synapses.weights, name="event_row")
    goes, gives = Signal(), Signal()
    m.d.comb += [
        goes.eq(synapses.valid & synapses.ready & ~synapses.is_current),
        gives.eq(scan.valid & scan.ready),
    ]
    own = Signal.like(row)
    rows: Any = Const(0, 1)
    sums: Any = Const(0, 1)
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Deliver):
            with m.If(of.phase == k):
                step = work.rows if work.loop is None else 0
                m.d.comb += own.eq(work.weights + scan.index * step)
            rows = Mux(of.phase == k, work.rows, rows)
            sums = Mux(of.phase == k, work.totals.base, sums)
    looped = of.is_in(lambda work: isinstance(work, Deliver) and work.loop is not None)
    nothing = there & looped & (synapses.loop.down == 0)  # that reaches no neuron
    with m.If(gives):
        m.d.sync += [there.eq(1), row.eq(own)]
    with m.Elif(goes | nothing):
        m.d.sync += there.eq(0)
    event = synapses.valid & ~synapses.is_current
    h.claim(
        "events",
        "every spike that is found is given to the synapses once, with its own row of weights and "
        "the rows of its population's sums, and the next phase waits for it",
        implies(of.at("deliver") & ~of.adds, event == (there & ~nothing)),
        implies(event & ~looped, synapses.weights == row),
        implies(event, synapses.rows == rows),
        implies(event & ~looped, synapses.sums == sums),
        implies(gives, ~there | goes | nothing),
        implies(there, of.at("deliver")),
        implies(gives, of.at("deliver") & ~of.adds),
    )
    register = h.register("row_there")
    h.know(register == there, implies(there, h.register("first") == row))


def _sources(of: Around) -> None:
    """Every spike of a convolution goes from where its own source does, as far as that does."""
    made = of.plan
    if not len(made.sources):
        return
    h, m, synapses, scan = of.h, of.h.m, of.synapses, of.scan
    index, number = Signal.like(scan.index), Signal(32, name="number_of_source")
    with m.If(scan.valid & scan.ready):
        m.d.sync += index.eq(scan.index)
    watched = h.constant(range(max(2, len(made.sources))), "watched_of_convolutions")
    h.assume(watched < len(made.sources))
    memory = h.part("dut", "sources")
    own = data.View(memory.shape, h.look("dut.sources", watched))
    kept = [tuple(each.values()) for each in memory.init]
    there, loop = h.register("row_there"), synapses.loop
    event = synapses.valid & ~synapses.is_current
    known, looped = number == watched, Signal(name="is_looped")
    conditions: list[Any] = [loop.valid == looped]
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Deliver) and work.loop is not None:
            here = of.phase == k
            with m.If(here):
                m.d.comb += [number.eq(work.source + index), looped.eq(1)]
            mine = event & here
            conditions += [
                implies(mine, steps_of(synapses, work.loop)),
                implies(mine & known, synapses.weights == work.weights + own.weights),
                implies(mine & known, synapses.sums == work.totals.base + own.sums),
            ]
    mine = event & looped & known
    conditions += [
        implies(mine, (loop.across == own.across) & (loop.down == own.down)),
        implies(there & looped & known, event == (own.down != 0)),
    ]
    h.claim(
        "sources",
        "every spike of a convolution is given with the first rows of its own source, and the "
        "steps across and down that it has; where it has none it is not given; those of a source "
        "go through as many rows as its projection says at most, and no row of sums twice",
        *conditions,
        Const(kept == [tuple(source) for source in made.sources.tolist()]),
        Const(all(_apart(of.dut))),
    )
    read = memory.read_ports[0].data
    h.know(implies(there & looped & known, read.as_value() == own.as_value()))


def _apart(dut: Network) -> list[bool]:
    """Of every source of a convolution, whether the rows that it goes through differ."""
    made, network, found = dut.plan, dut.fixed.network, []
    for _, work in dut.phases:
        if not isinstance(work, Deliver) or work.loop is None:
            continue
        loop, depth = work.loop, 1 << bits_for(max(map(len, made.bases)))
        count = network.nodes[network.projections[work.projection].source].count
        for source in made.sources[work.source : work.source + count].tolist():
            _, first, across, down = source
            rows = [
                (first + y * loop.down[1] + x * loop.across[1] + k) % depth
                for y in range(down)
                for x in range(across)
                for k in range(loop.rows)
            ]
            found.append(len(set(rows)) == len(rows) <= loop.most)
            found.append((across != 0) == (down != 0))
    return found


def _drawn(of: Around) -> None:
    """Every spike of a stochastic projection has what its own source draws in this step."""
    draws = of.dut._draws
    if draws is None:
        return
    h, m, dut, synapses, scan = of.h, of.h.m, of.dut, of.synapses, of.scan
    index, number = Signal.like(scan.index, name="index_drawn"), Signal(32, name="number_drawn")
    first: Any = Const(0, 1)
    amount: Any = Const(0, 1)
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Deliver) and work.amount is not None:
            first = Mux(of.phase == k, work.source, first)
            amount = Mux(of.phase == k, work.amount, amount)
    with m.If(scan.valid & scan.ready):
        m.d.sync += index.eq(scan.index)
    m.d.comb += number.eq(first + index)
    mine = of.is_in(lambda work: isinstance(work, Deliver) and work.amount is not None)
    there = h.register("row_there")
    registers = of.plan.registers.tolist()
    watched = h.constant(range(max(2, len(registers))), "watched_source")
    has, known = Array(registers)[watched], number == watched
    h.assume(watched < len(registers))
    event = synapses.valid & ~synapses.is_current
    h.claim(
        "drawn",
        "every spike of a stochastic projection is given with what its own source draws in this "
        "step, and no other spike is; all sources go on when a step is over, and begin again when "
        "neurons do",
        implies(event, synapses.drawn == mine),
        implies(event & mine, synapses.amount == amount),
        implies(event & mine & known, synapses.draw == Array(draws.drawn)[has]),
        draws.step == dut.done,
        draws.restart == ((dut._begin & dut._restart) | dut._anew),
    )
    read = h.part("dut.draws", "registers").read_ports[0].data
    h.know(
        h.look("dut.draws.registers", watched) == has,
        implies(there & mine & known, read == has),
    )


def _currents(of: Around) -> None:
    """Every current of a frame is added once, to its own neuron's sum."""
    works = [work for _, work in of.phases if isinstance(work, Add)]
    if not works:
        return
    h, m, dut, synapses, scan = of.h, of.h.m, of.dut, of.synapses, of.scan
    most = max(work.words for work in works)
    count = Signal.like(scan.words, name="currents")
    watched = h.constant(range(max(2, most)), "watched_current")
    current = synapses.valid & synapses.is_current
    with m.If(dut._begin_adding):
        m.d.sync += count.eq(0)
    with m.Elif(current & synapses.ready):
        m.d.sync += count.eq(count + 1)
    has = of.look("frames", scan.base + watched, of.frame)
    conditions: list[Any] = []
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Add):
            row, lane = count >> (of.plan.lanes.bit_length() - 1), count % of.plan.lanes
            here = current & (of.phase == k)
            conditions += [
                implies(here, count < work.words),
                implies(here, synapses.sums == work.totals.base + row),
                implies(here, synapses.lane == lane),
                implies(of.at("next") & (of.phase == k), count == work.words),
            ]
    h.claim(
        "currents",
        "every current of the frame is given to the synapses once, with its neuron's sum, and the "
        "next phase waits for it",
        implies(current, of.at("deliver") & of.adds),
        implies(current & (count == watched), same(synapses.current.as_unsigned(), has)),
        *conditions,
    )
    there, asked, number = (h.register(n) for n in ("current_there", "asked", "number"))
    adding = of.at("deliver") & of.adds
    h.know(
        implies(there, dut._adding & (number == count)),
        implies(dut._adding, (asked == count + there) & (asked <= scan.words)),
        implies(adding & ~dut._adding, count == scan.words),
        implies(of.at("next") & of.adds, count == scan.words),
        implies(there & (count == watched), of.frames.read_ports[0].data == has),
    )


def _fetched(of: Around, port: int, f: Fetches) -> None:
    """What is fetched next, and what was a clock ago, and two, is the neurons in turn."""
    h, m, made = of.h, of.h.m, of.plan
    lanes, places = made.lanes, made.lanes.bit_length() - 1
    opened: list[Any] = []
    for (name, to), totals in made.totals.items():
        if totals.port != port:
            continue
        turns, at = of.turns[name], made.places[name]
        opened.append(turns.open)
        if to not in turns.fetches:
            h.know(implies(turns.open, Cat(f.next.values()) == 0))
            continue
        core, count, valid = turns.core, turns.fetched[to], turns.fetches[to].valid
        group = Signal(range(core.rows + 1), name=f"{name}_{to}_group")
        within = Signal(range(core.rows + 1), name=f"{name}_{to}_within")
        with m.If(core.tick & core.ready):
            m.d.sync += [group.eq(0), within.eq(0)]
        with m.Elif(valid):
            ends = within == at.group - 1
            m.d.sync += [group.eq(group + ends), within.eq(Mux(ends, 0, within + 1))]
        rest = count < core.rows
        expected = {
            "place": within & (lanes - 1),
            "within": within,
            "row": group * at.of_group + (within >> places),
        }
        h.know(
            implies(turns.open, count == group * at.group + within),
            within < at.group,
            *(
                implies(turns.open, f.next[key] == Mux(rest, value, 0))
                for key, value in expected.items()
            ),
        )
        mine = of.names(name)
        h.know(implies(Cat(f.valid[1:3]).any() & mine, count == group * at.group + within))
        for k in (1, 2):  # back by a neuron, unless none was fetched then
            here = f.valid[k] & mine
            before = Mux(within == 0, group - 1, group), Mux(within == 0, at.group - 1, within - 1)
            back = Signal.like(group), Signal.like(within)
            m.d.comb += [
                back[0].eq(Mux(f.valid[k], before[0], group)),
                back[1].eq(Mux(f.valid[k], before[1], within)),
            ]
            h.know(implies(here, (group != 0) | (within != 0)))
            group, within = back
            row = totals.base + group * at.of_group + (within >> places)
            ends = (within == at.group - 1) | ((within & (lanes - 1)) == lanes - 1)
            h.know(implies(here, (f.row[k] == row) & (f.ends[k] == ends)))
    h.know(implies(~Cat(opened).any(), Cat(f.next.values()) == 0))
    for k in (1, 2):
        states = ("update", "written", "settled")[: k + 1]
        h.know(implies(f.valid[k], of.at(*states)), implies(f.ends[k], f.valid[k]))


def _promises(of: Around) -> None:
    """What the claims of the blocks assume of what is around them."""
    h, made, scan = of.h, of.plan, of.scan
    number = h.constant(range(max(2, made.frame_words, made.spike_words)), "watched_read")
    at = (scan.base + number)[: len(scan.base)]
    delay = Signal(range(max(2, made.slots, made.input_slots)), name="delay_of_phase")
    inside = Signal(name="inside")
    for k, (_, work) in enumerate(of.phases):
        if isinstance(work, Deliver):
            with h.m.If(of.phase == k):
                h.m.d.comb += [delay.eq(work.delay), inside.eq(work.inside)]
    spikes = of.look("spikes", at, of.step - delay)
    seen = Mux(inside, spikes, of.look("frames", at, of.frame - delay))
    seen = Mux(number < scan.words, seen, 0)
    h.claim(
        "scanned",
        "a scan starts when it is over, and no word that it reads changes until it is",
        *held(h, scan, seen),
    )
    fetches = [Fetches(h, of.synapses, made, port) for port in range(len(made.bases))]
    for port, f in enumerate(fetches):
        _fetched(of, port, f)
    h.claim(
        "apart",
        "what the synapses are given at a time is of one projection; nothing is fetched, or "
        "loaded, while they add, and no row is fetched again before it begins again",
        *between(h, of.synapses, made, fetches),
    )
    h.claim(
        "asked",
        "a population begins a step, or anew, only when none of its own is under way",
        *(condition for turns in of.turns.values() for condition in turns.asked()),
    )
