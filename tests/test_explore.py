"""A search: its points, what is made of its results, and what it does when it is disturbed."""

import errno
import json
import os
import pickle
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from explored import hire, refused, run

from scneuro import LIF, AdEx
from scneuro.boards import BOARDS, board
from scneuro.errors import DoesNotFit, FileTrouble, LoweringError, ScneuroError
from scneuro.load import load_neuron
from scneuro.sim.explore import Exploration, Point, Row, Space, explore, page, search
from scneuro.sim.explore import cluster as clusters
from scneuro.sim.explore import jobs as work
from scneuro.sim.explore.cluster import crew
from scneuro.sim.explore.fidelity import Sweep
from scneuro.sim.explore.jobs import Job, Question, perform
from scneuro.sim.explore.network import NetworkPoint
from scneuro.sim.explore.neuron import content_of
from scneuro.sim.explore.results import front
from scneuro.sim.explore.search import Kept, jobs_of, results

HX8K = board("ice40_hx8k_b_evn")
STEPS = "300"


# -- points ---------------------------------------------------------------------------------------
def test_every_combination_is_a_point_once_and_in_order():
    space = Space((64,), lanes=(1, 2, 2), intervals=(4,), budgets=(1.0, 0.25), seeds=(1, 2))
    points = space.points(LIF())
    assert points == (
        Point(64, 1, 4, 1.0),
        Point(64, 1, 4, 0.25),
        Point(64, 2, 4, 1.0),
        Point(64, 2, 4, 0.25),
    )
    jobs = jobs_of(points, space.seeds)
    assert jobs[:2] == [Job(Point(budget=1.0)), Job(Point(budget=0.25))]
    assert [(job.point, job.seed) for job in jobs[2:]] == [(p, s) for s in (1, 2) for p in points]


