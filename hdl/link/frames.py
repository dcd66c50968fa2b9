"""Frames of the link: a request that comes in whole, a reply that leaves."""

from typing import Any

from amaranth import Module, Mux, Signal, Value
from amaranth.lib import stream, wiring
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...link.messages import REQUEST

__all__ = ["DEPTH", "Frames"]

#: Bytes of the memory.
DEPTH = 256
# a byte that is read while it is written is not used
_BLOCK = {"ram_style": "block"}
_LEAST = sum(REQUEST.values()) // 8 + 2  # bytes of a request, with its check
_FIRST = 1  # where a frame begins: at a code, whose place is as if a 0 was there
_BEGIN = 0x1E0C  # of the check: with that 0, it is 0xFFFF


class Frames(wiring.Component):
    """Takes frames in and sends one for each: half duplex, all in one memory, a byte a clock.

    A byte of 0 and a code are the same: where one was, or has to be, there is the other. Of a
    frame that comes in, codes are replaced by zeros, as it is written. Of a reply, the place of a 0
    becomes that of the next code, and the code before gets the distance. Both begin with a code;
    a request has its length there, when it is whole.

    Members
    -------
    i, o : In and Out(stream of 8 bits)
        The bytes of the line. Every one that comes in is taken.
    asked : Out(1)
        There is a request, until ``send``. What comes in from then on is ignored, until its reply
        has left.
    body : Out(8)
        A byte of it: first, one more than how many there are, with their check; then these.
    next : In(1)
        Show the one behind it, from the second clock on.
    begin : In(1)
        Begin the reply, or begin it again. The request is gone.
    put : In(1), reply : In(8)
        A byte of the reply; before all others, one of 0.
    send : In(1)
        There are no more: check it and let it leave.
    """

    i: Any
    o: Any
    asked: Signal
    body: Signal
    next: Signal
    begin: Signal
    put: Signal
    reply: Signal
    send: Signal

    def __init__(self) -> None:
        byte = stream.Signature(8)
        super().__init__(
            {
                "i": In(byte),
                "o": Out(byte),
                "asked": Out(1),
                "body": Out(8),
                "next": In(1),
                "begin": In(1),
                "put": In(1),
                "reply": In(8),
                "send": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(shape=8, depth=DEPTH, init=[], attrs=_BLOCK)
        write, read = memory.write_port(), memory.read_port()
        at = Signal(8, init=_FIRST)  # of the byte that is read or written
        # the complement of where the last code is; or how far the next one is: it is the next byte
        # where that is of _NEXT
        code = Signal(8, init=0xFF - _FIRST)
        check = Signal(16, init=_BEGIN)
        bad = Signal()  # the frame is too long
        comes, puts, stuffs = Signal(), Signal(), Signal()  # a byte; its place is a code's
        listens, appends, ends = Signal(), Signal(), Signal()
        byte, is_code, length = Signal(8), Signal(), Signal(8)
        last, there, again = Signal(2), Signal(), Signal()
        m.d.comb += [
            self.i.ready.eq(1),
            is_code.eq(code == 0xFF - _FIRST),
            length.eq(at - ~code),
            byte.eq(Mux(appends, check[8:], self.reply)),
            self.body.eq(read.data),
            self.o.payload.eq(read.data),
            read.addr.eq(at),
            read.en.eq(1),
            write.addr.eq(Mux(stuffs, ~code, at)),
            write.data.eq(Mux(stuffs, length & (~ends).replicate(8), byte)),
            write.en.eq(puts | stuffs),
        ]
        with m.If(listens):
            m.d.comb += byte.eq(self.i.payload & (~is_code).replicate(8))
        with m.If(puts):
            m.d.sync += [check.eq(_checked(m, check, byte)), at.eq(at + 1)]
            with m.If(at == 0xFF):
                m.d.sync += bad.eq(1)
            with m.If(listens):
                m.d.sync += code.eq(Mux(is_code, ~self.i.payload, code + 1))
            with m.Elif(byte == 0):
                m.d.comb += stuffs.eq(1)
                m.d.sync += code.eq(~at)
        with m.FSM(name="frame"):
            with m.State("listen"):
                m.d.comb += [
                    listens.eq(1),
                    comes.eq(self.i.valid & (self.i.payload != 0)),
                    puts.eq(comes & ~bad),
                ]
                with m.If(self.i.valid & ~comes):
                    m.d.comb += again.eq(1)
                    with m.If(
                        is_code & (check == 0) & ~bad & (at[4:].any() | (at[3] & at[1:3].any()))
                    ):
                        m.d.comb += stuffs.eq(1)
                        m.next = "asked"
            with m.State("asked"):
                m.d.comb += [self.asked.eq(1), puts.eq(self.put), again.eq(self.begin)]
                with m.If(self.next):
                    m.d.sync += at.eq(at + 1)
                with m.If(self.send):
                    m.next = "end"
            with m.State("end"):  # the check, the last code, and a 0 that is none of the frame's
                m.d.comb += [appends.eq(1), puts.eq(1), ends.eq(last == 3)]
                m.d.sync += last.eq(last + 1)
                with m.If(ends):
                    m.d.comb += again.eq(1)
                    m.next = "send"
            with m.State("send"):
                m.d.sync += there.eq(1)
                m.d.comb += self.o.valid.eq(there)
                with m.If(there & self.o.ready):
                    m.d.sync += [there.eq(0), at.eq(at + 1)]
                    with m.If(read.data == 0):
                        m.d.comb += again.eq(1)
                        m.next = "listen"
        with m.If(again):
            m.d.sync += [at.eq(at.init), code.eq(code.init), check.eq(_BEGIN), bad.eq(0)]
        return m


def _checked(m: Module, check: Signal, byte: Value) -> Value:
    """CRC-16/IBM-3740 of one byte more."""
    high, folded = Signal(8, name="high"), Signal(8, name="folded")
    m.d.comb += [high.eq(check[8:] ^ byte), folded.eq(high ^ high[4:])]
    return ((check << 8) ^ (folded << 12) ^ (folded << 5) ^ folded)[:16]
