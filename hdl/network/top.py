"""What goes on a board for a network: its words on the UART, as fast as they come."""

from typing import Any

from amaranth import Cat, Module, Signal
from amaranth.lib import wiring

from ...network import FixedNetwork
from ..top import BAUD, LED_MS, Plan, pins, real_time
from ..uart import UARTReceiver, UARTTransmitter, divisor
from .network import Network

__all__ = ["NetworkTop", "network_plan"]


def network_plan(
    fixed: FixedNetwork, hardware: Network, *, clock_hz: int, baud: int = BAUD, flat_out: bool
) -> Plan:
    """Rates for a clock.

    Raises
    ------
    LoweringError
        If a time step is shorter than a step may take, or is no whole number of clocks within
        0.1 %.
    ValueError
        If the clock cannot make the baud rate.
    """
    ticks = hardware.worst_clocks
    if not flat_out:
        hint = "use --flat-out, a faster clock (--clock), more --lanes, or a larger dt"
        ticks = real_time(fixed.name, fixed.dt, clock_hz, ticks, "a step may take", hint)
    divisor(clock_hz, baud)
    return Plan(clock_hz, baud, ticks, 1, (), flat_out)


class NetworkTop(wiring.Component):
    """The design of a board, without its pins.

    Words of 16 bits come and leave as two bytes, the low one first. A step is made of every frame
    that is there: as soon as the one before is over, or every ``tick_clocks``.

    Parameters
    ----------
    hardware : Network
    plan : Plan

    Members
    -------
    rx, button : In(1), asynchronous
    tx, led, late : Out(1)
        The LED shows spikes that leave. ``late`` rises for good if a step was not done in time.
    """

    rx: Signal
    button: Signal
    tx: Signal
    led: Signal
    late: Signal

    def __init__(self, hardware: Network, plan: Plan) -> None:
        self._hardware, self.plan = hardware, plan
        super().__init__(pins())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, network = self.plan, self._hardware
        clocks = divisor(plan.clock_hz, plan.baud)
        m.submodules.network = network
        m.submodules.receiver = receiver = UARTReceiver(clocks)
        m.submodules.transmitter = transmitter = UARTTransmitter(clocks)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx)]
        self._receive(m, receiver.o, network.i)
        self._transmit(m, network.o, transmitter.i)
        if plan.flat_out:
            m.d.comb += network.tick.eq(1)
        else:
            self._tick(m)
        lit = plan.clock_hz * LED_MS // 1000
        glow = Signal(range(lit + 1))
        m.d.comb += self.led.eq(glow != 0)
        with m.If(network.o.valid & network.o.payload.any()):
            m.d.sync += glow.eq(lit)
        with m.Elif(glow != 0):
            m.d.sync += glow.eq(glow - 1)
        return m

    def _receive(self, m: Module, received: Any, words: Any) -> None:
        """Two bytes are a word."""
        low, half = Signal(8), Signal()
        m.d.comb += [
            words.payload.eq(Cat(low, received.payload)),
            words.valid.eq(received.valid & half),
            received.ready.eq(~half | words.ready),
        ]
        with m.If(received.valid & received.ready):
            m.d.sync += half.eq(~half)
            with m.If(~half):
                m.d.sync += low.eq(received.payload)

    def _transmit(self, m: Module, words: Any, sent: Any) -> None:
        """A word is two bytes."""
        half = Signal()
        m.d.comb += [
            sent.payload.eq(words.payload.word_select(half, 8)),
            sent.valid.eq(words.valid),
            words.ready.eq(sent.ready & half),
        ]
        with m.If(sent.valid & sent.ready):
            m.d.sync += half.eq(~half)

    def _tick(self, m: Module) -> None:
        """Every so many clocks a step may begin; it does when its frame is there."""
        plan, network = self.plan, self._hardware
        timer, due = Signal(range(plan.tick_clocks)), Signal()
        m.d.comb += network.tick.eq(due)
        m.d.sync += timer.eq(timer - 1)
        with m.If(network.busy):
            m.d.sync += due.eq(0)
        with m.If(timer == 0):
            m.d.sync += [timer.eq(plan.tick_clocks - 1), due.eq(1)]
            with m.If(network.busy):
                m.d.sync += self.late.eq(1)
