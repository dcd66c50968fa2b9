"""Lattice ECP5, by Project Trellis."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

from ...errors import ScneuroError
from ...tools.toolchain import YOSYS, Wanted
from ..clocks import Divided, ecp5_pll
from .ecp5_registers import with_registers
from .family import CellDesign, Family, ReadBack, beside

if TYPE_CHECKING:
    from amaranth import Module, Signal

    from ..build import Build
    from ..table import Board

__all__ = ["ECP5"]

_COMB = {"A", "B", "C", "D", "M", "FCI", "F1", "FXA", "FXB", "F", "FCO", "OFX"}
_READ = "read_json routed.json\nsetattr -unset hdlname w:*\n"  # a pin's name is its wire's


class Ecp5(Family):
    """Lattice ECP5: LUTs of four inputs and flip-flops are counted apart."""

    name = "ecp5"
    tools = (
        YOSYS,
        Wanted("nextpnr-ecp5", "place and route", ask="--version", oldest=(0, 7), log="top.tim"),
        Wanted("ecppack", "packing", ask="--version"),
    )
    suffix = ".bit"
    mark = bytes.fromhex("ffffbdb3")
    cells: ClassVar[dict[str, str]] = {
        "logic": "TRELLIS_COMB",
        "flip_flops": "TRELLIS_FF",
        "dsp": "MULT18X18D",
        "ram": "DP16KD",
    }
    ram_bits = 18_432
    ram_shapes = ((36, 512), (18, 1024), (9, 2048), (4, 4096), (2, 8192), (1, 16384))
    complements = False
    refinement = beside("ecp5_registers.py")
    models = "read_verilog -defer -overwrite +/ecp5/cells_sim.v cells.v\n"

    def synth_options(self, dsps: int) -> str:
        return "" if dsps else "-nodsp"

    def model_files(self) -> dict[str, str]:
        """The multiplier and the block RAM, which yosys ships no models of."""
        return {"cells.v": beside("ecp5_cells.v")}

    def least(self, cells: Mapping[str, int]) -> dict[str, int]:
        """A carry of two bits is two LUTs."""
        return {
            "logic": cells.get("LUT4", 0) + 2 * cells.get("CCU2C", 0),
            "dsp": cells.get("MULT18X18D", 0),
            "ram": cells.get("DP16KD", 0),
        }

    def refined(self, netlist: dict[str, Any]) -> dict[str, Any]:
        return with_registers(netlist)

    def pll(self, source: int, wanted: int) -> Divided | None:
        return ecp5_pll(source, wanted)

    def clock(self, m: Module, pin: Any, pll: Divided) -> tuple[Signal, Signal]:
        from amaranth import Const, Instance, Signal  # only here: `scneuro list` does without
        from amaranth.lib import io

        m.submodules.clock_pin = buffer = io.Buffer("i", pin)
        made, locked = Signal(attrs={"keep": 1}), Signal()
        m.submodules.pll = Instance(
            "EHXPLLL",
            **{f"p_{name}": value for name, value in pll.settings.items()},
            p_FEEDBK_PATH="CLKOP",
            p_CLKOP_ENABLE="ENABLED",
            p_CLKOP_CPHASE=pll.settings["CLKOP_DIV"] - 1,
            i_CLKI=buffer.i,
            i_CLKFB=made,
            i_RST=Const(0),
            i_STDBY=Const(0),
            i_PHASESEL0=Const(0),
            i_PHASESEL1=Const(0),
            i_PHASEDIR=Const(0),
            i_PHASESTEP=Const(0),
            i_PLLWAKESYNC=Const(0),
            i_ENCLKOP=Const(0),
            o_CLKOP=made,
            o_LOCK=locked,
        )
        return made, locked

    def read_back(self, board: Board, make: Callable[..., Build]) -> ReadBack:
        """The netlist as nextpnr writes it after routing, of a build with the same bytes.

        Project Trellis unpacks a bitstream into settings of tiles, but no open tool turns those
        back into logic.
        """
        routed = make(board, options="--write routed.json")
        build = make(board)
        bits = [(b.folder / f"top{self.suffix}").read_bytes() for b in (routed, build)]
        if bits[0] != bits[1]:
            raise ScneuroError("two builds of the same design made other bytes")
        netlist = _joined(json.loads((routed.folder / "routed.json").read_text()))
        files = {"routed.json": json.dumps(netlist), "routed.v": beside("ecp5_routed.v")}
        over = "read_verilog -defer -overwrite routed.v\n"
        return ReadBack(build, CellDesign(files, _READ, over), "routed netlist")


def _tie(cell: dict[str, Any]) -> None:
    """Connect what the multiplexers before a DSP's or a RAM's pins make constant."""
    wires, ways, parameters = cell["connections"], cell["port_directions"], cell["parameters"]
    for port in [port for port in wires if f"{port}MUX" in parameters]:
        choice = parameters.pop(f"{port}MUX").strip()
        if not wires[port]:
            wires[port] = [{"0": "0", "1": "1", "INV": "0"}.get(choice, "1")]
        elif choice != port:
            raise ScneuroError(f"{cell['type']} has {port} by way of {choice}, which has no model")
    for port in [port for port in wires if port.startswith(("SR", "RO")) and not wires[port]]:
        del wires[port], ways[port]  # chains of DSPs


def _joined(design: dict[str, Any]) -> dict[str, Any]:
    """nextpnr's netlist with a level on every input, as the device has one.

    What is not connected reads 1 in an ECP5, and that is what nextpnr counts on; only a set/reset
    is off where it is not used, and a carry chain begins with 0.
    """
    for module in design["modules"].values():
        for cell in module["cells"].values():
            kind, wires, ways = cell["type"], cell["connections"], cell["port_directions"]
            if kind in ("MULT18X18D", "DP16KD"):
                _tie(cell)
            if kind == "TRELLIS_COMB":
                cell["parameters"]["IS_Z1"] = f"{int(bool(wires.get('FXA'))):032b}"
                for unused in set(wires) - _COMB:
                    if wires[unused]:
                        raise ScneuroError(f"a LUT's {unused} is used, which has no model")
                    del wires[unused], ways[unused]
            elif kind == "TRELLIS_IO":
                pad = "from_pad" if cell["parameters"]["DIR"] == "INPUT" else "to_pad"
                wires[pad], ways[pad] = wires.pop("B"), "input" if pad == "from_pad" else "output"
                del ways["B"]
            for port, way in ways.items():
                if way == "input" and not wires.get(port):
                    wires[port] = ["0" if port.startswith(("LSR", "RST", "FCI")) else "1"]
        cells = module["cells"]
        module["cells"] = {n: c for n, c in cells.items() if c["type"] != "GSR"}
    return design


ECP5 = Ecp5()
