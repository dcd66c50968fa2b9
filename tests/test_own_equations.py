"""A user's own neuron beside its equations, derived or written, or another simulator's spikes."""

import json
import sys

import numpy as np
import pytest

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, NoisyLIF, State, cli
from scneuro.errors import FileTrouble, ScneuroError
from scneuro.neurons.quadratic_if import QuadraticIF
from scneuro.reference import compare
from scneuro.reference.adaptive import spike_times
from scneuro.reference.compare import brian_times
from scneuro.signals import spikes


class Leaky(Neuron):
    """Explicit Euler, with a threshold that rises; a second input that inhibits."""

    tau: float = 10.0
    V_th: float = 15.0
    V = State()
    h = State()
    I = Input()
    J = Input()
    currents = (25.0, 20.0)

    def update(self, V, h, I, J):
        V_next = V + self.dt / self.tau * (I - J - V)
        h_next = h - self.dt / 100.0 * h
        spike = V_next >= self.V_th + h_next
        return spike, np.where(spike, 0.0, V_next), np.where(spike, h_next + 2.0, h_next)


class Exact(Neuron):
    """Exponential Euler: no explicit one."""

    tau: float = 10.0
    V_th: float = 15.0
    V_reset: float = 1.0
    V = State()
    I = Input()
    currents = (25.0,)

    def update(self, V, I):
        V_next = I + (V - I) * np.exp(-self.dt / self.tau)
        spike = V_next >= self.V_th
        return spike, np.where(spike, self.V_reset, V_next)


class Written(Exact):
    equations = {"V": "(I - V) / tau"}  # noqa: RUF012 - as a user writes it


class WrittenWhole(Exact):
    t_ref: float = 3.0
    equations = {  # noqa: RUF012
        "V": "(I - V) / tau",
        "spike": "V_th <= V",
        "reset": "V = V_reset",
        "refractory": "t_ref",
    }


class Oscillating(Neuron):
    """FitzHugh and Nagumo's: a spike is a passage, and resets nothing."""

    v = State(init=-1.2, range=(-4.0, 4.0))
    w = State(init=-0.6, range=(-4.0, 4.0))
    I = Input()
    currents = (0.5,)

    def update(self, v, w, I):
        v_next = v + self.dt * (v - v**3 / 3 - w + I)
        w_next = w + self.dt * 0.08 * (v + 0.7 - 0.8 * w)
        return (v < 1.0) & (v_next >= 1.0), v_next, w_next


class Runaway(Neuron):
    """An exponential that is cut far beyond where it can be followed."""

    V = State(init=-70.0)
    I = Input()
    currents = (25.0,)

    def update(self, V, I):
        V_next = V + self.dt / 10.0 * (-(V + 70.0) + 2.0 * np.exp((V + 50.0) / 2.0) + I)
        return V_next >= 20.0, np.where(V_next >= 20.0, -70.0, V_next)


def leaky_times(neuron, current, duration, start=0.0, after=0.0, t_ref=0.0):
    """The closed form of a leaky neuron with a fixed threshold."""
    reach = current - neuron.V_th
    first = neuron.tau * np.log((current - start) / reach)
    interval = t_ref + neuron.tau * np.log((current - after) / reach)
    return first + interval * np.arange(1 + int((duration - first) / interval))


# -- derived from update() ------------------------------------------------------------------------
@pytest.mark.parametrize("kind", [Izhikevich, QuadraticIF, LIF])
def test_what_is_derived_from_update_spikes_when_the_papers_equations_do(kind):
    own = type("Own", (kind,), {})  # the same update(), and no reference that knows it
    expected = spike_times(kind(), kind.currents[0], 100.0)
    assert spike_times(own(), kind.currents[0], 100.0) == pytest.approx(expected, rel=0, abs=1e-6)
    assert len(expected) > 1


def test_the_time_step_has_no_meaning_in_what_is_derived():
    coarse, fine = (compare(Leaky(dt=dt), duration=100.0) for dt in (0.5, 0.05))
    assert coarse.solve_ivp == pytest.approx(fine.solve_ivp, rel=0, abs=1e-6)
    assert fine.discretisation.mean < coarse.discretisation.mean / 3
    assert fine.discretisation.spikes == fine.discretisation.expected > 3


def test_the_equations_are_shown():
    result = compare(Leaky(tau=20.0), duration=20.0, inputs={"J": 2.0})
    assert result.equations == ("dV/dt = 0.05 I - 0.05 J - 0.05 V", "dh/dt = -0.01 h")
    assert "dh/dt = -0.01 h" in str(result)
    assert result.figures()["equations"] == list(result.equations)
    adex = compare(type("Own", (AdEx,), {})(), duration=5.0)
    assert "f#1(V)" in adex.equations[0]
    assert adex.equations[-1] == "f#1 = exp(((V - -50.4) / 2))"


