"""What several commands take: every input, initial states, the seed, channels, ranges of plots."""

import copy
import json
import pickle

import numpy as np
import pytest

from scneuro import (
    AdEx,
    ConductanceLIF,
    HodgkinHuxley,
    Izhikevich,
    LoweringError,
    ScneuroError,
    cli,
)
from scneuro.load import make_neuron
from scneuro.plot import plot_fi, plot_phase, plot_trace
from scneuro.sim import ladder


@pytest.fixture
def run(capsys):
    """(exit code, standard output, standard error) of a command."""

    def command(*arguments):
        code = cli.main([str(a) for a in arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return command


@pytest.fixture
def figures(run):
    """What a command prints with ``--json``."""

    def command(*arguments):
        code, out, err = run(*arguments, "--json")
        assert code == 0, err
        return json.loads(out)

    return command


# -- inputs ---------------------------------------------------------------------------------------
def test_every_input_is_driven_by_a_number_or_a_file(figures, tmp_path):
    inhibition = np.linspace(0, 3, 700)
    np.save(tmp_path / "i.npy", inhibition)
    saved = tmp_path / "run.npz"
    given = ["--input", "I_exc=2", "--input", f"I_inh={tmp_path}/i.npy"]
    found = figures("simulate", "conductance_lif", *given, "-o", saved)
    expected = ConductanceLIF().run(I_exc=np.full(700, 2.0), I_inh=inhibition)
    assert found["steps"] == 700
    assert found["spikes"] == expected.spikes > 0
    assert np.array_equal(np.load(saved)["I_inh"], inhibition)
    assert np.array_equal(np.load(saved)["V"], expected.V)


def test_the_first_input_has_its_typical_current_where_it_is_not_named(figures):
    arguments = ["--input", "I_inh=0.5", "--steps", 500]
    alone = figures("simulate", "conductance_lif", *arguments)
    named = figures("simulate", "conductance_lif", "--current", 1.0, *arguments)
    assert alone == named
    assert figures("simulate", "conductance_lif", "--steps", 500)["final"] != alone["final"]


def test_parity_drives_every_input(figures):
    arguments = ["conductance_lif", "--input", "I_inh=1", "--steps", 400]
    with_inhibition = figures("parity", *arguments)
    assert with_inhibition["bit_exact"] is True
    assert with_inhibition["step_error_lsb"]["states"]["g_inh"]["max"] > 0
    assert figures("parity", "conductance_lif", "--steps", 400)["state_rms"]["g_inh"] == 0


def test_verify_takes_the_inputs_to_the_rungs_that_run_a_stimulus(run, monkeypatch, tmp_path):
    given = []

    def only_seen(neuron, stimulus, **_):
        given.append(stimulus)
        raise ScneuroError("not run here")

    monkeypatch.setattr(ladder, "parity", only_seen)
    for rung in ("_proof", "_invariants", "_netlist", "_bitstream"):
        monkeypatch.setattr(ladder, rung, lambda *_: (True, "not tried here", {}))
    np.save(tmp_path / "i.npy", np.arange(100) / 100)
    arguments = ["verify", "conductance_lif", "--board", "icebreaker", "--steps", 500, "--json"]
    code, out, _ = run(*arguments, "--current", 2, "--input", f"I_inh={tmp_path}/i.npy")
    assert code == 2
    assert set(given[0]) == {"I_exc", "I_inh"}
    assert given[0]["I_exc"] == 2.0
    assert np.array_equal(given[0]["I_inh"], np.arange(50) / 100)
    found = {rung["name"]: rung["figures"] for rung in json.loads(out)}["float"]
    expected = ConductanceLIF().run(np.full(100, 2.0), I_inh=np.arange(100) / 100)
    assert found == {"spikes": expected.spikes, "duration_ms": pytest.approx(10.0)}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--input", "I=2"], "ConductanceLIF has the inputs I_exc, I_inh"),
        (["--input", "I_inh"], "write NAME=VALUE"),
        (["--input", "=2"], "write NAME=VALUE"),
        (["--input", "I_inh="], "write NAME=VALUE"),
        (["--input", "I_inh=missing.npy"], "missing.npy"),
        (["--input", "I_inh=nan"], "must be finite"),
        (["--input", "I_inh=1", "--input", "I_inh=2"], "I_inh is given twice"),
        (["--current", "1", "--input", "I_exc=2"], "I_exc is given twice"),
        (["--input", "I_exc=long.npy", "--input", "I_inh=short.npy"], "I_exc 9, I_inh 5"),
        (["--input", "I_exc=short.npy", "--steps", "9"], "the file of I_exc has 5"),
        (["--init", "V=high"], "'high' is no number"),
        (["--init", "U=1"], "no state 'U'; it has V, g_exc, g_inh"),
        (["--init", "V=nan"], "must be finite"),
        (["--seed", "0"], "seed must be 1 to"),
    ],
)
def test_what_is_wrong_with_an_input_or_a_state_is_said(
    run, arguments, says, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    np.save("long.npy", np.zeros(9))
    np.save("short.npy", np.zeros(5))
    code, out, err = run("simulate", "conductance_lif", *arguments)
    assert (code, out) == (2, "")
    assert says in err


# -- initial states and the seed ------------------------------------------------------------------
def test_a_state_starts_where_it_is_told_to(figures):
    for backend in ("float", "fixed", "amaranth"):
        arguments = ["lif", "--init", "V=-50.5", "--current", 2.5, "--steps", 30]
        found = figures("simulate", *arguments, "--backend", backend)
        expected = make_neuron("lif")
        expected.V = -50.5
        steps = [k for k in range(30) if expected.step(2.5)[0]]
        assert found["spike_times_ms"] == pytest.approx([0.1 * (k + 1) for k in steps])
        assert len(steps) == 1


def test_where_a_neuron_starts_belongs_to_what_it_is_made_of():
    neuron = Izhikevich.preset("FS", b=0.21)
    neuron.set_initial(u=-3.0)
    assert neuron.u == -3.0
    assert neuron.initial["V"] == Izhikevich.preset("FS").initial["V"]
    for again in (neuron.spec.make(), pickle.loads(pickle.dumps(neuron)), copy.deepcopy(neuron)):
        assert again == neuron
        again.reset()
        assert again.u == -3.0
    assert neuron != Izhikevich.preset("FS", b=0.21)
    assert neuron.fixed().u == -3.0
    assert Izhikevich.preset("FS", b=0.21).fixed().u != -3.0  # the integer form is no longer its
    neuron.step(1.0)
    neuron.reset()
    assert neuron.u == -3.0


def test_a_state_that_starts_outside_its_register_is_refused_in_integers():
    neuron = AdEx()
    neuron.set_initial(V=500.0)
    with pytest.raises(LoweringError, match="V starts at 500"):
        neuron.fixed()
    with pytest.raises(TypeError, match="no state 'U'; it has V, w"):
        neuron.set_initial(U=1.0)


def test_another_seed_is_other_noise_at_every_fidelity(figures):
    runs = {}
    for seed in (None, 1, 7):
        chosen = [] if seed is None else ["--seed", seed]
        for backend in ("float", "fixed"):
            found = figures("simulate", "noisy_lif", *chosen, "--steps", 3000, "--backend", backend)
            runs[seed, backend] = found["spike_times_ms"]
    assert runs[None, "float"] == runs[1, "float"] != runs[7, "float"]
    assert len(runs[7, "float"]) == len(runs[7, "fixed"]) > 2
    assert runs[7, "float"][0] == pytest.approx(runs[7, "fixed"][0], abs=0.5)


# -- channels -------------------------------------------------------------------------------------
def test_a_channel_is_set_by_its_name(figures):
    set_ = ["--set", "Na.g=100", "--set", "K.E=-80", "--set", "C=1.1"]
    neuron = make_neuron("hodgkin_huxley", settings=set_[1::2])
    sodium, potassium, leak = neuron.channels
    assert (sodium.g, sodium.E, potassium.g, potassium.E) == (100.0, 50.0, 36.0, -80.0)
    assert leak == HodgkinHuxley().channels[2]
    assert neuron.C == 1.1
    found = figures("simulate", "hodgkin_huxley", *set_, "--steps", 900)
    assert found["final"]["V"] == neuron.run(np.full(900, 10.0)).V[-1]


@pytest.mark.parametrize(
    ("name", "setting", "says"),
    [
        ("lif", "Na.g=1", "LIF has no channels"),
        ("hodgkin_huxley", "Ca.g=1", "has Na.g, Na.E, K.g, K.E, leak.g, leak.E"),
        ("hodgkin_huxley", "Na.power=1", "has Na.g, Na.E"),
        ("hodgkin_huxley", "Na.g=-1", "g = -1.0 must be at least 0"),
    ],
)
def test_a_channel_that_is_not_there_is_refused(run, name, setting, says):
    code, out, err = run("show", name, "--set", setting)
    assert (code, out) == (2, "")
    assert says in err


# -- plots ----------------------------------------------------------------------------------------
def curves(figure, label):
    return [line.get_xydata() for axis in figure.axes for line in axis.get_lines()
            if line.get_label().startswith(label)]  # fmt: skip


def test_an_f_i_curve_spans_the_currents_that_are_asked_for(run, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(
        "scneuro.plot.plot_fi", lambda *a, **k: drawn.append(plot_fi(*a, **k)) or drawn[-1]
    )
    arguments = ["plot", "conductance_lif", "--kind", "fi", "--steps", 300]
    path = tmp_path / "fi.pdf"
    code, _, err = run(*arguments, "--currents", 0.5, 2, "--input", "I_inh=3", "-o", path)
    assert code == 0, err
    assert path.read_bytes().startswith(b"%PDF")
    (curve,) = curves(drawn[0], "float")
    assert (curve[0, 0], curve[-1, 0], len(curve)) == (0.5, 2.0, 40)
    free = plot_fi(ConductanceLIF(), tmp_path / "a.svg", np.linspace(0.5, 2, 40), steps=300)
    assert curves(free, "float")[0][:, 1].sum() > curve[:, 1].sum()


def test_a_phase_plane_has_the_variables_that_are_asked_for(tmp_path):
    neuron = HodgkinHuxley()
    figure = plot_phase(neuron, tmp_path / "p.svg", 10.0, steps=300, variables=("n", "V"))
    (curve,) = curves(figure, "float")
    run = neuron.run(np.full(300, 10.0))
    points = curve[~np.isnan(curve).any(axis=1)]
    assert np.array_equal(points[1:, 0], run.n)
    assert np.array_equal(points[1:, 1], run.V)


def test_a_trace_shows_the_pulse_beside_what_other_inputs_are_held_at(tmp_path):
    given = {"I_exc": None, "I_inh": 0.5}
    figure = plot_trace(ConductanceLIF(), tmp_path / "t.svg", given, steps=100)
    (pulse,), (held,) = (curves(figure, f"$\\mathit{{I}}_\\mathrm{{{n}}}$") for n in ("exc", "inh"))
    assert set(pulse[:, 1]) == {0.0, 1.0}
    assert set(held[:, 1]) == {0.5}


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["hodgkin_huxley", "--kind", "phase"], "needs two states, but"),
        (["hodgkin_huxley", "--kind", "phase", "--variables", "V", "V"], "must be two of"),
        (["hodgkin_huxley", "--kind", "phase", "--variables", "V", "x"], "V, m, h, n, not V, x"),
        (["adex", "--kind", "fi", "--currents", "2", "1"], "the first must be below the last"),
        (["adex", "--kind", "phase", "--currents", "0", "1"], "--currents is for --kind fi"),
        (["adex", "--variables", "V", "w"], "--variables is for --kind phase, not trace"),
        (["adex", "--kind", "fi", "--input", "I=i.npy"], "--input takes a number here"),
    ],
)
def test_what_does_not_belong_to_a_kind_of_plot_is_refused(
    run, arguments, says, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    np.save("i.npy", np.zeros(9))
    code, out, err = run("plot", *arguments, "-o", "p.png")
    assert (code, out) == (2, "")
    assert says in err
    assert not (tmp_path / "p.png").exists()