def test_the_usual_spaces_make_sense():
    assert len(Space.usual().points(LIF())) == 3
    assert len(Space.usual((8, 64)).points(LIF())) == 12


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"lanes": (2,)}, "say of how many with --neurons N"),
        ({"intervals": (1, 2)}, "say of how many with --neurons N"),
        ({"neurons": (8,), "lanes": (1, 3)}, "lanes must be a power of two, not 3"),
        ({"neurons": (2,), "lanes": (4,)}, "4 lanes for 2 neurons"),
        ({"neurons": (8,), "intervals": (17,)}, "interval must be 1 to 16"),
        ({"neurons": (0,)}, "neurons must be at least 1"),
        ({"budgets": (1.0, 0.0)}, "budgets must be positive numbers of LSB, not 0"),
        ({"guards": (25,)}, "guards must be 0 to 24 bits, not 25"),
        ({"seeds": (-1,)}, "seeds must be 0 to"),
        ({"seeds": ()}, "seeds: name at least one"),
    ],
)
def test_a_point_that_makes_no_sense_is_refused(space, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        Space(**space).points(LIF())


def test_a_point_has_its_budget_and_leaves_the_neuron_as_it_is():
    neuron = LIF()
    population = Point(8, lanes=2, interval=4, budget=0.25).target(neuron)
    assert (population.lanes, population.interval, population.neuron.budget) == (2, 4, 0.25)
    assert Point().target(neuron).budget is neuron.budget is None


# -- fidelity -------------------------------------------------------------------------------------
def test_a_sweep_is_what_single_runs_are():
    neuron = AdEx()
    found = Sweep(neuron, [0.2, 0.8, 1.5], 3000).against(neuron.fixed())
    for k, current in enumerate((0.2, 0.8, 1.5)):
        word = round(current * 256) / 256
        assert found.currents[k] == word
        ours, theirs = (m.run(np.full(3000, word)) for m in (neuron, neuron.fixed()))
        assert (found.float_spikes[k], found.spikes[k]) == (ours.spikes, theirs.spikes)
        if ours.spikes and theirs.spikes:
            apart = abs(ours.spike_times[0] - theirs.spike_times[0])
            assert found.first_spike_ms[k] == pytest.approx(apart)
    assert found.float_spikes[0] == 0
    assert found.coincidences[0] is None
    assert min(found.float_spikes[1:]) > 0
    figures = found.figures()
    assert figures["of"] == 3
    assert figures["equal_share"] == found.equal / 3
    json.dumps(figures)


def test_a_sweep_sees_a_neuron_that_fires_otherwise():
    found = Sweep(LIF(), [0.0, 2.5], 2000).against(LIF(tau_m=14.0).fixed())
    assert found.equal == 1
    assert found.largest_difference > 2
    assert found.coincidence < 0.9
    assert found.worst_first_spike_ms > 5


# -- jobs -----------------------------------------------------------------------------------------
def elsewhere(program, *arguments):
    """What a program prints in a new process."""
    return subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


def test_what_a_job_depends_on_is_the_same_in_another_process_and_nothing_less():
    key = Question.of(LIF(), HX8K, steps=9).key(Job(Point(budget=1.0), 1), ["yosys 0.60"])
    program = (
        "from scneuro import LIF; from scneuro.boards import board\n"
        "from scneuro.sim.explore.jobs import *; from scneuro.sim.explore import Point\n"
        "q = Question.of(LIF(), board('ice40_hx8k_b_evn'), steps=9)\n"
        "print(q.key(Job(Point(budget=1.0), 1), ['yosys 0.60']))"
    )
    assert elsewhere(program) == key
    keys = [
        key,
        Question.of(LIF(tau_m=11.0), HX8K).key(Job(Point(budget=1.0), 1), ["yosys 0.60"]),
        Question.of(LIF(), BOARDS["icebreaker"]).key(Job(Point(budget=1.0), 1), ["yosys 0.60"]),
        Question.of(LIF(), HX8K).key(Job(Point(budget=0.5), 1), ["yosys 0.60"]),
        Question.of(LIF(), HX8K).key(Job(Point(budget=1.0, guard=9), 1), ["yosys 0.60"]),
        Question.of(LIF(), HX8K).key(Job(Point(8, budget=1.0), 1), ["yosys 0.60"]),
        Question.of(LIF(), HX8K).key(Job(Point(budget=1.0), 2), ["yosys 0.60"]),
        Question.of(LIF(), HX8K).key(Job(Point(budget=1.0), 1), ["yosys 0.61"]),
        Question.of(LIF(), HX8K, steps=9).key(Job(Point(budget=1.0)), []),
        Question.of(LIF(), HX8K, steps=8).key(Job(Point(budget=1.0)), []),
        Question.of(LIF(), HX8K, [1.0], steps=9).key(Job(Point(budget=1.0)), []),
    ]
    assert len(set(keys)) == len(keys)
    compared = Question.of(LIF(), HX8K, steps=9).key(Job(Point(budget=1.0)), ["yosys 0.61"])
    assert compared == keys[8]  # no tool takes part in it


MINE = """
import numpy as np
from scneuro import Input, Neuron, State

class Mine(Neuron):
    V = State(unit="mV")
    I = Input(unit="mV")
    currents = (20.0,)

    def update(self, V, I):
        V = V + 0.0125 * (I - V)
        return V >= 10.0, np.where(V >= 10.0, 0.0, V)
"""


def test_a_neuron_of_a_users_file_is_found_by_another_process(tmp_path):
    (tmp_path / "mine.py").write_text(MINE)
    neuron = load_neuron(f"{tmp_path / 'mine.py'}:Mine")()
    question = Question.of(neuron, HX8K, [20.0], 500)
    (tmp_path / "question").write_bytes(pickle.dumps((question, Job(Point()))))
    program = (
        "import pickle, sys; from scneuro.sim.explore.jobs import perform\n"
        "print(perform(*pickle.load(open(sys.argv[1], 'rb')))['found']['fidelity']['spikes'])"
    )
    expected = int(neuron.fixed().run(np.full(500, 20.0)).spikes)
    assert expected > 0
    assert elsewhere(program, tmp_path / "question") == f"({expected},)"


def test_a_worker_reads_a_users_file_again_when_it_has_changed(tmp_path):
    file = tmp_path / "mine.py"
    file.write_text(MINE)
    before = Question.of(load_neuron(f"{file}:Mine")(), HX8K, [20.0], 500)
    file.write_text(MINE.replace("0.0125", "0.025"))
    after = Question.of(load_neuron(f"{file}:Mine")(), HX8K, [20.0], 500)
    assert before.content != after.content
    assert sum(perform(after, Job(Point()))["found"]["fidelity"]["spikes"]) > 0
    message, hint = perform(before, Job(Point()))["trouble"]
    assert "another Mine" in message
    assert "same files" in hint
    file.write_text(MINE)
    assert "found" in perform(before, Job(Point()))
    file.unlink()
    message, _ = perform(before, Job(Point()))["trouble"]
    assert "there is no file" in message


def test_hardware_written_by_hand_is_part_of_what_a_job_depends_on(tmp_path):
    by_hand = MINE + "    def hardware(self, fixed):\n        return None\n"
    found = []
    for k, text in enumerate((MINE, by_hand, by_hand + "        # another\n")):
        (tmp_path / f"m{k}.py").write_text(text)
        found.append(content_of(load_neuron(f"{tmp_path}/m{k}.py:Mine")()))
    assert len(set(found)) == 3


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (DoesNotFit("too\n  large", "less"), {"failed": "too large", "again": False}),
        (LoweringError("no"), {"failed": "no", "again": False}),
        (ScneuroError("nextpnr fell"), {"failed": "nextpnr fell", "again": True}),
        (ZeroDivisionError("bug"), {"failed": "ZeroDivisionError: bug", "again": True}),
        (FileTrouble("disk full", "free"), {"trouble": ["disk full", "free"]}),
    ],
)
def test_what_goes_wrong_in_a_job_is_told_as_data(monkeypatch, error, expected):
    def build(*_, **__):
        raise error

    monkeypatch.setattr(work, "finished_build", build)
    assert perform(Question.of(LIF(), HX8K), Job(Point(), 1)) == expected


