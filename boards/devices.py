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
    microcode : bool
        Whether a single neuron is a program there.
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
    microcode: bool = False

    @property
    def package(self) -> str:
        """As nextpnr calls it."""
        return self.place[self.place.index("--package") + 1]

    @property
    def form(self) -> Form:
        """The form of a single neuron there."""
        if self.microcode:
            return Form(held=True, multipliers=min(1, self.dsps), microcode=True)
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
#: By name. What there is of everything is what nextpnr has to give: an HX4K's die is the HX8K's,
#: and a 12F's is the 25F's.
DEVICES = {d.name: d for d in (
    Device("hx8k", "iCE40 HX8K", ICE40, ("--hx8k", "--package", "ct256"),
           logic=7_680, dsps=0, rams=32, deep=1),
    Device("up5k", "iCE40 UP5K", ICE40, ("--up5k", "--package", "sg48"),
           logic=5_280, dsps=8, rams=30, sprams=4, deep=2),
    Device("ecp5-85k", "ECP5 LFE5U-85F", ECP5,
           ("--85k", "--package", "CABGA381", "--speed", "6"),
           logic=83_640, dsps=156, rams=208),
    Device("hx4k", "iCE40 HX4K", ICE40, ("--hx8k", "--package", "tq144:4k"),
           logic=7_680, dsps=0, rams=32, deep=1),
    Device("hx1k", "iCE40 HX1K", ICE40, ("--hx1k", "--package", "tq144"),
           logic=1_280, dsps=0, rams=16, deep=1),
    Device("hx1k-vq100", "iCE40 HX1K", ICE40, ("--hx1k", "--package", "vq100"),
           logic=1_280, dsps=0, rams=16, deep=1),
    Device("lp1k", "iCE40 LP1K", ICE40, ("--lp1k", "--package", "cm36"),
           logic=1_280, dsps=0, rams=16, deep=1),
    Device("ecp5-12k", "ECP5 LFE5U-12F", ECP5,
           ("--12k", "--package", "CABGA381", "--speed", "6"), logic=24_288, dsps=28, rams=56),
    Device("ecp5-25k", "ECP5 LFE5U-25F", ECP5,
           ("--25k", "--package", "CABGA381", "--speed", "6"), logic=24_288, dsps=28, rams=56),
    Device("ecp5-25k-256", "ECP5 LFE5U-25F", ECP5,
           ("--25k", "--package", "CABGA256", "--speed", "6"), logic=24_288, dsps=28, rams=56),
    Device("ecp5-45k", "ECP5 LFE5U-45F", ECP5,
           ("--45k", "--package", "CABGA381", "--speed", "6"), logic=43_848, dsps=72, rams=108),
    Device("ecp5-45k-8", "ECP5 LFE5U-45F", ECP5,
           ("--45k", "--package", "CABGA381", "--speed", "8"), logic=43_848, dsps=72, rams=108),
    Device("ecp5-um-45k", "ECP5 LFE5UM-45F", ECP5,
           ("--um-45k", "--package", "CABGA381", "--speed", "8"), logic=43_848, dsps=72, rams=108),
    Device("ecp5-5g-45k", "ECP5-5G LFE5UM5G-45F", ECP5,
           ("--um5g-45k", "--package", "CABGA381", "--speed", "8"),
           logic=43_848, dsps=72, rams=108),
    Device("ecp5-5g-45k-554", "ECP5-5G LFE5UM5G-45F", ECP5,
           ("--um5g-45k", "--package", "CABGA554", "--speed", "8"),
           logic=43_848, dsps=72, rams=108),
    Device("ecp5-5g-85k", "ECP5-5G LFE5UM5G-85F", ECP5,
           ("--um5g-85k", "--package", "CABGA381", "--speed", "8"),
           logic=83_640, dsps=156, rams=208),
    Device("ecp5-5g-85k-554", "ECP5-5G LFE5UM5G-85F", ECP5,
           ("--um5g-85k", "--package", "CABGA554", "--speed", "8"),
           logic=83_640, dsps=156, rams=208),
)}
# fmt: on
