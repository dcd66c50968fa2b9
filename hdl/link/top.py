"""What goes on a board where a host talks to a network."""

import math
from collections.abc import Callable

from amaranth import Cat, Module, Mux, Signal
from amaranth.lib import wiring
from amaranth.utils import bits_for

from ...link.image import Image
from ...network import FixedNetwork
from ..network import Network
from ..top import BAUD, LED_MS, Plan, pins, real_time
from ..uart import divisor
from .flash import FlashLine, flash_pins
from .frames import Frames
from .line import Line
from .processor import Flag, Processor
from .program import link_program

__all__ = ["LinkTop", "link_plan"]

_PLL = 1.03  # times what is asked for: a PLL makes what is next below it
_FASTEST = 150  # MHz: no design is faster


def link_plan(
    fixed: FixedNetwork,
    hardware: Network,
    *,
    clock_hz: int,
    baud: int = BAUD,
    flat_out: bool,
    quicker: Callable[[int], int | None] = lambda clocks: None,
) -> Plan:
    """Rates for a clock.

    ``quicker`` says how many lanes would take so many clocks a step at most, if any would.

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
        takes = ticks

        def hint(has: int) -> str:
            lanes, mhz = quicker(has), _upwards(_PLL * takes / fixed.dt / 1000)
            return (
                "use "
                + f"--lanes {lanes}, " * (lanes is not None)
                + f"--clock {mhz:g}, " * (mhz <= _FASTEST)
                + f"a dt of {_upwards(takes / clock_hz * 1000):g} ms, fewer neurons, or --flat-out "
                "for steps that do not keep time"
            )

        ticks = real_time(fixed.name, fixed.dt, clock_hz, takes, "a step may take", hint)
    divisor(clock_hz, baud)
    return Plan(clock_hz, baud, ticks, 1, (), flat_out)


def _upwards(value: float) -> float:
    """The next number of two digits."""
    unit = 10.0 ** (math.floor(math.log10(value)) - 1)
    return math.ceil(value / unit) * unit


class LinkTop(wiring.Component):
    """The design of a board, without its pins.

    Parameters
    ----------
    network : Network
        A linked one.
    identity : bytes
        What a host reads first.
    plan : Plan
    image : Image, optional
        Of the weights, where a flash brings them before anything else is done.

    Members
    -------
    rx, button : In(1), asynchronous
        There is nothing that the button does.
    tx, led, late : Out(1)
        The LED shows spikes that leave. ``late`` rises for good if a paced step began late.
    cs, sck, copi : Out(1), cipo : In(1), where there is an image
        The flash's; ``cs`` is high where it is selected.
    """

    rx: Signal
    button: Signal
    tx: Signal
    led: Signal
    late: Signal
    cs: Signal
    sck: Signal
    copi: Signal
    cipo: Signal

    def __init__(
        self, network: Network, identity: bytes, plan: Plan, image: Image | None = None
    ) -> None:
        self.plan, self._network, self._flash = plan, network, image is not None
        words = network.plan.frame_words, network.plan.output_words
        code, memory = link_program(network.regions, *words, identity, image)
        self._processor = Processor(code, memory)
        super().__init__(pins() | (flash_pins() if self._flash else {}))

    def elaborate(self, platform: object) -> Module:
        m, plan = Module(), self.plan
        clocks = divisor(plan.clock_hz, plan.baud)
        m.submodules.line = line = Line(clocks)
        m.submodules.frames = frames = Frames()
        m.submodules.processor = processor = self._processor
        m.submodules.network = self._network
        wiring.connect(m, line.o, frames.i)
        wiring.connect(m, frames.o, line.i)
        m.d.comb += [
            line.rx.eq(self.rx),
            self.tx.eq(line.tx),
            processor.body.eq(frames.body),
            frames.next.eq(processor.takes),
            frames.begin.eq(processor.begin),
            frames.put.eq(processor.put),
            frames.reply.eq(processor.accumulator),
            frames.send.eq(processor.send),
        ]
        due, missed = self._time(m)
        self._connect(m)
        network = self._network
        reached = Signal()  # a clock later: in the first one of an instruction
        m.d.sync += reached.eq(network.access.ready)
        flags = {
            Flag.ASKED: frames.asked,
            Flag.GIVEN: network.i.ready,
            Flag.LEAVES: network.o.valid,
            Flag.BUSY: network.busy,
            Flag.DUE: due,
            Flag.MISSED: missed,
            Flag.REACHED: reached,
        }
        if self._flash:
            flags |= self._read_flash(m)
        for flag, value in flags.items():
            m.d.comb += processor.flags[flag - Flag.ASKED].eq(value)
        return m

    def _read_flash(self, m: Module) -> dict[Flag, Signal]:
        """The flash, and what is to be known of it."""
        processor = self._processor
        m.submodules.flash = line = FlashLine()
        m.d.comb += [
            line.go.eq(processor.exchanges),
            line.select.eq(processor.writes),
            line.give.eq(processor.accumulator[8:]),
            line.anew.eq(processor.anew),
            processor.came.eq(line.came),
            self.cs.eq(line.cs),
            self.sck.eq(line.sck),
            self.copi.eq(line.copi),
            line.cipo.eq(self.cipo),
        ]
        return {Flag.EXCHANGED: line.done, Flag.SOUND: line.sound}

    def _time(self, m: Module) -> tuple[Signal, Signal]:
        """Whether a paced step's time has come, and the next one's, too; and the LEDs."""
        plan, processor = self.plan, self._processor
        due, missed = Signal(), Signal()
        timer = Signal(bits_for(plan.tick_clocks) + 1)  # counts down to -1
        wraps, waits = Signal(), Signal()  # there is something to make a step of
        m.d.comb += wraps.eq(timer[-1])
        m.d.sync += timer.eq(Mux(wraps, (plan.tick_clocks - 2) % (1 << len(timer)), timer - 1))
        with m.If(processor.begun | processor.calm):
            m.d.sync += [due.eq(0), missed.eq(0)]
        with m.If(processor.calm):
            m.d.sync += waits.eq(0)
        with m.If(processor.waits):
            m.d.sync += waits.eq(1)
        with m.If(wraps):
            m.d.sync += due.eq(1)
            with m.If(due & waits & ~processor.begun):
                m.d.sync += missed.eq(1)
        with m.If(processor.late):
            m.d.sync += self.late.eq(1)
        lit = plan.steps_in(LED_MS)
        bits = bits_for(lit) + 1
        glow = Signal(bits, init=(1 << bits) - 1)  # and so does this one
        m.d.comb += self.led.eq(~glow[-1])
        with m.If(processor.fired):
            m.d.sync += glow.eq(lit - 1)
        with m.Elif(wraps & self.led):
            m.d.sync += glow.eq(glow - 1)
        return due, missed

    def _connect(self, m: Module) -> None:
        """The network, and the row that is read or written."""
        network, processor, access = self._network, self._processor, self._network.access
        row = Signal.like(access.data)
        beyond = Signal(min(16, bits_for(_limited_words(network))))  # of a step
        m.d.comb += [
            network.i.payload.eq(processor.accumulator),
            network.i.valid.eq(processor.gives),
            network.tick.eq(processor.begins),
            network.o.ready.eq(processor.left),
            network.restart_now.eq(processor.restart),
            processor.leaves.eq(network.o.payload),
            access.valid.eq(processor.reaches),
            access.write.eq(processor.writes),
            access.region.eq(processor.accumulator),
            access.row.eq(processor.pointer),
            access.data.eq(row),
            processor.row.eq(row),
            processor.beyond.eq(beyond),
        ]
        with m.If(access.ready):
            m.d.sync += row.eq(access.result)
        with m.Elif(processor.shifts | processor.push):
            m.d.sync += row.eq(Cat(row[16:], processor.accumulator))
        with m.If(processor.counted):
            m.d.sync += beyond.eq(0)
        with m.Else():
            m.d.sync += beyond.eq(beyond + network.saturated)


def _limited_words(network: Network) -> int:
    """The most words of inputs that a step may limit: all that it reads."""
    cores = network.cores.values()
    return sum(core.rows * len(core.fixed.lowered.inputs) for core in cores)
