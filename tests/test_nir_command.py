"""NIR files on the command line."""

import json

import nir
import numpy as np
import pytest
from nir_graphs import HIDDEN, cuba, full, graph, lif, quiet, read, spikes, through, trained

from scneuro.cli import main
from scneuro.network.nir import read_nir

OWN = """
import numpy as np
from scneuro import LIF, Network
from scneuro.network import Dense

def make(weight=40.0):
    net = Network("own")
    net.input("x", 3, most=2)
    net.population("out", LIF(dt=1.0), 2)
    net.connect("x", "out", Dense([[weight, 0, 0], [0, weight, weight]]))
    return net

network = make()

class Tuned(LIF):
    pass

def wrong():
    return 3

def broken():
    return make(1 / 0)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own.py").write_text(OWN)
    (tmp_path / "alone.py").write_text(OWN.partition("class Tuned")[0])
    nir.write("net.nir", plain())
    nir.write("two.nir", everything_small())
    np.save("x.npy", spikes(60, 12, 0.2))
    np.save("counts.npy", 3 * spikes(60, 12, 0.2))
    np.save("halves.npy", spikes(60, 12, 0.2) / 2)
    np.save("thin.npy", spikes(60, 11, 0.2))
    return tmp_path


def plain():
    """A recurrent net whose hidden neurons are alike."""
    g = trained(0)
    g.nodes["hidden"] = cuba(HIDDEN, theta=0.5)
    g.nodes["readout"].tau = np.array([0.02, 0.03, 0.02, 0.02])
    return g


def everything_small():
    """Two inputs, one of an image."""
    return graph(
        ["image flat fc lif output", "row w lif"],
        image=nir.Input(np.array([1, 2, 2])),
        row=nir.Input(np.array([3])),
        output=nir.Output(np.array([2])),
        flat=nir.Flatten(np.array([1, 2, 2]), 0, -1),
        fc=nir.Linear(np.ones((2, 4))),
        w=nir.Linear(np.full((2, 3), 2.0)),
        lif=lif(2),
    )


def says(capsys, *arguments, code=0):
    assert main(list(arguments)) == code
    found = capsys.readouterr()
    return found.out if code == 0 else found.err


@pytest.mark.parametrize("backend", ["float", "fixed"])
def test_the_command_line_runs_what_python_runs(folder, capsys, backend):
    out = says(capsys, "simulate", "net.nir", "--dt", "1", "--stimulus", "x.npy", "--backend",
               backend, "-o", "out.npz", "--json")  # fmt: skip
    figures = json.loads(out)
    x = np.load("x.npy")
    net = read("net.nir")
    if backend == "fixed":
        chosen = net.calibrate(input=x, progress=False)
        assert {p["name"]: p["words"] for p in figures["populations"]} == chosen
        net = net.fixed()
    run = quiet(net, input=x)
    with np.load("out.npz") as file:
        assert {*file} == {"t", *run.arrays()}
        for name, values in run.arrays().items():
            assert np.array_equal(file[name], values), name
    assert figures["populations"][0]["spikes"] == run.spike["hidden"].sum() > 10
    assert any("closes a loop" in note for note in figures["notes"])


def test_what_leaves_of_its_outputs_is_said_as_it_is_read(folder, capsys):
    x = np.load("x.npy")
    net = read("net.nir", outputs="counts")
    assert net.sends == {"readout": "counts"}
    assert read("net.nir").sends == read("net.nir", outputs="spikes").sends == {"readout": "spikes"}
    with pytest.raises(ValueError, match="outputs must be spikes or counts or both, not 'rates'"):
        read("net.nir", outputs="rates")
    run = quiet(net, input=x)
    assert np.array_equal(run.counts["readout"], run.spikes["readout"])
    given = ("net.nir", "--dt", "1", "--stimulus", "x.npy", "--outputs", "both")
    out = says(capsys, "simulate", *given, "-o", "out.npz")
    assert f"counts of readout: {', '.join(map(str, run.counts['readout']))}" in out
    with np.load("out.npz") as file:
        assert np.array_equal(file["readout/counts"], run.counts["readout"])
    out = says(capsys, "show", "net.nir", "--dt", "1", "--outputs", "both")
    assert "population  readout: 4 NIRLIF, spikes leave and are counted" in out
    assert "counts 64 bits" in out


def test_without_a_stimulus_spikes_are_random_and_said(folder, capsys):
    out = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300")
    assert "net.nir (float): 300 steps of 0.5 ms" in out
    assert "random, 200 Hz each, seed 1" in out
    assert "note: hidden > rec > hidden closes a loop without a delay: it gets one step" in out
    again = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300")
    other = says(capsys, "simulate", "net.nir", "--dt", "0.5", "--steps", "300", "--seed", "2")
    assert again == out != other
    figures = json.loads(says(capsys, "simulate", "net.nir", "--dt", "1", "--rate", "30", "--json"))
    assert figures["steps"] == 1000
    assert 250 < figures["inputs"][0]["sum"] < 470


def test_several_inputs_are_given_by_name_and_counts_are_taken(folder, capsys):
    np.save("image.npy", spikes(30, 4, 0.5).reshape(30, 1, 2, 2))
    given = ("--stimulus", "image=image.npy", "--input", "row=2", "-o", "o.npz")
    out = says(capsys, "simulate", "two.nir", "--dt", "1", *given)
    assert "input row: 3, 180 spikes, from 2" in out
    with np.load("o.npz") as file:
        assert np.allclose(file["lif/I"], 12 + np.load("image.npy").sum(axis=(1, 2, 3))[:, None])
    out = says(capsys, "show", "net.nir", "--dt", "1", "--calibrate", "counts.npy")
    assert "input       input: 12, spikes, up to 3 a step" in out


def test_show_says_what_a_network_is_made_of(folder, capsys):
    out = says(capsys, "show", "net.nir", "--dt", "1", "--bits", "fc=4", "--point", "out=3")
    for text in (
        "words are as declared; --calibrate FILE chooses them by a run",
        "population  hidden: 40 NIRCubaLIF",
        "population  readout: 4 NIRLIF, spikes leave",
        "480 weights of 4 bits",
        "160 weights of 8 bits, 3 of them fraction",
        "projection  hidden > hidden.I: Dense(40x40), a step later",
        "1,600 weights of 8 bits",
    ):
        assert text in out
    command = ("show", "net.nir", "--dt", "1", "--calibrate", "x.npy", "--json")
    figures = json.loads(says(capsys, *command, "--word", "hidden.i=Q6.10"))
    assert figures["calibrated"]
    hidden = next(p for p in figures["populations"] if p["name"] == "hidden")
    assert {s["name"]: s["word"] for s in hidden["states"]}["i"] == "Q6.10"
    readout = next(p for p in figures["populations"] if p["name"] == "readout")
    assert readout["varied"] == {"alpha": [1 / 30, 0.05]}
    assert "tau" not in readout["parameters"]
    assert figures["memory_bits"]["weights"] == 8 * (480 + 1600 + 160)
    width = sum(s["bits"] for s in hidden["states"])
    assert hidden["state_memory_bits"] == 40 * width


@pytest.mark.parametrize("name", ["own.py:network", "own.py:make", "alone.py"])
def test_a_network_of_a_file_of_ones_own_is_found(folder, capsys, name):
    for backend in ("float", "fixed"):
        out = says(capsys, "simulate", name, "--steps", "50", "--backend", backend)
        assert f"own ({backend}): 50 steps of 1 ms" in out
        assert "out         LIF" in out
    assert "V: Q8.8" in says(capsys, "show", name)
    np.save("y.npy", np.ones((50, 3)))
    assert "V: Q8.8" not in says(capsys, "show", name, "--calibrate", "y.npy")
    assert "V: Q8.8" in says(capsys, "show", name)  # what was chosen was not the file's own
    assert "Tuned (float)" in says(capsys, "simulate", "own.py:Tuned", "--steps", "9")


def words(line):
    return line.split()


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ("simulate net.nir", "net.nir: a NIR file has no time step\n  give it in ms: --dt 1"),
        ("simulate none.nir --dt 1", "there is no file none.nir"),
        ("simulate x.npy", "no neuron 'x.npy'"),
        ("simulate net.nir --dt 11", "net.nir: hidden (CubaLIF): a time step of 11 ms is"),
        ("simulate net.nir --dt -1", "dt must be a positive number of ms, not -1"),
        ("simulate net.nir --dt 1 --stimulus thin.npy", "input must have shape (T, 12)"),
        ("simulate net.nir --dt 1 --stimulus halves.npy", "is 0.5 in step 0"),
        ("simulate net.nir --dt 1 --stimulus none.npy", "cannot read none.npy"),
        ("simulate net.nir --dt 1 --stimulus x.npy --steps 99", "--steps 99, but x.npy has 60"),
        ("simulate net.nir --dt 1 --stimulus x.npy --rate 9", "--rate is of random spikes"),
        ("simulate net.nir --dt 1 --rate 2000", "--rate 2000: in a step of 1 ms"),
        ("simulate net.nir --dt 1 --steps 0", "--steps must be at least 1"),
        ("simulate net.nir --dt 1 --input a=x.npy", "net.nir has the inputs input"),
        ("simulate net.nir --dt 1 --input x.npy", "--input x.npy: write NAME=VALUE"),
        ("simulate net.nir --dt 1 --input input=x.npy --input input=1", "input is given twice"),
        ("simulate net.nir --dt 1 --stimulus input=x.npy --input input=1", "input is given twice"),
        ("simulate net.nir --dt 1 --input-kind current", "input takes currents: give them"),
        ("simulate net.nir --dt 1 --calibrate x.npy", "--backend float has none"),
        ("simulate net.nir --dt 1 -o out.txt", "-o out.txt: name a .npz file"),
        ("simulate net.nir --dt 1 --set tau=1", "--set is not of networks"),
        ("simulate net.nir --dt 1 --neurons 4", "--neurons is not of networks"),
        ("simulate net.nir --dt 1 --current 4", "--current is not of networks"),
        ("simulate net.nir --dt 1 --plot a.png", "--plot is not of networks"),
        ("simulate net.nir --dt 1 --bits eight", "--bits eight: write a whole number"),
        ("simulate net.nir --dt 1 --bits 1", "bits must be 2 to 16, not 1"),
        ("simulate net.nir --dt 1 --bits 4 --bits fc=4", "given for all nodes and for some"),
        ("simulate net.nir --dt 1 --point fc=some", "'some' is no whole number"),
        ("simulate net.nir --dt 1 --point none=4", "points of 'none': there are fc, rec, out"),
        ("simulate net.nir --dt 1 --word v=Q4.12", "--word v=Q4.12: write NODE.NAME=Q2.14"),
        ("simulate two.nir --dt 1 --stimulus x.npy", "has the inputs image, row; give each with"),
        ("show two.nir --dt 1 --calibrate row=x.npy", "--calibrate: image must be given, too"),
        ("show net.nir --dt 1 --board icebreaker", "--board is not of networks here"),
        ("show net.nir --dt 1 --calibrate none.npy", "cannot read none.npy"),
        ("simulate lif --dt 1", "--dt is of networks, and lif is none"),
        ("show lif --calibrate x.npy", "--calibrate is of networks, and lif is none"),
        ("simulate own.py:network --dt 1", "--dt is of NIR files; own.py:network says it itself"),
        ("show own.py:network --outputs both", "--outputs is of NIR files; own.py:network says it"),
        ("show lif --outputs both", "--outputs is of networks, and lif is none"),
        ("simulate own.py:wrong", "own.py:wrong() returns int, no network"),
        ("simulate own.py:broken", "own.py:broken() fails: "),
        ("simulate own.py:none", "own.py has no neuron or network 'none'"),
        ("parity net.nir", "net.nir: a NIR file has no time step"),
        ("plot net.nir -o a.png", "net.nir is a network, which this command does not take"),
        ("reference own.py:network", "own.py:network is a network, which this command does not"),
    ],
)
def test_what_the_command_line_cannot_do_is_said_in_a_line(folder, capsys, arguments, text):
    err = says(capsys, *words(arguments), code=2)
    assert text in err
    assert err.startswith("scneuro: ")
    assert len(err.splitlines()) <= 2
    assert not (folder / "out.npz").exists()


def test_a_run_that_leaves_all_numbers_is_refused(folder, capsys):
    nir.write("wild.nir", through(1, 1, nir.Linear(np.full((1, 1), 1e308)), nir.I(full(1, 1e308))))
    err = says(capsys, "simulate", "wild.nir", "--dt", "1", "--rate", "1000", code=2)
    assert "is no number from step" in err
    assert len(err.splitlines()) == 2


@pytest.mark.parametrize("end", ["LI", "Linear", "LIF"])
def test_counts_of_what_never_fires_are_said_to_stay_0(end):
    nodes = {
        "LI": nir.LI(full(2, 0.02), full(2, 1), full(2, 0)),
        "Linear": nir.Linear(np.eye(2)),
        "LIF": nir.LIF(*(full(2, v) for v in (0.02, 1.0, 0.0, 1.0, 0.0))),
    }
    net = read_nir(through(2, 2, nodes[end]), dt=1.0, outputs="counts")
    assert any("its counts stay 0" in note for note in net.notes) == (end != "LIF")
