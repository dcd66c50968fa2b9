"""The devices: one row each. Adding a device is adding a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..compiler.pipeline.form import Form
from .families import ECP5, ICE40, Family

__all__ = ["DEVICES", "Device"]


@dataclass(frozen=True)
class Device:
    """A device we build for.

    Attributes
    ----------
    name : str
    title : str
        As people call it.
    family : Family
    place : tuple of str
        How nextpnr is told of it.
    logic : int
        Logic cells, or LUTs where flip-flops are cells of their own.
    dsps : int
        DSP cells, a 16 x 16 multiplier each.
    rams : int
        Block RAMs, of the family's ``ram_bits`` each.
    sprams : int
        Memories of one port, of 16,384 words of 16 bits, which the bitstream does not fill.
    deep : int
        What a population's clock has time for behind a memory; see :class:`Form`.
    """

    name: str
    title: str
    family: Family
    place: tuple[str, ...]
    logic: int
    dsps: int
    rams: int
    sprams: int = 0
    deep: int = 0

    @property
    def form(self) -> Form:
        """The form of a single neuron there."""
        return Form(held=True, multipliers=self.dsps)

    @property
    def synth_options(self) -> str:
        """Options of yosys' synthesis."""
        return self.family.synth_options(self.dsps)

    def options_for(self, hardware: Any) -> str:
        """The same for some hardware: memories of one port are asked for where it has any."""
        single = getattr(getattr(hardware, "form", None), "single", False)
        single = single or getattr(hardware, "loaded", False)
        return f"{self.synth_options} -spram".lstrip() if single else self.synth_options

    @property
    def synth(self) -> str:
        """yosys' command of synthesis."""
        return self.synth_for(None)

    def synth_for(self, hardware: Any) -> str:
        """yosys' command of synthesis for some hardware."""
        return f"synth_{self.family.name} {self.options_for(hardware)}".rstrip()


# fmt: off
#: By name.
DEVICES = {d.name: d for d in (
    Device("hx8k", "iCE40 HX8K", ICE40, ("--hx8k", "--package", "ct256"),
           logic=7_680, dsps=0, rams=32, deep=1),
    Device("up5k", "iCE40 UP5K", ICE40, ("--up5k", "--package", "sg48"),
           logic=5_280, dsps=8, rams=30, sprams=4, deep=2),
    Device("ecp5-85k", "ECP5 LFE5U-85F", ECP5,
           ("--85k", "--package", "CABGA381", "--speed", "6"),
           logic=83_640, dsps=156, rams=208),
)}
# fmt: on
