"""scneuro explore, on neurons and populations."""

import json
import socket
import sys

import pytest
from explored import MINE, STEPS, refused, run

from scneuro.errors import FileTrouble
from scneuro.sim.explore import cluster as clusters
from scneuro.sim.explore import jobs as work
from scneuro.sim.explore import search


def test_the_command_tries_every_point_and_writes_all_files(capsys, tmp_path, tools, here):
    line = (
        "lif --board ice40_hx8k_b_evn --neurons 64 --lanes 1,2 --intervals 1 --budgets 1,1e-9 "
        f"--seeds 3 --steps {STEPS} -o {tmp_path / 'out'}"
    )
    code, out, _ = run(capsys, line)
    assert code == 0
    assert "LIF on iCE40-HX8K-B-EVN (iCE40 HX8K): 64 neurons" in out
    figures = json.loads((tmp_path / "out" / "explore.json").read_text())
    assert len(figures["points"]) == 4
    good = [p for p in figures["points"] if not p["failed"]]
    assert [p["options"]["lanes"] for p in good] == [1, 2]
    for point in figures["points"]:
        if point in good:
            assert point["fmax_mhz"] == {"best": 53.0, "median": 53.0}
            assert point["seed"] == 3
            assert point["memory_bits"] > 0
            assert point["fidelity"]["equal_share"] == 1.0
        else:
            assert point["options"]["budget"] == 1e-9
            assert "guard bits" in point["failed"]
            assert "\n" not in point["failed"]
    one, two = good
    assert two["updates_per_second"] > 1.3 * one["updates_per_second"]
    assert two["cells"]["logic"] > one["cells"]["logic"]
    assert (tmp_path / "out" / "explore.html").stat().st_size < 500_000
    code, out, _ = run(capsys, f"{line} --json")
    assert json.loads(out) == figures


def test_a_single_neuron_with_guard_bits(capsys, tmp_path, tools, here):
    line = f"lif --board ice40_hx8k_b_evn --guards rule,4,12 --budget 2 --seeds 1,3 --steps {STEPS}"
    code, _, _ = run(capsys, f"{line} -o {tmp_path / 'out'}")
    assert code == 0
    figures = json.loads((tmp_path / "out" / "explore.json").read_text())
    assert [p["options"]["guard"] for p in figures["points"]] == [None, 4, 12]
    assert figures["points"][0]["fmax_mhz"] == {"best": 53.0, "median": 52.0}
    bits = [p["states"][0]["guard_bits"] for p in figures["precisions"]]
    assert bits[1:] == [4, 12]
    small, large = (p["cells"]["logic"] for p in figures["points"][1:])
    assert small < large
    assert {s["step_error_budget_lsb"] for p in figures["precisions"] for s in p["states"]} == {2.0}


def test_a_second_search_of_the_same_builds_nothing(capsys, tmp_path, tools, here, monkeypatch):
    monkeypatch.setenv("PRETENDED_LOG", str(tmp_path / "log"))
    line = f"lif --board ice40_hx8k_b_evn --budgets 1 --steps {STEPS} -o {tmp_path / 'out'} --seeds"
    assert run(capsys, f"{line} 1,2")[0] == 0

    def again(*_, **__):
        raise AssertionError("done again")

    monkeypatch.setattr(work, "finished_build", again)
    assert run(capsys, f"{line} 1,2")[0] == 0
    assert (tmp_path / "log").read_text().split() == ["1", "2"]
    code, out, _ = run(capsys, f"{line} 1,2,3")
    assert code == 0
    assert "done again" in out  # the one seed that is new


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--neurons 8 --lanes 1,3", ["lanes must be a power of two"]),
        ("--neurons 8 --intervals 0", ["interval must be at least 1"]),
        ("--lanes 2", ["--neurons N"]),
        ("--lanes 1,x", ["'1,x' is no list of numbers such as 1,2,4"]),
        ("--budgets 1,,2", ["no list of numbers"]),
        ("--budget 1 --budgets 1", ["--budget or --budgets"]),
        ("--workers 2 --scheduler tcp://a:1", ["--workers", "--scheduler"]),
        ("--workers 0", ["workers must be at least 1"]),
        ("--steps 0", ["--steps must be at least 1"]),
        ("--currents 3 1", ["the first must be below the last"]),
        ("--budgets 1e-9,1e-10", ["would need", "guard bits"]),
        ("--currents 0 500", ["I = ", "Q8.8"]),
    ],
)
def test_what_makes_no_sense_is_one_line_before_anything_runs(
    capsys, tmp_path, monkeypatch, options, words
):
    def nobody(*_):
        raise AssertionError("hired")

    monkeypatch.setattr(search, "crew", nobody)
    error = refused(capsys, f"lif --board ice40_hx8k_b_evn -o {tmp_path / 'out'} {options}")
    for word in words:
        assert word in error
    assert "Traceback" not in error
    assert not list(tmp_path.glob("out/*"))


def test_a_neuron_that_cannot_become_hardware_is_refused(capsys, tmp_path, here):
    text = MINE.replace("        V = V + 0.0125", "        if V > 3:\n            V = V + 0.0125")
    (tmp_path / "mine.py").write_text(text)
    error = refused(capsys, f"{tmp_path}/mine.py --board icebreaker -o {tmp_path / 'out'}")
    assert "mine.py:11" in error
    assert "np.where" in error


def test_a_folder_that_cannot_be_written_is_said_first(capsys, tmp_path, here):
    (tmp_path / "file").write_text("keep me")
    error = refused(capsys, f"lif --board ice40_hx8k_b_evn -o {tmp_path / 'file' / 'deeper'}")
    assert "cannot write" in error
    assert (tmp_path / "file").read_text() == "keep me"


def test_without_distributed_the_command_says_what_to_install(capsys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "distributed", None)
    error = refused(capsys, f"lif --board ice40_hx8k_b_evn -o {tmp_path / 'out'}")
    assert 'pip install "scneuro[explore]"' in error


@pytest.mark.parametrize("address", ["tcp://127.0.0.1:{port}", "nonsense", "what://is.this:1"])
def test_a_scheduler_that_is_not_there_is_one_line(capsys, tmp_path, monkeypatch, address):
    monkeypatch.setattr(clusters, "_CONNECTS", 0.3)
    with socket.socket() as nobody:  # a port at which nothing listens
        nobody.bind(("127.0.0.1", 0))
        where = address.format(port=nobody.getsockname()[1])
        line = f"lif --board ice40_hx8k_b_evn --scheduler {where} -o {tmp_path / 'out'}"
        error = refused(capsys, line)
    message, way_out = error.strip().splitlines()
    assert f"no scheduler at {where}" in message
    assert "dask scheduler" in way_out


def test_a_full_disk_in_the_middle_ends_the_command_in_one_line(
    capsys, tmp_path, tools, here, monkeypatch
):
    make = work.finished_build

    def build(*given, seed, **options):
        if seed == 2:
            raise FileTrouble("cannot write the cache: No space left on device", "free some space")
        return make(*given, seed=seed, **options)

    monkeypatch.setattr(work, "finished_build", build)
    line = f"lif --board ice40_hx8k_b_evn --budgets 1 --seeds 1,2,3 --steps {STEPS}"
    error = refused(capsys, f"{line} -o {tmp_path / 'out'}")
    assert "No space left" in error
    assert "2 of 4 jobs are done and kept" in error
    assert list((tmp_path / "out").iterdir()) == []
    assert len(list((tmp_path / "cache").glob("explored-*"))) == 2
