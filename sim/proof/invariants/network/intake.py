"""What is claimed of a network's frames: each word is kept once, where no step reads."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Mux, Signal

from .....hdl.network import Network
from .....network.plan import LOAD
from ..harness import Harness, implies
from .around import Around

__all__ = ["intake"]


def intake(dut: Network) -> Harness:
    """The claims of what comes in, whatever comes, and whenever."""
    of = Around(dut)
    h, m, made, i = of.h, of.h.m, of.plan, dut.i
    slots, words = made.input_slots, made.frame_words
    # -- what came: a word of a frame, or of a row of weights -------------------------------------
    word, slot, there = Signal(range(words)), Signal(range(slots)), Signal(range(slots + 2))
    by_words = dut.loaded and not dut.linked
    loads = Signal(range(made.row_words + 2), name="words_to_load")
    comes, whole, begins = Signal(), Signal(), Signal(name="begins")
    accepted = i.valid & i.ready
    is_load = accepted & (loads == 0) & (word == 0) & i.payload[LOAD.bit_length() - 1]
    is_load = is_load if by_words else Const(0)
    m.d.comb += [
        comes.eq(accepted & (loads == 0) & ~is_load),
        whole.eq(comes & (word == words - 1)),
        begins.eq(dut._begin),
    ]
    with m.If(comes):
        m.d.sync += word.eq(Mux(whole, 0, word + 1))
    with m.If(whole):
        m.d.sync += slot.eq(slot + 1)
    m.d.sync += there.eq(there + whole - begins)
    watched_word, watched_slot = h.constant(range(words), "word"), h.constant(range(slots), "slot")
    h.assume((watched_word != 0) & (watched_word < words))
    kept, anew = Signal(16), Signal(name="begins_anew")
    with m.If(comes & (slot == watched_slot)):
        with m.If(word == watched_word):
            m.d.sync += kept.eq(i.payload)
        with m.If(word == 0):
            m.d.sync += anew.eq(i.payload[0])
    h.claim(
        "taken",
        "every word of a frame is kept once, in order, as it was; frames follow each other",
        of.look("frames", watched_word, watched_slot) == kept,
    )
    h.claim(
        "whole",
        "a step begins when its frame is whole, and not before; frames have a step each, in order",
        implies(begins, there != 0),
        implies(begins, of.frame == (slot - there)[: len(slot)]),
    )
    h.claim(
        "restart",
        "populations begin anew when their step's frame says so, and at no other time",
        *(
            implies(core.restart, begins | dut._anew)
            & implies(begins & (of.frame == watched_slot), core.restart == anew)
            for core in dut.cores.values()
        ),
    )
    write, read = of.frames.write_ports[0], of.frames.read_ports[0]
    per_slot = len(write.addr) - (slots - 1).bit_length()
    into, out = write.addr[per_slot:], read.addr[per_slot:]
    earlier = [(of.frame - d)[: len(into)] for d in range(made.delay + 1)]
    h.claim(
        "slots",
        "no word is kept where a step that is computed, or the next one, reads: neither in its "
        "own frame nor in one of a delay",
        implies(write.en & of.computing, Cat(into == at for at in earlier).any() == 0),
        implies(write.en, Cat(into == at for at in earlier[1:]).any() == 0),
        implies(read.en & ~dut._inside, of.computing & Cat(out == at for at in earlier).any()),
    )
    h.know(
        h.register("word_of_frame") == word,
        word < words,
        dut._waiting == there,
        h.register("slot") == slot,
    )
    begun = (watched_slot - of.frame)[: len(slot)] < there + of.computing
    flags = h.register("anew")
    filled = begun | ((slot == watched_slot) & (word != 0))
    h.know(implies(filled, flags.bit_select(watched_slot, 1) == anew))
    if by_words:
        _loads(of, loads, is_load)
    return h


def _loads(of: Around, left: Signal, begins: Signal) -> None:
    """Rows of weights, behind a control word of their own."""
    h, m, i, made = of.h, of.h.m, of.dut.i, of.plan
    load, words = of.synapses.load, 1 + made.row_words
    taken = [Signal(16, name=f"loaded_{k}") for k in range(words)]
    owed = Signal()  # a row was announced, and not loaded
    with m.If(begins):
        m.d.sync += [left.eq(words), owed.eq(1)]
    with m.Elif(i.valid & i.ready & (left != 0)):
        m.d.sync += [Array(taken)[words - left].eq(i.payload), left.eq(left - 1)]
    with m.If(load.valid):
        m.d.sync += owed.eq(0)
    row = Cat(taken)
    h.claim(
        "loads",
        "a row of weights is loaded once for each that comes, as it came, and only when no step "
        "is computed and none can begin",
        implies(load.valid, owed & (left == 0) & ~of.computing & ~of.dut._begin),
        implies(load.valid, load.row == row[: len(load.row)]),
        implies(load.valid, load.weights == row[16 : 16 + len(load.weights)]),
        implies(begins, ~owed),
    )
    loading, at, kept = h.register("loading"), h.register("at"), h.register("row")
    h.know(
        loading == owed,
        implies(loading, left == (words - at)),
        implies(loading, (at <= words) & (of.h.register("word_of_frame") == 0)),
        implies(~loading, left == 0),
        implies(loading & (at == words), ~of.computing & (of.dut._waiting == 0)),
        *(
            implies(loading & (at == n), kept[16 * (words - n) :] == row[: 16 * n])
            for n in range(1, words + 1)
        ),
    )
