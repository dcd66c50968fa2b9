"""The boards: one row each. Adding a board is adding a row."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from typing import Any

__all__ = ["BOARDS", "Board", "board"]


@dataclass(frozen=True)
class Board:
    """A board we build for.

    Attributes
    ----------
    name : str
        amaranth-boards' name for it.
    title, device : str
    chip : str
        The device's name in :data:`scneuro.boards.area.DEVICES`.
    module, platform : str
        Where amaranth-boards keeps its platform.
    clock_hz : int
    dsp : int
        DSP cells of the device, a 16 x 16 multiplier each.
    tools : tuple of str
        What a build needs, in order of use.
    suffix : str
        Of the bitstream.
    synth : str
        Options of yosys' synthesis command.
    button : (str, int) or None
        Its resource; None where the UART has to do.
    program : str
        How a user loads the bitstream.
    """

    name: str
    title: str
    device: str
    chip: str
    module: str
    platform: str
    clock_hz: int
    dsp: int
    tools: tuple[str, ...]
    suffix: str
    synth: str
    button: tuple[str, int] | None
    program: str

    def make_platform(self) -> Any:
        """A new platform object; one prepares a single build."""
        return getattr(importlib.import_module(f"amaranth_boards.{self.module}"), self.platform)()


_ICE40 = ("yosys", "nextpnr-ice40", "icepack")
_ECP5 = ("yosys", "nextpnr-ecp5", "ecppack")

# fmt: off
BOARDS = {b.name: b for b in (
    Board("icebreaker", "iCEBreaker", "iCE40 UP5K", "up5k", "icebreaker", "ICEBreakerPlatform",
          12_000_000, 8, _ICE40, ".bin", "-dsp", ("button", 0), "iceprog"),
    Board("ice40_hx8k_b_evn", "iCE40-HX8K-B-EVN", "iCE40 HX8K", "hx8k", "ice40_hx8k_b_evn",
          "ICE40HX8KBEVNPlatform", 12_000_000, 0, _ICE40, ".bin", "", None, "iceprog -S"),
    Board("ulx3s_85f", "ULX3S 85F", "ECP5 LFE5U-85F", "ecp5-85k", "ulx3s", "ULX3S_85F_Platform",
          25_000_000, 156, _ECP5, ".bit", "", ("button_fire", 0), "openFPGALoader -b ulx3s"),
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
        raise ValueError(f"no board {name!r}; there are {', '.join(BOARDS)}")
    return BOARDS[name]