def test_other_inputs_are_held_in_the_equations_too():
    free, held = (spike_times(Leaky(), 25.0, 100.0, {"J": j}) for j in (0.0, 3.0))
    assert np.array_equal(held, spike_times(Leaky(), 22.0, 100.0))
    assert len(free) > len(held) > 1
    with pytest.raises(ScneuroError, match="the reference has no input I_inh"):
        compare_with_inhibition()


def compare_with_inhibition():
    from scneuro import ConductanceLIF

    compare(ConductanceLIF(), inputs={"I_inh": 1.0})


def test_a_passage_that_resets_nothing_is_a_spike():
    result = compare(Oscillating(), duration=300.0)
    assert result.discretisation.spikes == result.discretisation.expected > 5
    assert result.discretisation.max < 5.0


def test_a_runaway_is_a_spike():
    result = compare(Runaway(), duration=100.0)
    assert result.discretisation.spikes == result.discretisation.expected > 3


def test_a_state_that_was_set_is_where_the_equations_start():
    neuron = Written()
    neuron.set_initial(V=10.0)
    found = spike_times(neuron, 25.0, 50.0)
    expected = leaky_times(neuron, 25.0, 50.0, start=10.0, after=1.0)
    assert found == pytest.approx(expected, rel=0, abs=1e-5)
    builtin = LIF()
    builtin.set_initial(V=-51.0)
    assert spike_times(builtin, 2.5, 50.0)[0] < spike_times(LIF(), 2.5, 50.0)[0] / 2
    with pytest.raises(ScneuroError, match="no reference is stored"):
        compare(builtin, live=False)


def test_what_is_not_explicit_euler_is_refused_with_the_way_to_write_it():
    with pytest.raises(
        ScneuroError, match="with half the dt, V does not move half as far"
    ) as error:
        compare(Exact())
    assert "equations = {'V': '...'}" in error.value.hint
    with pytest.raises(ScneuroError, match="stochastic"):
        compare(type("Own", (NoisyLIF,), {})())


@pytest.mark.parametrize(
    "after",
    [
        lambda V, spike: np.where(~spike, V, 0.0),
        lambda V, spike: np.where(V < 15.0, V, 0.0),
        lambda V, spike: np.where(spike, 0.0, np.minimum(V, 15.0)),
    ],
    ids=["not", "below", "clipped"],
)
def test_a_reset_may_be_written_in_more_than_one_way(after):
    class Own(Neuron):
        V = State()
        I = Input()

        def update(self, V, I):
            V_next = V + self.dt / 10.0 * (I - V)
            spike = V_next >= 15.0
            return spike, after(V_next, spike)

    expected = leaky_times(Exact(), 25.0, 60.0)
    assert spike_times(Own(), 25.0, 60.0) == pytest.approx(expected, rel=0, abs=1e-5)
    assert compare(Own(), current=25.0, duration=1.0).equations == ("dV/dt = 0.1 I - 0.1 V",)


# -- written as strings ---------------------------------------------------------------------------
def test_strings_are_the_equations_and_update_has_the_spike_and_the_reset():
    found = spike_times(Written(), 25.0, 100.0)
    assert found == pytest.approx(leaky_times(Written(), 25.0, 100.0, after=1.0), rel=0, abs=1e-5)
    assert len(found) > 5
    assert compare(Written(), duration=100.0).discretisation.max <= 0.5


def test_strings_may_say_all_of_it():
    neuron = WrittenWhole(tau=8.0, t_ref=2.0)
    expected = leaky_times(neuron, 25.0, 100.0, after=1.0, t_ref=2.0)
    assert spike_times(neuron, 25.0, 100.0) == pytest.approx(expected, rel=0, abs=1e-6)


@pytest.mark.parametrize(
    ("changed", "says"),
    [
        ("dV/dt = I", "must be strings by the name of a state"),
        ({"U": "1"}, "equations has 'U', which is no state"),
        ({"V": "(I - "}, "is no formula"),
        ({"V": "(I - U) / tau"}, "has U, which is no state or parameter"),
        ({"V": "__import__('os').getcwd()"}, "has __import__"),
        ({"V": "I", "spike": "V", "reset": "V = 0"}, "is no comparison"),
        ({"V": "I", "spike": "V > 1", "reset": "print"}, "has print"),
        ({"V": "I", "spike": "V > 1", "reset": "V"}, "is no assignment"),
        ({"V": "I", "spike": "V > 1", "reset": "I = 0"}, "sets I, which has no equation"),
    ],
)
def test_a_string_that_is_no_equation_is_refused(changed, says):
    kind = type("Wrong", (Exact,), {"equations": changed})
    with pytest.raises(ScneuroError, match=r"equations") as error:
        compare(kind())
    assert says in str(error.value)