# -- results --------------------------------------------------------------------------------------
def report(logic, fmax, neurons=1, clocks=10, seed=1):
    used = {"logic": {"used": logic, "available": 7680}, "ram": {"used": 2, "available": 32}}
    return {
        "neurons": neurons,
        "fmax_mhz": fmax,
        "utilization": used,
        "cells": {"SB_LUT4": logic - 5, "SB_DFF": 50},
        "clocks_a_step": clocks,
        "latency": 9,
        "memory_bits": 0,
        "seed": seed,
        "sha256": "0" * 64,
    }


def compared(share=1.0):
    currents = [0.5 * k for k in range(20)]
    equal = round(share * 20)
    return {
        "fidelity": {
            "equal_counts": equal,
            "of": 20,
            "equal_share": share,
            "largest_difference": 20 - equal,
            "coincidence": 0.5 + share / 2,
            "worst_first_spike_ms": 1 - share,
            "currents": currents,
            "float_spikes": list(range(20)),
            "spikes": [k + (k >= equal) for k in range(20)],
            "coincidences": [None, *[share] * 19],
            "first_spike_ms": [None, *[1 - share] * 19],
            "duration_ms": 1000.0,
        },
        "states": [
            {
                "name": "V",
                "unit": "mV",
                "word": "Q8.8",
                "guard_bits": 8,
                "bits": 24,
                "step_error_bound_lsb": 0.01,
                "step_error_budget_lsb": 1.0,
                "note": "",
            }
        ],
        "tables": [],
        "notes": [],
    }


def exploration(rows, space=None):
    return Exploration(
        neuron="LIF <i>",
        preset=None,
        parameters={"tau_m": 10.0},
        dt_ms=0.1,
        board="iCE40-HX8K-B-EVN",
        device="iCE40 HX8K",
        cell="LC",
        space=space or Space(budgets=(4.0, 1.0, 0.25, 0.001), seeds=(1, 2)),
        input="I",
        unit="nA",
        tools=("yosys 0.60",),
        version="0.1.0",
        rows=tuple(rows),
    )


@pytest.fixture
def made_up():
    """Four points: two on the front, one that is beaten, and one that was refused."""
    return exploration(
        [
            Row(Point(budget=4.0), {1: report(300, 90.0), 2: report(310, 80.0)}, compared(0.8)),
            Row(Point(budget=1.0), {1: report(400, 99.0), 2: {"failed": "no route"}}, compared()),
            Row(Point(budget=0.25), {1: report(500, 95.0), 2: report(500, 95.5)}, compared()),
            Row(
                Point(budget=0.001),
                {1: {"failed": "V | w: no"}, 2: {"failed": "V | w: no"}},
                {"failed": "V | w: no"},
            ),
        ]
    )


