"""A board's design with its pins: the platform-free top, and the resources it is wired to."""

from __future__ import annotations

from typing import Any

from amaranth import ClockDomain, ClockSignal, Elaboratable, Module, ResetSignal, Signal
from amaranth.lib import io
from amaranth.lib.cdc import FFSynchronizer

from ..errors import ScneuroError
from ..fixed import FixedNeuron
from ..hdl import build
from ..hdl.link.layout import kept_results
from ..hdl.link.top import LinkTop, link_plan
from ..hdl.network import Network as NetworkGates
from ..hdl.observed import Observed
from ..hdl.population import Population as Gates
from ..hdl.top import BAUD, Plan, Top, plan
from ..link.identity import Identity, described
from ..link.image import Image, image_of
from ..network import FixedNetwork, Network
from ..neuron import Neuron
from ..population import FixedPopulation, Population
from ..words import quantize
from .memory import check_memory, stored_form
from .network import network_hardware, quick_lanes
from .table import Board, Pin

__all__ = ["WEIGHTS", "Pins", "check_weights", "design", "flash_image", "identity", "linked_top"]

#: Who brings the weights that a bitstream does not.
WEIGHTS = ("host", "flash")

_SETTLES = 15e-6  # s


def design(
    target: Neuron | Population | Network,
    fixed: FixedNeuron | FixedPopulation | FixedNetwork,
    board: Board,
    *,
    flat_out: bool = False,
    lanes: int | None = None,
    baud: int = BAUD,
) -> tuple[Any, Plan]:
    """The hardware of a neuron, a population or a network for a board, and its rates there.

    It runs in real time, or takes a time step as soon as the one before is done.

    Raises
    ------
    LoweringError
        If it cannot run in real time on the board's clock.
    ToolError
        If the device has too few memories for it.

    ``lanes`` are the weights that a network adds in a clock, where that is said.
    """
    hardware: Any
    if isinstance(fixed, FixedNetwork):
        hardware = network_hardware(fixed, board.part, lanes=lanes)

        def quicker(clocks: int) -> int | None:
            return quick_lanes(fixed, board.part, clocks)

        rates = link_plan(
            fixed,
            hardware,
            clock_hz=board.clock_hz,
            baud=baud,
            flat_out=flat_out,
            quicker=quicker,
        )
        return hardware, rates
    assert not isinstance(target, Network)
    if isinstance(fixed, FixedPopulation):
        form = stored_form(fixed, board.part)
        check_memory(fixed, board, form)
        hardware = Observed(Gates(fixed, form), fixed)
    else:
        assert isinstance(target, Neuron)
        hardware = build(target, fixed, board.form)
    word = next(iter(fixed.lowered.input_words.values()))
    words = [int(w) for w in quantize(target.currents, f"{target.name}: currents", word)]
    latency = int(getattr(hardware, "step_clocks", 0) or getattr(hardware, "latency", 1))
    rates = plan(fixed, latency, words, clock_hz=board.clock_hz, baud=baud, flat_out=flat_out)
    return hardware, rates


def identity(fixed: FixedNetwork, hardware: NetworkGates, plan: Plan, board: Board) -> Identity:
    """What a board says of itself."""
    # what is made again of it has the outputs of any
    origin = None if fixed.network.counted else fixed.network.origin
    return Identity(
        fixed.digest,
        fixed.name,
        board.name,
        plan.clock_hz,
        plan.baud,
        fixed.dt,
        hardware.plan.lanes,
        hardware.loaded,
        kept_results(hardware.plan.output_words),
        None if origin is None else described(origin),
    )


def check_weights(weights: str, board: Board, target: Any) -> None:
    """Whether the weights of what is built may come from there on a board.

    Raises
    ------
    ValueError
        From somewhere else, or what is built has none.
    ScneuroError
        The board has no flash for them.
    """
    if weights not in WEIGHTS:
        raise ValueError(f"weights come from {' or '.join(WEIGHTS)}, not {weights!r}")
    network = isinstance(target, Network) and target.origin is None
    if weights == "flash" and not network:
        raise ValueError("weights from a flash are of networks; a neuron on its own has none")
    if weights == "flash" and board.flash is None:
        brings = "the host brings them" if board.part.sprams else "the bitstream brings them"
        raise ScneuroError(
            f"{board.title} has no flash that weights could come from", f"without it, {brings}"
        )


