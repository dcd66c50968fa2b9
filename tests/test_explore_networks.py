"""The search of a network: its points, what its integers are compared on, what is made of it."""

import json
import math
import pickle
import re
import subprocess
import sys

import nir
import numpy as np
import pytest
from explored import refused, run

from scneuro import LIF, Network
from scneuro.boards import BOARDS, board
from scneuro.compiler.pipeline.form import Form
from scneuro.errors import LoweringError
from scneuro.load import load_network
from scneuro.network import Conv2d, Dense, Flatten
from scneuro.network.nir import read_nir
from scneuro.network.train import Leaky, accuracy
from scneuro.sim.explore import NetworkExploration, NetworkSpace, Space, explore, page, search
from scneuro.sim.explore import jobs as work
from scneuro.sim.explore.jobs import Job, Question, perform
from scneuro.sim.explore.network import NetworkPoint, NetworkRow
from scneuro.sim.explore.network import subject as subjects
from scneuro.sim.explore.network.clocks import counted, operations
from scneuro.sim.explore.network.fidelity import Stimulus, compared
from scneuro.sim.explore.network.subject import content_of_network
from scneuro.sim.explore.points import Point
from scneuro.sim.explore.search import jobs_of

HX8K = board("ice40_hx8k_b_evn")


def tiny(seed=0, sources=6, hidden=8, outputs=3, **options):
    rng = np.random.default_rng(seed)
    net = Network("tiny")
    net.input("x", sources)
    net.population("h", Leaky(), hidden)
    net.population("out", Leaky(), outputs)
    net.connect("x", "h", Dense(rng.normal(0.1, 0.5, (hidden, sources))), **options)
    net.connect("h", "out", Dense(rng.normal(0.1, 0.5, (outputs, hidden))), point=4)
    return net


def spikes(*shape, seed=1, rate=0.3):
    return (np.random.default_rng(seed).random(shape) < rate).astype(float)


# -- points ---------------------------------------------------------------------------------------
def test_every_combination_is_a_point_once_and_its_jobs_are_in_order():
    space = NetworkSpace(lanes=(1, 4, 4), bits=(None, 6), budgets=(0.5,), seeds=(1, 2))
    points = space.points(tiny())
    assert points == (
        NetworkPoint(1, None, 0.5),
        NetworkPoint(1, 6, 0.5),
        NetworkPoint(4, None, 0.5),
        NetworkPoint(4, 6, 0.5),
    )
    jobs = jobs_of(points, space.seeds)
    assert [(job.point.precision, job.seed, job.counts) for job in jobs[:2]] == [
        ((None, 0.5), None, False),
        ((6, 0.5), None, False),
    ]
    assert jobs[2:6] == [Job(p, counts=True) for p in points]
    assert jobs[6:] == [Job(p, seed) for seed in (1, 2) for p in points]
    assert [p.lanes for p in NetworkSpace().points(tiny())] == [4, 8, 16]


@pytest.mark.parametrize(
    ("space", "words"),
    [
        ({"lanes": (1, 3)}, "lanes must be a power of two from 1 to 64, not 3"),
        ({"lanes": (128,)}, "lanes must be a power of two from 1 to 64, not 128"),
        ({"bits": (1,)}, "bits must be 2 to 16, not 1"),
        ({"bits": (17,)}, "bits must be 2 to 16, not 17"),
        ({"budgets": (0.0,)}, "budgets must be positive numbers of LSB, not 0"),
        ({"seeds": (-1,)}, "seeds must be 0 to"),
        ({"bits": ()}, "bits: name at least one"),
    ],
)
def test_a_point_that_makes_no_sense_is_refused(space, words):
    with pytest.raises(ValueError, match=re.escape(words)):
        NetworkSpace(**space).points(tiny())


