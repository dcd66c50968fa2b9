"""The table of what neurons cost on devices: it is what was measured, and is measured again."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest
from checks import nightly

from scneuro import ToolError
from scneuro.boards.devices import DEVICES
from scneuro.tools.toolchain import run_tool

ROOT = Path(__file__).parent.parent
STORED = ROOT / "docs/populations.json"
#: The smallest rows, by neuron, device and interval.
SMALL = (("lif", "up5k", 4), ("lif", "hx8k", 1))


def benchmark():
    spec = importlib.util.spec_from_file_location("hardware", ROOT / "benchmarks/hardware.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_table_of_the_docs_is_what_was_measured():
    rows = json.loads(STORED.read_text())
    assert benchmark().table(rows) in (ROOT / "docs/populations.md").read_text()


def test_what_was_measured_fits_its_device():
    for row in json.loads(STORED.read_text()):
        if "refused" not in row:
            part = DEVICES[row["device"]]
            used = row["used"]
            assert used["logic"] <= part.logic
            assert used.get("dsp", 0) <= part.dsps
            assert used["ram"] <= part.rams
            assert min(row["fmax_mhz"]) > 0


@pytest.mark.slow
@pytest.mark.parametrize(
    ("neuron", "device", "interval"), nightly(SMALL, lambda row: row[1] == "up5k")
)
def test_a_small_row_is_measured_again(neuron, device, interval):
    stored = {(r["neuron"], r["device"], r["form"]): r for r in json.loads(STORED.read_text())}
    options = ["--neurons", neuron, "--devices", device, "--intervals", str(interval)]
    seeds = len(stored[neuron, device, f"256 neurons, interval {interval}"]["fmax_mhz"])
    rows = benchmark().main([*options, "--seeds", str(seeds), "--no-limits"])
    assert len(rows) == 4
    for row in rows:
        assert row == stored[neuron, device, row["form"]]


def test_a_tool_that_goes_round_for_ever_is_given_up(tmp_path):
    command = [sys.executable, "-c", "while True: pass"]
    with pytest.raises(ToolError, match=r"was not done in 0\.2 s"):
        run_tool(command, tmp_path, 0.2)
    assert run_tool([sys.executable, "-c", "print(7)"], tmp_path, 60.0) == "7\n"
