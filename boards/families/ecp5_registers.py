"""The registers that an ECP5's multipliers and block RAMs have behind their outputs.

yosys leaves them unused. A register of logic that is all that takes such an output goes there: that
saves a flip-flop a bit and the way to it, and a RAM with its register has its row there five
nanoseconds earlier in a clock.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

__all__ = ["with_registers"]

_Cell: TypeAlias = dict[str, Any]
_PRODUCT = tuple(f"P{k}" for k in range(36))
_ROWS = {side: tuple(f"DO{side}{k}" for k in range(18)) for side in "AB"}
_WIDEST = 36  # a row of a RAM that is as wide leaves by both ports


def with_registers(netlist: dict[str, Any]) -> dict[str, Any]:
    """A netlist, as yosys writes it, in which these registers are used."""
    netlist = deepcopy(netlist)
    for module in netlist["modules"].values():
        found = _Module(module)
        for cell in list(module["cells"].values()):
            if cell["type"] == "MULT18X18D":
                found.register_product(cell)
            elif cell["type"] == "DP16KD":
                found.register_rows(cell)
    return netlist


@dataclass(frozen=True)
class _Behind:
    """The flip-flops behind outputs, by output, and what they have in common."""

    flip_flops: dict[str, str]
    clock: int
    enable: int | str


class _Module:
    def __init__(self, module: dict[str, Any]) -> None:
        self._cells: dict[str, _Cell] = module["cells"]
        self._takers: dict[int | str, list[tuple[str, str]]] = defaultdict(list)
        for name, cell in self._cells.items():
            for port, bits in cell["connections"].items():
                if cell["port_directions"][port] == "input":
                    for bit in bits:
                        self._takers[bit].append((name, port))
        self._leaving = {bit for port in module["ports"].values() for bit in port["bits"]}

    def register_product(self, cell: _Cell) -> None:
        """Use a multiplier's output register; its enables are those of its neighbours, too."""
        behind = self._behind(cell, _PRODUCT)
        if behind is None or behind.enable != "1":
            return
        self._take(cell, behind)
        cell["parameters"] |= {
            "REG_OUTPUT_CLK": "CLK0",
            "REG_OUTPUT_CE": "CE0",
            "REG_OUTPUT_RST": "RST0",
        }
        cell["connections"] |= {"CLK0": [behind.clock], "CE0": ["1"], "RST0": ["0"]}
        cell["port_directions"] |= dict.fromkeys(("CLK0", "CE0", "RST0"), "input")

    def register_rows(self, cell: _Cell) -> None:
        """Use a RAM's output registers: of both ports at once if a row leaves by both."""
        widths = [int(cell["parameters"][f"DATA_WIDTH_{side}"], 2) for side in "AB"]
        for sides in ("AB",) if max(widths) == _WIDEST else ("A", "B"):
            behind = self._behind(cell, [port for side in sides for port in _ROWS[side]])
            clocks = {cell["connections"][f"CLK{side}"][0] for side in sides}
            if behind is None or clocks != {behind.clock}:
                continue
            self._take(cell, behind)
            for side in sides:
                cell["parameters"][f"REGMODE_{side}"] = "OUTREG"
                cell["connections"][f"OCE{side}"] = [behind.enable]

    def _behind(self, cell: _Cell, ports: Iterable[str]) -> _Behind | None:
        """The flip-flops that are all that takes some outputs, if they are alike."""
        found: dict[str, str] = {}
        alike: set[tuple[int, int | str]] = set()
        for port, bit in self._outputs(cell, ports):
            if bit in self._leaving:
                return None
            for name, taken_by in self._takers[bit]:
                if taken_by != "DI" or port in found or not _is_plain(self._cells[name]):
                    return None
                found[port] = name
                wires = self._cells[name]["connections"]
                alike.add((wires["CLK"][0], _enable(self._cells[name])))
        if len(alike) != 1:
            return None
        ((clock, enable),) = alike
        return _Behind(found, clock, enable)

    def _outputs(self, cell: _Cell, ports: Iterable[str]) -> Iterator[tuple[str, int | str]]:
        for port in ports:
            for bit in cell["connections"].get(port, ()):
                yield port, bit

    def _take(self, cell: _Cell, behind: _Behind) -> None:
        for port, name in behind.flip_flops.items():
            cell["connections"][port] = self._cells.pop(name)["connections"]["Q"]


def _enable(cell: _Cell) -> int | str:
    """What lets a flip-flop take its value."""
    mux = cell["parameters"].get("CEMUX", "1").strip()
    enable: int | str = cell["connections"]["CE"][0] if mux == "CE" else mux
    return enable


def _is_plain(cell: _Cell) -> bool:
    """Whether a cell is a flip-flop that begins with 0 and has no reset."""
    if cell["type"] != "TRELLIS_FF":
        return False
    parameters, wires = cell["parameters"], cell["connections"]
    return (
        parameters["CLKMUX"].strip() == "CLK"
        and parameters["REGSET"].strip() == "RESET"
        and parameters.get("CEMUX", "1").strip() in ("1", "CE")
        and wires.get("LSR", ["0"]) in (["0"], [])
    )
