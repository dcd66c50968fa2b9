"""One update of a neuron as a pipeline that accepts a new one every clock.

Every node of the integer datapath becomes one signal of exactly its width. An addition, a
multiplication, a comparison and a memory read take a stage; what is only wires and a LUT joins the
stage it
follows. In iCE40 and ECP5 a stage's register sits in the same cell as its adder, so it is free.
"""

from dataclasses import dataclass
from typing import Any

from amaranth import Cat, Const, Module, Mux, Shape, Signal, Value
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..compiler.datapath import Node
from ..compiler.lowered import Lowered
from ..compiler.pipeline.form import Form
from ..compiler.pipeline.schedule import FREE, Schedule

__all__ = ["Kept", "Step", "inputs_layout", "registers_layout", "words_layout"]


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

    Attributes
    ----------
    latency : int
        Clocks from the inputs to the outputs.
    form : Form
    is_held : bool
    path : Datapath
        The datapath in adders.
    outputs, word_nodes : dict of str to Node
        Its nodes that are the outputs.
    kept : list of Kept
        What every register holds, once elaborated.
    memories : dict of str to Node
        The table that is in each memory, by the memory's name, once elaborated.
    """

    state: data.View
    inputs: data.View
    noise: Signal
    next: data.View
    spike: Signal
    words: data.View

    def __init__(
        self,
        lowered: Lowered,
        form: Form | None = None,
        *,
        held: bool | None = None,
        dsp: bool | int | None = None,
    ) -> None:
        self._lowered = lowered
        self.form = Form.of(form, held=held, dsp=dsp, usual=Form(multipliers=0))
        self.is_held = self.form.held
        self._schedule = Schedule(lowered, self.form)
        self._stage = self._schedule.stage
        self.path, self.expanded = self._schedule.path, self._schedule.expanded
        self.outputs, self.word_nodes = self._schedule.outputs, self._schedule.words
        self.kept: list[Kept] = []
        self.memories: dict[str, Node] = {}
        self.latency = self._schedule.latency
        members = {
            "state": In(registers_layout(lowered)),
            "inputs": In(inputs_layout(lowered)),
            "next": Out(registers_layout(lowered)),
            "spike": Out(1),
            "words": Out(words_layout(lowered)),
        }
        if lowered.noise:
            members["noise"] = In(16 * len(lowered.noise))
        super().__init__(members)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._values: dict[tuple[int, int], Value] = {}
        self.kept.clear()
        self.memories.clear()
        for name in self._lowered.registers:
            self.drive(m, self.next[name], self.outputs[name])
            m.d.comb += self.words[name].eq(self._at(m, self.word_nodes[name], 0))
        self.drive(m, self.spike, self.outputs["spike"])
        return m

    def drive(self, m: Module, port: Any, node: Node) -> None:
        """Make what an output depends on, and drive it."""
        m.d.comb += port.eq(self._at(m, node, self.latency))

    def place(self, node: Node, stage: int) -> tuple[int, int]:
        """Where ``stage`` finds the value of ``node``: its index, and the stage it is taken from.

        Where values are held, any later stage can have the register behind the one that made it.
        """
        if self.is_held:
            stage = 0 if node.op == "input" else min(stage, self._stage[node.index] + 1)
        return node.index, stage

    def _seen(self, node: Node, stage: int) -> int:
        """The stage whose value of ``node`` is used at ``stage``: that one."""
        return stage

    def _at(self, m: Module, node: Node, stage: int) -> Value:
        """The value of ``node``, as seen by ``stage``.

        What it takes is made first, in a loop: a datapath may be deeper than Python's stack.
        """
        wanted = self.place(node, self._seen(node, stage))
        stack = [(node, wanted[1])]
        while stack:
            node, stage = stack[-1]
            if (node.index, stage) in self._values:
                stack.pop()
                continue
            for arg, seen in self._takes(node, stage):
                key = self.place(arg, self._seen(arg, seen))
                if key not in self._values:
                    stack.append((arg, key[1]))
                    break
            else:
                made = self._stage[node.index]
                self._values[node.index, stage] = self._make(m, node, stage, made)
        return self._values[wanted]

    def _takes(self, node: Node, stage: int) -> list[tuple[Node, int]]:
        """What the value of ``node`` at ``stage`` is made of: nodes, and the stages they are at."""
        made = self._stage[node.index]
        if node.op == "input":
            return [(node, stage - 1)] if stage else []
        if node.op in FREE:
            return [(arg, stage) for arg in node.args]
        if stage == made:
            return [(arg, stage - (node.op == "rom")) for arg in node.args]
        if stage > made + 1 or node.op == "rom":
            return [(node, stage - 1)]
        low = [_passed(node)] if self.is_held else []
        return [
            *((arg, made) for arg in node.args),
            *((found[0], self._stage[found[0].index] + 1) for found in low if found),
        ]

    def _make(self, m: Module, node: Node, stage: int, made: int) -> Value:
        shape = Shape(node.width, signed=node.signed)
        if node.op == "input" and stage == 0:
            return self._port(node)
        if node.op in FREE and node.op != "input":
            return _wires(node, [self._at(m, arg, stage) for arg in node.args], shape)
        name = node.name if stage == made else f"{node.name}_d{stage - made}"
        passed = _passed(node) if self.is_held and stage > made and node.op != "rom" else None
        arg, bits = passed or (node, 0)
        signal = Signal(shape if not bits else node.width - bits, name=name, reset_less=True)
        if stage == made:
            if node.op == "rom":
                return self._rom(m, node)
            args = [self._at(m, arg, stage) for arg in node.args]
            m.d.comb += signal.eq(_operation(node, args))
            return signal
        # a value that only later stages see is never a signal of its own: its register takes the
        # expression, which saves the simulator an event and costs synthesis nothing
        if stage == made + 1 and node.op not in ("input", "rom"):
            before = _operation(node, [self._at(m, arg, made) for arg in node.args])
        else:
            before = self._at(m, node, stage - 1)
        self.kept.append(Kept(signal, node, stage, bits))
        m.d.sync += signal.eq(before[bits:] if bits else before)
        if not bits:
            return signal
        # the low bits that pass an adder by are held already, where they come from
        low = self._at(m, arg, self._stage[arg.index] + 1)
        whole = Cat(_extended(low, bits), signal)
        return whole.as_signed() if node.signed else whole

    def _port(self, node: Node) -> Value:
        if node.meta in self._lowered.registers:
            value = self.state[node.meta]
        elif node.meta in self._lowered.inputs:
            value = self.inputs[node.meta]
        else:
            value = self.noise.word_select(self._lowered.noise.index(node.meta), 16)
        return _fitted(value, Shape(node.width, signed=node.signed))

    def _rom(self, m: Module, node: Node) -> Value:
        """A block-RAM lookup: the address now, the row a clock later."""
        shape = Shape(node.width, signed=node.signed)
        memory = Memory(shape=shape, depth=len(node.meta), init=list(node.meta))
        m.submodules[node.name] = memory
        self.memories[node.name] = node
        port = memory.read_port()
        self.kept.append(Kept(port.data, node, self._stage[node.index], 0))
        m.d.comb += port.addr.eq(self._at(m, node.args[0], self._stage[node.index] - 1))
        return port.data


@dataclass(frozen=True)
class Kept:
    """A register: ``stage`` clocks after the inputs it holds ``node``, without its low bits.

    The low bits that are ``dropped`` are those of an earlier register.
    """

    signal: Signal
    node: Node
    stage: int
    dropped: int


def _operation(node: Node, args: list[Value]) -> Value:
    """The expression of a node that takes cells."""
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


def _wires(node: Node, args: list[Value], shape: Shape) -> Value:
    """The expression of a node that is only wires."""
    match node.op:
        case "const":
            return Const(node.meta, shape)
        case "shl":
            return _fitted(Cat(Const(0, node.meta), args[0]) if node.meta else args[0], shape)
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


def _passed(node: Node) -> tuple[Node, int] | None:
    """The argument whose low bits are those of the sum, and how many of them."""
    if node.op == "add":
        i, j, sign = node.meta
        if 0 < j < node.width:
            return node.args[0], j
        if 0 < i < node.width and sign > 0:
            return node.args[1], i
    return None


def _above(value: Value, bits: int) -> Value:
    """value >> bits, as narrow as it is."""
    if not bits:
        return value
    if bits >= len(value):
        return value[-1].as_signed() if value.shape().signed else Const(0)
    part = value[bits:]
    return part.as_signed() if value.shape().signed else part


def _sum(a: Value, b: Value, i: int, j: int, sign: int) -> Value:
    """(a << i) + sign * (b << j), one of i and j being 0: bits only one has pass by the adder."""
    if j:
        high = _above(a, j) + b if sign > 0 else _above(a, j) - b
        return (
            Cat(_extended(a, j), high).as_signed()
            if high.shape().signed
            else Cat(_extended(a, j), high)
        )
    if i and sign > 0:
        return _sum(b, a, 0, i, sign)
    left = Cat(Const(0, i), a)
    left = left.as_signed() if a.shape().signed else left
    return left + b if sign > 0 else left - b


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
