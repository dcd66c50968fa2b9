"""One update of a neuron as a pipeline that accepts a new one every clock.

Every node of the integer datapath becomes one signal of exactly its width. An addition, a
multiplication, a comparison and a memory read take a stage; what is only wires and a LUT joins the
stage it follows. In iCE40 and ECP5 a stage's register sits in the same cell as its adder, so it is
free.
"""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory, ReadPort
from amaranth.lib.wiring import In, Out

from ..compiler.datapath import Node
from ..compiler.lowered import Lowered
from ..compiler.pipeline.cells import Cell, Pipeline, pipeline
from ..compiler.pipeline.form import Form

__all__ = ["TAKEN_WRONGLY", "Step", "in_rows", "inputs_layout", "registers_layout", "words_layout"]


def registers_layout(lowered: Lowered) -> data.StructLayout:
    """The state registers, by name, each signed."""
    return data.StructLayout(
        {name: Shape(r.width, signed=True) for name, r in lowered.registers.items()}
    )


def words_layout(lowered: Lowered) -> data.StructLayout:
    """The states as words, by name: signed, 16 bits."""
    return data.StructLayout({name: Shape(16, signed=True) for name in lowered.registers})


def inputs_layout(lowered: Lowered) -> data.StructLayout:
    """The input words, by name: signed Q8.8."""
    return data.StructLayout({name: Shape(16, signed=True) for name in lowered.inputs})