def test_the_front_has_what_no_other_point_beats():
    rows = [
        Row(Point(budget=float(k + 1)), {1: report(logic, fmax)}, {})
        for k, (logic, fmax) in enumerate(
            [(300, 50), (200, 40), (300, 60), (200, 40), (250, 40), (400, 60), (500, 61)]
        )
    ]
    rows.append(Row(Point(budget=99.0), {1: {"failed": "no"}}, {}))
    assert [row.point.budget for row in front(rows)] == [2, 4, 3, 7]
    assert front([]) == []
    every = [r for r in rows if r.best]
    for row in every:  # by the definition
        beaten = any(
            o.logic <= row.logic and o.updates >= row.updates
            and (o.logic, o.updates) != (row.logic, row.updates) for o in every
        )  # fmt: skip
        assert (row in front(rows)) == (not beaten)


def test_a_row_has_the_best_and_the_median_of_its_seeds():
    reached = {1: 50.0, 2: 70.0, 3: 51.0}
    row = Row(Point(64), {s: report(100 + s, f, 64, 65, s) for s, f in reached.items()}, {})
    assert row.fmax == (70.0, 51.0)
    assert row.logic == 102
    assert row.updates == pytest.approx(64 * 70e6 / 65)
    assert row.failed is None
    assert exploration([row]).real_time(row) == pytest.approx(70e6 / 65 / 10_000)


def test_what_failed_is_one_line_of_its_row(made_up):
    failed = [row.failed for row in made_up.rows]
    assert failed == [None, "seed 2: no route", None, "V | w: no"]
    assert Row(Point(), {1: report(9, 9.0)}, {"failed": "no"}).failed == "fidelity: no"


def test_the_figures_say_all_of_every_point(made_up):
    figures = json.loads(json.dumps(made_up.figures()))
    first, second, _, refused = figures["points"]
    assert first["options"] == {
        "neurons": None,
        "lanes": 1,
        "interval": 1,
        "budget": 4.0,
        "guard": None,
        "seeds": [1, 2],
    }
    assert first["cells"] == {"logic": 300, "ram": 2}
    assert first["fmax_mhz"] == {"best": 90.0, "median": 85.0}
    assert first["updates_per_second"] == 9e6
    assert first["updates_per_second_per_cell"] == 30_000
    assert first["latency_clocks"] == 9
    assert first["fidelity"]["equal_share"] == 0.8
    assert second["failed"] == "seed 2: no route"
    assert refused["failed"] == "V | w: no"
    assert refused["cells"] is refused["updates_per_second"] is refused["fidelity"] is None
    assert figures["pareto"] == [1, 2]
    assert [p["on_the_front"] for p in figures["points"]] == [True, True, False, False]
    assert [p["budget"] for p in figures["precisions"]] == [4.0, 1.0, 0.25, 0.001]


def test_the_table_has_a_row_for_every_point_and_leaves_out_what_is_the_same(made_up):
    titles, rows = page.table(made_up)
    assert {"lanes", "interval", "neurons", "guard", "FF"}.isdisjoint(titles)
    assert {"budget", "LC", "Fmax, MHz", "median", "updates/s", "counts equal"} <= set(titles)
    cells = dict(zip(titles, rows[0], strict=True))
    assert cells["updates/s"] == "9,000,000"
    assert cells["counts equal"] == "80.0%"
    assert [row[-1] for row in rows] == ["front", "front; seed 2: no route", "", "V | w: no"]
    lines = page.markdown(made_up).splitlines()
    shown = [line for line in lines if line.startswith("|")]
    assert len(shown) == 2 + len(rows)
    assert len({line.count("|") for line in shown}) == 1
    assert page.text(made_up).count("\n") == 1 + len(rows)


def test_a_population_has_its_columns(made_up):
    rows = [
        Row(Point(n, lanes), {1: report(9, 9.0, n)}, compared()) for n in (8, 9) for lanes in (1, 2)
    ]
    titles, cells = page.table(exploration(rows, Space((8, 9), (1, 2))))
    assert titles[:4] == ["#", "neurons", "lanes", "interval"]
    assert cells[3][:4] == ["4", "9", "2", "1"]


