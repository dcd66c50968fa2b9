"""Real bitstreams, by the real tools; the areas that the project set out to reach."""

import hashlib
import json
from pathlib import Path

import pytest
from checks import nightly

from scneuro import LIF, AdEx, HodgkinHuxley, cli
from scneuro.boards import BOARDS, build_bitstream
from scneuro.boards.area import measure_area
from scneuro.errors import DoesNotFit
from scneuro.neurons import builtin, builtins

pytestmark = pytest.mark.slow


UP5K_BUDGET = 25.0  # LSB; what Hodgkin-Huxley needs to fit
EVERYWHERE = ("lif", "izhikevich", "adex")  # the others only where they have DSPs to use
MEASURED = ("icebreaker", "ice40_hx8k_b_evn", "ulx3s_85f")
BUILDS = [
    (name, board)
    for name in builtins()
    for board in MEASURED
    if name in EVERYWHERE or board in ("icebreaker", "ulx3s_85f")
]
# every neuron once: these elsewhere than on the iCEBreaker, for which other tests build them
IN_CI = {"lif": "ice40_hx8k_b_evn", "izhikevich": "ice40_hx8k_b_evn", "adex": "ulx3s_85f"}
IN_CI["hodgkin_huxley"] = "none"


@pytest.mark.parametrize(
    ("name", "board"),
    nightly(BUILDS, lambda b: b[1] == IN_CI.get(b[0], "icebreaker")),
)
def test_every_neuron_becomes_a_bitstream_that_meets_the_clock(tmp_path, name, board):
    neuron = builtin(name)()
    if (name, board) == ("hodgkin_huxley", "icebreaker"):
        neuron.budget = UP5K_BUDGET
    meets_the_clock(build_bitstream(neuron, BOARDS[board], tmp_path, progress=False))


#: The first board with each device that no build of the above is for.
FIRST = {row.part.name: name for name, row in reversed(BOARDS.items())}.values()


@pytest.mark.parametrize(
    "name", nightly([name for name in BOARDS if name not in MEASURED], lambda name: name in FIRST)
)
def test_every_board_has_room_and_time_for_a_lif(tmp_path, name):
    meets_the_clock(build_bitstream(LIF(), BOARDS[name], tmp_path, progress=False))


def test_what_is_too_large_for_a_board_is_refused_with_the_numbers(tmp_path):
    with pytest.raises(
        DoesNotFit, match=r"iCE40 HX1K\): it takes .*of 1,280 logic cells"
    ) as refused:
        build_bitstream(AdEx(), BOARDS["icestick"], tmp_path, progress=False)
    assert "would hold it" in refused.value.hint
    assert list(tmp_path.iterdir()) == []


def meets_the_clock(report):
    content = Path(report.bitstream).read_bytes()
    assert len(content) > 30_000
    assert report.sha256 == hashlib.sha256(content).hexdigest()
    assert report.fmax_mhz > 1.5 * report.clock_mhz
    assert report.utilization["logic"]["used"] < report.utilization["logic"]["available"]
    there = {name: count["available"] for name, count in report.utilization.items()}
    part = BOARDS[report.board].part
    assert (there["logic"], there.get("dsp", 0), there["ram"]) == (part.logic, part.dsps, part.rams)


def test_the_same_inputs_make_the_same_bytes(tmp_path):
    builds = [
        build_bitstream(LIF(), BOARDS["icebreaker"], tmp_path / n, cache=tmp_path / f"cache-{n}",
                        progress=False)
        for n in ("first", "second")
    ]  # fmt: skip
    assert not builds[1].cached
    assert builds[0].sha256 == builds[1].sha256


def test_build_prints_what_machines_need(tmp_path, capsys):
    arguments = ["build", "lif", "--board", "icebreaker", "-o", str(tmp_path), "--json"]
    assert cli.main(arguments) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"board", "device", "bitstream", "sha256", "fmax_mhz", "clock_mhz", "utilization",
            "tools"} <= set(figures)  # fmt: skip


def test_a_lif_fits_300_cells_of_an_hx8k_at_60_mhz_without_dsp():
    area = measure_area(LIF(), "hx8k")
    assert area["used"]["logic"] <= 300
    assert area["used"].get("dsp", 0) == 0
    assert area["fmax_mhz"] >= 60


@pytest.mark.parametrize(
    ("device", "most"),
    nightly([("up5k", 1904), ("hx8k", 3316), ("ecp5-85k", 780)], lambda d: d[0] == "hx8k"),
)
def test_adex_is_smaller_than_the_prototype(device, most):
    used = measure_area(AdEx(), device)["used"]
    assert used["logic"] < most
    assert used.get("dsp", 0) <= 5


def test_hodgkin_huxley_fits_the_up5k_at_24_mhz_with_its_8_dsps(tmp_path):
    neuron = HodgkinHuxley()
    neuron.budget = UP5K_BUDGET
    report = build_bitstream(neuron, BOARDS["icebreaker"], tmp_path, progress=False)
    used = report.utilization
    assert used["logic"]["used"] <= 4300  # 3,762 of them the neuron itself
    assert used["dsp"]["used"] <= 8
    assert used["ram"]["used"] <= 30
    assert report.fmax_mhz >= 24
