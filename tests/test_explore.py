"""A search of a neuron: its points, what is made of its results, and the search itself."""

import errno
import json
import re
from pathlib import Path

import numpy as np
import pytest
from explored import JOBS, compared, hire

from scneuro import LIF, AdEx
from scneuro.errors import FileTrouble, ScneuroError
from scneuro.sim.explore import Exploration, Point, Row, Space, page, search
from scneuro.sim.explore.fidelity import Sweep
from scneuro.sim.explore.jobs import Job
from scneuro.sim.explore.results import front
from scneuro.sim.explore.search import Kept, jobs_of, results


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
