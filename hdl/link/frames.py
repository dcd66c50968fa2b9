"""Frames of the link: a request that comes in whole, a reply that leaves."""

from typing import Any

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.crc.catalog import CRC16_IBM_3740
from amaranth.lib.memory import Memory
from amaranth.lib.wiring import In, Out

from ...link.messages import FRAME_BYTES, REQUEST

__all__ = ["DEPTH", "Frames"]

#: Bytes of the memory.
DEPTH = 512
_LEAST = sum(REQUEST.values()) // 8 + 2


class Frames(wiring.Component):
    """Takes frames in and sends one for each: half duplex, all in one memory.

    A request lies in the lower half of the memory, its reply in the upper one, stuffed as it is
    written: where a byte is 0 its place becomes that of the next code, and the code before gets
    the distance, so that every byte is written at once. What comes in while a request is worked
    on is ignored up to the end of its frame.

    Members
    -------
    i, o : In and Out(stream of 8 bits)
        The bytes of the line. Every one that comes in is taken; the next one comes eight clocks
        later at the earliest.
    asked : Out(1)
        There is a request; until its reply is sent.
    length : Out(8)
        Its bytes, with the check, until the reply begins.
    body : Out(stream of 8 bits)
        These bytes, in turn; whatever is behind them comes then.
    begin : In(1)
        Begin the reply, or begin it again.
    reply : In(stream of 8 bits)
        Its bytes.
    send : In(1)
        There are no more: check it and let it leave.
    """

    i: Any
    o: Any
    asked: Signal
    length: Signal
    body: Any
    begin: Signal
    reply: Any
    send: Signal

    def __init__(self) -> None:
        byte = stream.Signature(8)
        super().__init__(
            {
                "i": In(byte),
                "o": Out(byte),
                "asked": Out(1),
                "length": Out(8),
                "body": Out(byte),
                "begin": In(1),
                "reply": In(byte),
                "send": In(1),
            }
        )

    def elaborate(self, platform: object) -> Module:
        m = Module()
        m.submodules.memory = memory = Memory(
            shape=8, depth=DEPTH, init=[], attrs={"ram_style": "block"}
        )
        self._write, self._read = memory.write_port(), memory.read_port()
        self._to = Signal(8)  # where the next byte is written
        self._code = Signal(8)  # bytes before the next code; or where the code is that waits
        self._answers, self._ends = Signal(), Signal()
        self._fresh = Signal(init=1)  # nothing came since the last frame's end
        self._bad = Signal()
        m.d.comb += [self.i.ready.eq(1), self.length.eq(self._to)]
        with m.If(self.i.valid):
            m.d.sync += [self._fresh.eq(self.i.payload == 0), self._bad.eq(self.i.payload != 0)]
        self._check(m)
        self._put(m)
        self._give(m)
        second = Signal()
        with m.FSM(name="frame"):
            with m.State("listen"):
                m.d.comb += self._answers.eq(0)
                self._listen(m)
            with m.State("answer"):
                m.d.comb += self.asked.eq(1)
                with m.If(self.begin):
                    m.d.comb += self._crc.start.eq(1)
                    m.d.sync += [self._to.eq(1), self._code.eq(0)]
                with m.Elif(~self._busy):
                    m.d.comb += [self.reply.ready.eq(1), self._load.eq(self.reply.valid)]
                    with m.If(self.send & ~self.reply.valid):
                        m.next = "check"
            with m.State("check"):
                m.d.comb += self._appends.eq(1)
                with m.If(~self._busy):
                    m.d.comb += self._load.eq(1)
                    m.d.sync += second.eq(~second)
                    with m.If(second):
                        m.next = "checked"
            with m.State("checked"):
                m.d.comb += self._appends.eq(1)
                with m.If(~self._busy):
                    m.next = "code"
            with m.State("code"):  # as if a 0 came
                m.d.comb += [self._zero.eq(1), self._load.eq(~self._busy)]
                with m.If(~self._busy):
                    m.next = "end"
            with m.State("end"):  # a 0 that is none of the frame's
                with m.If(~self._busy):
                    m.d.comb += self._ends.eq(1)
                    m.d.sync += [self._at.eq(0), self._there.eq(0)]
                    m.next = "send"
            with m.State("send"):
                m.d.comb += [self._sending.eq(1), self.o.valid.eq(self._there)]
                with m.If(self._there & self.o.ready & (self._at == self._to)):
                    m.d.sync += self._there.eq(0)
                    self._again(m)
                    m.next = "listen"
        return m

    def _check(self, m: Module) -> None:
        """A byte that comes in or leaves: it is checked, a bit a clock, and then written."""
        m.submodules.crc = self._crc = crc = CRC16_IBM_3740(data_width=1).create()
        self._byte, self._zero, self._load = Signal(8), Signal(), Signal()
        self._appends = Signal()  # the check itself: it leaves its register
        self._busy, self._writes = Signal(), Signal()
        left, bit = Signal(4), Signal()
        m.d.comb += [
            self._answers.eq(1),
            self._busy.eq(left != 0),
            self._writes.eq(left == 1),
            bit.eq(Mux(self._appends, crc.crc[-1], self._byte[-1])),
            crc.data.eq(bit),
            crc.valid.eq((left > 1) & ~crc.start),
        ]
        with m.If(crc.start):
            m.d.sync += left.eq(0)
        with m.Elif(self._load):
            m.d.sync += left.eq(9)
            m.d.sync += self._byte.eq(Mux(self._answers, self.reply.payload, self.i.payload))
            with m.If(self._zero):
                m.d.sync += self._byte.eq(0)
        with m.Elif(self._busy):
            m.d.sync += left.eq(left - 1)
            with m.If(crc.valid):
                m.d.sync += self._byte.eq(Cat(bit, self._byte))

    def _put(self, m: Module) -> None:
        """Write a byte; of a reply, a 0 becomes the next code."""
        write, stuffs = self._write, Signal()
        m.d.comb += [
            stuffs.eq(self._answers & (self._byte == 0)),
            write.addr.eq(Cat(Mux(stuffs, self._code, self._to), self._answers)),
            write.data.eq(Mux(stuffs & ~self._ends, self._to - self._code, self._byte)),
            write.en.eq(self._writes | self._ends),
        ]
        with m.If(self._writes):
            m.d.sync += self._to.eq(self._to + 1)
            with m.If(stuffs):
                m.d.sync += self._code.eq(self._to)

    def _give(self, m: Module) -> None:
        """Read the request, or the reply, byte by byte."""
        self._at, self._there, self._sending = Signal(8), Signal(), Signal()
        fetch = Signal()
        m.d.comb += [
            self._read.addr.eq(Cat(self._at, self._sending)),
            self._read.en.eq(fetch),
            fetch.eq(
                (self._sending & (~self._there | self.o.ready))
                | (self.asked & (~self._there | self.body.ready))
            ),
            self.body.valid.eq(self._there & self.asked),
            self.body.payload.eq(self._read.data),
            self.o.payload.eq(self._read.data),
        ]
        with m.If(fetch):
            m.d.sync += [self._there.eq(1), self._at.eq(self._at + 1)]

    def _listen(self, m: Module) -> None:
        """Take a frame apart, and look whether it is whole."""
        byte, starts = self.i.payload, Signal()
        m.d.comb += [starts.eq(self._code == 0), self._zero.eq(starts)]
        with m.If(self._to == FRAME_BYTES + 1):
            m.d.sync += self._bad.eq(1)
        with m.If(self.i.valid):
            m.d.sync += self._bad.eq(self._bad)
            with m.If(byte != 0):
                m.d.comb += self._load.eq(~(starts & self._fresh))
                m.d.sync += self._code.eq(Mux(starts, byte, self._code) - 1)
            with m.Elif(~self._bad & starts & (self._to >= _LEAST) & self._crc.match_detected):
                m.d.sync += [self._at.eq(0), self._there.eq(0)]
                m.next = "answer"
            with m.Else():
                self._again(m)

    def _again(self, m: Module) -> None:
        """Let a frame begin."""
        m.d.comb += self._crc.start.eq(1)
        m.d.sync += [self._to.eq(0), self._code.eq(0), self._bad.eq(0)]
