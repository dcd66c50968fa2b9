"""One update of a neuron as a pipeline that accepts a new one every clock.

Every node of the integer datapath becomes one signal of exactly its width. An addition, a
multiplication, a comparison and a memory read take a stage; what is only wires and a LUT joins the stage it
follows. In iCE40 and ECP5 a stage's register sits in the same cell as its adder, so it is free.
"""

from amaranth import Cat, Const, Module, Mux, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ..datapath import Node
from ..lowered import Lowered
from .adders import expand

__all__ = ["Step", "inputs_layout", "registers_layout"]

_FREE = ("const", "input", "shl", "shr", "low")
_COST = {"add": 1.0, "scale": 1.0, "mul": 1.0, "ge": 1.0, "rom": 0.5, "mux": 0.3, "clamp": 0.3,
         "not": 0.0, "and": 0.2, "or": 0.2}  # fmt: skip


def registers_layout(lowered: Lowered) -> data.StructLayout:
    """The state registers, by name, each signed."""
    return data.StructLayout(
        {name: Shape(r.width, signed=True) for name, r in lowered.registers.items()}
    )


def inputs_layout(lowered: Lowered) -> data.StructLayout:
    """The input words, by name: signed Q8.8."""
    return data.StructLayout({name: Shape(16, signed=True) for name in lowered.inputs})


class Step(wiring.Component):
    """The next state and the spike flag of a neuron, from its state and inputs.

    Parameters
    ----------
    lowered : Lowered
    held : bool
        If the inputs stay the same for ``latency`` clocks, as those of a single neuron do, values need no
        delay lines to arrive together. Otherwise a new update may enter every clock.
    dsp : bool
        Multiply two values in a DSP cell; otherwise in a pipelined tree of adders. Constants are
        always shifts and adds.

    Members
    -------
    state : In(struct of signed registers)
    inputs : In(struct of signed(16))
    noise : In(16 x states), where rounding is stochastic
        Fresh random bits for every update.
    next : Out(struct of signed registers)
        The registers' next values, ``latency`` clocks after ``state`` and ``inputs``.
    spike : Out(1)

    Attributes
    ----------
    latency : int
        Clocks from the inputs to the outputs.
    """

    state: data.View
    inputs: data.View
    noise: Signal
    next: data.View
    spike: Signal

    def __init__(self, lowered: Lowered, *, held: bool = False, dsp: bool = False) -> None:
        self._lowered = lowered
        self._held = held
        self._path, _ = expand(lowered.path, dsp=dsp)
        self._nodes = self._path.reachable()
        self._place()
        members = {
            "state": In(registers_layout(lowered)),
            "inputs": In(inputs_layout(lowered)),
            "next": Out(registers_layout(lowered)),
            "spike": Out(1),
        }
        if lowered.noise:
            members["noise"] = In(16 * len(lowered.noise))
        super().__init__(members)

    def _place(self) -> None:
        """As soon as possible: the stage of every node, and how late in the stage it is ready."""
        self._stage: dict[int, int] = {}
        ready: dict[int, float] = {}
        for node in self._nodes:
            stage = max((self._stage[a.index] for a in node.args), default=0)
            begin = max((ready[a.index] for a in node.args if self._stage[a.index] == stage),
                        default=0.0)  # fmt: skip
            cost = _COST.get(node.op, 0.0)
            if node.op == "rom":  # the address is registered inside the memory
                stage, begin = stage + 1, 0.0
            elif begin + cost > 1.0 and begin > 0:
                stage, begin = stage + 1, 0.0
            self._stage[node.index] = stage
            ready[node.index] = begin + cost
        self.latency = max(self._stage[node.index] for node in self._path.outputs.values())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        self._signals: dict[tuple[int, int], Signal] = {}
        for name in self._lowered.registers:
            m.d.comb += self.next[name].eq(self._at(m, self._path.outputs[name], self.latency))
        m.d.comb += self.spike.eq(self._at(m, self._path.outputs["spike"], self.latency))
        return m

    def _at(self, m: Module, node: Node, stage: int) -> Signal:
        """The signal with the value of ``node``, as seen by ``stage``."""
        key = (node.index, stage)
        if key in self._signals:
            return self._signals[key]
        made = self._stage[node.index]
        if node.op == "input" and self._held:
            stage = made = 0
        if (node.index, stage) in self._signals:
            signal = self._signals[node.index, stage]
        elif node.op == "rom" and stage == made:
            signal = self._rom(m, node)
        elif stage == made or node.op in _FREE and node.op != "input":
            signal = self._signal(node, stage)
            m.d.comb += signal.eq(self._value(m, node, stage))
        elif self._held and stage > made + 1:
            signal = self._at(m, node, made + 1)
        else:
            signal = self._signal(node, stage)
            m.d.sync += signal.eq(self._at(m, node, stage - 1))
        self._signals[key] = signal
        return signal

    def _signal(self, node: Node, stage: int) -> Signal:
        late = stage - self._stage[node.index]
        name = node.name if not late else f"{node.name}_d{late}"
        return Signal(Shape(node.width, signed=node.signed), name=name, reset_less=True)

    def _value(self, m: Module, node: Node, stage: int):  # type: ignore[no-untyped-def]
        args = [self._at(m, arg, stage) for arg in node.args]
        match node.op:
            case "input" if node.meta in self._lowered.registers:
                return self.state[node.meta]
            case "input" if node.meta in self._lowered.inputs:
                return self.inputs[node.meta]
            case "input":
                return self.noise.word_select(self._lowered.noise.index(node.meta), 16)
            case "const":
                return Const(node.meta, Shape(node.width, signed=node.signed))
            case "add":
                return _sum(*args, *node.meta)
            case "scale":
                assert node.meta == -1
                return -args[0]
            case "mul":
                return args[0] * args[1]
            case "shl":
                return Cat(Const(0, node.meta), args[0]) if node.meta else args[0]
            case "shr":
                return _above(args[0], node.meta)
            case "low":
                bits, signed = node.meta
                return args[0][:bits].as_signed() if signed else args[0][:bits]
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
                low, high = node.meta
                arg = node.args[0]
                value = args[0]
                if arg.high > high:
                    value = Mux(_at_least(args[0], high + 1), high, value)
                if arg.low < low:
                    value = Mux(_at_least(args[0], low), value, low)
                return value
        raise NotImplementedError(node.op)

    def _rom(self, m: Module, node: Node) -> Signal:
        """A block-RAM lookup: the address now, the row a clock later."""
        shape = Shape(node.width, signed=node.signed)
        memory = Memory(shape=shape, depth=len(node.meta), init=list(node.meta))
        m.submodules[node.name] = memory
        port = memory.read_port()
        m.d.comb += port.addr.eq(self._at(m, node.args[0], self._stage[node.index] - 1))
        return port.data


