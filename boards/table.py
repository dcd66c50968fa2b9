"""The boards: one row each. Adding a board is adding a row."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, replace
from typing import Any

from ..compiler.pipeline.form import Form
from ..errors import did_you_mean
from ..tools.toolchain import Wanted
from .clocks import Divided
from .devices import DEVICES, Device

__all__ = ["BOARDS", "Board", "board"]


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
    button : (str, int) or None
        Its resource; None where the UART has to do.
    program : str
        How a user loads the bitstream.
    pll : Divided or None
        What makes ``clock_hz`` of the board's own clock, where it is another.
    """

    name: str
    title: str
    part: Device
    module: str
    platform: str
    clock_hz: int
    button: tuple[str, int] | None
    program: str
    pll: Divided | None = None

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

    def without_dsps(self) -> Board:
        """The same board, if its device had no DSP cells."""
        return replace(self, part=replace(self.part, dsps=0))

    def with_clock(self, hz: float) -> Board:
        """The same board with a PLL's clock: the nearest to ``hz`` that is not above it.

        Raises
        ------
        ValueError
            If the PLL makes none.
        """
        if round(hz) == self.clock_hz:
            return self
        pll = self.part.family.pll(self.clock_hz, round(hz))
        if pll is None:
            raise ValueError(
                f"{self.title}: the PLL makes no clock of at most {hz / 1e6:g} MHz from its "
                f"{self.clock_hz / 1e6:g} MHz; it begins at about "
                f"{'16' if self.part.family.name == 'ice40' else '3.2'} MHz"
            )
        return replace(self, clock_hz=pll.hz, pll=pll)

    def make_platform(self) -> Any:
        """A new platform object; one prepares a single build."""
        return getattr(importlib.import_module(f"amaranth_boards.{self.module}"), self.platform)()


# fmt: off
#: By name.
BOARDS = {b.name: b for b in (
    Board("icebreaker", "iCEBreaker", DEVICES["up5k"], "icebreaker", "ICEBreakerPlatform",
          12_000_000, ("button", 0), "iceprog"),
    Board("ice40_hx8k_b_evn", "iCE40-HX8K-B-EVN", DEVICES["hx8k"], "ice40_hx8k_b_evn",
          "ICE40HX8KBEVNPlatform", 12_000_000, None, "iceprog -S"),
    Board("ulx3s_85f", "ULX3S 85F", DEVICES["ecp5-85k"], "ulx3s", "ULX3S_85F_Platform",
          25_000_000, ("button_fire", 0), "openFPGALoader -b ulx3s"),
)}
# fmt: on


def board(name: str) -> Board:
    """The board of that name.

    Raises
    ------
    ValueError
        If there is none.
    """
    if name not in BOARDS:
        near = did_you_mean(name, BOARDS)
        raise ValueError(
            f"no board {name!r}; there are {', '.join(BOARDS)}" + f". {near}" * bool(near)
        )
    return BOARDS[name]
