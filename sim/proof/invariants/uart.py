"""What is claimed of a UART: its transmitter, its receiver, and both at the ends of a line."""

from __future__ import annotations

from amaranth import Array, Cat, Const, Mux, Signal

from ....hdl.uart import UARTReceiver, UARTTransmitter
from .harness import Harness, implies

__all__ = ["loopback", "receiver", "transmitter"]


class _Sending:
    """The line of a transmitter: which bit of which byte, and for how long."""

    def __init__(self, h: Harness, dut: UARTTransmitter, clocks: int) -> None:
        m = h.m
        self.busy, self.byte = Signal(), Signal(8)
        self.bit, self.phase = Signal(range(10)), Signal(range(clocks))
        with m.If(~self.busy):
            with m.If(dut.i.valid & dut.i.ready):
                m.d.sync += [self.busy.eq(1), self.bit.eq(0), self.phase.eq(0)]
                m.d.sync += self.byte.eq(dut.i.payload)
        with m.Elif(self.phase != clocks - 1):
            m.d.sync += self.phase.eq(self.phase + 1)
        with m.Else():
            m.d.sync += [self.phase.eq(0), self.bit.eq(self.bit + 1)]
            with m.If(self.bit == 9):
                m.d.sync += self.busy.eq(0)
        line = Cat(Const(0, 1), self.byte, Const(1, 1)).bit_select(self.bit, 1) | ~self.busy
        h.claim(
            "ready",
            f"it accepts a byte whenever it sends none, and sends one for {10 * clocks} clocks",
            dut.i.ready == ~self.busy,
        )
        h.claim(
            "line",
            "the line is high, or a byte's start bit, its bits from the lowest and its stop bit",
            dut.tx == h.was(line, init=1),
        )


def _tie_transmitter(h: Harness, sending: _Sending, clocks: int, block: str) -> None:
    left, timer, frame = (h.register(n, block) for n in ("left", "timer", "frame"))
    busy, bit, phase = sending.busy, sending.bit, sending.phase
    rest = Cat(Const(0, 1), sending.byte, Const(0x3FF, 10)) >> bit
    h.know(
        implies(busy, (bit <= 9) & (phase <= clocks - 1)),
        left == Mux(busy, 10 - bit, 0),
        implies(busy, timer == clocks - 1 - phase),
        implies(busy, frame == rest[:9]),
    )


def transmitter(dut: UARTTransmitter, clocks: int) -> Harness:
    """The claims of a transmitter."""
    h = Harness(f"UARTTransmitter({clocks})", dut=dut, search=12 * clocks)
    _tie_transmitter(h, _Sending(h, dut, clocks), clocks, "dut")
    return h


class _Receiving:
    """A receiver's view of its line: ``t`` clocks after a start edge, and the bits so far."""

    def __init__(self, h: Harness, dut: UARTReceiver, clocks: int) -> None:
        m = h.m
        self.first = clocks + clocks // 2
        self.stop = self.first + 8 * clocks
        self.line = h.was(h.was(dut.rx, init=1), init=1)
        self.t, self.bits = Signal(range(self.stop + 1)), Signal(8)
        self.broken = Signal()
        self.ends = Signal()
        m.d.comb += self.ends.eq((self.t == self.stop) & self.line)
        with m.If(self.t == 0):
            m.d.sync += [self.t.eq(~self.line), self.broken.eq(0)]
        with m.Elif(self.t != self.stop):
            m.d.sync += self.t.eq(self.t + 1)
        with m.Elif(self.line):
            m.d.sync += self.t.eq(0)
        with m.Else():
            m.d.sync += self.broken.eq(1)
        for j in range(8):
            with m.If(self.t == self.first + j * clocks):
                m.d.sync += self.bits[j].eq(self.line)


def _tie_receiver(h: Harness, seen: _Receiving, clocks: int, block: str) -> None:
    left, timer, frame, broken = (
        h.register(n, block) for n in ("left", "timer", "frame", "broken")
    )
    t = seen.t
    h.know((left == 0) == (t == 0), t <= seen.stop, implies(broken, t == seen.stop))
    h.know(implies(t != 0, broken == seen.broken), implies(seen.broken, broken | (t == 0)))
    for n in range(9):  # bits received
        until = seen.first + n * clocks
        waits = (t != 0) & (left == 9 - n)
        h.know(implies(waits, (t <= until) & (timer == until - t)))
        h.know(implies(waits & (n > 0), t > until - clocks))
        if n:
            h.know(implies(waits, frame[8 - n :] == seen.bits[:n]))
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
    sending, seen = _Sending(h, sender, clocks), _Receiving(h, dut, clocks)
    _tie_transmitter(h, sending, clocks, "sender")
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