def test_a_space_is_of_networks_or_of_neurons():
    with pytest.raises(TypeError, match="takes a network, not LIF"):
        NetworkSpace().points(LIF())
    with pytest.raises(TypeError, match="a Space is of neurons"):
        Space().points(tiny())


def test_a_point_has_its_bits_and_budget_and_leaves_the_network_as_it_is():
    net = tiny()
    before = net.fixed().digest
    made = NetworkPoint(4, 5, 2.0).target(net)
    assert [(p.bits, p.point) for p in made.projections] == [(5, None), (5, None)]
    assert {layer.population.one.budget for layer in made.layers.values()} == {2.0}
    assert made.fixed().digest != before
    plain = NetworkPoint(4).target(net)
    assert [(p.bits, p.point) for p in plain.projections] == [(8, None), (8, 4)]
    assert plain.fixed().digest == net.fixed().digest == before
    assert {layer.population.one.budget for layer in net.layers.values()} == {None}


def test_a_nir_network_in_other_bits_is_what_the_file_is_when_it_is_read_so(tmp_path):
    file = nir_file(tmp_path)
    eight, six = (read_nir(file, dt=1.0, bits=bits) for bits in (8, 6))
    assert NetworkPoint(bits=6).target(eight).fixed().digest == six.fixed().digest


# -- fidelity -------------------------------------------------------------------------------------
def test_fidelity_is_what_float_and_integers_do():
    net, x = tiny(), spikes(12, 30, 6)
    labels = net.run(x=x, progress=False).spikes["out"].argmax(axis=-1)
    labels[0] = (labels[0] + 1) % 3
    fixed = NetworkPoint(bits=3).fixed(net)
    found = compared(net, fixed, Stimulus(net, x, labels))
    ours, got = net.run(x=x, progress=False), fixed.run(x=x, progress=False)
    differs = {n: ours.spike[n] != got.spike[n] for n in ("h", "out")}
    assert (found.steps, found.runs) == (12, 30)
    bits = sum(d.sum() for d in differs.values())
    assert found.unlike_spike_bits == bits / (12 * 30 * 11) > 0
    counts = ours.spikes["out"] != got.spikes["out"]
    assert found.unlike_output_counts == counts.mean() > 0
    assert found.float_accuracy == pytest.approx(29 / 30)
    assert found.accuracy == accuracy(fixed, x, labels) < found.float_accuracy
    hidden, out = found.populations
    assert (hidden.name, hidden.output, out.name, out.output) == ("h", False, "out", True)
    assert out.unlike_spike_bits == differs["out"].mean()
    assert (out.float_spikes, out.spikes) == (ours.spike["out"].sum(), got.spike["out"].sum())
    finer = compared(net, NetworkPoint(bits=12).fixed(net), Stimulus(net, x, labels))
    assert finer.unlike_spike_bits < found.unlike_spike_bits
    json.dumps(found.figures())


def test_a_network_that_is_told_apart_by_bits_of_its_own_has_no_difference():
    net = tiny()
    for k, p in enumerate(net.projections):
        values = np.round(p.map.weights * 8) / 8
        net.projections[k] = NetworkPoint().target(net).projections[k]
        object.__setattr__(net.projections[k], "map", Dense(values))
    found = compared(net, NetworkPoint(bits=6).fixed(net), Stimulus(net, spikes(60, 6)))
    assert found.unlike_spike_bits == 0
    assert found.accuracy is None


@pytest.mark.parametrize(
    ("given", "labels", "words"),
    [
        (spikes(9, 5), None, "x must have shape (T, 6)"),
        (spikes(9, 6) * 2, None, "most=...) allows more"),
        ({"y": spikes(9, 6)}, None, "has no input 'y'"),
        (spikes(9, 6), [0], "labels are of several runs: give (T, B, N)"),
        (spikes(9, 2, 6), [0], "labels must have shape (2,), a class for each run, not (1,)"),
        (spikes(9, 2, 6), [0, 3], "labels must be 0 to 2, the neurons of out, and are 0 to 3"),
        (spikes(9, 2, 6), [0, 0.5], "labels must be whole numbers"),
    ],
)
def test_a_stimulus_or_labels_that_do_not_fit_are_refused(given, labels, words):
    with pytest.raises((ValueError, TypeError), match=re.escape(words)):
        Stimulus(tiny(), given, labels)