def _above(value: Signal, bits: int):  # type: ignore[no-untyped-def]
    """value >> bits, as narrow as it is."""
    if not bits:
        return value
    if bits >= len(value):
        return value[-1].as_signed() if value.shape().signed else Const(0)
    part = value[bits:]
    return part.as_signed() if value.shape().signed else part


def _sum(a: Signal, b: Signal, i: int, j: int, sign: int):  # type: ignore[no-untyped-def]
    """(a << i) + sign * (b << j), one of i and j being 0: bits only one has pass by the adder."""
    if j and (a.shape().signed or sign > 0):
        high = _above(a, j) + b if sign > 0 else _above(a, j) - b
        return Cat(_extended(a, j), high).as_signed() if high.shape().signed else Cat(
            _extended(a, j), high)  # fmt: skip
    if i and sign > 0:
        return _sum(b, a, 0, i, sign)
    left, right = Cat(Const(0, i), a), Cat(Const(0, j), b)
    left = left.as_signed() if a.shape().signed else left
    right = right.as_signed() if b.shape().signed else right
    return left + right if sign > 0 else left - right


def _extended(value: Signal, bits: int):  # type: ignore[no-untyped-def]
    """The low ``bits`` bits, extended by the sign if there are fewer."""
    if bits <= len(value):
        return value[:bits]
    fill = value[-1] if value.shape().signed else Const(0, 1)
    return Cat(value, fill.replicate(bits - len(value)))


def _at_least(value: Signal, bound: int):  # type: ignore[no-untyped-def]
    """value >= bound, on only as many bits as the bound's trailing zeros leave."""
    zeros = (bound & -bound).bit_length() - 1 if bound else len(value) - 1
    return _above(value, zeros) >= (bound >> zeros)