class Step(wiring.Component):
    """The next state and the spike flag of a neuron, from its state and inputs.

    Parameters
    ----------
    lowered : Lowered
    form : Form, optional
        If it is ``held``, the inputs stay the same for ``latency`` clocks; otherwise a new update
        may enter every clock. Its ``multipliers`` multiply two values, and by constants that take
        many adders; constants of few adders are always shifts and adds.
    held, dsp : bool, bool or int, optional
        The same by keywords: whether it is held, and True for as many multipliers as it wants,
        False for none, or how many. Without either it is pipelined and has none.

    Members
    -------
    state : In(struct of signed registers)
    inputs : In(struct of signed(16))
    noise : In(16 x draws), where noise is declared or rounding is stochastic
        Fresh random bits for every update, in the order of ``lowered.noise``.
    next : Out(struct of signed registers)
        The registers' next values, ``latency`` clocks after ``state`` and ``inputs``.
    spike : Out(1)
    words : Out(struct of signed(16))
        The words of ``state``, rounded to nearest, at once.

    enable : In(interval), where the interval is longer than a clock
        One bit at a time: stage s is computed in clocks with bit s modulo the interval. The first
        clock of what is held has bit 0.

    Where the form is ``stored``, there are other ones, and no ``state``, ``inputs``, ``noise`` and
    ``words``: what is stored comes when it is wanted.

    ports : In(struct)
        What enters, by the names of the pipeline's ``port`` cells, each in the stage of its cell
        and for ``interval`` clocks.
    waiting : Out(struct), where the pipeline has ``waits``
        What is to enter again, by the names of the cells it enters as.
    next, spike
        As above, each in the stage ``pipeline.schedule.at`` it; a state that stays is left out.

    Attributes
    ----------
    lowered : Lowered
    form : Form
    pipeline : Pipeline
        What it prints.
    latency : int
        Clocks from the inputs to the outputs.
    """

    state: data.View
    inputs: data.View
    noise: Signal
    next: data.View
    spike: Signal
    words: data.View
    ports: data.View
    waiting: data.View
    enable: Signal

    def __init__(
        self,
        lowered: Lowered,
        form: Form | None = None,
        *,
        held: bool | None = None,
        dsp: bool | int | None = None,
    ) -> None:
        self.lowered = lowered
        self.form = Form.of(form, held=held, dsp=dsp, usual=Form(multipliers=0))
        self.pipeline = self._pipeline(lowered)
        self.latency = self.pipeline.latency
        registers = registers_layout(lowered)
        if self.form.stored:
            members = self._stored_members(registers)
        else:
            members = {
                "state": In(registers),
                "inputs": In(inputs_layout(lowered)),
                "next": Out(registers),
                "spike": Out(1),
                "words": Out(words_layout(lowered)),
            }
            if lowered.noise:
                members["noise"] = In(16 * len(lowered.noise))
        if self.form.folds:
            members["enable"] = In(self.form.interval)
        super().__init__(members)

    def _stored_members(self, registers: data.StructLayout) -> dict[str, Any]:
        pipe = self.pipeline
        written = {name: registers[name].shape for name in self.written}
        members = {
            "ports": In(data.StructLayout({cell.name: _shape(cell.node) for cell in pipe.ports})),
            "next": Out(data.StructLayout(written)),
            "spike": Out(1),
        }
        if pipe.waits:
            entering = [pipe.cells[wait.port] for wait in pipe.waits]
            shapes = {cell.name: _shape(cell.node) for cell in entering}
            members["waiting"] = Out(data.StructLayout(shapes))
        return members

    @property
    def written(self) -> list[str]:
        """The states that it writes."""
        return [name for name in self.pipeline.outputs if name != "spike"]

    def _pipeline(self, lowered: Lowered) -> Pipeline:
        return pipeline(lowered, self.form)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        values: list[Value] = []
        shared = self.pipeline.shared
        units = {unit: self._unit(m, cells[0]) for unit, cells in shared.items()}
        for cell in self.pipeline.cells:
            if cell.shared:
                values.append(_fitted(units[cell.unit][0], _shape(cell.node)))
            else:
                values.append(self._print(m, cell, [values[k] for k in cell.takes]))
        for unit, (_, takes) in units.items():
            for side, taken in enumerate(takes):
                self._choose(m, taken, side, shared[unit], values)
        outputs, words = self.pipeline.outputs, self.pipeline.words
        for name in self.written:
            self.drive(m, self.next[name], values[outputs[name]])
        for name, place in words.items():
            m.d.comb += self.words[name].eq(values[place])
        for wait in self.pipeline.waits:
            entering = self.pipeline.cells[wait.port].name
            m.d.comb += self.waiting[entering].eq(values[wait.source])
        self.drive(m, self.spike, values[outputs["spike"]])
        return m

    def drive(self, m: Module, port: Any, value: Value) -> None:
        """Drive an output."""
        m.d.comb += port.eq(value)

    def _unit(self, m: Module, cell: Cell) -> tuple[Value, list[Value]]:
        """A multiplier or a memory that several share: what it gives, and what it takes."""
        if cell.kind == "row":
            read = self._memory(m, cell)
            m.d.comb += read.en.eq(1)
            return read.data, [read.addr]
        a, b = (Signal(_FACTOR, name=f"{cell.signal}_{side}") for side in "ab")
        product = Signal(Shape(2 * _FACTOR.width, signed=True), name=cell.signal, reset_less=True)
        in_dsp = bool(self.form.multipliers)
        m.d.sync += product.eq(a * b if in_dsp else in_rows(m, product.name, a, b))
        return product, [a, b]

    def _choose(
        self, m: Module, taken: Value, side: int, cells: list[Cell], values: list[Value]
    ) -> None:
        """What a unit takes, in the clock of each that shares it."""
        clocks: dict[int, list[int]] = {}  # by what is taken
        for cell in cells:
            clocks.setdefault(cell.takes[side], []).append(self.pipeline.enabled_in(cell))
        chosen: Value = Const(0, len(taken))
        for source, phases in clocks.items():
            now = Cat(self.enable[k] for k in phases).any()
            bits = _extended(values[source], len(taken))
            chosen = chosen | (bits & now.replicate(len(taken)))
        m.d.comb += taken.eq(chosen)

    def _memory(self, m: Module, cell: Cell) -> ReadPort:
        """A block RAM with a table: the address now, the row a clock later."""
        node, shape = cell.node, _shape(cell.node)
        memory = Memory(shape=shape, depth=len(node.meta), init=list(node.meta))
        m.submodules[cell.memory] = memory
        signature = ReadPort.Signature(addr_width=(memory.depth - 1).bit_length(), shape=shape)
        return ReadPort(signature, memory=memory, domain="sync", path=(cell.memory,))

    def _print(self, m: Module, cell: Cell, takes: list[Value]) -> Value:
        node = cell.node
        shape = _shape(node)
        if cell.kind == "port":
            return self.ports[cell.name] if self.form.stored else self._port(node)
        if cell.kind == "wires":
            return _wires(node, takes, shape)
        if cell.kind == "row":
            read = self._memory(m, cell)
            m.d.comb += [read.addr.eq(*takes), read.en.eq(self._enabled(cell))]
            return read.data
        kept = node.width - cell.low if cell.low else shape
        signal = Signal(kept, name=cell.name, reset_less=True)
        if cell.kind == "logic":
            m.d.comb += signal.eq(self._made(cell, takes))
        else:
            value = takes[0] if cell.kind == "delay" else self._made(cell, takes)[cell.low :]
            with m.If(self._enabled(cell)):
                m.d.sync += signal.eq(~_fitted(value, signal.shape()) if cell.inverted else value)
        if cell.inverted:
            return (~signal).as_signed() if node.signed else (~signal).as_unsigned()
        if not cell.low:
            return signal
        whole = Cat(_extended(takes[-1], cell.low), signal)
        return whole.as_signed() if node.signed else whole

    def _made(self, cell: Cell, takes: list[Value]) -> Value:
        """The expression of a cell that is made of an operation."""
        node = cell.node
        if node.op == "add" and self.form.multipliers != 0 and self._has_product(cell):
            i, j, sign = node.meta
            return _sum(takes[0], takes[1], i, j, sign, node.width)
        return _operation(node, takes)

    def _has_product(self, cell: Cell) -> bool:
        """Whether a product is a part of a sum, but for wires."""
        for place in cell.takes[:2]:
            source = self.pipeline.cells[place]
            while source.kind in ("wires", "delay") and source.takes:
                source = self.pipeline.cells[source.takes[0]]
            if source.node.op == "mul":
                return True
        return False

    def _enabled(self, cell: Cell) -> Value:
        """Whether a register takes its value in this clock."""
        if not self.form.folds:
            return Const(1)
        return self.enable[self.pipeline.enabled_in(cell)]

    def _port(self, node: Node) -> Value:
        if node.meta in self.lowered.registers:
            value = self.state[node.meta]
        elif node.meta in self.lowered.inputs:
            value = self.inputs[node.meta]
        else:
            value = self.noise.word_select(self.lowered.noise.index(node.meta), 16)
        return _fitted(value, Shape(node.width, signed=node.signed))