def test_labels_are_of_one_output():
    net = tiny()
    net.output("h", "out")
    with pytest.raises(ValueError, match="labels are of one output, and there are h, out"):
        Stimulus(net, spikes(5, 2, 6), [0, 1])


def test_a_stimulus_has_the_first_steps_and_travels_as_bytes():
    found = Stimulus(tiny(), spikes(50, 6), steps=20)
    assert found.given["x"].dtype == np.uint8
    assert np.array_equal(found.given["x"], spikes(50, 6)[:20])
    assert Stimulus(tiny()).steps == 200
    assert Stimulus(tiny(), steps=7).given["x"].shape == (7, 6)


# -- clocks ---------------------------------------------------------------------------------------
def test_operations_are_the_weights_of_the_spikes_that_arrive():
    net = tiny(delay=2)
    x, h = spikes(10, 6), spikes(10, 8, seed=2)
    zeros = np.zeros((10, 3))
    total = operations(net.fixed(), {"x": x, "h": h, "out": zeros}, 5)
    late = sum(x[begin : begin + 3].sum() for begin in (0, 5))
    assert total == late * 8 + h.sum() * 3
    picture = Network()
    picture.input("image", (1, 4, 4))
    picture.population("c", Leaky(), (2, 2, 2))
    picture.population("out", Leaky(), 3)
    picture.connect("image", "c", Conv2d(np.ones((2, 1, 3, 3)) / 9))
    picture.connect("c", "out", [Flatten(), Dense(np.ones((3, 8)))])
    corner = np.zeros((1, 1, 4, 4))
    corner[0, 0, 0, 0] = 1
    middle = np.zeros((1, 1, 4, 4))
    middle[0, 0, 1, 1] = 1
    none = {"c": np.zeros((1, 8)), "out": np.zeros((1, 3))}
    assert operations(picture.fixed(), {"image": corner, **none}, 1) == 2
    assert operations(picture.fixed(), {"image": middle, **none}, 1) == 8


@pytest.mark.slow
@pytest.mark.compiler
def test_clocks_are_those_of_the_gates_and_more_lanes_take_fewer():
    net = tiny(hidden=16)
    stimulus = Stimulus(net, spikes(30, 3, 6))
    few, many = (counted(net.fixed(), stimulus, lanes, Form(stored=True)) for lanes in (1, 8))
    assert few["steps"] == 90
    assert few["operations_a_step"] == many["operations_a_step"] > 0
    assert many["clocks_a_step"] < few["clocks_a_step"]
    got = net.fixed().run(x=stimulus.given["x"], progress=False)
    added = 16 * stimulus.given["x"].sum() + 3 * got.spike["h"].sum()
    assert few["operations_a_step"] == added / 90


