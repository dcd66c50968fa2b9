"""A single neuron that runs a program: one multiplier and one adder, an operation a clock."""

from typing import Any

from amaranth import Module, Mux, Shape, Signal
from amaranth.lib import data, wiring
from amaranth.lib.memory import Memory

from ..compiler.microcode import Microcode, microcode
from ..compiler.microcode.digits import DIGIT
from ..compiler.microcode.instructions import OPERATION, Op
from ..compiler.pipeline.form import Form
from ..fixed import FixedNeuron
from .signature import draws, signature
from .step import TAKEN_WRONGLY, in_rows

__all__ = ["Microcoded"]

# the program of a small neuron would fit LUTs, which take more logic than all the rest
_BLOCK = {"ram_style": "block"}


class Microcoded(wiring.Component):
    """One neuron as a program in block RAM.

    Its states, constants and tables lie in one memory, a word of 16 bits in each row. An
    instruction is fetched in one clock, reads the memory in the next, multiplies, and adds up or
    writes; another follows in every clock. After a reset the states are written anew.

    Parameters
    ----------
    fixed : FixedNeuron
    form : Form
        With no ``multipliers``, the one that it has is made of logic.

    Members
    -------
    See :func:`~scneuro.hdl.signature.signature`. An input is looked at as the result before it
    is taken, or later.

    Attributes
    ----------
    program : Microcode
    latency : int
        Clocks from a valid input to its result; a step can be taken as often.
    form : Form
    """

    i: Any
    o: Any
    state: data.View

    def __init__(self, fixed: FixedNeuron, form: Form) -> None:
        self._fixed = fixed
        self.form = form
        self.program = self._program(fixed)
        self.latency = self.program.clocks
        super().__init__(signature(fixed.lowered))

    def _program(self, fixed: FixedNeuron) -> Microcode:
        return microcode(fixed.lowered)

    def elaborate(self, platform: object) -> Module:
        m = Module()
        program = self.program
        bits, depth = program.address, len(program.code)
        m.submodules.code = code = Memory(
            shape=program.width, depth=depth, init=program.words, attrs=_BLOCK
        )
        m.submodules.memory = memory = Memory(
            shape=Shape(16, signed=True),
            depth=len(program.memory),
            init=program.memory,
            attrs=_BLOCK,
        )
        fetch, read, write = code.read_port(), memory.read_port(), memory.write_port()

        # what runs, and what it fetches
        place = Signal(range(depth), init=program.begin)
        busy = Signal(init=1)
        fetches = Signal(init=1)
        there = Signal()
        op = Signal(OPERATION)
        address = Signal(bits)
        begins = Signal()
        ends = Signal()
        m.d.comb += [
            fetch.addr.eq(place),
            op.eq(Mux(there, fetch.data[:OPERATION], Op.NOTHING)),
            address.eq(fetch.data[OPERATION:]),
            ends.eq((op == Op.END) | (op == Op.REST)),
            begins.eq(~busy & self.i.valid & (~self.o.valid | self.o.ready)),
        ]
        m.d.sync += there.eq(fetches & ~ends)
        with m.If(begins):
            m.d.sync += [busy.eq(1), fetches.eq(1)]
        with m.If(fetches):
            m.d.sync += place.eq(place + 1)
        with m.If(ends):
            m.d.sync += [place.eq(0), fetches.eq(0)]

        # what it reads, and multiplies
        pointer = Signal(program.pointer)
        m.d.comb += read.addr.eq(Mux(op == Op.THERE, pointer, address))
        second = Signal(OPERATION)
        third = Signal(OPERATION)
        second_at = Signal(bits)
        third_at = Signal(bits)
        m.d.sync += [second.eq(op), third.eq(second)]
        m.d.sync += [second_at.eq(address), third_at.eq(second_at)]
        word = read.data.as_signed()
        x = Signal(Shape(16, signed=True), reset_less=True)
        product = Signal(Shape(32, signed=True), reset_less=True)
        with m.If((second == Op.LOAD) | (second == Op.THERE)):
            m.d.sync += x.eq(word)
        in_dsp = self.form.multipliers != 0
        m.d.sync += product.eq(x * word if in_dsp else in_rows(m, "product", x, word))

        # what becomes of it
        # a bit more where yosys would take the sum into the DSP
        width = program.accumulator + (program.accumulator == TAKEN_WRONGLY)
        total = Signal(Shape(width, signed=True), reset_less=True)
        before = Signal.like(total)
        with m.Switch(third):
            with m.Case(Op.MORE):
                m.d.comb += before.eq(total)
            with m.Case(Op.NEXT):
                m.d.comb += before.eq(total >> DIGIT)
        with m.Switch(third):
            with m.Case(Op.FIRST, Op.MORE, Op.NEXT):
                m.d.sync += total.eq(before + product)
            with m.Case(Op.POINT):
                m.d.sync += pointer.eq(total)
        given = self._given(m, third_at)
        stored = Signal(Shape(16, signed=True))
        with m.Switch(third):
            with m.Case(Op.STORE):
                m.d.comb += stored.eq(total[:DIGIT])
            with m.Case(Op.LAST):
                m.d.comb += stored.eq(total)
            with m.Case(Op.SIGN):
                m.d.comb += stored.eq(~total[-1])
            with m.Default():
                m.d.comb += stored.eq(given)
        writes = Signal()
        with m.Switch(third):
            with m.Case(Op.STORE, Op.LAST, Op.SIGN, Op.TAKE):
                m.d.comb += writes.eq(1)
        m.d.comb += [write.addr.eq(third_at), write.data.eq(stored), write.en.eq(writes)]
        self._states(m, writes, third_at, stored)

        # what leaves
        done = Signal()
        m.d.comb += [done.eq(third == Op.END), self.i.ready.eq(done)]
        with m.If(done | (third == Op.REST)):
            m.d.sync += busy.eq(0)
        first = next(iter(self._fixed.lowered.registers))
        spike = Signal()
        leaves = Signal(16)
        m.d.comb += [self.o.payload.spike.eq(spike), self.o.payload[first].eq(leaves)]
        with m.If(third == Op.SPIKE):
            m.d.sync += spike.eq(total[0])
        with m.If(third == Op.WORD):
            m.d.sync += leaves.eq(total)
        with m.If(done):
            m.d.sync += self.o.valid.eq(1)
        with m.Elif(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        return m

    def _given(self, m: Module, number: Any) -> Any:
        """The input or draw of a number, as a word."""
        lowered = self._fixed.lowered
        drawn = draws(m, self._fixed, self.i.ready)
        found = Signal(Shape(16, signed=True))
        sources = [
            self.i.payload[name] if name in lowered.inputs else drawn[name]
            for name in self.program.externals
        ]
        with m.Switch(number):
            for k, source in enumerate(sources[1:], 1):
                with m.Case(k):
                    m.d.comb += found.eq(source)
            with m.Default():
                m.d.comb += found.eq(sources[0] if sources else 0)
        return found

    def _states(self, m: Module, writes: Any, address: Any, word: Any) -> None:
        """The states' registers as they are seen from outside: what was last written of them."""
        for name, r in self._fixed.lowered.registers.items():
            register = Signal(Shape(r.width, signed=True), name=name, init=r.init)
            m.d.comb += self.state[name].eq(register)
            for k, place in enumerate(self.program.states[name]):
                digit = register[DIGIT * k :]
                if k < len(self.program.states[name]) - 1:
                    digit = digit[:DIGIT]
                with m.If(writes & (address == place)):
                    m.d.sync += digit.eq(word)
