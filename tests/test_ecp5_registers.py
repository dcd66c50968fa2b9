"""Registers of logic that go into an ECP5's multipliers and block RAMs, and those that do not."""

from copy import deepcopy

import pytest

from scneuro import LIF, Population
from scneuro.boards.families import ECP5
from scneuro.boards.families.ecp5 import Ecp5
from scneuro.boards.families.ecp5_registers import with_registers
from scneuro.sim.chip.netlist import population_netlist_parity

CLOCK, OTHER_CLOCK, ENABLE, RESET, DATA = 2, 3, 4, 5, 10


def flip_flop(takes, gives, *, clock=CLOCK, enable=None, reset=None, starts="RESET"):
    wires = {"CLK": [clock], "DI": [takes], "Q": [gives]}
    if enable is not None:
        wires["CE"] = [enable]
    if reset is not None:
        wires["LSR"] = [reset]
    return {
        "type": "TRELLIS_FF",
        "parameters": {
            "CEMUX": "1 " if enable is None else "CE",
            "CLKMUX": "CLK",
            "LSRMUX": "LSR",
            "REGSET": starts,
        },
        "port_directions": dict.fromkeys(wires, "input") | {"Q": "output"},
        "connections": wires,
    }


def cell(kind, gives):
    """A RAM, by 18 bits at each port, or a multiplier, whose outputs ``gives`` has, by port."""
    clocks = {"CLKA": [CLOCK], "CLKB": [CLOCK], "OCEA": ["0"], "OCEB": ["1"]}
    wires = {port: [bit] for port, bit in gives.items()} | (clocks if kind == "DP16KD" else {})
    widths = dict.fromkeys(("DATA_WIDTH_A", "DATA_WIDTH_B"), f"{18:032b}")
    modes = dict.fromkeys(("REGMODE_A", "REGMODE_B"), "NOREG")
    return {
        "type": kind,
        "parameters": widths | modes if kind == "DP16KD" else {},
        "port_directions": dict.fromkeys(wires, "input") | dict.fromkeys(gives, "output"),
        "connections": wires,
    }


def netlist(kind, *registers, ports=("DOB0", "DOB1"), leaves=(), **more):
    """A cell with outputs 10, 11 ..., flip-flops, and other cells."""
    made = cell(kind, {port: DATA + k for k, port in enumerate(ports)})
    cells = {"it": made} | {f"register_{k}": ff for k, ff in enumerate(registers)} | more
    module = {"ports": {"o": {"direction": "output", "bits": list(leaves)}}, "cells": cells}
    return {"modules": {"top": module}}


def cells_of(design):
    return with_registers(design)["modules"]["top"]["cells"]


def two(**options):
    return flip_flop(10, 20, **options), flip_flop(11, 21, **options)


@pytest.mark.parametrize("enable", [None, ENABLE])
def test_a_rams_register_is_its_own(enable):
    design = netlist("DP16KD", *two(enable=enable))
    before = deepcopy(design)
    cells = cells_of(design)
    assert design == before
    assert set(cells) == {"it"}
    ram = cells["it"]
    assert (ram["parameters"]["REGMODE_A"], ram["parameters"]["REGMODE_B"]) == ("NOREG", "OUTREG")
    assert (ram["connections"]["DOB0"], ram["connections"]["DOB1"]) == ([20], [21])
    assert ram["connections"]["OCEB"] == ["1" if enable is None else enable]


def test_a_multipliers_register_is_its_own():
    cells = cells_of(netlist("MULT18X18D", *two(), ports=("P0", "P1")))
    assert set(cells) == {"it"}
    product = cells["it"]
    assert product["parameters"]["REG_OUTPUT_CLK"] == "CLK0"
    assert product["connections"]["P1"] == [21]
    assert (product["connections"]["CLK0"], product["connections"]["CE0"]) == ([CLOCK], ["1"])


def test_a_row_that_leaves_by_both_ports_is_in_both_registers_or_in_none():
    def wide(*registers):
        design = netlist("DP16KD", *registers, ports=("DOA0", "DOB0"))
        parameters = design["modules"]["top"]["cells"]["it"]["parameters"]
        parameters |= dict.fromkeys(("DATA_WIDTH_A", "DATA_WIDTH_B"), f"{36:032b}")
        return cells_of(design)["it"]

    both = wide(*two(enable=ENABLE))
    assert both["parameters"]["REGMODE_A"] == both["parameters"]["REGMODE_B"] == "OUTREG"
    assert both["connections"]["OCEA"] == both["connections"]["OCEB"] == [ENABLE]
    one = wide(flip_flop(10, 20), flip_flop(11, 21, reset=RESET))
    assert one["parameters"]["REGMODE_A"] == one["parameters"]["REGMODE_B"] == "NOREG"


LUT = {
    "type": "LUT4",
    "parameters": {},
    "port_directions": {"A": "input", "Z": "output"},
    "connections": {"A": [10], "Z": [30]},
}
STAYS = {
    "one has a reset": netlist("DP16KD", flip_flop(10, 20), flip_flop(11, 21, reset=RESET)),
    "one begins with 1": netlist("DP16KD", flip_flop(10, 20), flip_flop(11, 21, starts="SET")),
    "they have other enables": netlist("DP16KD", flip_flop(10, 20), flip_flop(11, 21, enable=4)),
    "one has another clock": netlist("DP16KD", flip_flop(10, 20), flip_flop(11, 21, clock=3)),
    "they have another clock than the RAM": netlist("DP16KD", *two(clock=OTHER_CLOCK)),
    "logic takes a bit, too": netlist("DP16KD", *two(), lut=LUT),
    "a bit leaves": netlist("DP16KD", *two(), leaves=[10]),
    "two take a bit": netlist("DP16KD", *two(), more=flip_flop(10, 22)),
    "it is an enable": netlist("DP16KD", flip_flop(10, 20), flip_flop(11, 21, enable=10)),
    "a multiplier's has an enable": netlist("MULT18X18D", *two(enable=ENABLE), ports=("P0", "P1")),
    "nothing takes it": netlist("MULT18X18D", ports=("P0",)),
}


@pytest.mark.parametrize("why", STAYS)
def test_all_stays_as_it_is_where(why):
    assert with_registers(STAYS[why]) == STAYS[why]


@pytest.mark.slow
@pytest.mark.compiler
def test_a_netlist_with_such_registers_is_the_model_and_one_that_lacks_them_is_not(monkeypatch):
    population = Population(LIF(), 20)
    found = []

    def noted(self, netlist):
        refined = with_registers(netlist)
        found.extend(refined["modules"]["top"]["cells"].values())
        return refined

    monkeypatch.setattr(Ecp5, "refined", noted)
    assert population_netlist_parity(population, "ecp5-85k", steps=60, progress=False).ok
    used = [c["parameters"] for c in found if c["type"] in ("DP16KD", "MULT18X18D")]
    assert sum(p.get("REGMODE_B") == "OUTREG" for p in used) >= 2
    assert sum(p.get("REG_OUTPUT_CLK") == "CLK0" for p in used) == 2

    def lost(self, netlist):
        refined = with_registers(netlist)
        for cell in refined["modules"]["top"]["cells"].values():
            if cell["parameters"].get("REG_OUTPUT_CLK") == "CLK0":
                cell["parameters"]["REG_OUTPUT_CLK"] = "NONE"
        return refined

    monkeypatch.setattr(Ecp5, "refined", lost)
    assert not population_netlist_parity(population, "ecp5-85k", steps=60, progress=False).ok


def test_another_refinement_makes_other_builds():
    assert "def with_registers" in ECP5.refinement
