"""The ladder, and the bitstream through its pins: what is sound passes, one wrong bit does not."""

import json

import numpy as np
import pytest

from scneuro import LIF, ScneuroError, cli
from scneuro.boards import board
from scneuro.boards.families import ecp5, ice40
from scneuro.errors import ToolError
from scneuro.hdl import Neuron
from scneuro.hdl.link.samples import FrameReader
from scneuro.sim import ladder, proof
from scneuro.sim.chip import bitstream_parity
from scneuro.sim.chip.bitstream import _Listener
from scneuro.sim.ladder import Rung, climb
from scneuro.sim.proof import Proof
from scneuro.tools import toolchain

RUNGS = ["float", "integers", "rounding", "gates", "proof", "invariants", "netlist", "bitstream"]


# -- the ladder -----------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.compiler
def test_every_rung_holds_for_a_lif_on_an_ecp5():
    rungs = list(climb(LIF(), board("ulx3s_85f"), steps=500, progress=False))
    assert [rung.name for rung in rungs] == RUNGS
    assert all(rung.ok for rung in rungs), "\n".join(map(str, rungs))
    found = {rung.name: rung.figures for rung in rungs}
    assert found["gates"]["steps"] == 100
    assert found["netlist"]["steps"] == found["bitstream"]["steps"] == 500
    assert found["bitstream"]["bits"] == 500 * 40
    json.dumps([rung.as_dict() for rung in rungs])


def without(tool):
    def missing(*_, **__):
        raise ToolError(f"no {tool}", "get one")

    return missing


@pytest.fixture
def low(monkeypatch):
    """A ladder without its upper rungs, which take half a minute."""
    for rung in ("_invariants", "_netlist", "_bitstream"):
        monkeypatch.setattr(ladder, rung, lambda *_: (True, "not tried here", {}))


def test_the_command_prints_a_line_for_each_rung(low, capsys):
    assert cli.main(["verify", "lif", "--board", "icebreaker", "--steps", "500"]) == 0
    head, *lines = capsys.readouterr().out.splitlines()
    assert head == "LIF on iCEBreaker (iCE40 UP5K)"
    assert [line.split()[0] for line in lines] == RUNGS
    assert all(line.split()[1] == "ok" for line in lines)
    assert "LSB of a register at most" in lines[2]
    assert "equal for all 2^" in lines[4]


def test_a_neuron_without_differential_equations_is_its_own_definition(low, capsys):
    assert cli.main(["verify", "noisy_lif", "--board", "icebreaker", "--steps", "100"]) == 0
    assert "no differential equations" in capsys.readouterr().out


def test_a_missing_tool_is_said_and_the_other_rungs_are_climbed(low, monkeypatch, capsys):
    monkeypatch.setattr(ladder, "netlist_parity", without("yosys"))
    monkeypatch.setattr(ladder, "_netlist", lambda *_: ladder.netlist_parity())
    assert cli.main(["verify", "lif", "--board", "icebreaker", "--steps", "500", "--json"]) == 2
    rungs = {rung["name"]: rung for rung in json.loads(capsys.readouterr().out)}
    assert rungs["netlist"]["ok"] is None
    assert "no yosys" in rungs["netlist"]["text"]
    assert rungs["bitstream"]["ok"] is True


def test_what_is_missing_is_said_before_the_first_rung(low, monkeypatch, capsys):
    monkeypatch.setattr(toolchain, "_candidates", lambda name: [])
    monkeypatch.setattr(ladder, "climb", lambda *_, **__: iter([]))
    cli.main(["verify", "lif", "--board", "icebreaker"])
    error = capsys.readouterr().err
    assert "the bitstream will be left out: no icebox_vlog" in error
    assert "apt install fpga-icestorm" in error
    assert "the invariants will be left out: no yosys" in error
    assert "scneuro[toolchain]" in error


def test_without_icestorm_the_error_says_where_it_is(monkeypatch):
    monkeypatch.setattr(toolchain, "_candidates", lambda name: [])
    with pytest.raises(ToolError, match="no icebox_vlog: looked for") as error:
        toolchain.find(ice40._TO_VERILOG)
    assert "fpga-icestorm" in error.value.hint


def test_a_rung_that_breaks_fails_the_command(low, monkeypatch, capsys):
    monkeypatch.setattr(ladder, "_bitstream", lambda *_: (False, "frame 3 is another", {}))
    assert cli.main(["verify", "lif", "--board", "icebreaker", "--steps", "500"]) == 1
    assert "bitstream  FAILS frame 3 is another" in capsys.readouterr().out


