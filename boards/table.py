"""The boards: one row each. Adding a board is adding a row."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from ..compiler.pipeline.form import Form
from ..errors import did_you_mean
from ..tools.toolchain import Wanted
from .clocks import Divided
from .devices import DEVICES, Device

__all__ = ["BOARDS", "Board", "Pin", "board"]

#: A resource's name and number, and the part of it where it has some.
Pin = tuple[str, int] | tuple[str, int, str]


@dataclass(frozen=True)
class Board:
    """A board we build for.

    Attributes
    ----------
    name : str
        amaranth-boards' name for it.
    title : str
        As its maker calls it.
    part : Device
        The device on it.
    module, platform : str
        Where amaranth-boards keeps its platform.
    clock_hz : int
        Of the design.
    button : Pin or None
        Its resource; None where the UART has to do.
    program : str
        How a user loads the bitstream, whose path takes the place of ``FILE``, or comes last.
    pll : Divided or None
        What makes ``clock_hz`` of the board's own clock, where it is another.
    led, late : Pin or None
        The LEDs' resources; None where there is none to spare.
    packing : str
        Options of the packer, where amaranth-boards fails to hand them on.
    flash : Pin or None
        The flash that the bitstream is loaded from, where a network's weights may come from it,
        too: where they need to, and its pins are free once the device is configured.
    program_weights : str
        How a user puts them there, as ``program``; ``OFFSET`` is where.
    """

    name: str
    title: str
    part: Device
    module: str
    platform: str
    clock_hz: int
    button: Pin | None
    program: str
    pll: Divided | None = None
    led: Pin | None = ("led", 0)
    late: Pin | None = ("led", 1)
    packing: str = ""
    flash: Pin | None = None
    program_weights: str = ""

    @property
    def chip(self) -> str:
        """The device's name in :data:`scneuro.boards.devices.DEVICES`."""
        return self.part.name

    @property
    def device(self) -> str:
        """The device's title."""
        return self.part.title

    @property
    def dsp(self) -> int:
        """DSP cells of the device."""
        return self.part.dsps

    @property
    def form(self) -> Form:
        """The form of a single neuron there."""
        return self.part.form

    @property
    def tools(self) -> tuple[Wanted, ...]:
        """What a build needs, in order of use."""
        return self.part.family.tools

    @property
    def suffix(self) -> str:
        """Of the bitstream."""
        return self.part.family.suffix

    @property
    def synth(self) -> str:
        """Options of yosys' synthesis command."""
        return self.part.synth_options

    @property
    def oscillator_hz(self) -> int:
        """The board's own clock."""
        return self.clock_hz if self.pll is None else self.pll.source

    def without_dsps(self) -> Board:
        """The same board, if its device had no DSP cells."""
        return replace(self, part=replace(self.part, dsps=0))

    def with_microcode(self) -> Board:
        """The same board, on which a single neuron is a program."""
        return replace(self, part=replace(self.part, microcode=True))

    def with_clock(self, hz: float) -> Board:
        """The same board with a PLL's clock: the nearest to ``hz`` that is not above it.

        Raises
        ------
        ValueError
            If the PLL makes none.
        """
        if round(hz) == self.clock_hz:
            return self
        source = self.oscillator_hz
        if round(hz) == source:
            return replace(self, clock_hz=source, pll=None)
        pll = self.part.family.pll(source, round(hz))
        if pll is None:
            raise ValueError(
                f"{self.title}: the PLL makes no clock of at most {hz / 1e6:g} MHz from its "
                f"{source / 1e6:g} MHz; it begins at about "
                f"{'16' if self.part.family.name == 'ice40' else '3.2'} MHz"
            )
        return replace(self, clock_hz=pll.hz, pll=pll)

    def make_platform(self) -> Any:
        """A new platform object; one prepares a single build."""
        made = getattr(importlib.import_module(f"amaranth_boards.{self.module}"), self.platform)()
        if self.packing:  # its class hands its options on twice: those of its family do
            base: Any = type(made).__mro__[1]
            options = {"ecppack_opts": self.packing}
            made.toolchain_prepare = partial(base.toolchain_prepare, made, **options)
        return made


def _ulx3s(size: int) -> Board:
    return Board(f"ulx3s_{size}f", f"ULX3S {size}F", DEVICES[f"ecp5-{size}k"], "ulx3s",
                 f"ULX3S_{size}F_Platform", 25_000_000, ("button_fire", 0),
                 "openFPGALoader -b ulx3s -m")  # fmt: skip


