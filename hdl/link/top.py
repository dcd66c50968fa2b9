"""What goes on a board where a host talks to a network."""

from amaranth import Module, Signal
from amaranth.lib import wiring

from ...network import FixedNetwork
from ..network import Network
from ..top import BAUD, LED_MS, Plan, pins, real_time
from ..uart import UARTReceiver, UARTTransmitter, divisor
from .requests import Requests
from .steps import Steps

__all__ = ["LinkTop", "link_plan"]


def link_plan(
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


class LinkTop(wiring.Component):
    """The design of a board, without its pins.

    Parameters
    ----------
    network : Network
        A linked one.
    identity : bytes
        What a host reads first.
    plan : Plan

    Members
    -------
    rx, button : In(1), asynchronous
        There is nothing that the button does.
    tx, led, late : Out(1)
        The LED shows spikes that leave. ``late`` rises for good if a paced step began late.
    """

    rx: Signal
    button: Signal
    tx: Signal
    led: Signal
    late: Signal

    def __init__(self, network: Network, identity: bytes, plan: Plan) -> None:
        self.plan = plan
        self._steps = Steps(network, identity, plan.tick_clocks)
        self._requests = Requests(self._steps.rows, network.regions, self._steps.kept)
        super().__init__(pins())

    def elaborate(self, platform: object) -> Module:
        m, plan = Module(), self.plan
        clocks = divisor(plan.clock_hz, plan.baud)
        m.submodules.receiver = receiver = UARTReceiver(clocks)
        m.submodules.transmitter = transmitter = UARTTransmitter(clocks)
        m.submodules.requests = requests = self._requests
        m.submodules.steps = steps = self._steps
        wiring.connect(m, receiver.o, requests.i)
        wiring.connect(m, requests.o, transmitter.i)
        for name in ("settings", "memories", "feed"):
            wiring.connect(m, getattr(requests, name), getattr(steps, name))
        lit = plan.clock_hz * LED_MS // 1000
        glow = Signal(range(lit + 1))
        m.d.comb += [
            receiver.rx.eq(self.rx),
            self.tx.eq(transmitter.tx),
            requests.made.eq(steps.made),
            steps.taken.eq(requests.taken),
            steps.place.eq(requests.place),
            requests.result.eq(steps.result),
            self.led.eq(glow != 0),
            self.late.eq(steps.late),
        ]
        with m.If(steps.fired):
            m.d.sync += glow.eq(lit)
        with m.Elif(glow != 0):
            m.d.sync += glow.eq(glow - 1)
        return m
