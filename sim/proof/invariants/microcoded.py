"""What is claimed of a neuron that runs a program: that its gates do what each instruction says.

The instructions are any that may come, but that a step's last one is ``END``, and ``REST`` the last
of those that begin anew; that a program is such a one, and what it computes, is shown of the
instructions themselves (``sim/proof/microcode/``).
"""

from __future__ import annotations

from typing import Any

from amaranth import Cat, Const, Mux, Signal, Value

from ....compiler.microcode.digits import DIGIT
from ....compiler.microcode.instructions import OPERATION, Op
from ....fixed import FixedNeuron
from ....hdl import Microcoded
from ....stochastic import LFSR as Sequence
from ....words import WORD_BITS
from .harness import Harness, implies, same
from .streams import Streams, draws, once, reset_draws, result

__all__ = ["microcoded", "microcoded_reset"]


def microcoded(dut: Microcoded, fixed: FixedNeuron) -> Harness:
    """The claims of what every instruction does, and of the streams."""
    at = _Around(dut, fixed, search=24)
    for claim in (_fetches, _passes, _multiplies, _adds, _writes, _leaves, result, once, draws):
        claim(at)
    return at.h


def microcoded_reset(dut: Microcoded, fixed: FixedNeuron) -> Harness:
    """The claims of its registers at power-on and after a reset, whenever it comes."""
    at = _Around(dut, fixed, search=8, reset=True)
    _reset(at)
    return at.h


class _Around(Streams):
    """The machine, and what the claims have in common."""

    def __init__(self, dut: Microcoded, fixed: FixedNeuron, **options: Any) -> None:
        super().__init__(dut, fixed, **options)
        h = self.h
        (self.fetch,) = h.part("dut", "code").read_ports
        memory = h.part("dut", "memory")
        (self.read,), (self.write,) = memory.read_ports, memory.write_ports
        for name in ("place", "busy", "fetches", "there", "second", "second_at", "third"):
            setattr(self, name, h.register(name))
        for name in ("third_at", "pointer", "x", "product", "total", "spike", "leaves"):
            setattr(self, name, h.register(name))
        instruction = self.fetch.data
        self.op = Mux(self.there, instruction[:OPERATION], Op.NOTHING)
        self.address = instruction[OPERATION:]
        self.ends = (self.op == Op.END) | (self.op == Op.REST)
        self.done = Signal()
        h.m.d.comb += self.done.eq(self.third == Op.END)
        # an input is looked at when nothing runs and no result waits any more
        self.begins = ~self.busy & self.i.valid & (~self.o.valid | self.o.ready)
        self._runs(h)

    def _runs(self, h: Harness) -> None:
        """Whether what runs is a step; what the program is known for, and what ties it to that."""
        self.runs = runs = Signal()
        with h.m.If(self.begins):
            h.m.d.sync += runs.eq(1)
        with h.m.Elif(self.done):
            h.m.d.sync += runs.eq(0)
        h.assume(implies(self.op == Op.END, runs))
        h.assume(implies(self.op == Op.REST, ~runs))
        nothing = self.second == Op.NOTHING
        ended = [(stage == Op.END) | (stage == Op.REST) for stage in (self.second, self.third)]
        h.know(
            implies(self.fetches | self.there | ~nothing | (self.third != Op.NOTHING), self.busy),
            implies(ended[0], ~self.fetches & ~self.there),
            implies(ended[1], ~self.fetches & ~self.there & nothing),
            implies((self.second == Op.END) | self.done, runs),
            implies((self.second == Op.REST) | (self.third == Op.REST), ~runs),
            implies(runs, self.busy & self.i.valid & ~self.o.valid),
            implies(self.busy, ~self.o.valid),
        )

    place: Any
    busy: Any
    fetches: Any
    there: Any
    second: Any
    second_at: Any
    third: Any
    third_at: Any
    pointer: Any
    x: Any
    product: Any
    total: Any
    spike: Any
    leaves: Any

    def after(self, *conditions: Any) -> list[Value]:
        """Conditions of this clock and the one before."""
        return [implies(self.h.begun, condition) for condition in conditions]


def _fetches(at: _Around) -> None:
    h = at.h
    finishes = at.done | (at.third == Op.REST)
    on = (at.place + 1)[: len(at.place)]
    h.claim(
        "fetches",
        "an instruction is fetched in every clock from where a step begins to where it ends; an "
        "input is looked at when nothing runs and no result waits any more",
        at.fetch.addr == at.place,
        at.fetch.en,
        *at.after(
            at.place == h.was(Mux(at.ends, 0, Mux(at.fetches, on, at.place))),
            at.there == h.was(at.fetches & ~at.ends),
            at.fetches == h.was((at.fetches | at.begins) & ~at.ends),
            at.busy == h.was((at.busy | at.begins) & ~finishes),
        ),
    )


def _passes(at: _Around) -> None:
    h = at.h
    h.claim(
        "passes",
        "an instruction reads the memory where it says, or where the pointer is, and is passed on; "
        "the pointer becomes the accumulator where that is asked for",
        at.read.addr == Mux(at.op == Op.THERE, at.pointer, at.address),
        at.read.en,
        *at.after(
            at.second == h.was(at.op),
            at.second_at == h.was(at.address),
            at.third == h.was(at.second),
            at.third_at == h.was(at.second_at),
            at.pointer == h.was(Mux(at.third == Op.POINT, at.total[: len(at.pointer)], at.pointer)),
        ),
    )


