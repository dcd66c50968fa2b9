"""What is claimed of a population's spikes: each leaves once, in turn, and none waits for ever."""

from __future__ import annotations

from amaranth import Cat, Const, Mux, Signal, Value

from .....hdl.population import Population
from .....population import FixedPopulation
from ..harness import Harness, implies, same
from .around import Around

__all__ = ["progress", "spikes"]


def spikes(dut: Population, fixed: FixedPopulation) -> Harness:
    """The claims of a population's spikes, whatever its datapath computes."""
    at = Around(dut, fixed, search=3 * (dut.clocks_a_step + dut.latency) + 8)
    at.tie()
    of = _Queued(at)
    for claim in (_queued, _queue, _sent, _stream):
        claim(of)
    return at.h


def progress(dut: Population, fixed: FixedPopulation) -> Harness:
    """The claim that a step ends, whatever its datapath computes."""
    at = Around(dut, fixed, search=3 * (dut.clocks_a_step + dut.latency) + 8)
    at.tie()
    of = _Queued(at)
    of.tie_level()
    _tie_sent(of)
    _goes_on(of)
    return at.h


class _Queued:
    """The queue and its monitor: what was put in, and taken out, and one entry, watched.

    Attributes
    ----------
    inside : Signal
        Rows in the queue.
    ahead : Signal
        Those of them that are not in its memory any more, or need not be: they are given.
    coming : Value
        Rows that have entered, and whose spikes are not there yet.
    sent : Signal
        Lanes of the row that comes out whose spikes have been taken.
    """

    def __init__(self, at: Around) -> None:
        self.at, self.h, self.m = at, at.h, at.h.m
        h, m = at.h, at.m
        self.queue = queue = h.part("dut", "queue")
        self.depth = h.part("dut.queue", "memory").depth
        self.stage = at.at["spike"]
        self.takes = Signal()
        m.d.comb += self.takes.eq(queue.o.valid & queue.o.ready)
        bits = self.depth.bit_length() + 1
        self.put, self.taken = Signal(bits), Signal(bits)
        self.inside, self.ahead = Signal(bits), Signal(2)
        m.d.sync += [self.put.eq(self.put + queue.write), self.taken.eq(self.taken + self.takes)]
        m.d.comb += self.inside.eq(self.put - self.taken)
        self.coming = _ones(at.live[: self.stage + 1])
        self.sent = Signal(at.lanes, name="lanes_sent")
        row_bits, payload = len(at.row), queue.o.payload
        self.row, self.last = payload[:row_bits], payload[-1]
        self.spikes = payload[row_bits : row_bits + at.lanes]
        gives = h.register("gives", "dut.queue")
        # behind the RAM's own output there is a register where clocks are short
        self.given: Value = gives if at.short else Const(0, 1)
        m.d.comb += self.ahead.eq(queue.o.valid + self.given)

    def tie_level(self) -> None:
        h, queue, level = self.h, self.queue, self.h.register("level", "dut.queue")
        h.know(self.inside == level + self.ahead)
        if self.at.short:
            h.know(implies(~self.given, level <= 1))
        h.know(level + self.coming <= self.depth - 1)
        h.know(implies(queue.room, level + self.coming <= self.depth - 2))
        h.know(implies(~queue.o.valid, level <= 1), implies(h.begun & ~queue.room, queue.o.valid))


def _ones(flags: list[Signal]) -> Value:
    """How many there are."""
    total: Value = Const(0)
    for flag in flags:
        total = total + flag
    return total


def _queued(of: _Queued) -> None:
    at, h, queue = of.at, of.h, of.queue
    view = at.dut.written.spike
    fired, last = view.values.as_value(), view.row == at.rows - 1
    left_out = at.rows * at.lanes - at.fixed.count
    ends = Signal(16, name="ends_put")
    of.m.d.sync += ends.eq(ends + (queue.write & queue.word[-1]))
    h.know(ends[:2] == at.step_at(of.stage))
    h.claim(
        "queued",
        "every row that has a spike is put in the queue, with its number and its lanes' spikes, "
        "and so is the last row of every step, which is marked; no other is. As many are marked "
        "before a row as steps came before its own",
        queue.write == (view.valid & (fired.any() | last)),
        implies(queue.write, queue.word == Cat(view.row, fired, last)),
        implies(view.valid, ends[:2] == at.step_at(of.stage)),
    )
    if left_out:
        none = fired[at.lanes - left_out :] == 0
        h.claim(
            "left_out",
            "lanes of the last row in which there is no neuron never spike",
            implies(view.valid & last, none),
        )


