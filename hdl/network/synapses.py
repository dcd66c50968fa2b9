"""Weights, and the sums that they are added to."""

from itertools import pairwise
from typing import Any

import numpy as np
from amaranth import Array, Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...network.plan import WRITTEN, Add, Deliver, Plan
from ..population import SINGLE
from .core import AHEAD
from .draws import draw_bits

__all__ = ["WRITTEN", "Synapses", "bits_for", "loop_layout"]

_WORD = Shape(16, signed=True)
_TOGETHER = 16  # lanes whose weights share a memory


def bits_for(count: int) -> int:
    """Of a number below ``count``."""
    return max(1, (count - 1).bit_length())


class Synapses(wiring.Component):
    """Adds rows of weights to rows of sums, one a clock, and gives sums away.

    A row is added to in four clocks: it is read, kept, added to and written. It is not read before
    it is written, as a spike takes four clocks at least and its rows differ, and those of other
    projections come when nothing is under way. Nothing is fetched while something is added.

    Parameters
    ----------
    plan : Plan
    drops : tuple of int
        By how many bits sums are shifted where they become words.
    loaded : bool
        Whether the weights are loaded at the start, into memories of one port.
    linked : bool
        Whether weights are read and written from outside, between steps.

    Members
    -------
    valid, ready
        A spike, or a current, is taken.
    loop : In
        Of a convolution: whether it is one, and how many steps a spike goes across and down; as
        long as ``busy``, how far these go in weights and in sums.
    weights, sums, rows : In
        The first row of weights, that of sums, and how many there are.
    current : In(16), lane : In
        A number, and the lane whose sum it is added to.
    is_current : In(1), shift : In, port : In
        Which it is, place in ``plan.shifts``, and which memory of sums: as long as ``busy``.
    drawn : In(1), amount : In, draw : In, where there are stochastic projections
        Whether a spike is of one, and place in ``plan.amounts``: as long as ``busy``; and what its
        source draws, as of :class:`~scneuro.hdl.network.draws.Draws`.
    busy : Out(1)
    fetch : In
        By port, whether the sum of the next neuron is wanted, whether it is the last, and how many
        neurons are at a place, but for one.
    base, drop : In
        Of the population that fetches: its first row by port, and place in ``drops``.
    o : Out
        By port, the word of the sum that was fetched, ``AHEAD`` + 1 clocks later.
    load : In
        Whether to write a row of weights, where, and what.
    look : In(1), where it is linked
        Read the row of weights that ``load`` names.
    found : Out, where it is linked
        What was read, a clock after ``look``.
    limited : Out, where it is linked
        By port, whether the word in ``o`` is at a limit because its sum is beyond.
    """

    valid: Signal
    ready: Signal
    loop: data.View
    weights: Signal
    sums: Signal
    rows: Signal
    current: Signal
    lane: Signal
    is_current: Signal
    shift: Signal
    port: Signal
    drawn: Signal
    amount: Signal
    draw: Signal
    busy: Signal
    fetch: data.View
    base: data.View
    drop: data.View
    o: data.View
    load: data.View
    look: Signal
    found: Signal
    limited: Signal

    def __init__(
        self, plan: Plan, drops: tuple[int, ...], *, loaded: bool = False, linked: bool = False
    ) -> None:
        self._plan, self._drops, self._loaded, self._linked = plan, drops, loaded, linked
        ports = len(plan.bases)
        self._depth = max(map(len, plan.bases))
        self._places = bits_for(plan.lanes) if plan.lanes > 1 else 0
        groups = bits_for(max(at.group for at in plan.places.values()))
        fetch = data.StructLayout({"valid": 1, "last": 1, "group": groups})
        row = bits_for(self._depth)
        rows = 1 + bits_for(
            WRITTEN + max((d.rows for _, work in plan.order for d in _delivers(work)), default=1)
        )
        self._loops = any(d.loop for _, work in plan.order for d in _delivers(work))
        super().__init__(
            {
                "valid": In(1),
                "ready": Out(1),
                "loop": In(loop_layout(plan)),
                "weights": In(bits_for(len(plan.weights))),
                "sums": In(row),
                "rows": In(rows),
                "current": In(_WORD),
                "lane": In(max(1, self._places)),
                "is_current": In(1),
                "shift": In(bits_for(len(plan.shifts))),
                "port": In(bits_for(ports)),
                **(self._drawn_ports() if plan.amounts else {}),
                "busy": Out(1),
                "fetch": In(data.ArrayLayout(fetch, ports)),
                "base": In(data.ArrayLayout(row, ports)),
                "drop": In(data.ArrayLayout(bits_for(len(drops)), ports)),
                "o": Out(data.ArrayLayout(_WORD, ports)),
                "load": In(
                    data.StructLayout(
                        {
                            "valid": 1,
                            "row": bits_for(len(plan.weights)),
                            "weights": plan.lanes * plan.bits,
                        }
                    )
                ),
                **(self._linked_ports() if linked else {}),
            }
        )

    def _drawn_ports(self) -> dict[str, Any]:
        plan = self._plan
        return {
            "drawn": In(1),
            "amount": In(bits_for(len(plan.amounts))),
            "draw": In(draw_bits(plan)),
        }

    def _linked_ports(self) -> dict[str, Any]:
        return {
            "look": In(1),
            "found": Out(self._plan.lanes * self._plan.bits),
            "limited": Out(len(self._plan.bases)),
        }

    def elaborate(self, platform: object) -> Module:
        m, plan = Module(), self._plan
        go = Signal()  # a row is read
        active, last = Signal(name="active"), Signal()  # of a spike, and its last clock
        weights = Signal.like(self.weights, name="row_of_weights")
        sums = Signal.like(self.sums, name="row_of_sums")
        rows = Signal.like(self.rows, name="rows_left")  # but for one
        clocks = Signal.like(self.rows)  # that are left, but for one
        under_way = Signal(WRITTEN)  # rows that were read, kept, and added to
        behind = [Signal.like(sums, name=f"row_{k}") for k in range(WRITTEN)]
        longest = Signal.like(self.rows)
        m.d.comb += [
            self.ready.eq(~active | (last & ~self.loop.valid)),
            self.busy.eq(active | under_way.any()),
            longest.eq(Mux(self.rows > WRITTEN, self.rows - 1, WRITTEN)),
        ]
        m.d.sync += [
            under_way.eq(Cat(go, under_way)),
            last.eq(clocks == 1),
            clocks.eq(Mux(clocks == 0, 0, clocks - 1)),
        ]
        m.d.sync += [after.eq(before) for before, after in pairwise((sums, *behind))]
        with m.If(rows == 0):
            m.d.sync += go.eq(0)
        with m.Elif(go):
            m.d.sync += [rows.eq(rows - 1), weights.eq(weights + 1), sums.eq(sums + 1)]
        if self._loops:
            self._go_on(m, go, rows, weights, sums)
            with m.If(self.loop.valid & ~go & ~under_way.any()):  # spikes may share rows
                m.d.comb += self.ready.eq(1)
        with m.If(self.ready):
            m.d.sync += [
                go.eq(self.valid),
                active.eq(self.valid),
            ]
        with m.If(self.ready & self.valid):
            m.d.sync += [
                weights.eq(self.weights),
                sums.eq(self.sums),
                rows.eq(self.rows - 1),
                clocks.eq(longest),
            ]
        operands = self._operands(m, weights, go)
        for port in range(len(plan.bases)):
            mine = self.port == port if len(plan.bases) > 1 else Const(1)
            self._port(m, port, operands, go & mine, sums, behind[-1], under_way[-1] & mine)
        return m

    def _go_on(self, m: Module, go: Signal, rows: Signal, weights: Signal, sums: Signal) -> None:
        """Behind the rows of a place, the next one across; behind a line, the next one down."""
        loop = self.loop
        across = Signal.like(loop.across, name="across")  # that are left
        down = Signal.like(loop.down, name="down")
        line = Signal.like(loop.across, name="line")
        begins = Signal.like(weights, name="line_weights"), Signal.like(sums, name="line_sums")
        with m.If(loop.valid & go & (rows == 0)):
            with m.If(across != 0):
                m.d.sync += [
                    go.eq(1),
                    across.eq(across - 1),
                    rows.eq(self.rows - 1),
                    weights.eq(weights + loop.next_weights),
                    sums.eq(sums + loop.next_sums),
                ]
            with m.Elif(down != 0):
                following = begins[0] + loop.line_weights, begins[1] + loop.line_sums
                m.d.sync += [
                    go.eq(1),
                    down.eq(down - 1),
                    across.eq(line),
                    rows.eq(self.rows - 1),
                    weights.eq(following[0]),
                    sums.eq(following[1]),
                    begins[0].eq(following[0]),
                    begins[1].eq(following[1]),
                ]
        with m.If(self.ready & self.valid):
            m.d.sync += [
                across.eq(loop.across - 1),
                line.eq(loop.across - 1),
                down.eq(loop.down - 1),
                begins[0].eq(self.weights),
                begins[1].eq(self.sums),
            ]

    def _operands(self, m: Module, row: Signal, go: Signal) -> list[Signal]:
        """What is added in each lane, the clock after the row was read."""
        plan = self._plan
        if self._loaded:
            memory = Memory(
                shape=plan.bits * plan.lanes,
                depth=len(plan.weights),
                init=[],
                attrs={"ram_style": "huge"},
            )
            m.submodules[f"{SINGLE}weights"] = memory
            read, write = memory.read_port(), memory.write_port()
            address = Signal.like(row)
            named = self.load.valid | self.look if self._linked else self.load.valid
            m.d.comb += [
                address.eq(Mux(named, self.load.row, row)),
                write.addr.eq(address),
                write.en.eq(self.load.valid),
                write.data.eq(self.load.weights),
                read.addr.eq(address),
                read.en.eq(go | self.look if self._linked else go),
            ]
            values = _apart(read.data, plan.bits)
        else:
            values = []
            for begin in range(0, plan.lanes, _TOGETHER):  # yosys fails on very wide memories
                some = plan.weights[:, begin : begin + _TOGETHER]
                memory = _block(some, plan.bits)
                m.submodules[f"weights_{begin}"] = memory
                read = memory.read_port()
                if self._linked:
                    write = memory.write_port()
                    m.d.comb += [
                        read.addr.eq(Mux(self.look, self.load.row, row)),
                        read.en.eq(go | self.look),
                        write.addr.eq(self.load.row),
                        write.en.eq(self.load.valid),
                        write.data.eq(self.load.weights[begin * plan.bits :]),
                    ]
                else:
                    m.d.comb += [read.addr.eq(row), read.en.eq(go)]
                values += _apart(read.data, plan.bits)
        if self._linked:
            m.d.comb += self.found.eq(Cat(values))
        current, lane = Signal(_WORD, name="kept_current"), Signal.like(self.lane)
        with m.If(self.ready):
            m.d.sync += [current.eq(self.current), lane.eq(self.lane)]
        later, at = Signal(_WORD, name="later_current"), Signal.like(self.lane, name="later_lane")
        m.d.sync += [later.eq(current), at.eq(lane)]
        counts: list[Value] = [Const(0, 1)] * plan.lanes
        amount: Value = Const(0, 1)
        if plan.amounts:
            counts, amount = self._counts(m, values), Array(plan.amounts)[self.amount]
        currents = any(isinstance(each, Add) for _, work in plan.order for each in work)
        found = []
        for k in range(plan.lanes):
            width = max(plan.bits, 16 * currents)
            kept = Signal(Shape(width, signed=True), name=f"weight_{k}")
            value: Value = values[k]
            if currents:
                own = Mux(at == k, later, 0).as_signed() if plan.lanes > 1 else later
                value = Mux(self.is_current, own, value).as_signed()
            if plan.amounts:
                value = Mux(self.drawn, counts[k], value)
            m.d.sync += kept.eq(value)
            shifted: Value = kept.shift_left(plan.shifts[0])
            if len(plan.shifts) > 1:
                shifted = Array(kept.shift_left(by) for by in plan.shifts)[self.shift]
            most = width + max(plan.shifts)
            if plan.amounts:
                most = max(most, *(value.bit_length() + 1 for value in plan.amounts))
                shifted = Mux(self.drawn, Mux(kept[0], amount, 0), shifted)
            operand = Signal(Shape(most, signed=True), name=f"operand_{k}")
            m.d.comb += operand.eq(shifted)
            found.append(operand)
        return found

    def _counts(self, m: Module, words: list[Value]) -> list[Value]:
        """Of each lane, whether the weight of a stochastic projection counts."""
        draw = Signal.like(self.draw, name="kept_draw")
        later = Signal.like(self.draw, name="later_draw")
        with m.If(self.ready):
            m.d.sync += draw.eq(self.draw)
        m.d.sync += later.eq(draw)
        return [Cat(Const(1, 1), word.as_unsigned()) > later for word in words]

    def _port(
        self,
        m: Module,
        port: int,
        operands: list[Signal],
        go: Value,
        row: Signal,
        write_to: Signal,
        add: Value,
    ) -> None:
        """The sums of one input of all populations."""
        plan, lanes = self._plan, self._plan.lanes
        width, bases = plan.widths[port], plan.bases[port]
        memory = _block(bases, width)
        m.submodules[f"sums_{port}"] = memory
        read, write = memory.read_port(), memory.write_port()
        fetch = self.fetch[port]
        of = Signal.like(self.sums, name=f"fetched_{port}")
        at = Signal.like(self.sums, name=f"fetched_row_{port}")
        place = Signal(max(1, self._places), name=f"fetched_place_{port}")
        within, ends = Signal.like(fetch.group, name=f"within_{port}"), Signal(name=f"ends_{port}")
        m.d.comb += [
            ends.eq((place == lanes - 1) | (within == fetch.group)),
            of.eq(self.base[port] + at),
            read.addr.eq(Mux(fetch.valid, of, row)),
            read.en.eq(fetch.valid | go),
        ]
        shape = Shape(width, signed=True)
        kept = [Signal(shape, name=f"kept_{port}_{k}") for k in range(lanes)]
        added = [Signal(shape, name=f"added_{port}_{k}") for k in range(lanes)]
        m.d.sync += Cat(kept).eq(read.data)
        m.d.sync += [added[k].eq(kept[k] + operands[k]) for k in range(lanes)]
        # what is fetched: its place, and whether its row begins again
        with m.If(fetch.valid):
            m.d.sync += [place.eq(place + 1), within.eq(within + 1)]
            with m.If(within == fetch.group):
                m.d.sync += within.eq(0)
            with m.If(ends):
                m.d.sync += [place.eq(0), at.eq(at + 1)]
            with m.If(fetch.last):
                m.d.sync += [place.eq(0), within.eq(0), at.eq(0)]
        clears = Signal(name=f"clears_{port}")
        m.d.comb += clears.eq(fetch.valid & ends)
        stages = [(fetch.valid, place, clears, of)]
        for k in range(2):
            names = (
                f"wanted_{port}_{k}",
                f"place_{port}_{k}",
                f"clear_{port}_{k}",
                f"of_{port}_{k}",
            )
            following = tuple(
                Signal(Value.cast(x).shape(), name=name)
                for x, name in zip(stages[-1], names, strict=True)
            )
            m.d.sync += [
                after.eq(before) for before, after in zip(stages[-1], following, strict=True)
            ]
            stages.append(following)
        again = self._begins(m, port, of, fetch.valid)
        valid, place, clears, of = stages[-1]
        m.d.comb += [
            write.en.eq(clears | add),
            write.addr.eq(Mux(clears, of, write_to)),
        ]
        for k in range(lanes):
            following = Signal(shape, name=f"written_{port}_{k}")
            m.d.comb += following.eq(Mux(clears, again[k], added[k]))
            m.d.comb += write.data.word_select(k, width).eq(following)
        picked = Signal(Shape(width, signed=True), name=f"picked_{port}")
        wanted = Signal(name=f"picks_{port}")
        m.d.sync += wanted.eq(valid)
        with m.If(valid):
            m.d.sync += picked.eq(Array(kept)[place])
        words, beyond = [], []
        for by in self._drops:
            whole = Signal(Shape(width, signed=True), name=f"whole_{port}_{by}")
            m.d.comb += whole.eq(picked.shift_right(by) if by else picked)
            words.append(_limited(whole, width - by))
            beyond.append(~_fits(whole, width - by))
        with m.If(wanted):
            m.d.sync += self.o[port].eq(
                Array(words)[self.drop[port]] if len(words) > 1 else words[0]
            )
            if self._linked:
                m.d.sync += self.limited[port].eq(Array(beyond)[self.drop[port]])
        assert len(stages) == AHEAD

    def _begins(self, m: Module, port: int, address: Value, enable: Value) -> list[Any]:
        """What the sums of a row begin with, two clocks after its address."""
        bases = self._plan.bases[port]
        if (bases == bases.flat[0]).all():
            return [int(bases.flat[0])] * self._plan.lanes
        width = self._plan.widths[port]
        memory = _block(bases, width)
        m.submodules[f"begins_{port}"] = memory
        read = memory.read_port()
        kept = Signal(width * self._plan.lanes, name=f"begins_{port}")
        m.d.comb += [read.addr.eq(address), read.en.eq(enable)]
        m.d.sync += kept.eq(read.data)
        return _apart(kept, width)