def _multiplies(at: _Around) -> None:
    h, word = at.h, at.read.data.as_signed()
    loads = (at.second == Op.LOAD) | (at.second == Op.THERE)
    rows: list[Value] = []
    product = at.x * word
    if at.dut.form.multipliers == 0:
        rows, product = _rows(at, at.x, word)
    h.claim(
        "multiplies",
        "the multiplicand becomes the word that is loaded, and stays as it is elsewhere; the "
        "product is that of the multiplicand and the word that was read",
        *rows,
        *at.after(at.x == h.was(Mux(loads, word, at.x)), at.product == h.was(product)),
    )


def _rows(at: _Around, a: Value, b: Value) -> tuple[list[Value], Value]:
    """a * b as it is defined, and the conditions: the sum of a, shifted, over the bits of b.

    A row for each bit, whose lowest bit is one of the product; the last one's is the sign.
    """
    conditions, low = [], []
    total: Value = Const(0, WORD_BITS).as_signed()
    for k in range(WORD_BITS):
        row = at.h.logic(f"product_{k}")
        more = total - a if k == WORD_BITS - 1 else total + a
        conditions.append(row == Mux(b[k], more, total))
        low.append(row[0])
        total = row[1:].as_signed()
    return conditions, Cat(*low, total).as_signed()


def _adds(at: _Around) -> None:
    h, total = at.h, at.total
    adds = (at.third == Op.FIRST) | (at.third == Op.MORE) | (at.third == Op.NEXT)
    before = Mux(at.third == Op.MORE, total, Mux(at.third == Op.NEXT, total >> DIGIT, 0))
    summed = Value.cast(before + at.product)[: len(total)].as_signed()
    h.claim(
        "adds",
        "the accumulator becomes the product, or that and itself, or that and itself without its "
        "low digit; it stays as it is elsewhere",
        *at.after(total == h.was(Mux(adds, summed, total))),
    )


def _writes(at: _Around) -> None:
    h, total, third = at.h, at.total, at.third
    given = at.dut.program.externals
    drawn = [h.part("dut", name).o for name in at.sources]
    draws = [*at.lowered.drawn, *at.lowered.dither]
    words = {name: Cat(*drawn).word_select(k, Sequence.DRAW) for k, name in enumerate(draws)}
    words |= {name: at.i.payload[name] for name in at.lowered.inputs}
    takes = [
        implies(
            (third == Op.TAKE) & (at.third_at == k),
            at.write.data == Value.cast(words[name])[:WORD_BITS].as_signed(),
        )
        for k, name in enumerate(given)
    ]
    writing = Cat(third == op for op in (Op.STORE, Op.LAST, Op.SIGN, Op.TAKE)).any()
    h.claim(
        "writes",
        "a word is written where and when an instruction says: a digit of the accumulator, its low "
        "16 bits, its sign, or the input of that number",
        at.write.en == writing,
        implies(writing, at.write.addr == at.third_at),
        implies(third == Op.STORE, at.write.data == total[:DIGIT]),
        implies(third == Op.LAST, at.write.data == total[:WORD_BITS].as_signed()),
        implies(third == Op.SIGN, at.write.data == ~total[-1]),
        *takes,
    )
    shown = []
    for name, places in at.dut.program.states.items():
        for k, place in enumerate(places):
            ends = None if k == len(places) - 1 else DIGIT * (k + 1)
            digit = at.dut.state[name][DIGIT * k : ends]
            written = at.write.en & (at.write.addr == place)
            new = at.write.data.as_signed()[: len(digit)]
            shown.append(digit == h.was(Mux(written, new, digit)))
    h.claim(
        "states",
        "the states' registers are what was last written of them",
        *at.after(*shown),
    )


def _leaves(at: _Around) -> None:
    h, o = at.h, at.o
    first = next(iter(at.lowered.registers))
    spikes, says = at.third == Op.SPIKE, at.third == Op.WORD
    h.claim(
        "leaves",
        "a result has the spike flag and the word that the program gave it, and is there a clock "
        "after the step ended, until it is taken",
        o.payload.spike == at.spike,
        same(o.payload[first], at.leaves.as_signed()),
        at.i.ready == at.done,
        *at.after(
            at.spike == h.was(Mux(spikes, at.total[0], at.spike)),
            at.leaves == h.was(Mux(says, at.total[:WORD_BITS], at.leaves)),
            o.valid == h.was(at.done | (o.valid & ~o.ready)),
        ),
    )


def _reset(at: _Around) -> None:
    h = at.h
    fresh = ~h.begun | h.was(h.rst)
    states = at.lowered.registers.values()
    h.claim(
        "reset",
        "at power-on and after a reset the states are shown with their initial values, and the "
        "instructions that write these are next",
        *(implies(fresh, at.dut.state[r.name] == r.init) for r in states),
        implies(fresh, at.busy & at.fetches & ~at.there & (at.place == at.dut.program.begin)),
    )
    h.claim(
        "reset_idle",
        "at power-on and after a reset nothing is under way and no result waits",
        implies(fresh, ~at.o.valid & (at.second == Op.NOTHING) & (at.third == Op.NOTHING)),
    )
    reset_draws(at)