# -- jobs -----------------------------------------------------------------------------------------
def elsewhere(program, *arguments):
    """What a program prints in a new process, without whose folders there is nothing to find."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


PERFORM = (
    "import pickle, sys; from scneuro.sim.explore.jobs import perform\n"
    "found = perform(*pickle.load(open(sys.argv[1], 'rb')))['found']\n"
    "print([p['spikes'] for p in found['fidelity']['populations']])"
)


def test_what_a_job_depends_on_is_nothing_less():
    x, job = spikes(20, 2, 6), Job(NetworkPoint(4, 6), 1)

    def key(net=None, job=job, board=HX8K, tools=("yosys 0.60",), given=x, labels=(0, 1)):
        return Question.of(net or tiny(), board, given, labels).key(job, tools)

    renamed = tiny()
    renamed.output("h")
    keys = [
        key(),
        key(tiny(1)),
        key(tiny(delay=1)),
        key(tiny(bits=7)),
        key(renamed, given=spikes(20, 2, 6), labels=None),
        key(board=BOARDS["icebreaker"]),
        key(tools=("yosys 0.61",)),
        *(key(job=Job(NetworkPoint(*p), 1)) for p in ((8, 6), (4, 5), (4, 6, 0.5))),
        key(job=Job(NetworkPoint(4, 6), 2)),
        *(key(job=Job(NetworkPoint(lanes, 6), counts=True)) for lanes in (4, 8)),
        key(job=Job(NetworkPoint(4, 6), counts=True), given=spikes(20, 2, 6, seed=2)),
        key(job=Job(NetworkPoint(4, 6))),
        key(job=Job(NetworkPoint(4, 6)), given=spikes(20, 2, 6, seed=2)),
        key(job=Job(NetworkPoint(4, 6)), labels=(1, 1)),
    ]
    assert len(set(keys)) == len(keys)
    assert key(given=spikes(20, 2, 6, seed=2)) == keys[0]  # a build depends on no stimulus
    assert key(job=Job(NetworkPoint(8, 6))) == key(job=Job(NetworkPoint(4, 6)), tools=())


def test_a_network_has_the_same_content_in_another_process(tmp_path):
    (tmp_path / "net").write_bytes(pickle.dumps(tiny()))
    program = (
        "import pickle, sys\n"
        "from scneuro.sim.explore.network.subject import content_of_network\n"
        "print(content_of_network(pickle.load(open(sys.argv[1], 'rb'))))"
    )
    assert elsewhere(program, tmp_path / "net") == content_of_network(tiny())


OTHERS = """
import numpy as np
from scneuro import Input, Neuron, State
from scneuro.network import Dense

class Mine(Neuron):
    V = State(word="Q4.12")
    I = Input(word="Q4.12")
    dt = 1.0

    def update(self, V, I):
        V = 0.875 * V + I
        return V >= 1.0, np.where(V >= 1.0, 0.0, V)

class Halves(Dense):
    pass
"""

OWN = """
import numpy as np
from next_door import Halves, Mine
from scneuro import Network

def net():
    made = Network("mine")
    made.input("x", 3)
    made.population("out", Mine(), 2)
    made.connect("x", "out", Halves(np.full((2, 3), 0.5)))
    return made
