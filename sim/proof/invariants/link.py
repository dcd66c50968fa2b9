"""What is claimed of the link's frames, and of how its processor asks, whatever comes."""

from __future__ import annotations

from amaranth import Cat, Const, Module, Mux, Signal, Value

from ....hdl.link.frames import DEPTH, Frames
from ....hdl.link.processor import Processor
from ....link.messages import REQUEST
from .harness import Harness, implies, same

__all__ = ["frames", "processor"]

_LISTENS, _ASKED, _CLOSES, _SENDS = range(4)
_MOST = DEPTH - 2  # bytes of a frame before its delimiter
_LEAST = 1 + sum(REQUEST.values()) // 8 + 2
_PUT = _MOST - 2  # bytes of a reply without its check


class _Frame:
    """What is going on: a frame comes in, is asked about, is answered with its check, leaves.

    Attributes
    ----------
    listens, asked, closes, sends : Value
    bytes, place : Signal
        How many came, were shown, were put, or were sent; no more than one too many come. The next
        one's place.
    byte, comes : Signal
        It comes, and is a code's if it is 0.
    ends : Signal
        What comes in, or leaves, ends.
    whole : Signal
        What has come is a request, if it ends now.
    step : Signal
        Of what is behind a reply: two bytes of check, a 0, and one that is not sent.
    fair : Signal
        A reply was begun, its first byte is 0, there are no more than fit, and nothing of the
        request was asked for since.
    """

    def __init__(self, m: Module, dut: Frames) -> None:
        i, o, mode = dut.i, dut.o, Signal(2)
        self.mode = mode
        self.listens, self.asked = mode == _LISTENS, mode == _ASKED
        self.closes, self.sends = mode == _CLOSES, mode == _SENDS
        self.bytes, self.place = Signal(8), Signal(8)
        self.crc, self.to_code = Signal(16, init=0xFFFF), Signal(8)
        self.byte, self.comes, self.ends = Signal(8), Signal(), Signal()
        self.whole, self.step, self.fair = Signal(), Signal(2), Signal()
        begins, puts, code = Signal(), Signal(), self.to_code == 0
        self.fits = self.bytes <= _MOST
        delimiter, taken = i.valid & (i.payload == 0), o.valid & o.ready
        m.d.comb += [
            self.place.eq(self.bytes + 1),
            self.comes.eq(self.listens & i.valid & ~delimiter & self.fits),
            self.byte.eq(Mux(code, 0, i.payload)),
            self.whole.eq((self.bytes >= _LEAST) & self.fits & code & (self.crc == 0)),
            self.ends.eq((self.listens & delimiter) | (self.sends & taken & (o.payload == 0))),
            begins.eq(self.asked & dut.begin),
            puts.eq(self.asked & dut.put),
        ]
        first = self.bytes == 0
        with m.If(self.comes | puts | (self.asked & dut.next) | self.closes | (self.sends & taken)):
            m.d.sync += self.bytes.eq(self.place)
        with m.If((self.comes | puts) & ~first):
            m.d.sync += self.crc.eq(_crc(self.crc, Mux(self.listens, self.byte, dut.reply)))
        with m.If(self.comes):
            m.d.sync += self.to_code.eq(Mux(code, i.payload, self.to_code) - 1)
        with m.If(begins):
            m.d.sync += self.fair.eq(~dut.send)
        with m.Elif(self.ends | (self.asked & dut.next) | (self.asked & dut.send & first)):
            m.d.sync += self.fair.eq(0)
        with m.Elif(puts & Mux(first, dut.reply != 0, self.bytes == _PUT)):
            m.d.sync += self.fair.eq(0)
        with m.If(self.asked & dut.send):
            m.d.sync += mode.eq(_CLOSES)
        with m.If(self.closes):
            m.d.sync += self.step.eq(self.step + 1)
            with m.If(self.step == 3):
                m.d.sync += mode.eq(_SENDS)
        with m.If(self.ends):
            m.d.sync += mode.eq(Mux(self.listens & self.whole, _ASKED, _LISTENS))
        with m.If(self.ends | begins | (self.closes & (self.step == 3))):
            m.d.sync += [self.bytes.eq(0), self.crc.eq(0xFFFF), self.to_code.eq(0)]