def loop_layout(plan: Plan) -> data.StructLayout:
    """How a spike of a convolution goes through rows."""
    most = max((int(plan.sources[:, 2:].max(initial=1)), 1))
    steps = bits_for(most + 1)
    return data.StructLayout(
        {
            "valid": 1,
            "across": steps,
            "down": steps,
            "next_weights": Shape(bits_for(len(plan.weights)) + 1, signed=True),
            "next_sums": Shape(bits_for(max(map(len, plan.bases))) + 1, signed=True),
            "line_weights": Shape(bits_for(len(plan.weights)) + 1, signed=True),
            "line_sums": Shape(bits_for(max(map(len, plan.bases))) + 1, signed=True),
        }
    )


def _block(rows: np.ndarray, width: int) -> Memory:
    """A memory in block RAM: in logic, even a few rows of many lanes take more than all else."""
    mask = (1 << width) - 1
    init = [sum((v & mask) << (k * width) for k, v in enumerate(row)) for row in rows.tolist()]
    shape = width * rows.shape[1]
    return Memory(shape=shape, depth=len(init), init=init, attrs={"ram_style": "block"})


def _apart(row: Value, width: int) -> list[Value]:
    """The numbers in a row."""
    return [row[at : at + width].as_signed() for at in range(0, len(row), width)]


def _delivers(work: Any) -> list[Any]:
    return [each for each in work if isinstance(each, Deliver)]


def _limited(value: Value, width: int) -> Value:
    """A number of ``width`` bits as a word, at its limit where it is beyond."""
    if width <= 16:
        return value[:16].as_signed()
    limit = Cat((~value[width - 1]).replicate(15), value[width - 1])
    return Mux(_fits(value, width), value[:16], limit).as_signed()


def _fits(value: Value, width: int) -> Value:
    """Whether a number of ``width`` bits is a word."""
    if width <= 16:
        return Const(1, 1)
    above = value[15:width]
    return ~above.any() | above.all()