"""


def test_neurons_and_maps_next_to_a_users_file_are_found_by_another_process(tmp_path):
    (tmp_path / "next_door.py").write_text(OTHERS)
    (tmp_path / "own.py").write_text(OWN)
    net = load_network(f"{tmp_path / 'own.py'}:net")
    question = Question.of(net, HX8K, np.ones((20, 3)))
    assert question.files == (str(tmp_path / "next_door.py"),)
    (tmp_path / "question").write_bytes(pickle.dumps((question, Job(NetworkPoint()))))
    assert elsewhere(PERFORM, tmp_path / "question") == "[40]"
    assert perform(question, Job(NetworkPoint()))["found"]["fidelity"]["unlike_spike_bits"] == 0


def nir_file(folder):
    rng = np.random.default_rng(3)
    graph = nir.NIRGraph(
        nodes={
            "input": nir.Input(np.array([5])),
            "fc": nir.Linear(rng.normal(0.2, 0.5, (4, 5))),
            "lif": nir.LIF(
                tau=np.full(4, 0.01), r=np.ones(4), v_leak=np.zeros(4), v_threshold=np.full(4, 0.1)
            ),
            "output": nir.Output(np.array([4])),
        },
        edges=[("input", "fc"), ("fc", "lif"), ("lif", "output")],
    )
    file = str(folder / "net.nir")
    nir.write(file, graph)
    return file


def test_a_network_of_a_nir_file_travels_without_it(tmp_path):
    file = nir_file(tmp_path)
    net, x = read_nir(file, dt=1.0), spikes(50, 5)
    net.calibrate(input=x, progress=False)
    question = Question.of(net, HX8K, x)
    (tmp_path / "net.nir").unlink()
    (tmp_path / "question").write_bytes(pickle.dumps((question, Job(NetworkPoint(bits=6)))))
    expected = NetworkPoint(bits=6).fixed(net).run(input=x, progress=False).spike["lif"].sum()
    assert expected > 0
    assert elsewhere(PERFORM, tmp_path / "question") == f"[{expected}]"


# -- results --------------------------------------------------------------------------------------
def report(logic, fmax, seed=1, worst=400):
    used = {"logic": {"used": logic, "available": 7680}, "ram": {"used": 9, "available": 32}}
    return {
        "neurons": 11,
        "fmax_mhz": fmax,
        "utilization": used,
        "cells": {"SB_LUT4": logic},
        "clocks_a_step": worst,
        "latency": worst,
        "memory_bits": 4096,
        "seed": seed,
        "sha256": "0" * 64,
    }


def row(point, logic, fmax, clocks, bits=0.01, told=None):
    population = {
        "name": "out", "neurons": 3, "output": True, "float_spikes": 9, "spikes": 8,
        "unlike_spike_bits": bits, "unlike_counts": 0.5,
    }  # fmt: skip
    fidelity = {
        "steps": 20, "runs": 5, "unlike_spike_bits": bits, "unlike_output_counts": 0.5,
        "float_accuracy": told and 0.9, "accuracy": told, "populations": [population],
        "saturated": {"out.I": 3},
    }  # fmt: skip
    state = {"population": "out", "name": "v", "word": "Q4.12", "guard_bits": 8, "bits": 24}
    projection = {
        "source": "x", "target": "out", "to": "I", "weights": 18, "bits": 8, "fraction_bits": 6,
        "weight_error": 0.01,
    }  # fmt: skip
    made = {"fidelity": fidelity, "states": [state], "projections": [projection]}
    found = {"steps": 100, "clocks_a_step": clocks, "operations_a_step": 30.0}
    return NetworkRow(point, {1: report(logic, fmax)}, made, found if clocks else {"failed": "no"})


def exploration(rows, **space):
    return NetworkExploration(
        network="tiny <i>",
        dt_ms=1.0,
        populations={"h": 8, "out": 3},
        weights=72,
        steps=20,
        runs=5,
        board="iCE40-HX8K-B-EVN",
        device="iCE40 HX8K",
        cell="LC",
        space=NetworkSpace(**space),
        tools=("yosys 0.60",),
        version="0.1.0",
        rows=tuple(rows),
    )


@pytest.fixture
def made_up():
    """Two on the front, one that is beaten, and one that does not fit."""
    none = {1: {"failed": "tiny takes 48 block RAMs"}}
    rows = [
        row(NetworkPoint(4, 4), 300, 30.0, 100.0, 0.05, 0.8),
        row(NetworkPoint(4, 8), 320, 28.0, 100.0, 0.01, 0.9),
        row(NetworkPoint(8, 4), 350, 29.0, 60.0, 0.05, 0.8),
    ]
    last = row(NetworkPoint(8, 8), 1, 1.0, 60.0, 0.01, 0.9)
    return exploration(
        [*rows, NetworkRow(last.point, none, last.compared, last.counted)],
        lanes=(4, 8), bits=(4, 8), seeds=(1,),
    )  # fmt: skip


def test_the_figures_say_all_of_every_point(made_up):
    figures = json.loads(json.dumps(made_up.figures()))
    assert {n: figures[n] for n in ("network", "dt_ms", "populations", "weights", "stimulus")} == {
        "network": "tiny <i>",
        "dt_ms": 1.0,
        "populations": {"h": 8, "out": 3},
        "weights": 72,
        "stimulus": {"steps": 20, "runs": 5},
    }
    first, *_, last = figures["points"]
    assert first["options"] == {"lanes": 4, "bits": 4, "budget": None, "seeds": [1]}
    assert first["cells"] == {"logic": 300, "ram": 9}
    assert first["fmax_mhz"] == {"best": 30.0, "median": 30.0}
    assert first["steps_per_second"] == {"worst": 75_000.0, "stimulus": 300_000.0}
    assert first["synaptic_operations_per_second"] == 9e6
    assert (first["clocks_a_step"], first["clocks_a_step_of_stimulus"]) == (400, 100.0)
    assert first["times_real_time"] == 75
    assert first["memory_bits"] == 4096
    assert first["fidelity"] == {
        "unlike_spike_bits": 0.05,
        "unlike_output_counts": 0.5,
        "float_accuracy": 0.9,
        "accuracy": 0.8,
    }
    assert last["failed"] == "tiny takes 48 block RAMs"
    assert last["cells"] is last["steps_per_second"]["stimulus"] is None
    assert last["clocks_a_step_of_stimulus"] == 60.0
    assert figures["pareto"] == [1, 3]
    assert [(p["bits"], p["budget"]) for p in figures["precisions"]] == [(4, None), (8, None)]


def test_the_table_and_the_page_are_of_a_network(made_up, tmp_path):
    titles, rows = page.table(made_up)
    assert "budget" not in titles
    cells = dict(zip(titles, rows[0], strict=True))
    assert (cells["lanes"], cells["bits"], cells["steps/s"]) == ("4", "4", "300,000")
    assert (cells["at least"], cells["accuracy"]) == ("75,000", "80.0%")
    assert (cells["spike bits differ"], cells["synaptic operations/s"]) == ("5.00%", "9e+06")
    assert [line[-1] for line in rows] == ["front", "", "front", "tiny takes 48 block RAMs"]
    assert "float tells 90.0% right" in page.text(made_up)
    page.write(made_up, tmp_path)
    assert sorted(p.name for p in tmp_path.iterdir()) == [
        "explore.html", "explore.json", "explore.md", "pareto.svg",
    ]  # fmt: skip
    text = (tmp_path / "explore.html").read_text("utf-8")
    assert len(text.encode()) < 500_000
    assert not re.search(r"<(script|link|img|iframe)|\bsrc=|@import", text)
    for words in ("tiny &lt;i&gt;", "Weights of 4 bits", "Float tells 90.00% of 5 runs right",
                  "out.I was at its limit 3 times", "x &gt; out.I", "72 weights"):  # fmt: skip
        assert words in text
    assert text.count("<svg") == 3


def test_where_clocks_could_not_be_counted_points_are_told_apart_by_the_worst():
    rows = [row(NetworkPoint(4), 300, 30.0, 100.0), row(NetworkPoint(8), 350, 29.0, None)]
    found = exploration(rows)
    assert [found.speed(r) for r in rows] == [75_000.0, 72_500.0]
    assert found.front == rows[:1]
    assert rows[1].failed == "clocks: no"
    assert page.look_of(found).speed.endswith("at the worst")
    assert page.look_of(found).shared(rows[0]) == 0.99  # without labels: of spike bits
    assert "accuracy" not in page.table(found)[0]


# -- the command ----------------------------------------------------------------------------------
@pytest.fixture
def pretended(monkeypatch):
    """Gates that only pretend to be counted."""

    def counted(fixed, stimulus, lanes, form):
        total = stimulus.steps * stimulus.runs
        return {"steps": total, "clocks_a_step": 400 / lanes, "operations_a_step": 50.0}

    monkeypatch.setattr(subjects, "counted", counted)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a network, a NIR file, a stimulus and labels, in which the command runs."""
    monkeypatch.chdir(tmp_path)
    program = (
        "import numpy as np\nfrom scneuro import Network\nfrom scneuro.network import Dense\n"
        "from scneuro.network.train import Leaky\n"
        "rng = np.random.default_rng(0)\nnet = Network('tiny')\nnet.input('x', 6)\n"
        "net.population('out', Leaky(), 3)\n"
        "net.connect('x', 'out', Dense(rng.normal(0.1, 0.5, (3, 6))))\n"
    )
    (tmp_path / "own.py").write_text(program)
    nir_file(tmp_path)
    np.save("x.npy", spikes(30, 4, 6))
    np.save("labels.npy", np.array([0, 1, 2, 0]))
    np.save("some.npy", spikes(40, 5))
    return tmp_path