def test_brian2_is_given_the_strings(tmp_path):
    python = tmp_path / "python"
    python.write_text(
        f"#!{sys.executable}\nimport sys, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'job.json')!r}).write_text(sys.stdin.read())\n"
        'print(\'{"spikes": [[9.5]], "versions": {}}\')\n'
    )
    python.chmod(0o755)
    result = compare(WrittenWhole(), duration=20.0, brian=str(python))
    assert result.brian.tolist() == [9.5]
    job = json.loads((tmp_path / "job.json").read_text())
    assert job["equations"] == "dV/dt = ((I - V) / tau)/ms : 1 (unless refractory)"
    assert (job["threshold"], job["reset"]) == ("V_th <= V", "V = V_reset")
    assert job["refractory"] == "(t_ref)*ms + dt"
    assert job["start"] == {"V": [0.0]}
    assert job["parameters"]["I"] == [25.0]
    with pytest.raises(ScneuroError, match="Brian2 is given equations as strings"):
        brian_times(str(python), [Leaky()], [25.0], 20.0)


# -- another simulator's spike times --------------------------------------------------------------
@pytest.fixture
def foreign(tmp_path):
    """Spike times as a script for another simulator leaves them, in ms, at the step's beginning."""
    V, times = 0.0, []
    for step in range(1000):
        V += 0.1 / 10.0 * (25.0 - V)
        if V >= 15.0:
            times.append(step * 0.1)
            V = 1.0
    path = tmp_path / "spikes.txt"
    np.savetxt(path, times)
    return path


class Plain(Neuron):
    """What the script does, in a way that no equation is derived from."""

    V = State()
    I = Input()
    currents = (25.0,)

    def update(self, V, I):
        V_next = V + 0.01 * (I - V)
        return V_next >= 15.0, np.where(V_next >= 15.0, 1.0, V_next)


def test_a_neuron_is_compared_with_spike_times_from_a_file(foreign):
    result = compare(Plain(), duration=100.0, spikes=spikes.load(foreign))
    found = result.to_given
    assert found["float"].spikes == found["float"].expected == len(spikes.load(foreign)) > 5
    assert [found["float"].mean, found["float"].max] == pytest.approx([0.05] * 2)  # half a step
    assert found["integers"].spikes == found["float"].spikes
    assert result.discretisation is None
    short = compare(Plain(), duration=50.0, spikes=spikes.load(foreign))
    assert short.to_given["float"].spikes == short.to_given["float"].expected


def test_the_command_line_takes_the_file_under_any_stimulus(foreign, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lif.py").write_text(
        "import numpy as np\nfrom scneuro import Input, Neuron, State\n"
        "class Mine(Neuron):\n    V = State()\n    I = Input()\n"
        "    def update(self, V, I):\n        V_next = V + 0.01 * (I - V)\n"
        "        return V_next >= 15.0, np.where(V_next >= 15.0, 1.0, V_next)\n"
    )
    np.save("i.npy", np.full(1000, 25.0))
    np.save("spikes.npy", spikes.load(foreign))
    for given in (["--current", "25", "--duration", "100"], ["--stimulus", "i.npy"]):
        for file in (foreign, "spikes.npy"):
            arguments = ["reference", "lif.py:Mine", *given, "--spikes", str(file)]
            assert cli.main(arguments) == 0
            text = capsys.readouterr().out
            assert "for 100 ms" in text
            assert "given           float / file" in text
            assert "0.0500    0.0500    0.0500" in text
            assert cli.main([*arguments, "--json"]) == 0
            figures = json.loads(capsys.readouterr().out)
            assert figures["given_ms"]["integers"]["expected"] == len(spikes.load(foreign))
    assert cli.main(["reference", "lif.py:Mine", "--stimulus", "i.npy"]) == 2
    assert "inputs that are held" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("times", "says"),
    [
        ([0.010, 0.019, 0.028], "save milliseconds"),
        ([10.0, 9.0], "ascending"),
        ([-1.0, 9.0], "not negative"),
        ([1.0, np.nan], "finite"),
        ([[1.0]], "shape"),
    ],
)
def test_spike_times_that_cannot_be_are_refused(times, says):
    with pytest.raises(ValueError, match=says):
        compare(Plain(), duration=100.0, spikes=np.array(times))


def test_files_of_spike_times_are_read_or_refused(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("\ufeff# ms\n1.5,\n\n  2.5\n", encoding="utf-8")
    assert spikes.load(path).tolist() == [1.5, 2.5]
    path.write_text("")
    assert spikes.load(path).tolist() == []  # a silent neuron
    for name, content, says in (
        ("a.txt", b"one\n", "holds no spike times"),
        ("b.npy", b"\x93NUMPY", "holds no spike times"),
        ("c.txt", None, "cannot read"),
    ):
        if content is not None:
            (tmp_path / name).write_bytes(content)
        with pytest.raises(FileTrouble, match=says):
            spikes.load(tmp_path / name)
    np.save(tmp_path / "d.npy", np.zeros((2, 2)))
    with pytest.raises(FileTrouble, match=r"shape \(2, 2\)"):
        spikes.load(tmp_path / "d.npy")
