"""What is claimed of a scan: every spike is given once, in turn, and no other."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Mux, Signal

from .....hdl.network.scan import Scan
from ..harness import Harness, implies
from .contracts import Silence, held, reads

__all__ = ["scan"]

_BITS = 16


def scan(dut: Scan, most: int = 2) -> Harness:
    """The claims of a scan of so many words that may be anything, whatever `ready` does."""
    depth = 1 << len(dut.address)
    h = Harness(f"Scan of {most} words", dut=dut, search=24)
    m = h.m
    h.assume(dut.words <= most)
    memory = [Signal(_BITS, name=f"word_{k}") for k in range(depth)]
    h.free(*memory)
    for condition in held(h, dut, *memory):
        h.assume(condition)
    word = Signal(_BITS, name="read")
    with m.If(dut.enable):
        m.d.sync += word.eq(Array(memory)[dut.address])
    h.wire(dut.word, word)
    # in the order of the scan, all spikes, and those that were not taken yet
    words = [Array(memory)[(dut.base + k)[: len(dut.address)]] for k in range(most)]
    spikes = Cat(Mux(dut.words > k, words[k], 0) for k in range(most))
    left, taken = Signal(most * _BITS, name="left"), Signal()
    rest = h.was(Mux(taken, left & (left - 1), left))
    m.d.comb += [
        taken.eq(dut.valid & dut.ready),
        left.eq(Mux(h.was(dut.start), spikes, rest)),
    ]
    lowest = left & -left
    h.claim(
        "once",
        "every spike of the words, from the first one on, is given once, the lowest first, and no "
        "other, whatever `ready` does",
        implies(dut.valid, (left != 0) & (Const(1, len(left)) << dut.index == lowest)),
    )
    h.claim(
        "busy",
        "it is busy until the last spike was taken, and its last word looked at",
        implies(left != 0, dut.busy),
        implies(~dut.busy, ~dut.valid),
    )
    h.claim(
        "reads",
        "it reads its words, and no other, while it is busy, and what it gives stays until taken",
        *reads(h, dut),
    )
    running, asked, here, number, rest, of, none = (
        h.register(n) for n in ("running", "asked", "here", "number", "rest", "of", "none")
    )
    ahead = asked - here  # words before are in `rest`, or over
    behind = Mux(none, 0, rest) << Cat(Const(0, 4), of)
    ungiven = [Mux((dut.words > k) & (ahead <= k), words[k], 0) for k in range(most)]
    given = Mux(dut.valid, Const(1, len(left)) << dut.index, 0)
    later = (behind | Cat(ungiven))[: len(left)]
    state = Cat(asked, here, rest, dut.valid, dut.index)
    h.claim(
        "goes_on",
        "whenever it is busy and no spike waits to be taken, it asks for a word, has one, or gives "
        "a spike, and it never goes back",
        implies(h.was(dut.busy & (dut.ready | ~dut.valid)), state != h.was(state)),
        implies(dut.busy & h.was(dut.busy), asked >= h.was(asked)),
    )
    silence = Silence(h, dut)
    h.claim(
        "ends",
        "from its start to its end it gives no spike for at most a clock a word, and two: with a "
        "clock for each spike, and those in which one waits to be taken, that is all; so many "
        "were taken before a spike as its number says at most",
        *silence.ends(),
    )
    unread = (asked != dut.words) & ~here
    rank = (dut.words - ahead) + unread + ((left != 0) & ~dut.valid)
    h.know(
        implies(running, (ahead <= dut.words) & (silence.silent + rank <= dut.words + 2)),
        (left >> silence.given) << silence.given == left,
    )
    h.know(
        implies(here, (number == asked - 1) & (asked != 0) & (word == Array(words)[number])),
        implies(~none, (rest != 0) & (of == ahead - 1) & (ahead != 0)),
        implies(dut.valid, dut.index[4:] < ahead),
        (none == (rest == 0)),
        implies(running, asked <= dut.words),
        implies(~running, ~here & none & ~dut.valid & (left == 0)),
        implies(running, left == (given | later)),
        implies(running & dut.valid, (given & later) == 0),
    )
    return h