def test_the_command_tries_every_point_and_writes_all_files(
    capsys, folder, tools, here, pretended, monkeypatch
):
    line = (
        "own.py:net --board ice40_hx8k_b_evn --lanes 1,4 --bits 4 --seeds 3 --stimulus x.npy "
        "--labels labels.npy -o out"
    )
    code, out, err = run(capsys, line)
    assert code == 0, err
    said = "weights of 4 bits, compared over 30 steps of 4 runs, of which float tells"
    assert f"tiny on iCE40-HX8K-B-EVN (iCE40 HX8K): {said}" in out
    figures = json.loads((folder / "out" / "explore.json").read_text())
    assert [(p["options"]["lanes"], p["options"]["bits"]) for p in figures["points"]] == [
        (1, 4), (4, 4),
    ]  # fmt: skip
    for point in figures["points"]:
        assert point["failed"] is None
        assert point["fmax_mhz"]["best"] == 53.0
        assert point["steps_per_second"]["stimulus"] == 53e6 * point["options"]["lanes"] / 400
        assert 0 <= point["fidelity"]["accuracy"] <= 1
    one, four = figures["points"]
    assert one["cells"]["logic"] < four["cells"]["logic"]
    assert one["fidelity"] == four["fidelity"]
    assert figures["stimulus"] == {"steps": 30, "runs": 4}
    assert (folder / "out" / "explore.html").stat().st_size < 500_000

    def again(*_, **__):
        raise AssertionError("hired for nothing")

    monkeypatch.setattr(search, "crew", again)
    code, out, _ = run(capsys, f"{line} --json")
    assert json.loads(out) == figures


