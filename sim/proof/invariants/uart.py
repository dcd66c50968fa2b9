"""What is claimed of a UART: of its transmitter, its receiver, both together; of a link's line."""

from __future__ import annotations

from typing import Any

from amaranth import Array, Cat, Const, Mux, Signal, Value

from ....hdl.link.line import Line
from ....hdl.uart import UARTReceiver, UARTTransmitter
from .harness import Harness, implies

__all__ = ["line", "loopback", "receiver", "transmitter"]


class _Sending:
    """The line of what sends: which bit of which byte, and for how long.

    Attributes
    ----------
    busy, last : Value
        A byte is being sent; its stop bit is.
    """

    def __init__(self, h: Harness, dut: UARTTransmitter | Line, clocks: int) -> None:
        self._clocks = clocks
        self.busy, self.byte = Signal(), Signal(8)
        self.bit, self.phase = Signal(range(10)), Signal(range(clocks))
        self.last: Value = self.busy & (self.bit == 9)
        self._i = dut.i
        line = Cat(Const(0, 1), self.byte, Const(1, 1)).bit_select(self.bit, 1) | ~self.busy
        h.claim(
            "line",
            f"the line is high, or a byte's start bit, its bits from the lowest and its stop bit, "
            f"for {clocks} clocks each",
            dut.tx == h.was(line, init=1),
        )

    def goes_on(self, h: Harness, cut: Any = 0) -> None:
        """Bit by bit, until the last one is over, or is cut short."""
        m, clocks = h.m, self._clocks
        with m.If(~self.busy):
            with m.If(self._i.valid & self._i.ready):
                m.d.sync += [self.busy.eq(1), self.bit.eq(0), self.phase.eq(0)]
                m.d.sync += self.byte.eq(self._i.payload)
        with m.Elif(self.phase != clocks - 1):
            m.d.sync += self.phase.eq(self.phase + 1)
        with m.Else():
            m.d.sync += [self.phase.eq(0), self.bit.eq(self.bit + 1)]
            with m.If(self.bit == 9):
                m.d.sync += self.busy.eq(0)
        with m.If(cut):
            m.d.sync += self.busy.eq(0)
        h.know(implies(self.busy, (self.bit <= 9) & (self.phase <= clocks - 1)))

    @property
    def rest(self) -> Value:
        """The bits to go, and ones behind them."""
        return (Cat(Const(0, 1), self.byte, Const(0x3FF, 10)) >> self.bit)[:9]


def _tie_transmitter(h: Harness, sending: _Sending, clocks: int, block: str) -> None:
    left, timer, frame = (h.register(n, block) for n in ("left", "timer", "frame"))
    busy, bit, phase = sending.busy, sending.bit, sending.phase
    h.know(
        left == Mux(busy, 10 - bit, 0),
        implies(busy, timer == clocks - 1 - phase),
        implies(busy, frame == sending.rest),
    )


def _transmits(h: Harness, dut: UARTTransmitter, clocks: int, block: str) -> _Sending:
    """What a transmitter sends."""
    sending = _Sending(h, dut, clocks)
    sending.goes_on(h)
    h.claim(
        "ready",
        f"it accepts a byte whenever it sends none, and sends one for {10 * clocks} clocks",
        dut.i.ready == ~sending.busy,
    )
    _tie_transmitter(h, sending, clocks, block)
    return sending


def transmitter(dut: UARTTransmitter, clocks: int) -> Harness:
    """The claims of a transmitter."""
    h = Harness(f"UARTTransmitter({clocks})", dut=dut, search=12 * clocks)
    _transmits(h, dut, clocks, "dut")
    return h


class _Receiving:
    """A receiver's view of its line: ``t`` clocks after a start edge, and the bits so far.

    It hears an edge where ``hears``. A stop bit that is low it looks at again ``later`` clocks
    later.
    """

    def __init__(
        self,
        h: Harness,
        dut: UARTReceiver | Line,
        clocks: int,
        hears: Any = 1,
        later: int = 1,
    ) -> None:
        m = h.m
        self.first = clocks + clocks // 2
        self.stop = self.first + 8 * clocks
        self.line = h.was(h.was(dut.rx, init=1), init=1)
        self.t, self.bits = Signal(range(self.stop + 1)), Signal(8)
        self.broken = Signal()
        self.ends, self.begins = Signal(), Signal()
        m.d.comb += self.ends.eq((self.t == self.stop) & self.line)
        m.d.comb += self.begins.eq((self.t == 0) & hears & ~self.line)
        with m.If(self.t == 0):
            m.d.sync += [self.t.eq(self.begins), self.broken.eq(0)]
        with m.Elif(self.t != self.stop):
            m.d.sync += self.t.eq(self.t + 1)
        with m.Elif(self.line):
            m.d.sync += self.t.eq(0)
        with m.Else():
            m.d.sync += [self.broken.eq(1), self.t.eq(self.stop - later + 1)]
        for j in range(8):
            with m.If(self.t == self.first + j * clocks):
                m.d.sync += self.bits[j].eq(self.line)

    def tie(self, h: Harness, left: Signal, timer: Value, frame: Value, clocks: int) -> None:
        """To bits to go, clocks to the next one, and the eight last bits."""
        t = self.t
        for n in range(9):  # bits received
            until = self.first + n * clocks
            waits = (t != 0) & (left == 9 - n)
            h.know(implies(waits, (t <= until) & (timer == until - t)))
            h.know(implies(waits & (n > 0), t > until - clocks))
            if n:
                h.know(implies(waits & ~self.broken, frame[8 - n :] == self.bits[:n]))