def flash_image(hardware: Any, weights: str) -> Image | None:
    """What a board's flash is to have; None where the host, or the bitstream, brings the weights.

    Parameters
    ----------
    hardware : Component
        A network's, or any other.
    weights : str
        As :func:`check_weights` takes it.
    """
    if weights == "flash" and isinstance(hardware, NetworkGates) and hardware.loaded:
        return image_of(hardware.plan)
    return None


def linked_top(
    fixed: FixedNetwork,
    hardware: NetworkGates,
    plan: Plan,
    board: Board,
    image: Image | None = None,
) -> LinkTop:
    """The design of a network on a board, without its pins; ``image`` is what its flash has."""
    return LinkTop(hardware, identity(fixed, hardware, plan, board).to_bytes(), plan, image)


class Pins(Elaboratable):
    """The top with a board's pins, and its clock."""

    def __init__(
        self,
        hardware: Any,
        fixed: FixedNeuron | FixedPopulation | FixedNetwork,
        plan: Plan,
        board: Board,
        image: Image | None = None,
    ) -> None:
        self._top: Any
        self._flash = None if image is None else board.flash
        if isinstance(fixed, FixedNetwork):
            self._top = linked_top(fixed, hardware, plan, board, image)
        else:
            self._top = Top(hardware, fixed, plan)
        self._board = board

    def elaborate(self, platform: Any) -> Module:
        m = Module()
        if self._board.pll is not None:
            self._clock(m, platform)
        m.submodules.top = top = self._top
        row = self._board
        pins: dict[str, Pin | None] = {"rx": ("uart", 0, "rx"), "tx": ("uart", 0, "tx")}
        pins |= {"led": row.led, "late": row.late, "button": row.button}
        found: dict[Any, Any] = {}
        for name, pin in pins.items():
            if pin is None:
                continue
            resource, parts = pin[:2], pin[2:]
            if resource not in found:
                found[resource] = platform.request(*resource, dir="-")
            port = getattr(found[resource], *parts) if parts else found[resource]
            make = self._input if name in ("rx", "button") else self._output
            make(m, name, port, getattr(top, name))
        if self._flash is not None:
            self._read_flash(m, platform.request(*self._flash, dir="-"))
        return m

    def _read_flash(self, m: Module, port: Any) -> None:
        """The pins of the flash; what would protect it, or hold it up, is not asked for."""
        top = self._top
        self._output(m, "cs", port.cs, top.cs)
        self._output(m, "sck", port.clk, top.sck)
        self._output(m, "copi", port.copi, top.copi)
        self._input(m, "cipo", port.cipo, top.cipo)
        for name in ("wp", "hold"):
            if hasattr(port, name):
                self._output(m, name, getattr(port, name), Signal(name=f"no_{name}"))

    def _clock(self, m: Module, platform: Any) -> None:
        """The PLL's clock; everything waits until it is steady, and a little longer."""
        pll = self._board.pll
        assert pll is not None
        pin = platform.request(platform.default_clk, dir="-")
        made, locked = self._board.part.family.clock(m, pin, pll)
        platform.add_clock_constraint(made, pll.hz)
        m.domains.sync = ClockDomain("sync")
        m.domains.raw = raw = ClockDomain("raw", reset_less=True, local=True)
        steady = Signal()
        m.submodules.steady = FFSynchronizer(locked, steady, o_domain="raw")
        # an iCE40's RAMs are not ready for some microseconds after it is configured
        clocks = max(2, round(_SETTLES * pll.hz))
        left = Signal(range(clocks + 1), init=clocks)
        waits = Signal(init=1)
        with m.If(~steady):
            m.d.raw += [left.eq(clocks), waits.eq(1)]
        with m.Elif(left != 0):
            m.d.raw += left.eq(left - 1)
        with m.Else():
            m.d.raw += waits.eq(0)
        m.d.comb += [raw.clk.eq(made), ClockSignal().eq(made), ResetSignal().eq(waits)]

    def _input(self, m: Module, name: str, port: Any, signal: Signal) -> None:
        m.submodules[f"pin_{name}"] = buffer = io.Buffer("i", port)
        m.d.comb += signal.eq(buffer.i)

    def _output(self, m: Module, name: str, port: Any, signal: Signal) -> None:
        m.submodules[f"pin_{name}"] = buffer = io.Buffer("o", port)
        m.d.comb += buffer.o.eq(signal)