def test_the_page_is_one_small_file_that_needs_no_other(made_up, tmp_path):
    page.write(made_up, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "explore.html", "explore.json", "explore.md", "pareto.svg",
    ]  # fmt: skip
    text = (tmp_path / "explore.html").read_text("utf-8")
    assert len(text.encode()) < 500_000
    assert not re.search(r"<(script|link|img|iframe)|\bsrc=|@import", text)
    assert not re.search(r'href="(?!#|data:)|url\((?!#)', text)
    assert text.count("<svg") == 3
    assert "LIF &lt;i&gt;" in text
    assert "V | w: no" in text
    assert text.count('<tr class="front"') == 2
    from xml.etree import ElementTree

    ElementTree.parse(tmp_path / "pareto.svg")


@pytest.mark.parametrize(
    ("count", "said"),
    [(300, "explore.json"), pytest.param(3000, "explore.md", marks=pytest.mark.slow)],
)
def test_a_page_of_many_points_is_still_small_enough_to_send(tmp_path, count, said):
    budgets = tuple(1.0 + k for k in range(count))
    same, rows = compared(), []
    for k, budget in enumerate(budgets):
        builds = {s: report(300 + k, 90.0 + k / 99 - s, seed=s) for s in (1, 2)}
        rows.append(Row(Point(budget=budget), builds, same))
    page.write(exploration(rows, Space(budgets=budgets)), tmp_path)
    text = (tmp_path / "explore.html").read_text()
    assert len(text.encode()) < 500_000
    assert said in text
    assert len(json.loads((tmp_path / "explore.json").read_text())["points"]) == count


def test_a_search_in_which_nothing_was_built_still_has_its_page(tmp_path):
    row = Row(Point(), {1: {"failed": "no"}}, {"failed": "no"})
    page.write(exploration([row], Space()), tmp_path)
    assert "Refused: no" in (tmp_path / "explore.html").read_text()


# -- the search itself ----------------------------------------------------------------------------
@pytest.fixture
def question(monkeypatch):
    monkeypatch.setattr(search, "tools_of", lambda question: {"tools": ["yosys 0.60"]})
    return Question.of(LIF(), HX8K)


JOBS = [Job(Point()), *(Job(Point(), seed) for seed in range(1, 6))]


def test_a_job_is_done_once_and_then_known(question, tmp_path):
    done = []

    def do(_, job):
        done.append(job)
        return {"found": {"seed": job.seed}}

    first, tools = results(question, JOBS, hire, Kept(tmp_path), do=do)
    assert done == JOBS
    assert tools == ("yosys 0.60",)

    def nobody(*_):
        raise AssertionError("hired for nothing")

    again, _ = results(question, JOBS, nobody, Kept(tmp_path), do=do)
    assert again == first
    assert len(done) == len(JOBS)
    damaged = next(tmp_path.iterdir())
    damaged.write_text("{")
    results(question, JOBS, hire, Kept(tmp_path), do=do)
    assert len(done) == len(JOBS) + 1


def test_a_failure_is_known_unless_another_try_may_find_something_else(question, tmp_path):
    done = []

    def do(_, job):
        done.append(job.seed)
        return {"failed": "no", "again": job.seed == 3}

    for _ in range(2):
        found, _ = results(question, JOBS, hire, Kept(tmp_path), do=do)
        assert {f["failed"] for f in found.values()} == {"no"}
    assert done == [None, 1, 2, 3, 4, 5, 3]


@pytest.mark.parametrize("way", ["trouble", "interrupt", "disk"])
def test_what_was_found_is_kept_whatever_ends_the_search(
    question, tmp_path, monkeypatch, capsys, way
):
    def do(_, job):
        if job.seed == 3 and way == "trouble":
            return {"trouble": ["cannot write the cache: No space left on device", "free some"]}
        if job.seed == 3 and way == "interrupt":
            raise KeyboardInterrupt
        return {"found": {"seed": job.seed}}

    if way == "disk":
        replace = Path.replace

        def full(self, target):
            if len(list(tmp_path.glob("explored-*"))) == 3:
                raise OSError(errno.ENOSPC, "No space left on device")
            return replace(self, target)

        monkeypatch.setattr(Path, "replace", full)
    error = KeyboardInterrupt if way == "interrupt" else FileTrouble
    with pytest.raises(error) as raised:
        results(question, JOBS, hire, Kept(tmp_path), do=do)
    assert "3 of 6 jobs are done and kept" in capsys.readouterr().err
    if way != "interrupt":
        assert "No space left" in str(raised.value)
    monkeypatch.undo()
    monkeypatch.setattr(search, "tools_of", lambda question: {"tools": ["yosys 0.60"]})
    left = []
    results(
        question, JOBS, hire, Kept(tmp_path), do=lambda _, job: left.append(job) or {"found": {}}
    )
    assert left == JOBS[3:]
    assert not list(tmp_path.glob(".*"))