def test_a_nir_file_has_its_options_and_words_of_its_stimulus(
    capsys, folder, tools, here, pretended, monkeypatch
):
    monkeypatch.setattr(work, "_built", lambda subject, point, seed, board: report(300, 50.0))
    line = "net.nir --dt 1 --board ice40_hx8k_b_evn --lanes 4 --budgets 1 --seeds 1 -o out"
    code, _, err = run(capsys, f"{line} --stimulus some.npy --steps 25")
    assert code == 0, err
    figures = json.loads((folder / "out" / "explore.json").read_text())
    (point,) = figures["points"]
    assert point["options"] == {"lanes": 4, "bits": None, "budget": 1.0, "seeds": [1]}
    assert figures["stimulus"] == {"steps": 25, "runs": 1}
    net = read_nir("net.nir", dt=1.0)
    net.calibrate(input=spikes(40, 5)[:25], progress=False)
    (state,) = figures["precisions"][0]["states"]
    assert state["word"] == net.layers["lif"].population.neuron.state_variables["v"].word


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("own.py:net --intervals 2", "--intervals is not of networks"),
        ("own.py:net --neurons 8", "--neurons is not of networks"),
        ("own.py:net --guards 4", "--guards is not of networks"),
        ("own.py:net --currents 0 1", "--currents is not of networks"),
        ("own.py:net --preset RS", "--preset is not of networks"),
        ("own.py:net --dt 1", "--dt is of NIR files; own.py:net says it itself"),
        ("own.py:net --lanes 3", "lanes must be a power of two from 1 to 64, not 3"),
        ("own.py:net --bits 1", "bits must be 2 to 16, not 1"),
        ("own.py:net --bits x=4", "'x=4' is no list of numbers such as 1,2,4"),
        ("own.py:net --labels labels.npy", "labels are of several runs"),
        ("own.py:net --stimulus some.npy", "x must have shape (T, 6)"),
        ("own.py:net --stimulus x.npy --labels some.npy", "labels must have shape (4,)"),
        ("own.py:net --steps 0", "--steps must be at least 1"),
        ("own.py:net --budget 1 --budgets 1", "--budget or --budgets"),
        ("own.py:net --budgets 1e-9", "guard bits"),
        ("net.nir", "net.nir: a NIR file has no time step"),
        ("net.nir --dt 1 --bits 4,8 --point fc=4", "--bits chooses binary points anew"),
        ("lif --bits 4", "--bits is of networks here, and lif is none"),
        ("lif --stimulus x.npy", "--stimulus is of networks here, and lif is none"),
        ("lif --labels labels.npy", "--labels is of networks, and lif is none"),
        ("lif --dt 1", "--dt is of networks, and lif is none"),
    ],
)
def test_what_makes_no_sense_is_one_line_before_anything_runs(
    capsys, folder, monkeypatch, line, words
):
    def nobody(*_):
        raise AssertionError("hired")

    monkeypatch.setattr(search, "crew", nobody)
    name, _, rest = line.partition(" ")
    error = refused(capsys, f"{name} --board ice40_hx8k_b_evn -o out {rest}")
    assert words in error
    assert "Traceback" not in error
    assert not (folder / "out" / "explore.json").exists()


