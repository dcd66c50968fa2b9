"""A UART, 8N1: a byte stream in, a byte stream out."""

from typing import Any

from amaranth import Cat, Const, Module, Signal
from amaranth.lib import stream, wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..given import whole

__all__ = ["SLOWEST", "UARTReceiver", "UARTTransmitter", "divisor", "levels"]

#: Baud, at least.
SLOWEST = 300
_LEAST = 4  # clocks per bit
_OFF = 0.02  # of a rate


def divisor(clock_hz: int, baud: int) -> int:
    """Clocks per bit.

    Raises
    ------
    TypeError
        If the rate is no whole number.
    ValueError
        If the clock cannot make the rate within 2 % (a receiver samples 9.5 bits after the start
        edge), or it is so slow that nobody waits for it.
    """
    baud = whole("baud", baud, None)
    clocks = round(clock_hz / baud) if baud >= SLOWEST else 0
    if clocks < _LEAST or abs(clock_hz / clocks / baud - 1) > _OFF:
        fastest = clock_hz // _LEAST
        makes = f"it makes {SLOWEST:,} to {fastest:,}"
        if fastest < SLOWEST:
            makes = "it is too slow for any"
        elif SLOWEST <= baud <= fastest:
            above, below = clock_hz // (clock_hz // baud), clock_hz // (clock_hz // baud + 1)
            makes += f", and {below:,} and {above:,} are the nearest"
        raise ValueError(f"a {clock_hz:,} Hz clock cannot make {baud:,} baud within 2 %; {makes}")
    return clocks


def levels(byte: int) -> tuple[int, ...]:
    """What the line is for a byte, bit time by bit time: start, the lowest bit first, stop."""
    return (0, *(byte >> n & 1 for n in range(8)), 1)


class UARTTransmitter(wiring.Component):
    """Sends bytes; lowest bit first, one stop bit.

    Parameters
    ----------
    clocks : int
        Clocks per bit.

    Members
    -------
    i : In(stream of 8 bits)
    tx : Out(1), idle high
    """

    i: Any
    tx: Signal

    def __init__(self, clocks: int) -> None:
        self._clocks = clocks
        super().__init__({"i": In(stream.Signature(8)), "tx": Out(1, init=1)})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        timer = Signal(range(self._clocks))
        left = Signal(range(11))  # bits to go, the stop bit among them
        frame = Signal(9, init=0x1FF)
        m.d.comb += self.i.ready.eq(left == 0)
        m.d.sync += self.tx.eq(frame[0] | (left == 0))
        with m.If(left == 0), m.If(self.i.valid):
            m.d.sync += [
                frame.eq(Cat(Const(0, 1), self.i.payload)),
                left.eq(10),
                timer.eq(self._clocks - 1),
            ]
        with m.Elif(timer == 0):
            m.d.sync += [
                frame.eq(Cat(frame[1:], Const(1, 1))),
                left.eq(left - 1),
                timer.eq(self._clocks - 1),
            ]
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m


class UARTReceiver(wiring.Component):
    """Receives bytes; a byte whose stop bit is low is dropped.

    Parameters
    ----------
    clocks : int
        Clocks per bit.

    Members
    -------
    rx : In(1), asynchronous
    o : Out(stream of 8 bits)
        A byte not taken by the time the next one is complete is lost.
    """

    rx: Signal
    o: Any

    def __init__(self, clocks: int) -> None:
        self._clocks = clocks
        super().__init__({"rx": In(1, init=1), "o": Out(stream.Signature(8))})

    def elaborate(self, platform: object) -> Module:
        m = Module()
        rx = Signal(init=1)
        m.submodules.sync = FFSynchronizer(self.rx, rx, init=1)
        timer = Signal(range(self._clocks + self._clocks // 2))
        left = Signal(range(10))
        frame = Signal(8)
        broken = Signal()
        with m.If(self.o.ready):
            m.d.sync += self.o.valid.eq(0)
        with m.If(left == 0):
            with m.If(~rx):  # the middle of the first data bit is one and a half bits away
                m.d.sync += [left.eq(9), timer.eq(self._clocks + self._clocks // 2 - 1)]
        with m.Elif(timer == 0):
            with m.If(left > 1):
                m.d.sync += [frame.eq(Cat(frame[1:], rx)), left.eq(left - 1)]
                m.d.sync += timer.eq(self._clocks - 1)
            with m.Else():
                m.d.sync += broken.eq(~rx)
                with m.If(rx):  # after a broken byte, nothing begins before the line is idle
                    m.d.sync += [left.eq(0), self.o.payload.eq(frame)]
                    m.d.sync += self.o.valid.eq(~broken)
        with m.Else():
            m.d.sync += timer.eq(timer - 1)
        return m