def test_tools_that_are_missing_are_said_before_anything_runs(question, tmp_path, monkeypatch):
    monkeypatch.setattr(search, "tools_of", lambda question: {"trouble": ["no yosys", "get it"]})
    with pytest.raises(ScneuroError, match="no yosys") as raised:
        results(question, JOBS, hire, Kept(tmp_path))
    assert raised.value.hint == "get it"


# -- the command ----------------------------------------------------------------------------------
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


# -- other processes ------------------------------------------------------------------------------
def pretended(folder, job):
    """A job that kills its worker the first time it is done, if it is seed 3's."""
    mark = Path(folder) / f"seed{job.seed}"
    with mark.open("a") as file:
        file.write(f"{os.getpid()}\n")
    if job.seed == 3 and len(mark.read_text().split()) == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"found": {"seed": job.seed, "by": os.getpid()}}


def deadly(folder, job):
    """A job that kills every worker."""
    if job.seed == 2:
        os.kill(os.getpid(), signal.SIGKILL)
    return {"found": {"seed": job.seed}}


def slow(seconds, job):
    time.sleep(seconds)
    return {"found": {"seed": job.seed}}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture
def cluster(tmp_path):
    """The address of a scheduler in a process of its own, a worker's process, and the first one."""
    address = f"tcp://127.0.0.1:{free_port()}"
    seen = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    environment = os.environ | {"PYTHONPATH": seen}
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL, "env": environment}
    dask = [sys.executable, "-m", "dask", "scheduler"]
    with subprocess.Popen(
        [*dask, "--port", address.rpartition(":")[2], "--dashboard-address", "127.0.0.1:0"],
        cwd=tmp_path,
        **quiet,
    ) as scheduler:
        worker = subprocess.Popen(
            [sys.executable, "-m", "dask", "worker", address, "--nthreads", "2", "--no-dashboard"],
            cwd=tmp_path,
            **quiet,
        )
        try:
            yield address, scheduler, worker
        finally:
            for process in (worker, scheduler):
                process.terminate()
                process.wait(timeout=30)


def found_by(staff, function, given, jobs=JOBS):
    return dict(staff.answers(function, {job: (given, job) for job in jobs}))


@pytest.mark.slow
@pytest.mark.parametrize("point", [Point(), NetworkPoint(lanes=4, bits=6)], ids=type)
def test_the_jobs_of_a_killed_worker_are_done_again(tmp_path, point):
    jobs = jobs_of([point], range(1, 6))
    with crew(2) as staff:
        found = found_by(staff, pretended, str(tmp_path), jobs)
        assert {job: f["found"]["seed"] for job, f in found.items()} == {
            job: job.seed for job in jobs
        }
        killed, again = (tmp_path / "seed3").read_text().split()
        assert killed != again
        assert int(again) == found[Job(point, 3)]["found"]["by"]


@pytest.mark.slow
def test_a_job_that_kills_every_worker_is_a_failure_and_the_others_are_done():
    with crew(2) as staff:
        found = found_by(staff, deadly, "")
    assert found.pop(Job(Point(), 2)) == {
        "failed": "its worker was killed, again and again",
        "again": True,
    }
    assert all("found" in f for f in found.values())
    assert len(found) == len(JOBS) - 1


@pytest.mark.slow
def test_any_cluster_does_the_jobs(tools, cluster, capsys, tmp_path):
    address, *_ = cluster
    line = f"lif --board ice40_hx8k_b_evn --budgets 1,2 --seeds 1 --steps {STEPS}"
    code, _, err = run(capsys, f"{line} --scheduler {address} -o {tmp_path / 'out'}")
    assert code == 0, err
    figures = json.loads((tmp_path / "out" / "explore.json").read_text())
    assert [p["fmax_mhz"]["best"] for p in figures["points"]] == [51.0, 51.0]