def test_what_is_refused_at_every_point_and_what_is_not_of_it_are_said_in_python(tmp_path):
    with pytest.raises(LoweringError, match="guard bits"):
        explore(tiny(), HX8K, tmp_path, NetworkSpace(budgets=(1e-9, 1e-10)))
    with pytest.raises(TypeError, match="currents is not of a network"):
        explore(tiny(), HX8K, tmp_path, currents=[1.0])
    with pytest.raises(TypeError, match="labels is not of a neuron"):
        explore(LIF(), HX8K, tmp_path, labels=[1])
    with pytest.raises(TypeError, match="a Space is of neurons"):
        explore(tiny(), HX8K, tmp_path, Space())
    assert isinstance(NetworkPoint().alike, NetworkPoint)
    assert Point().counted is False


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.compiler
def test_a_small_search_with_real_tools_and_two_workers(capsys, folder, monkeypatch):
    line = (
        "own.py:net --board ice40_hx8k_b_evn --lanes 1,4 --bits 4,8 --seeds 1 --stimulus x.npy "
        "--labels labels.npy --workers 2 -o out"
    )
    code, _, err = run(capsys, line)
    assert code == 0, err
    figures = json.loads((folder / "out" / "explore.json").read_text())
    assert len(figures["points"]) == 4
    for point in figures["points"]:
        assert point["failed"] is None
        assert 500 < point["cells"]["logic"] < 5000
        assert point["fmax_mhz"]["best"] > 20
        clocks = point["clocks_a_step_of_stimulus"]
        assert 10 < clocks < point["clocks_a_step"]
        reached = 1e6 * point["fmax_mhz"]["best"] / clocks
        assert math.isclose(point["steps_per_second"]["stimulus"], reached)
        assert point["synaptic_operations_per_second"] > 0
    four, eight = figures["precisions"]
    assert four["fidelity"]["unlike_spike_bits"] > eight["fidelity"]["unlike_spike_bits"]
    assert "Weights of 4 bits" in (folder / "out" / "explore.html").read_text()

    def again(*_, **__):
        raise AssertionError("hired for nothing")

    monkeypatch.setattr(search, "crew", again)
    code, out, _ = run(capsys, f"{line} --json")
    assert json.loads(out) == figures