def frames(dut: Frames) -> Harness:
    """The claims of the frames, whatever comes and is put; of bytes, of any one place."""
    h = Harness("Frames", dut=dut, search=24)
    seen = _Frame(h.m, dut)
    registers = check, at, bad, code, state, last, _ = h.registers()
    listens, asked, closes = seen.listens, seen.asked, seen.closes
    h.claim(
        "asked",
        f"it asks from the delimiter behind {_LEAST} to {_MOST} bytes whose codes lead from one to "
        "the next and to it, and whose check is right, until the reply is to be sent, and never "
        "else; it takes every byte",
        dut.asked == asked,
        dut.i.ready,
    )
    starts = [r == r.init for r in registers if r is not state]
    h.claim(
        "anew",
        "behind a delimiter, and behind a reply, all is as it was at first, whatever came before",
        implies(h.was(seen.ends), Cat(starts).all() & (asked | (state == state.init))),
    )
    h.know(state == seen.mode, at == seen.place)
    h.know(last == Mux(closes, seen.step, 0), implies(~closes, seen.step == 0))
    first = seen.bytes == 0
    counts = (listens & seen.fits) | (asked & seen.fair)
    h.know(
        implies(listens, (bad == ~seen.fits) & ~seen.fair),
        implies(listens & seen.fits, code == (0xFE - seen.to_code)[:8]),
        implies(counts, check == Mux(first, check.init, seen.crc)),
        implies(counts & first, seen.crc == 0xFFFF),
        implies(listens & first, seen.to_code == 0),
    )
    place = _Place(h, seen)
    _request(h, seen, place)
    _reply(h, seen, place)
    return h


class _Place:
    """Any one place of the memory, and what it has: now, and a clock before."""

    def __init__(self, h: Harness, seen: _Frame) -> None:
        self.at = h.constant(8, "k")
        self.has = h.look("dut.memory", self.at)
        self.had = h.was(self.has)
        self.next = seen.place == self.at


def _request(h: Harness, seen: _Frame, k: _Place) -> None:
    """What came is in its place, and is shown."""
    m, dut = h.m, h.blocks["dut"]
    listens, asked = seen.listens, seen.asked
    becomes, came = Signal(8), Signal(8)  # what the place has next; the byte that came for it
    length, intact = Signal(8), Signal()  # of a request; no reply was begun
    ends = listens & seen.ends
    is_length = k.at == 1
    m.d.comb += becomes.eq(k.has)
    with m.If(seen.comes & k.next):
        m.d.comb += becomes.eq(seen.byte)
        m.d.sync += came.eq(seen.byte)
    with m.Elif(ends & seen.whole & is_length):
        m.d.comb += becomes.eq(seen.bytes)
    with m.If(ends):
        m.d.sync += [length.eq(seen.bytes), intact.eq(1)]
    with m.Elif(asked & (dut.begin | dut.put | dut.send)):
        m.d.sync += intact.eq(0)
    h.claim(
        "placed",
        "what comes is written behind what came before, a code as 0, and what is too long not over "
        "its beginning; when a frame is whole, how many came is written in front; nothing else is, "
        "and nothing while a reply leaves",
        implies(h.was(listens) & h.begun, k.has == h.was(becomes)),
        implies(h.was(seen.sends), k.has == k.had),
    )
    request = Mux(is_length, length, came)
    h.claim(
        "request",
        "of a request it shows how many bytes came, and behind that each of them, in turn",
        implies(
            asked & intact & h.was(asked & ~dut.next) & k.next & (k.at != 0) & (k.at <= length),
            dut.body == request,
        ),
    )
    here = k.at != 0
    h.know(
        implies(listens & here & (k.at <= seen.bytes), k.has == came),
        implies(asked & intact & here & (k.at <= length), k.has == request),
    )


