"""The references: that they are right, that they agree, and how far our models are from them."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest
from checks import few

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, State, cli
from scneuro.channel import Channel
from scneuro.errors import FileTrouble, ScneuroError
from scneuro.neurons import builtin
from scneuro.neurons.conductance_lif import ConductanceLIF
from scneuro.neurons.hodgkin_huxley import HodgkinHuxley, leak, m_type, potassium, sodium
from scneuro.neurons.noisy_lif import NoisyLIF
from scneuro.neurons.quadratic_if import QuadraticIF
from scneuro.reference import TrainError, compare, make
from scneuro.reference.adaptive import spike_times
from scneuro.reference.compare import BRIAN_DT, STORED, brian_times, stored
from scneuro.reference.equations import EQUATIONS

BRIAN = os.environ.get("SCNEURO_BRIAN")  # a Python with Brian2: the live comparison, on request
RUNS = stored()


def neuron_of(run):
    return builtin(run.neuron)(**run.parameters)


def label(run):
    return f"{run.neuron}-{run.current:g}"


# -- the adaptive integrator ----------------------------------------------------------------------
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_a_lif_spikes_when_its_closed_form_does(t_ref):
    neuron = LIF(t_ref=t_ref)
    drive = neuron.E_L + neuron.R * 2.5
    first = neuron.tau_m * np.log((drive - neuron.E_L) / (drive - neuron.V_th))
    interval = t_ref + neuron.tau_m * np.log((drive - neuron.V_reset) / (drive - neuron.V_th))
    times = spike_times(neuron, 2.5, 1000.0)
    assert len(times) == 1 + int((1000 - first) / interval)
    assert times == pytest.approx(first + interval * np.arange(len(times)), rel=0, abs=5e-7)


def test_a_quadratic_neuron_spikes_when_its_closed_form_does():
    neuron = QuadraticIF()
    drive = 1.0 * neuron.R / neuron.a_0 - ((neuron.E_L - neuron.V_c) / 2) ** 2
    middle = (neuron.E_L + neuron.V_c) / 2  # tau dV/dt = a_0 ((V - middle)^2 + drive)

    def phase(V):
        width = np.sqrt(drive)
        return neuron.tau_m / neuron.a_0 / width * np.arctan((V - middle) / width)

    first = phase(neuron.V_peak) - phase(neuron.E_L)
    interval = phase(neuron.V_peak) - phase(neuron.V_reset)
    times = spike_times(neuron, 1.0, 500.0)
    assert len(times) > 10
    assert times == pytest.approx(first + interval * np.arange(len(times)), rel=0, abs=5e-7)


def test_a_neuron_that_starts_above_threshold_spikes_at_once():
    assert spike_times(LIF(E_L=-45.0), 0.0, 20.0)[0] == 0.0
    assert len(spike_times(LIF(E_L=-45.0), 0.0, 20.0)) == 2


def test_inhibition_of_a_conductance_is_no_negative_conductance():
    neuron = ConductanceLIF(E_L=-45.0)  # fires by itself
    silent = spike_times(neuron, 0.0, 200.0)
    assert len(silent) > 1
    assert np.array_equal(spike_times(neuron, -4.0, 200.0), silent)


def test_no_reference_is_made_by_update(monkeypatch):
    expected = [spike_times(builtin(n)(), builtin(n).currents[0], 60.0) for n in EQUATIONS]

    def refuse(*_):
        raise AssertionError("a reference called update()")

    for name in EQUATIONS:
        monkeypatch.setattr(builtin(name), "update", refuse)
    again = [spike_times(builtin(n)(), builtin(n).currents[0], 60.0) for n in EQUATIONS]
    assert all(np.array_equal(a, b) for a, b in zip(expected, again, strict=True))
    assert all(len(times) for times in expected)


# -- what is stored -------------------------------------------------------------------------------
def test_the_stored_references_are_the_standard_runs_with_their_versions():
    standard = [
        (name, {p: v for p, v in neuron.parameters.items() if p != "dt"}, current)
        for name in EQUATIONS
        for neuron, current in make.standard(name)
    ]
    assert [(run.neuron, run.parameters, run.current) for run in RUNS] == standard
    content = json.loads(STORED.read_text())
    assert content["brian2"]["brian2"] == "2.9.0"
    assert set(content["solve_ivp"]) == {"method", "python", "numpy", "scipy"}
    assert set(content["brian2"]) == {"method", "python", "numpy", "brian2"}
    assert STORED.stat().st_size < 300_000


@pytest.mark.parametrize("run", RUNS[::4], ids=label)
def test_the_stored_times_are_integrated_again(run):
    times = spike_times(neuron_of(run), run.current, 100.0)
    assert len(times)
    assert times == pytest.approx(run.solve_ivp[run.solve_ivp < 100.0], rel=0, abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids=label)
def test_all_stored_times_are_integrated_again(run):
    times = spike_times(neuron_of(run), run.current, run.duration)
    assert times == pytest.approx(run.solve_ivp, rel=0, abs=1e-5)


def test_brian2_and_solve_ivp_agree():
    """Brian2 sees a spike at the end of its step and resets there: late by that, spike by spike."""
    for run in RUNS:
        assert len(run.brian2) == len(run.solve_ivp) > 0, label(run)
        error = np.abs(run.brian2 - run.solve_ivp)
        assert np.all(error <= 2 * BRIAN_DT * (1 + np.arange(len(error)))), label(run)


# -- how far our models are from them -------------------------------------------------------------
# The errors that were measured at the default dt, rounded up: of the first spike, and on average.
# Explicit Euler, and spikes on the grid of dt, make every interval a little longer.
MEASURED = {
    "lif": (0.15, 2.3),
    "exponential_if": (0.16, 7.0),
    "quadratic_if": (0.15, 5.3),
    "conductance_lif": (0.06, 6.3),
    "izhikevich": (0.25, 4.5),
    "adex": (0.07, 1.6),
    "hodgkin_huxley": (0.07, 0.4),
}


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_float_model_follows_its_equations(name):
    neuron = builtin(name)()
    constants = {p: v for p, v in neuron.parameters.items() if p != "dt"}
    runs = [run for run in RUNS if run.neuron == name and run.parameters == constants]
    assert len(runs) == len(neuron.currents)
    currents = [run.current for run in runs]
    steps = round(runs[0].duration / neuron.dt)
    recording = neuron.run(np.tile(currents, (steps, 1)))
    first, mean = MEASURED[name]
    for n, run in enumerate(runs):
        times = recording.t[recording.spike[:, n]] - neuron.dt / 2  # the middle of the step
        error = TrainError.between(times, run.solve_ivp)
        assert abs(error.spikes - error.expected) <= max(1, 0.02 * error.expected)
        assert error.first <= first
        assert error.mean <= mean


@pytest.mark.parametrize("current", few(AdEx.currents, lambda current: current >= 1.0))
def test_adex_is_within_1_6_ms_of_its_equations_over_a_second(current):
    result = compare(AdEx(), current=current, live=False)
    assert result.discretisation.spikes == result.discretisation.expected > 0
    assert result.discretisation.first <= 0.1
    assert result.discretisation.mean <= 1.6
    assert result.quantisation.spikes == result.quantisation.expected
    assert result.quantisation.mean <= 0.15
    assert result.quantisation.max <= 0.9


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids=label)
def test_every_standard_run_drifts_slowly_from_its_equations(run):
    result = compare(neuron_of(run), current=run.current, duration=run.duration, live=False)
    assert abs(result.discretisation.spikes - len(run.solve_ivp)) <= 1 + 0.07 * len(run.solve_ivp)
    assert result.discretisation.max <= 0.45 * len(run.solve_ivp)
    assert result.quantisation.spikes == result.quantisation.expected
    assert result.quantisation.max <= 0.2 * len(run.solve_ivp)


def test_a_shorter_time_step_is_closer():
    coarse, fine = (
        compare(QuadraticIF(dt=dt), duration=200.0).discretisation for dt in (0.1, 0.01)
    )
    assert fine.mean < coarse.mean / 5
    assert fine.mean > 0


def test_errors_are_between_spikes_of_the_same_number():
    error = TrainError.between(np.array([1.0, 2.5, 9.0]), np.array([1.25, 2.0]))
    assert error == TrainError(3, 2, first=0.25, mean=0.375, max=0.5)
    assert TrainError.between(np.zeros(0), np.array([1.0])) == TrainError(0, 1, None, None, None)


def test_everybody_is_given_the_same_word():
    result = compare(LIF(), current=2.1, duration=50.0)
    assert result.current == 538 / 256
    assert np.array_equal(result.solve_ivp, spike_times(LIF(), 538 / 256, 50.0))
    assert not np.array_equal(result.solve_ivp, spike_times(LIF(), 2.1, 50.0))


def test_a_stored_comparison_is_the_live_one_at_any_dt():
    for neuron in (LIF(), LIF(dt=0.2)):
        kept, live = compare(neuron, live=False), compare(neuron)
        assert kept.discretisation.mean == pytest.approx(live.discretisation.mean, abs=1e-6)
        assert kept.quantisation == live.quantisation
        assert kept.references.mean < 0.01
        assert live.references is None


# -- Brian2 by another Python ---------------------------------------------------------------------
@pytest.mark.brian
def test_brian2_run_now_gives_the_stored_times():
    assert BRIAN, "name a Python that has Brian2 in SCNEURO_BRIAN"
    for name in EQUATIONS:
        neuron = builtin(name)()
        run = next(run for run in RUNS if run.neuron == name)
        times = compare(neuron, current=run.current, duration=50.0, brian=BRIAN).brian
        assert times == pytest.approx(run.brian2[run.brian2 <= 50.0], rel=0, abs=2e-6)


@pytest.fixture
def answering(tmp_path):
    """A stand-in for a Python with Brian2: it keeps its job, and gives the answer it is told."""

    def make_one(answer, code=0):
        path = tmp_path / "python"
        path.write_text(
            f"#!{sys.executable}\nimport sys, pathlib\n"
            f"pathlib.Path({str(tmp_path / 'job.json')!r}).write_text(sys.stdin.read())\n"
            f"print({answer!r}, file=sys.stderr if {code} else sys.stdout)\nsys.exit({code})\n"
        )
        path.chmod(0o755)
        return str(path)

    return make_one


def test_a_job_for_brian2_holds_all_it_needs(answering, tmp_path):
    python = answering('{"spikes": [[1.0, 2.0], []], "versions": {"brian2": "0"}}')
    times, versions = brian_times(python, [AdEx(), AdEx(b=0.1)], [1.0, 0.5], 20.0)
    assert [t.tolist() for t in times] == [[1.0, 2.0], []]
    assert versions == {"brian2": "0"}
    job = json.loads((tmp_path / "job.json").read_text())
    assert job["parameters"]["b"] == [0.0805, 0.1]
    assert job["parameters"]["I"] == [1.0, 0.5]
    assert job["start"] == {"V": [-70.6, -70.6], "w": [0.0, 0.0]}
    assert (job["duration"], job["dt"]) == (20.0, BRIAN_DT)
    assert "dt" not in job["parameters"]  # it is our models' alone


def test_a_comparison_can_ask_brian2_too(answering):
    python = answering('{"spikes": [[10.0]], "versions": {}}')
    result = compare(LIF(), duration=20.0, brian=python)
    assert result.references.first == pytest.approx(abs(10.0 - result.solve_ivp[0]))
    assert "Brian2" in str(result)


@pytest.mark.parametrize(
    ("answer", "code", "words"),
    [
        ("No module named 'brian2'", 1, "failed: No module named 'brian2'"),
        ("", 3, "exit code 3"),
        ("hello", 0, "did not answer in JSON"),
        ("[1]", 0, "did not answer in JSON"),
        ('{"spikes": [["a"]], "versions": {}}', 0, "did not answer in JSON"),
    ],
)
def test_a_python_without_brian2_is_one_clear_error(answering, answer, code, words):
    with pytest.raises(ScneuroError) as caught:
        compare(LIF(), duration=20.0, brian=answering(answer, code))
    assert words in caught.value.message
    assert "pip install brian2" in caught.value.hint


def test_a_python_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(ScneuroError, match=r"cannot run .*nowhere: No such file"):
        compare(LIF(), duration=20.0, brian=str(tmp_path / "nowhere"))


# -- what has no reference ------------------------------------------------------------------------
class Own(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 1.0, np.where(V >= 1.0, 0.0, V + 0.1 * I)


class OwnAdEx(AdEx):
    """The name of a built-in neuron's class is not enough."""


