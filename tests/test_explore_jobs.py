"""The jobs of a search, in this process and in others, and what disturbs them."""

import json
import os
import pickle
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from explored import HX8K, JOBS, MINE, STEPS, run

from scneuro import LIF
from scneuro.boards import BOARDS
from scneuro.errors import DoesNotFit, FileTrouble, LoweringError, ScneuroError
from scneuro.load import load_neuron
from scneuro.sim.explore import Point, Space, explore
from scneuro.sim.explore import cluster as clusters
from scneuro.sim.explore import jobs as work
from scneuro.sim.explore.cluster import crew
from scneuro.sim.explore.jobs import Job, Question, perform
from scneuro.sim.explore.network import NetworkPoint
from scneuro.sim.explore.neuron import content_of
from scneuro.sim.explore.search import Kept, jobs_of, results


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