#: What a multiplier that is shared takes, twice.
_FACTOR = Shape(16, signed=True)


def _shape(node: Node) -> Shape:
    return Shape(node.width, signed=node.signed)


def _operation(node: Node, args: list[Value]) -> Value:
    """The expression of a node that takes cells, of its arguments."""
    args = args[: len(node.args)]
    match node.op:
        case "add":
            return _sum(*args, *node.meta)
        case "scale":
            assert node.meta == -1  # all others have become additions
            return -args[0]
        case "mul":
            return args[0] * args[1]
        case "ge":
            return _at_least(args[0], node.meta)
        case "not":
            return ~args[0]
        case "and":
            return args[0] & args[1]
        case "or":
            return args[0] | args[1]
        case "mux":
            return Mux(*args)
        case "clamp":
            (low, high), value = node.meta, args[0]
            if node.args[0].high > high:
                value = Mux(_at_least(args[0], high + 1), high, value)
            if node.args[0].low < low:
                value = Mux(_at_least(args[0], low), value, low)
            return value
    raise NotImplementedError(node.op)


def in_rows(m: Module, name: str, a: Signal, b: Signal) -> Value:
    """a * b in logic: for each bit of b a row that adds a to the sum so far, or does not.

    A row is one cell a bit, which adds and selects.
    """
    total: Value = Const(0, Shape(len(a), signed=True))
    low: list[Value] = []
    for bit in range(len(b)):
        row = Signal(Shape(len(a) + 1, signed=True), name=f"{name}_{bit}")
        more = total - a if bit == len(b) - 1 else total + a  # a sign weighs negative
        m.d.comb += row.eq(Mux(b[bit], more, total))
        low.append(row[0])
        total = row[1:].as_signed()
    return Cat(*low, total).as_signed()