@pytest.mark.slow
def test_a_scheduler_that_is_lost_ends_the_search_and_what_it_did_is_kept(
    cluster, question, tmp_path, monkeypatch, capsys
):
    address, scheduler, _ = cluster
    monkeypatch.setattr(clusters, "_LOOKS", 0.2)
    done = []

    def kill(job):
        done.append(job)
        if len(done) == 2:
            scheduler.kill()

    class Watched(Kept):
        def put(self, key, result):
            super().put(key, result)
            kill(key)

    with pytest.raises(ScneuroError, match="the scheduler tcp") as raised:
        results(
            question,
            JOBS,
            lambda _: crew(1, address),
            Watched(tmp_path),
            do=slow_job,
        )
    assert "the same command goes on from there" in raised.value.hint
    assert len(list(tmp_path.glob("explored-*"))) >= 2
    assert "jobs are done and kept" in capsys.readouterr().err


def slow_job(_, job):
    return slow(0.5, job)


@pytest.mark.slow
def test_a_scheduler_without_workers_is_one_line(cluster, monkeypatch):
    address, _, worker = cluster
    with crew(1, address) as staff:
        assert staff.each(os.getpid)
    worker.terminate()
    worker.wait(timeout=30)
    monkeypatch.setattr(clusters, "_CONNECTS", 1.0)
    with pytest.raises(ScneuroError, match="has no workers") as raised, crew(1, address):
        pass
    assert f"dask worker {address}" in raised.value.hint


@pytest.mark.slow
def test_an_interrupted_search_goes_on_where_it_was(tmp_path, tools, command_line, monkeypatch):
    log = tmp_path / "log"
    log.touch()
    monkeypatch.setenv("PRETENDED_LOG", str(log))
    line = (
        f"explore lif --board ice40_hx8k_b_evn --budgets 1 --seeds 1,2,3,4 --steps {STEPS} "
        f"--workers 1 -o {tmp_path / 'out'}"
    )
    with subprocess.Popen(
        [*command_line, *line.split()],
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"PRETENDED_SECONDS": "3"},
        start_new_session=True,
    ) as process:
        try:
            begin = time.monotonic()
            while not list((tmp_path / "cache").glob("explored-*"))[1:]:
                assert time.monotonic() < begin + 50
                assert process.poll() is None
                time.sleep(0.1)
            os.killpg(process.pid, signal.SIGINT)  # all of them, as a terminal does
            _, error = process.communicate(timeout=30)
        finally:
            process.kill()
    assert process.returncode == 2
    told, stopped = error.strip().splitlines()
    assert "of 5 jobs are done and kept" in told
    assert "interrupted" in stopped
    assert list((tmp_path / "out").iterdir()) == []
    assert not list((tmp_path / "cache").glob(".build-*"))
    first = log.read_text().split()
    assert 1 <= len(first) < 4
    done = subprocess.run([*command_line, *line.split()], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert sorted(log.read_text().split()) == ["1", "2", "3", "4"]
    assert (tmp_path / "out" / "explore.html").exists()


@pytest.mark.slow
def test_a_small_search_with_real_tools(capsys, tmp_path):
    line = f"lif --board ice40_hx8k_b_evn --budgets 1 --seeds 1 --steps 2000 -o {tmp_path}"
    code, _, err = run(capsys, line)
    assert code == 0, err
    (point,) = json.loads((tmp_path / "explore.json").read_text())["points"]
    assert 200 < point["cells"]["logic"] < 900
    assert point["fmax_mhz"]["best"] > 60
    assert point["updates_per_second"] == pytest.approx(
        1e6 * point["fmax_mhz"]["best"] / point["latency_clocks"]
    )
    assert point["fidelity"]["equal_share"] == 1.0
    assert point["failed"] is None


def test_the_python_of_a_search_is_what_the_command_does(tmp_path, tools, here):
    found = explore(
        LIF(), HX8K, tmp_path / "out", Space(seeds=(2,)), currents=[1.0, 3.0], steps=200
    )
    (row,) = found.rows
    assert row.fmax == (52.0, 52.0)
    assert row.fidelity["currents"] == (1.0, 3.0)