def _reply(h: Harness, seen: _Frame, k: _Place) -> None:
    """What was put leaves, and ends."""
    m, dut = h.m, h.blocks["dut"]
    asked, closes, sends, fair = seen.asked, seen.closes, seen.sends, seen.fair
    check, at, _, code, _, _, there = h.registers()
    byte, final, left = Signal(8), Signal(8), Signal(10)
    stuffed, waits = Signal(8), Signal()  # the byte of the place; it is how far the next 0 is
    of_check = Cat(seen.crc[8:], seen.crc[:8]).word_select(seen.step[0], 8)
    m.d.comb += byte.eq(Mux(asked, dut.reply, Mux(seen.step[1], 0, of_check)))
    stops = closes & (seen.step == 2)
    with m.If((asked & dut.put) | (closes & (seen.step != 3))):
        with m.If(k.next):
            m.d.sync += [stuffed.eq(byte), waits.eq((byte == 0) & ~stops)]
        with m.Elif(waits & (byte == 0)):
            m.d.sync += [stuffed.eq(seen.place - k.at), waits.eq(0)]
    with m.If(asked & dut.begin):
        m.d.sync += waits.eq(0)
    with m.If(stops):
        m.d.sync += final.eq(seen.place)
    h.claim(
        "reply",
        f"of a reply of 1 to {_PUT} bytes, the first one 0, these leave, its check, and a 0; a 0 "
        "of it leaves as how far the next one is",
        implies(sends & fair & dut.o.valid & k.next, dut.o.payload == stuffed),
        implies(sends & fair, (seen.place != 0) & (seen.place <= final)),
    )
    with m.If(closes):
        m.d.sync += left.eq(Cat(Const(1, 1), (final - 1)[:8]) + 1)
    with m.Elif(~dut.o.valid | dut.o.ready):
        m.d.sync += left.eq(left - 1)
    h.claim(
        "ends",
        "whatever was put, what leaves ends: in two clocks a byte, and those in which one waits",
        implies(sends, left != 0),
        dut.o.valid == (sends & h.was(sends & ~(dut.o.valid & dut.o.ready))),
    )
    # how it is closed
    stop = h.look("dut.memory", final)
    closed = closes & (seen.step == 3)
    h.know(
        implies(closes & (seen.step == 0) & fair, check == seen.crc),
        implies(closes & (seen.step == 1), check == Mux(fair, seen.crc[:8], check[8:]) << 8),
        implies(closes & seen.step[1], check == 0),
        implies(closed, (code == ~final) & (final == seen.bytes)),
        implies(sends, stop == 0),
        implies(dut.o.valid & (at == final), dut.o.payload == 0),
        there == dut.o.valid,
        implies(sends, left == Cat(~there, (final - at)[:8]) + 1),
    )
    # where codes are
    some = fair & (asked | closes) & (seen.bytes != 0)
    last = ~code
    put = k.at <= Mux(sends, final, seen.bytes)
    h.know(
        implies(fair & asked, seen.bytes <= _PUT),
        implies(fair & asked & (seen.bytes == 0), (code == code.init) & ~waits),
        implies(fair & closes, (seen.bytes > seen.step) & (seen.bytes <= (_PUT + seen.step)[:8])),
        implies(some, (last >= 1) & (last <= seen.bytes)),
        implies(some, (last == k.at) == (waits | (closed & (k.at == final)))),
        implies(fair & (closed | sends), ~waits),
        implies(
            fair & (k.at != 0) & put & ~waits,
            Mux(closed & (k.at == final), stuffed == 0, k.has == stuffed),
        ),
    )


def _crc(crc: Value, byte: Value) -> Value:
    """CRC-16/IBM-3740, a bit at a time: x**16 + x**12 + x**5 + 1."""
    bits = [crc[k] for k in range(16)]
    for k in reversed(range(8)):
        high = bits[15] ^ byte[k]
        shifted = [Const(0, 1), *bits[:15]]
        bits = [old ^ high if 0x1021 >> j & 1 else old for j, old in enumerate(shifted)]
    return Cat(bits)


def processor(dut: Processor) -> Harness:
    """The claims of how a processor asks for rows, whatever its program is."""
    h = Harness("Processor", dut=dut, search=12)
    asked = Cat(dut.accumulator, dut.pointer, dut.writes)
    others = Cat(dut.shifts, dut.push, dut.begins, dut.restart)
    h.claim(
        "asks",
        "for a clock after it asks for a row it says the same, and moves no word of the row, nor "
        "begins a step",
        implies(h.was(dut.reaches), same(asked, h.was(asked))),
        implies(dut.reaches | h.was(dut.reaches), ~others.any()),
    )
    return h
