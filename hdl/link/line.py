"""The line of a link: a UART that sends or receives."""

from typing import Any

from amaranth import Cat, Const, Module, Mux, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

__all__ = ["Line"]


class Line(wiring.Component):
    """A half duplex UART, 8N1, the lowest bit first: it does not hear while it sends.

    Parameters
    ----------
    clocks : int
        Clocks per bit.

    Members
    -------
    rx : In(1), asynchronous
    tx : Out(1), idle high
    i : In(stream of 8 bits)
        What is to be sent. It waits until what is being received has ended.
    o : Out(stream of 8 bits)
        What was received, for a clock: whoever takes it is ready. A byte whose stop bit is low is
        dropped.
    """

    rx: Signal
    tx: Signal
    i: Any
    o: Any

    def __init__(self, clocks: int) -> None:
        self._clocks = clocks
        byte = stream.Signature(8)
        super().__init__({"rx": In(1, init=1), "tx": Out(1, init=1), "i": In(byte), "o": Out(byte)})

    def elaborate(self, platform: object) -> Module:
        m, clocks = Module(), self._clocks
        rx = Signal(init=1)
        m.submodules.sync = FFSynchronizer(self.rx, rx, init=1)
        first = clocks + clocks // 2 - 2
        timer = Signal(first.bit_length() + 1)  # counts down to -1
        left = Signal(range(11))  # bits to go, the stop bit among them
        bits = Signal(9)
        sends, broken = Signal(), Signal()
        last, hears, now = Signal(), Signal(), Signal()
        m.d.comb += [
            last.eq(left == 1),
            now.eq(timer[-1]),
            self.i.ready.eq(left == 0),
            # a host may answer before a last stop bit has passed
            hears.eq(self.i.ready | (last & sends)),
            self.o.payload.eq(bits[1:]),
            self.o.valid.eq(now & last & ~sends & rx & ~broken),
        ]
        begins = Signal(2)  # to send, to receive
        m.d.comb += begins.eq(Cat(self.i.ready & self.i.valid, hears & ~self.i.valid & ~rx))
        m.d.sync += [self.tx.eq(bits[0] | ~sends), timer.eq(timer - 1)]
        with m.If(begins[0] | now):
            m.d.sync += bits.eq(Cat(bits[1:], rx | sends))
            m.d.sync += timer.eq(clocks - 2)
        with m.If(begins[0]):
            m.d.sync += bits.eq(Cat(Const(0, 1), self.i.payload))
        with m.If(begins[1]):  # the middle of the first data bit is one and a half bits away
            m.d.sync += timer.eq(first)
        with m.If(begins.any()):
            m.d.sync += [sends.eq(begins[0]), left.eq(Mux(begins[0], 10, 9)), broken.eq(0)]
        with m.Elif(now & ~self.i.ready):
            m.d.sync += broken.eq(last & ~sends & ~rx)  # until the line is high
            with m.If(~last | sends | rx):
                m.d.sync += left.eq(left - 1)
        return m
