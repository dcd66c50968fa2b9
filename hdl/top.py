"""What goes on a board: a neuron in real time, its spikes on an LED, its samples on the UART."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from amaranth import Array, Module, Signal
from amaranth.lib import wiring
from amaranth.lib.cdc import FFSynchronizer
from amaranth.lib.wiring import In, Out

from ..errors import LoweringError
from ..fixed import FixedNeuron
from ..population import FixedPopulation
from ..words import quantize
from .link.samples import FRAME_BYTES, FrameWriter
from .uart import UARTReceiver, UARTTransmitter, divisor

__all__ = ["BAUD", "LED_MS", "Plan", "Top", "pins", "plan", "real_time"]

BAUD = 1_000_000
LED_MS = 40  # how long a spike shows
_DEBOUNCE_MS = 10


@dataclass(frozen=True)
class Plan:
    """The rates of a board design.

    Attributes
    ----------
    clock_hz, baud : int
    tick_clocks : int
        Clocks per time step: the neuron runs in real time.
    every : int
        A sample is sent every so many steps, as many as the UART can carry.
    currents : tuple of int
        The words of the first input that the button steps through.
    flat_out : bool
        Whether a step may begin as soon as the one before is over.
    """

    clock_hz: int
    baud: int
    tick_clocks: int
    every: int
    currents: tuple[int, ...]
    flat_out: bool = False

    def steps_in(self, milliseconds: int) -> int:
        """Time steps in so many milliseconds, at least one."""
        return max(1, self.clock_hz * milliseconds // (1000 * self.tick_clocks))


def real_time(
    name: str, dt: float, clock_hz: int, least: int, takes: str, hint: Callable[[int], str]
) -> int:
    """The clocks of a time step of ``dt`` ms; ``hint`` says what helps where they are too few.

    Raises
    ------
    LoweringError
        If those are fewer than ``least``, or no whole number within 0.1 %.
    """
    exact = Fraction(clock_hz) * Fraction(dt).limit_denominator(10**6) / 1000
    ticks = round(exact)
    where = f"clocks of {clock_hz / 1e6:g} MHz"
    if ticks < least:
        said = f"{name}: dt = {dt:g} ms is {ticks:,} {where}, and {takes} {least:,}"
        raise LoweringError(said, hint(ticks))
    if abs(ticks / exact - 1) > 1e-3:
        raise LoweringError(
            f"{name}: dt = {dt:g} ms is {float(exact):.2f} {where}, which is no whole number "
            "within 0.1 %",
            "choose a dt that is",
        )
    return ticks


def plan(
    fixed: FixedNeuron | FixedPopulation,
    latency: int,
    currents: Sequence[int],
    *,
    clock_hz: int,
    baud: int = BAUD,
    flat_out: bool = False,
) -> Plan:
    """Rates for a clock.

    Parameters
    ----------
    fixed : FixedNeuron or FixedPopulation
    latency : int
        Clocks that a step takes.
    currents : sequence of int
        Words of the first input.
    clock_hz, baud : int
    flat_out : bool
        Take steps as fast as they are done, and not in real time.

    Raises
    ------
    LoweringError
        If a time step is shorter than a step takes, or is no whole number of clocks within 0.1 %.
    ValueError
        If the clock cannot make the baud rate.
    """
    ticks = latency + 2
    if not flat_out:
        fewer = "fewer neurons or more lanes, " if isinstance(fixed, FixedPopulation) else ""
        hint = f"use a larger dt, {fewer}a faster clock (--clock), or --flat-out"
        ticks = real_time(fixed.name, fixed.dt, clock_hz, ticks, "a step takes", lambda _: hint)
    # the transmitter idles a clock between bytes, the writer another between frames
    frame = FRAME_BYTES * (10 * divisor(clock_hz, baud) + 1) + 2
    return Plan(clock_hz, baud, ticks, -(-frame // ticks), tuple(currents), flat_out)


def pins() -> dict[str, Any]:
    """What a board's design has: the UART, a button, and two LEDs."""
    return {
        "rx": In(1, init=1),
        "button": In(1),
        "tx": Out(1, init=1),
        "led": Out(1),
        "late": Out(1),
    }