@pytest.mark.parametrize(
    ("neuron", "words"),
    [
        (NoisyLIF(), "NoisyLIF is stochastic"),
        (HodgkinHuxley((sodium, potassium, leak, m_type)), "channels Na, K, leak, M"),
        (HodgkinHuxley((sodium.but(g=60.0), potassium, leak)), "the reference is the squid axon"),
        (HodgkinHuxley((Channel("Na", 120.0, 50.0),)), "the reference is the squid axon"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_neuron_without_reference_is_refused(neuron, words):
    for live in (True, False):
        with pytest.raises(ScneuroError) as caught:
            compare(neuron, live=live)
        assert words in caught.value.message
        assert caught.value.hint


@pytest.mark.parametrize("neuron", [Own(), OwnAdEx()], ids=lambda neuron: neuron.name)
def test_nothing_is_stored_of_a_neuron_that_is_not_built_in(neuron):
    words = "has no reference equations of its own; lif, exponential_if"
    with pytest.raises(ScneuroError, match=words) as caught:
        compare(neuron, live=False)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("arguments", "error", "words"),
    [
        ({"current": 200.0}, ValueError, "I = 200"),
        ({"current": np.nan}, ValueError, "nan"),
        ({"duration": 0.0}, ValueError, "duration must be at least one step"),
        ({"duration": np.inf}, ValueError, "duration must be at least one step"),
        ({"brian": "python", "live": False}, ValueError, "live=False"),
        ({"current": 2.25, "live": False}, ScneuroError, "no reference is stored"),
        ({"duration": 999.0, "live": False}, ScneuroError, "no reference is stored"),
    ],
)
def test_misuse_says_what_is_wrong(arguments, error, words):
    with pytest.raises(error, match=words):
        compare(LIF(), **arguments)


def test_other_parameters_are_not_among_those_stored():
    with pytest.raises(ScneuroError, match="no reference is stored"):
        compare(LIF(tau_m=11.0), live=False)


def test_a_runaway_that_is_no_spike_is_reported():
    with pytest.raises(ScneuroError, match=r"the reference stops at .* ms"):
        spike_times(Izhikevich(V_peak=1e18), 10.0, 100.0)


def test_without_scipy_the_stored_references_are_left(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy.integrate", None)
    with pytest.raises(ScneuroError) as caught:
        compare(LIF(), duration=20.0)
    assert "SciPy" in caught.value.message
    assert caught.value.hint == 'pip install "scneuro[reference]"'
    assert compare(LIF(), live=False).discretisation.expected == 71


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "{}", '{"runs": 1}', '{"runs": [{}]}', '{"runs": [{"solve_ivp": ["a"]}]}'],
)
def test_a_corrupt_store_is_one_clear_error(tmp_path, content):
    path = tmp_path / "stored.json"
    path.write_text(content)
    with pytest.raises(FileTrouble, match="holds no references") as caught:
        stored(path)
    assert "scneuro.reference.make" in caught.value.hint


def test_a_store_that_is_not_there_is_one_clear_error(tmp_path):
    with pytest.raises(FileTrouble, match=r"cannot read .*stored.json: No such file"):
        stored(tmp_path / "stored.json")


# -- the commands ---------------------------------------------------------------------------------
def test_the_command_prints_both_errors(capsys):
    arguments = ["reference", "lif", "--preset", "refractory", "--current", "3", "--duration", "50"]
    assert cli.main(arguments) == 0
    text = capsys.readouterr().out
    assert "discretisation  float / solve_ivp" in text
    assert "quantisation    integers / float" in text
    assert cli.main([*arguments, "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    expected = compare(LIF(t_ref=2.0), current=3.0, duration=50.0)
    assert figures == expected.figures()
    assert figures["discretisation_ms"]["mean"] > 0


def test_the_command_refuses_in_one_line(capsys, tmp_path):
    assert cli.main(["reference", "escape_lif"]) == 2
    assert "EscapeLIF is stochastic" in capsys.readouterr().err
    assert cli.main(["reference", "lif", "--brian", str(tmp_path / "nowhere")]) == 2
    assert "cannot run" in capsys.readouterr().err


def test_what_cannot_be_made_leaves_the_store_as_it_was(capsys, tmp_path):
    before = STORED.read_bytes()
    assert make.main(["--brian", str(tmp_path / "nowhere")]) == 2
    assert "cannot run" in capsys.readouterr().err
    assert STORED.read_bytes() == before


def test_made_references_are_stored_whole(answering, tmp_path, monkeypatch):
    monkeypatch.setattr(make, "EQUATIONS", {"lif": EQUATIONS["lif"]})
    monkeypatch.setattr(make, "STORED", tmp_path / "stored.json")
    trains = [[1.23456789]] * len(make.standard("lif"))
    python = answering(json.dumps({"spikes": trains, "versions": {"brian2": "0"}}))
    assert make.main(["--brian", python]) == 0
    made = stored(tmp_path / "stored.json")
    assert [run.current for run in made] == [run.current for run in RUNS[: len(made)]]
    for run, expected in zip(made, RUNS, strict=False):
        assert run.brian2.tolist() == [1.234568]
        assert run.solve_ivp == pytest.approx(expected.solve_ivp, rel=0, abs=1e-5)


def test_the_script_for_brian2_needs_no_scneuro():
    text = Path(STORED).with_name("brian.py").read_text()
    assert "from ." not in text
    assert "import scneuro" not in text