def _tie_receiver(h: Harness, seen: _Receiving, clocks: int, block: str) -> None:
    left, timer, frame, broken = (
        h.register(n, block) for n in ("left", "timer", "frame", "broken")
    )
    t = seen.t
    h.know((left == 0) == (t == 0), t <= seen.stop, implies(broken, t == seen.stop))
    h.know(implies(t != 0, broken == seen.broken), implies(seen.broken, broken | (t == 0)))
    seen.tie(h, left, timer, frame, clocks)
    h.know(left <= 9)


def receiver(dut: UARTReceiver, clocks: int) -> Harness:
    """The claims of a receiver, whatever its line does."""
    h = Harness(f"UARTReceiver({clocks})", dut=dut, depth=3, search=24 * clocks)
    seen = _Receiving(h, dut, clocks)
    _tie_receiver(h, seen, clocks, "dut")
    left, o = h.register("left"), dut.o
    h.claim(
        "idle",
        f"it waits for a start edge again {seen.stop + 1} clocks after one, or, if the line is low "
        "then, as soon as it is high",
        (left == 0) == (seen.t == 0),
        implies(h.was(seen.ends), left == 0),
    )
    good = h.was(seen.ends & ~seen.broken)
    h.claim(
        "byte",
        "a byte comes out when its stop bit is high, made of the line's values in the middle of "
        "its bits, and at no other time",
        implies(good, o.valid & (o.payload == h.was(seen.bits))),
        implies(~good & ~h.was(o.valid & ~o.ready), ~o.valid),
    )
    h.claim(
        "result",
        "a byte stays as it is until it is taken, or until another one ends",
        implies(h.was(o.valid & ~o.ready & ~seen.ends), o.valid & (o.payload == h.was(o.payload))),
    )
    return h


def loopback(sender: UARTTransmitter, dut: UARTReceiver, clocks: int) -> Harness:
    """The claims of a transmitter and a receiver at the ends of a line."""
    h = Harness(f"UART loopback({clocks})", sender=sender, dut=dut, depth=4, search=12 * clocks)
    h.wire(dut.rx, sender.tx)
    sending, seen = _transmits(h, sender, clocks, "sender"), _Receiving(h, dut, clocks)
    _tie_receiver(h, seen, clocks, "dut")
    busy, byte, at = sending.busy, sending.byte, Signal(range(10 * clocks))
    starts = Array(range(0, 16 * clocks, clocks))
    h.m.d.comb += at.eq(starts[sending.bit] + sending.phase)
    for _ in range(3):  # the line's register, and the two of the receiver's synchronizer
        busy, byte, at = h.was(busy), h.was(byte), h.was(at)
    active = busy & (at != 0) & (at <= seen.stop)
    h.know(seen.t == Mux(active, at, 0), ~seen.broken)
    for j in range(8):
        h.know(implies(seen.t > seen.first + j * clocks, seen.bits[j] == byte[j]))
    end = h.was(busy & (at == seen.stop))
    h.claim(
        "loopback",
        "every byte that is sent is received, once, whatever came before",
        implies(end, dut.o.valid & (dut.o.payload == h.was(byte))),
        implies(~end & ~h.was(dut.o.valid & ~dut.o.ready), ~dut.o.valid),
    )
    return h


def line(dut: Line, clocks: int) -> Harness:
    """The claims of a link's line, whatever it is given and whatever comes."""
    h = Harness(f"Line({clocks})", dut=dut, search=24 * clocks)
    m, i, o = h.m, dut.i, dut.o
    hears, free = Signal(), Signal()
    sending = _Sending(h, dut, clocks)
    seen = _Receiving(h, dut, clocks, hears, later=clocks)
    sending.goes_on(h, seen.begins)
    busy, t = sending.busy, seen.t
    m.d.comb += [free.eq(~busy & (t == 0)), hears.eq((free | sending.last) & ~i.valid)]
    h.claim(
        "ready",
        f"it accepts a byte whenever it sends none, for {10 * clocks} clocks, and receives none",
        i.ready == free,
    )
    h.claim(
        "byte",
        "a byte comes out when its stop bit is high, made of the line's values in the middle of "
        "its bits, and at no other time, not while one is sent, but for a stop bit that may be "
        "cut short where nothing waits",
        o.valid == (seen.ends & ~seen.broken),
        implies(o.valid, o.payload == seen.bits),
        implies(busy, t == 0),
    )
    most = 10 * clocks
    calm = Signal(range(most + 1))  # clocks since the line was low, or a byte accepted
    with m.If(~seen.line | (i.valid & i.ready)):
        m.d.sync += calm.eq(0)
    with m.Elif(calm < most):
        m.d.sync += calm.eq(calm + 1)
    h.claim(
        "idle",
        f"whatever came, it is ready {most} clocks after the line was low, or a byte was accepted, "
        "at the latest",
        implies(calm == most, free),
    )
    _, timer, bits, sends, left, broken = h.registers()
    passed = Array(range(0, 16 * clocks, clocks))[sending.bit] + sending.phase
    h.know(
        implies(busy, sends & (calm <= passed)),
        implies(t != 0, ~sends & (broken == seen.broken)),
        implies(t != 0, calm < Mux(broken, t - (seen.stop - clocks), t)),
        implies(broken & (t != 0), t > seen.stop - clocks),
        t <= seen.stop,
        (left == 0) == free,
        implies(busy, left == 10 - sending.bit),
        implies(t != 0, left <= 9),
        implies(busy, (bits == sending.rest) & (timer.as_signed() == clocks - 2 - sending.phase)),
        implies(free & sends, bits.all()),
    )
    seen.tie(h, left, timer.as_signed() + 1, bits[1:], clocks)
    return h