def _wires(node: Node, args: list[Value], shape: Shape) -> Value:
    """The expression of a node that is only wires."""
    match node.op:
        case "const":
            return Const(node.meta, shape)
        case "move" | "known":
            return _fitted(args[0], shape)
        case "shl":
            return _fitted(Cat(Const(0, node.meta), args[0]), shape)
        case "shr":
            return _fitted(_above(args[0], node.meta), shape)
    return _fitted(_extended(args[0], node.meta[0]), shape)


def _fitted(value: Value, shape: Shape) -> Value:
    """The value in the shape its interval needs, which never drops a bit that counts."""
    if len(value) > shape.width:
        value = value[: shape.width]
    elif len(value) < shape.width:
        value = _extended(value, shape.width)
    return value.as_signed() if shape.signed else value.as_unsigned()


def _above(value: Value, bits: int) -> Value:
    """value >> bits, as narrow as it is."""
    if not bits:
        return value
    if bits >= len(value):
        return value[-1].as_signed() if value.shape().signed else Const(0)
    part = value[bits:]
    return part.as_signed() if value.shape().signed else part


def _sum(a: Value, b: Value, i: int, j: int, sign: int, most: int = 0) -> Value:
    """(a << i) + sign * (b << j), one of i and j being 0: bits only one has pass by the adder.

    With ``most``, the bits of the result that are used, an adder that yosys would take into a DSP
    with a product, wrongly, is made of two.
    """
    if j:
        high = _plus(_above(a, j), b, sign, most and most - j)
        return (
            Cat(_extended(a, j), high).as_signed()
            if high.shape().signed
            else Cat(_extended(a, j), high)
        )
    if i and sign > 0:
        return _sum(b, a, 0, i, sign, most)
    left = Cat(Const(0, i), a)
    left = left.as_signed() if a.shape().signed else left
    return _plus(left, b, sign, most)


#: yosys 0.70 takes a sum of so many bits into an iCE40's DSP with its product; that one adds 32.
TAKEN_WRONGLY = 33
_HALF = 16  # bits


def _plus(a: Value, b: Value, sign: int, most: int) -> Value:
    """a + b, or a - b, of which ``most`` bits are used, if it is given."""
    whole = a + b if sign > 0 else a - b
    if not most or min(most, len(whole)) != TAKEN_WRONGLY:
        return whole
    a, b = _extended(a, TAKEN_WRONGLY), _extended(b, TAKEN_WRONGLY)
    if sign < 0:
        b = ~b
    begin = Const(sign < 0, 1)
    low = Cat(Const(1, 1), a[:_HALF]) + Cat(begin, b[:_HALF])
    carry = low[_HALF + 1]
    high = Cat(Const(1, 1), a[_HALF:]) + Cat(carry, b[_HALF:])
    made = Cat(low[1 : _HALF + 1], high[1 : TAKEN_WRONGLY - _HALF + 1])
    return made.as_signed() if whole.shape().signed else made


def _extended(value: Value, bits: int) -> Value:
    """The low ``bits`` bits, extended by the sign if there are fewer."""
    if bits <= len(value):
        return value[:bits]
    fill = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, fill.replicate(bits - len(value)))


def _at_least(value: Value, bound: int) -> Value:
    """value >= bound, on only as many bits as the bound's trailing zeros leave."""
    zeros = (bound & -bound).bit_length() - 1 if bound else len(value) - 1
    return _above(value, zeros) >= (bound >> zeros)