def _queue(of: _Queued) -> None:
    """A queue's claims, of any one of its entries: the one whose number is watched."""
    at, h, m, queue, depth = of.at, of.h, of.m, of.queue, of.depth
    number = h.constant(len(of.put), "entry")
    kept = Signal(len(queue.word))
    with m.If(queue.write & (of.put == number)):
        m.d.sync += kept.eq(queue.word)
    left = h.was(of.inside != of.takes)
    soon = implies(left, queue.o.valid)
    if at.short:
        h.know(implies(left, queue.o.valid | of.given))
        soon = implies(h.was(left) & ~h.was(queue.o.valid), queue.o.valid)
    h.claim(
        "queue",
        "the queue never overflows, whatever `o.ready` does: what is put in comes out once, in "
        f"turn, as it was, and the next is there in the clock after{', or in two' * at.short}",
        implies(queue.write, of.inside - of.ahead < depth - 1),
        implies(queue.o.valid, of.inside != 0),
        soon,
        implies(queue.o.valid & (of.taken == number), queue.o.payload == kept),
    )
    of.tie_level()
    memory = h.part("dut.queue", "memory")
    address = len(memory.write_ports[0].addr)
    h.know(memory.write_ports[0].addr == of.put[:address])
    h.know(memory.read_ports[0].addr == (of.taken + of.ahead)[:address])
    there = (number - of.taken)[: len(number)] < of.inside
    first = queue.o.valid & (of.taken == number)
    given = of.given & ((of.taken + queue.o.valid)[: len(number)] == number)
    has, raw = h.look("dut.queue.memory", number), memory.read_ports[0].data
    h.know(implies(there & ~first & ~given, has == kept), implies(first, queue.o.payload == kept))
    h.know(implies(given, raw == kept))


def _sent(of: _Queued) -> None:
    at, h, m, o = of.at, of.h, of.m, of.at.dut.o
    ends = Signal(16, name="ends_taken")
    m.d.sync += ends.eq(ends + (of.takes & of.last))
    left, lowest = _tie_sent(of)
    neuron: Value = of.row
    if at.lanes > 1:
        lane = Signal(range(at.lanes), name="lane_sent")
        for k in range(at.lanes):
            with m.If(lowest[k]):
                m.d.comb += lane.eq(k)
        neuron = Cat(lane, of.row)
    h.claim(
        "sent",
        "every spike of a row that comes out of the queue is sent once, lane by lane, with its "
        "neuron's number and the number of marked rows that came out before, which is its step; "
        "then the next row is",
        o.valid == (of.queue.o.valid & left.any()),
        implies(o.valid, o.payload.neuron == neuron),
        implies(o.valid, o.payload.step == ends),
        of.takes == (of.queue.o.valid & (left == Mux(o.ready, lowest, 0))),
    )
    h.know(h.register("step") == ends)


def _tie_sent(of: _Queued) -> tuple[Signal, Signal]:
    """Which lanes' spikes are still to be sent, and which is next."""
    at, h, m, o = of.at, of.h, of.m, of.at.dut.o
    sent = of.sent
    left, lowest = Signal(at.lanes, name="lanes_left"), Signal(at.lanes, name="lowest")
    m.d.comb += [left.eq(of.spikes & ~sent), lowest.eq(left & -left)]
    with m.If(of.takes):
        m.d.sync += sent.eq(0)
    with m.Elif(o.valid & o.ready):
        m.d.sync += sent.eq(sent | lowest)
    h.know(h.register("sent") == sent, implies(~of.queue.o.valid, sent == 0))
    h.know((sent == 0) | (((sent & ~of.spikes) == 0) & left.any()))
    return left, lowest


def _stream(of: _Queued) -> None:
    h, o = of.h, of.at.dut.o
    h.claim(
        "stream",
        "a spike that is offered stays as it is until it is taken",
        implies(h.was(o.valid & ~o.ready), o.valid & same(o.payload, h.was(o.payload))),
    )


def _goes_on(of: _Queued) -> None:
    """Every clock in which a row may not enter, what is before it gets less."""
    at, h, m = of.at, of.h, of.m
    every, lanes, rows = at.interval, at.lanes, at.rows
    most = every * ((lanes + 1) * rows + lanes * (of.depth + at.short) + 1)
    waited = Signal(range(2 * most))
    with m.If(at.running & at.dut.o.ready):
        m.d.sync += waited.eq(waited + 1)
    with m.Else():
        m.d.sync += waited.eq(0)
    h.claim(
        "goes_on",
        f"if every spike is taken at once, all rows of a step have entered at most {most:,} "
        "clocks after it began, however full the queue was",
        waited <= most,
    )
    entered = Mux(at.live[0], at.row + 1, at.row)
    phase: Value = Const(0)
    if every > 1:
        for k in range(every):
            phase = phase + Mux(h.register("phase")[k], every - 1 - k, 0)
    queued = lanes * (of.inside + of.coming) - _ones(list(of.sent))
    left = every * (lanes + 1) * (rows - entered) + every * queued + phase
    h.know(implies(at.running, h.begun), implies(at.running, waited + left <= most))