# fmt: off
#: By name. A clock that is faster than most neurons is divided by a PLL.
BOARDS = {b.name: b for b in (
    Board("icebreaker", "iCEBreaker", DEVICES["up5k"], "icebreaker", "ICEBreakerPlatform",
          12_000_000, ("button", 0), "iceprog",
          flash=("spi_flash_1x", 0), program_weights="iceprog -o OFFSET"),
    Board("ice40_hx8k_b_evn", "iCE40-HX8K-B-EVN", DEVICES["hx8k"], "ice40_hx8k_b_evn",
          "ICE40HX8KBEVNPlatform", 12_000_000, None, "iceprog -S"),
    *map(_ulx3s, (85, 45, 25, 12)),
    Board("blackice", "BlackIce", DEVICES["hx4k"], "blackice", "BlackIcePlatform",
          100_000_000, ("button", 0), "cp FILE /dev/ttyACM0").with_clock(25e6),
    Board("blackice_ii", "BlackIce II", DEVICES["hx4k"], "blackice_ii", "BlackIceIIPlatform",
          100_000_000, ("button", 0), "cp FILE /dev/ttyACM0").with_clock(25e6),
    Board("icesugar", "iCESugar", DEVICES["up5k"], "icesugar", "ICESugarPlatform",
          12_000_000, None, "icesprog",
          flash=("spi_flash_1x", 0), program_weights="icesprog -o OFFSET"),
    Board("icesugar_nano", "iCESugar-nano", DEVICES["lp1k"], "icesugar_nano",
          "ICESugarNanoPlatform", 12_000_000, None, "icesprog", late=None),
    Board("icestick", "iCEstick", DEVICES["hx1k"], "icestick", "ICEStickPlatform",
          12_000_000, None, "iceprog"),
    Board("nandland_go", "Nandland Go", DEVICES["hx1k-vq100"], "nandland_go",
          "NandlandGoPlatform", 25_000_000, ("button", 0), "iceprog"),
    Board("icesugar_pro", "iCESugar-Pro", DEVICES["ecp5-25k-256"], "icesugar_pro",
          "ICESugarProPlatform", 25_000_000, None, "icesprog",
          led=("rgb_led", 0, "g"), late=("rgb_led", 0, "r")),
    Board("icepi_zero", "Icepi Zero", DEVICES["ecp5-25k-256"], "icepi_zero",
          "IcepiZero1_3Platform", 50_000_000, ("button", 0),
          "openFPGALoader -b icepi-zero FILE --write-flash"),
    Board("colorlight_5a75b", "Colorlight 5A-75B R7.0", DEVICES["ecp5-25k-256"],
          "colorlight_5a75b_r7_0", "Colorlight_5A75B_R70Platform", 25_000_000, None,
          "openFPGALoader -c ft232 -m", led=None, late=None),  # its UART is its LED and button
    Board("supercon19badge", "Supercon 2019 badge", DEVICES["ecp5-45k-8"], "supercon19badge",
          "Supercon19BadgePlatform", 8_000_000, ("button", 0), "dfu-util -d 1d50:614b -a 0 -D",
          packing="--compress --freq 38.8"),
    Board("versa_ecp5", "ECP5 Versa", DEVICES["ecp5-um-45k"], "versa_ecp5", "VersaECP5Platform",
          100_000_000, None, "openFPGALoader -c ft2232 -m").with_clock(25e6),
    Board("versa_ecp5_5g", "ECP5-5G Versa", DEVICES["ecp5-5g-45k"], "versa_ecp5_5g",
          "VersaECP55GPlatform", 100_000_000, None,
          "openFPGALoader -c ft2232 -m").with_clock(25e6),
    Board("ecp5_5g_evn", "ECP5-5G evaluation board", DEVICES["ecp5-5g-85k"], "ecp5_5g_evn",
          "ECP55GEVNPlatform", 12_000_000, ("button", 0), "openFPGALoader -b ecp5_evn"),
    Board("ecpix5_45", "ECPIX-5 45F", DEVICES["ecp5-5g-45k-554"], "ecpix5", "ECPIX545Platform",
          100_000_000, None, "openFPGALoader -c ft2232 -m",
          led=("rgb_led", 0, "g"), late=("rgb_led", 0, "r")).with_clock(25e6),
    Board("ecpix5_85", "ECPIX-5 85F", DEVICES["ecp5-5g-85k-554"], "ecpix5", "ECPIX585Platform",
          100_000_000, None, "openFPGALoader -c ft2232 -m",
          led=("rgb_led", 0, "g"), late=("rgb_led", 0, "r")).with_clock(25e6),
)}
# fmt: on


def board(name: str | Board) -> Board:
    """The board of that name; one that is a board already stays as it is.

    Raises
    ------
    TypeError
        If it is neither.
    ValueError
        If there is none of that name.
    """
    if isinstance(name, Board):
        return name
    if not isinstance(name, str):
        raise TypeError(f"a board is a Board or its name, such as 'icebreaker', not {name!r}")
    if name not in BOARDS:
        near = did_you_mean(name, BOARDS)
        raise ValueError(
            f"no board {name!r}; there are {', '.join(BOARDS)}" + f". {near}" * bool(near)
        )
    return BOARDS[name]