def test_wrong_words_on_the_command_line_are_one_line(capsys):
    assert cli.main(["verify", "lif", "--board", "nonsense"]) == 2
    assert "no board 'nonsense'" in capsys.readouterr().err
    assert cli.main(["verify", "lif", "--board", "icebreaker", "--steps", "0"]) == 2
    assert "--steps must be at least 1" in capsys.readouterr().err


class Own(LIF):
    def hardware(self, fixed):
        return Neuron(fixed)


def test_of_hand_written_hardware_nothing_generated_is_proved_in_its_place():
    rungs = {}
    for rung in climb(Own(), board("icebreaker"), steps=50, progress=False):
        rungs[rung.name] = rung
        if rung.name == "invariants":
            break
    assert rungs["gates"].ok is True
    for name in ("proof", "invariants"):
        assert rungs[name].ok is None
        assert "brings its own hardware" in rungs[name].text


@pytest.mark.parametrize("failures", [[], ["V may differ"]])
def test_a_proof_that_ran_out_of_time_has_not_failed(monkeypatch, failures):
    found = Proof("LIF", "held", failures=failures, undecided=["w may differ"])
    monkeypatch.setattr(proof, "prove", lambda *_, **__: found)
    ok, text, figures = ladder._proof(LIF(), board("icebreaker"), False)
    assert ok is (False if failures else None)
    assert text == "; ".join([*failures, "time ran out: w may differ"])
    assert figures["undecided"] == ["w may differ"]


def test_a_rung_reads_as_a_line():
    assert str(Rung("proof", None, "the proof needs bitwuzla", {}, 0.04)) == (
        "  proof      -     the proof needs bitwuzla (0.0 s)"
    )


# -- the pins -------------------------------------------------------------------------------------
FRAME = bytes([0xA5, 7, 1, 0x34, 0x12, 0x00, 0x02])


def line_of(received, clocks, idle=3):
    levels = [1] * idle
    for byte in received:
        for bit in (0, *(byte >> n & 1 for n in range(8)), 1):
            levels += [bit] * clocks
        levels += [1] * idle
    return np.array(levels, dtype=np.uint8)


@pytest.mark.parametrize("piece", [1, 7, 100, 10_000])
def test_the_listener_hears_frames_however_the_line_is_cut(piece):
    frames = b"".join(
        body + bytes([FrameReader()._crc.compute(body)])
        for body in (bytes([0xA5, n, 1, n, 0x12, 0, 2]) for n in range(5))
    )
    listener, line = _Listener(12), line_of(frames, 12)
    for begin in range(0, len(line), piece):
        listener.hear(line[begin : begin + piece])
    assert [(s.sequence, s.v, s.i) for s in listener.samples] == [
        (n, 0x1200 + n, 0x200) for n in range(5)
    ]


def test_a_byte_outside_a_frame_is_an_error():
    listener = _Listener(12)
    with pytest.raises(ScneuroError, match="bytes outside frames"):
        listener.hear(line_of(FRAME + bytes([0]) + bytes(16), 12))


@pytest.mark.slow
@pytest.mark.compiler
def test_one_bit_of_one_lut_is_found_through_the_pins(monkeypatch):
    sound = ecp5._joined

    def flipped(design):
        cells = sound(design)["modules"]["top"]["cells"]
        name = max(n for n, c in cells.items() if "step" in n and c["type"] == "TRELLIS_COMB")
        table = cells[name]["parameters"]["INITVAL"]
        assert len(table) == 16
        cells[name]["parameters"]["INITVAL"] = "".join("10"[int(bit)] for bit in table)
        return design

    monkeypatch.setattr(ecp5, "_joined", flipped)
    found = bitstream_parity(LIF(), board("ulx3s_85f"), steps=200, progress=False)
    assert not found.ok
    assert found.difference.startswith("frame ")


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.compiler
def test_a_board_with_a_pll_and_a_clock_on_two_pins_is_read_back():
    found = bitstream_parity(LIF(), board("versa_ecp5"), steps=200, progress=False)
    assert found.ok, str(found)
    assert found.what == "routed netlist"


@pytest.mark.icestorm
@pytest.mark.parametrize("target", ["ice40_hx8k_b_evn", "icebreaker", "nandland_go", "blackice"])
def test_a_bitstream_unpacked_equals_the_model(target):
    found = bitstream_parity(LIF(), board(target), steps=1_000, progress=False)
    assert found.ok, str(found)
    assert found.what == "bitstream unpacked"
    assert found.currents == len(LIF.currents)
    assert found.steps == 1_000