class Top(wiring.Component):
    """The design of a board, without its pins.

    Every ``tick_clocks`` the neuron takes one step on the current that is selected. A press of
    the button, or any byte on the UART, selects the next current; but for ``+`` and ``-``, which
    select the next neuron of a population to look at, and the one before.

    Parameters
    ----------
    hardware : Component
        A neuron with the signature of :class:`~scneuro.hdl.Neuron`.
    fixed : FixedNeuron
    plan : Plan

    Members
    -------
    rx, button : In(1), asynchronous
    tx, led, late : Out(1)
        ``late`` rises for good if a step was not done in time or a sample could not be sent.
    """

    rx: Signal
    button: Signal
    tx: Signal
    led: Signal
    late: Signal

    def __init__(self, hardware: Any, fixed: FixedNeuron | FixedPopulation, plan: Plan) -> None:
        self._hardware, self._fixed, self.plan = hardware, fixed, plan
        super().__init__(pins())

    def elaborate(self, platform: object) -> Module:
        m = Module()
        plan, neuron = self.plan, self._hardware
        clocks = divisor(plan.clock_hz, plan.baud)
        m.submodules.neuron = neuron
        m.submodules.receiver = receiver = UARTReceiver(clocks)
        m.submodules.writer = writer = FrameWriter()
        m.submodules.transmitter = transmitter = UARTTransmitter(clocks)
        wiring.connect(m, writer.o, transmitter.i)
        m.d.comb += [receiver.rx.eq(self.rx), self.tx.eq(transmitter.tx), receiver.o.ready.eq(1)]

        timer = Signal(range(plan.tick_clocks))
        tick = Signal()
        m.d.comb += tick.eq(timer == 0)
        m.d.sync += timer.eq(timer - 1)
        with m.If(tick):
            m.d.sync += timer.eq(plan.tick_clocks - 1)

        self._received = receiver.o.payload
        current = self._select(m, receiver.o.valid, tick)
        # the selected current is held from the tick to the end of the step, as a stream's payload
        # is
        given = Signal.like(current)
        lowered = self._fixed.lowered
        first, *others = lowered.inputs
        m.d.comb += neuron.i.payload[first].eq(given)
        for name in others:
            word, default = lowered.input_words[name], self._fixed.input_defaults[name]
            m.d.comb += neuron.i.payload[name].eq(int(quantize(default, name, word)))
        with m.If(neuron.i.ready):
            m.d.sync += neuron.i.valid.eq(0)
        with m.If(tick):
            m.d.sync += [neuron.i.valid.eq(1), given.eq(current)]
            with m.If(neuron.i.valid & ~neuron.i.ready):
                m.d.sync += self.late.eq(1)

        self._report(m, writer, given)
        self._show(m)
        return m

    def _select(self, m: Module, byte: Signal, tick: Signal) -> Signal:
        """The current that the button and the UART step through."""
        plan = self.plan
        button = Signal()
        m.submodules.button = FFSynchronizer(self.button, button)
        stable = plan.steps_in(_DEBOUNCE_MS)
        quiet = Signal(range(stable + 1))
        pressed = Signal()
        step, other = Signal(), Signal()
        if hasattr(self._hardware, "observed"):  # a byte of its own selects the neuron
            m.d.comb += other.eq((self._received == ord("+")) | (self._received == ord("-")))
        m.d.comb += step.eq(byte & ~other)
        with m.If(button == pressed):
            m.d.sync += quiet.eq(0)
        with m.Elif(tick):
            m.d.sync += quiet.eq(quiet + 1)
            with m.If(quiet == stable):
                m.d.sync += [pressed.eq(button), quiet.eq(0)]
                m.d.comb += step.eq((byte & ~other) | button)
        if hasattr(self._hardware, "observed"):
            self._observe(m, byte)
        index = Signal(range(len(plan.currents)))
        with m.If(step):
            last = len(plan.currents) - 1
            m.d.sync += index.eq(0 if not last else index + 1)
            with m.If(index == last):
                m.d.sync += index.eq(0)
        current = Signal(16)
        m.d.comb += current.eq(Array([word & 0xFFFF for word in plan.currents])[index])
        return current

    def _observe(self, m: Module, byte: Signal) -> None:
        """Which neuron of a population is looked at: ``+`` and ``-`` on the UART go on and back."""
        neurons = self._fixed.count
        observed = Signal(range(neurons))
        m.d.comb += self._hardware.observed.eq(observed)
        with m.If(byte & (self._received == ord("+"))):
            m.d.sync += observed.eq(observed + 1)
            with m.If(observed == neurons - 1):
                m.d.sync += observed.eq(0)
        with m.Elif(byte & (self._received == ord("-"))):
            m.d.sync += observed.eq(observed - 1)
            with m.If(observed == 0):
                m.d.sync += observed.eq(neurons - 1)

    def _report(self, m: Module, writer: FrameWriter, given: Signal) -> None:
        """Count spikes, and send a sample every few steps."""
        neuron, plan = self._hardware, self.plan
        result = neuron.o.payload
        done = Signal()
        spikes, sequence, skip = Signal(8), Signal(8), Signal(range(plan.every))
        total = Signal(8)
        m.d.comb += [
            neuron.o.ready.eq(1),
            done.eq(neuron.o.valid),
            total.eq(spikes + (result.spike & ~spikes.all())),
        ]
        with m.If(writer.i.ready):
            m.d.sync += writer.i.valid.eq(0)
        with m.If(done):
            m.d.sync += [skip.eq(skip - 1), spikes.eq(total)]
            with m.If(skip == 0):
                m.d.sync += [
                    skip.eq(plan.every - 1),
                    spikes.eq(0),
                    sequence.eq(sequence + 1),
                    writer.i.valid.eq(1),
                    writer.i.payload.sequence.eq(sequence),
                    writer.i.payload.spikes.eq(total),
                    writer.i.payload.v.eq(result[self._fixed.state_names[0]]),
                    writer.i.payload.i.eq(given),
                ]
                with m.If(writer.i.valid & ~writer.i.ready):
                    m.d.sync += self.late.eq(1)

    def _show(self, m: Module) -> None:
        """The LED, lit for a while by every spike."""
        steps = self.plan.steps_in(LED_MS)
        glow = Signal(range(steps + 1))
        m.d.comb += self.led.eq(glow != 0)
        with m.If(self._hardware.o.valid):
            with m.If(self._hardware.o.payload.spike):
                m.d.sync += glow.eq(steps)
            with m.Elif(glow != 0):
                m.d.sync += glow.eq(glow - 1)
