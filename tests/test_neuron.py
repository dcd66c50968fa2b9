"""The float neuron: what a user can do with it, what it refuses, and that it is right."""

import numpy as np
import pytest
from checks import few

from scneuro import LIF, AdEx, Derived, Input, Izhikevich, Neuron, Noise, State, UpdateError
from scneuro.signals.spikes import time_errors
from scneuro.signals.stimulus import ornstein_uhlenbeck

BUILT_IN = [LIF, AdEx, Izhikevich]


# -- the surface ----------------------------------------------------------------------------------
@pytest.mark.parametrize("model", BUILT_IN)
def test_a_step_returns_the_spike_and_the_first_state(model):
    neuron = model()
    for runner in (neuron, neuron.fixed()):
        seen = set()
        for _ in range(2000):
            spike, v = runner.step(I=model.currents[0])
            assert type(spike) is int
            assert v == runner.V
            seen.add(spike)
        assert seen == {0, 1}


def test_states_read_and_write_as_attributes():
    neuron = AdEx()
    assert (neuron.V, neuron.w) == (-70.6, 0.0)
    neuron.V = -60.0
    neuron.w = 0.25
    assert (neuron.V, neuron.w) == (-60.0, 0.25)
    assert AdEx.V.unit == "mV"
    assert AdEx.w.name == "w"


def test_reset_returns_to_the_start():
    neuron = AdEx()
    for _ in range(100):
        neuron.step(I=1.0)
    neuron.reset()
    assert (neuron.V, neuron.w) == (-70.6, 0.0)


def test_a_run_is_its_steps():
    neuron = Izhikevich()
    current = 20 * np.random.default_rng(0).random(1000)
    recording = neuron.run(current)
    neuron.reset()
    steps = [neuron.step(I=i) for i in current]
    assert recording.spike.tolist() == [bool(s) for s, _ in steps]
    assert recording.V.tolist() == [float(v) for _, v in steps]
    assert recording.V.shape == recording.u.shape == recording.I.shape == (1000,)
    assert np.array_equal(recording.I, current)
    assert recording.t[0] == 0.1
    assert recording.t[-1] == pytest.approx(100.0)
    assert recording.spikes == recording.spike.sum() == len(recording.spike_steps)


def test_a_run_starts_from_rest():
    neuron = LIF()
    neuron.step(I=50.0)
    assert np.array_equal(neuron.run([1.0, 2.0]).V, LIF().run([1.0, 2.0]).V)


def test_a_run_over_columns_is_as_many_neurons():
    currents = np.array([1.0, 2.5, 4.0])
    recording = LIF().run(np.tile(currents, (500, 1)))
    assert recording.spike.shape == recording.V.shape == (500, 3)
    for n, current in enumerate(currents):
        alone = LIF().run(np.full(500, current))
        assert np.array_equal(alone.V, recording.V[:, n])
        assert alone.spikes == recording.spikes[n]


def test_a_recording_of_many_has_no_spike_steps_of_one():
    recording = LIF().run(np.ones((10, 2)))
    with pytest.raises(ValueError, match="single neuron"):
        _ = recording.spike_steps
    with pytest.raises(AttributeError, match="'q'"):
        _ = recording.q


def test_a_step_takes_an_array_of_neurons():
    neuron = LIF()
    spike, v = neuron.step(I=np.array([0.0, 2.0, 400.0]))
    assert spike.dtype.kind == "i"
    assert spike.tolist() == [0, 0, 1]
    assert v.shape == neuron.V.shape == (3,)
    spike, _ = neuron.step(I=1.0)  # one for all
    assert spike.shape == (3,)


def test_what_is_read_is_a_copy():
    neuron = LIF()
    neuron.step(I=np.zeros(3))
    neuron.V[:] = 5.0
    assert np.all(neuron.V == -70.0)


class TwoInputs(Neuron):
    V = State()
    I = Input(unit="nA", default=0.5)
    J = Input(unit="nA")

    def update(self, V, I, J):
        return V >= 100.0, 0.5 * V + I + 2 * J


def test_an_input_left_out_has_its_default():
    neuron = TwoInputs()
    assert neuron.step()[1] == 0.5
    neuron.reset()
    assert neuron.step(J=1.0)[1] == 2.5
    recording = TwoInputs().run(J=np.zeros(3))
    assert recording.V.tolist() == [0.5, 0.75, 0.875]
    assert recording.I.tolist() == [0.5, 0.5, 0.5]


def test_an_input_over_time_beside_one_per_neuron_is_the_same_for_all():
    over_time = np.array([1.0, 2.0, 4.0])
    recording = TwoInputs().run(over_time, J=np.zeros((3, 3)))
    alone = TwoInputs().run(over_time, J=np.zeros(3))
    for n in range(3):
        assert np.array_equal(recording.V[:, n], alone.V)


def test_derived_parameters_follow_their_source():
    assert AdEx().V_peak == pytest.approx(-40.4)
    assert AdEx(V_T=-45.0, Delta_T=1.0).V_peak == -40.0
    assert AdEx(V_peak=-30.0).V_peak == -30.0


@pytest.mark.parametrize("name", ["RS", "IB", "CH", "FS", "LTS"])
def test_a_preset_is_its_parameters(name):
    neuron = Izhikevich.preset(name, dt=0.05)
    assert neuron.parameters == {**Izhikevich.presets[name], "V_peak": 30.0, "dt": 0.05}


def test_an_unknown_preset_is_refused():
    with pytest.raises(ValueError, match="Izhikevich has no preset 'XX'; it has RS, IB, CH, FS"):
        Izhikevich.preset("XX")
    with pytest.raises(ValueError, match="LIF has no preset 'XX'; it has refractory"):
        LIF.preset("XX")


def test_a_neuron_inherits_what_it_does_not_override():
    class Leakier(LIF):
        tau_m = 5.0
        extra: float = Derived(lambda p: 2 * p.tau_m)

    neuron = Leakier(R=3.0)
    assert (neuron.tau_m, neuron.R, neuron.extra, neuron.E_L) == (5.0, 3.0, 10.0, -70.0)
    assert neuron.name == "Leakier"
    assert neuron.state_names == ("V",)
    assert Leakier().fixed().step(I=1.0)[0] == 0
    with pytest.raises(ValueError, match="tau_m > 0 must hold"):
        Leakier(tau_m=-1.0)
    assert LIF().tau_m == 10.0


def test_an_initial_value_may_be_a_number_a_parameter_or_a_function():
    class Three(Neuron):
        p: float = 4.0
        a = State(init=1.5)
        b = State(init="p")
        c = State(init=lambda n: 2 * n.p)
        I = Input()

        def update(self, a, b, c, I):
            return a >= 1.0, a, b, c

    neuron = Three(p=3.0)
    assert (neuron.a, neuron.b, neuron.c) == (1.5, 3.0, 6.0)


# -- what is refused ------------------------------------------------------------------------------
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_a_current_that_is_not_finite_is_refused_with_its_index(value, fidelity):
    neuron = LIF() if fidelity == "float" else LIF().fixed()
    with pytest.raises(ValueError, match=rf"LIF: I is {value}; it must be finite"):
        neuron.step(I=value)
    with pytest.raises(ValueError, match=rf"LIF: I is {value} at index \(2,\); it must be finite"):
        neuron.run([1.0, 2.0, value])
    with pytest.raises(ValueError, match=rf"LIF: I is {value} at index \(1, 0\)"):
        neuron.run([[1.0, 2.0], [value, 2.0]])
    assert neuron.V == -70.0


@pytest.mark.parametrize("value", ["1.0", None, 1j, [[1.0], [1.0, 2.0]], object()])
def test_a_current_that_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="LIF: I must be numbers"):
        LIF().step(I=value)
    with pytest.raises(TypeError, match="LIF: I must be numbers"):
        LIF().run(value)


def test_a_wrong_shape_is_refused():
    with pytest.raises(ValueError, match=r"LIF: I has shape \(2, 2\), not a number or an array"):
        LIF().step(I=np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"LIF: I has shape \(2, 2, 2\), not \(T,\) or \(T, N\)"):
        LIF().run(np.zeros((2, 2, 2)))
    with pytest.raises(ValueError, match=r"run\(\) needs an array of shape \(T,\) or \(T, N\)"):
        LIF().run(1.0)
    with pytest.raises(ValueError, match=r"inputs' shapes differ: I \(3,\), J \(4,\)"):
        TwoInputs().run(np.zeros(3), J=np.zeros(4))


def test_the_number_of_neurons_cannot_change_without_a_reset():
    neuron = LIF()
    neuron.step(I=np.zeros(3))
    with pytest.raises(
        ValueError, match=r"runs 3 neurons, but the input is for 4; reset\(\) first"
    ):
        neuron.step(I=np.zeros(4))
    neuron.reset()
    assert neuron.step(I=np.zeros(4))[1].shape == (4,)


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_a_state_cannot_be_written_with_a_matrix(fidelity):
    neuron = LIF() if fidelity == "float" else LIF().fixed()
    with pytest.raises(ValueError, match="shape"):
        neuron.V = np.full((2, 3), -60.0)


def test_an_unknown_input_is_refused():
    with pytest.raises(TypeError, match="LIF has no input 'J'; it has I"):
        LIF().step(J=1.0)
    with pytest.raises(TypeError, match="LIF has no input 'V'; it has I"):
        LIF().run(V=[1.0])
    with pytest.raises(TypeError, match=r"LIF has 1 input \(I\), not 2"):
        LIF().run([1.0], [2.0])


def test_an_unknown_parameter_is_refused_with_those_there_are():
    with pytest.raises(TypeError, match="LIF has no parameter 'tau'; it has tau_m, R, E_L, V_th"):
        LIF(tau=5.0)


@pytest.mark.parametrize(
    ("model", "parameters", "message"),
    [
        (LIF, {"tau_m": 0.0}, "LIF: tau_m > 0 must hold, but tau_m = 0"),
        (LIF, {"tau_m": 0.05}, r"LIF: dt <= tau_m must hold, but dt = 0\.1 and tau_m = 0\.05"),
        (LIF, {"dt": 0.0}, "LIF: dt > 0 must hold, but dt = 0"),
        (AdEx, {"tau_w": 0}, "AdEx: tau_w > 0 must hold, but tau_w = 0"),
        (
            AdEx,
            {"V_peak": -71.0},
            r"AdEx: V_reset < V_peak must hold, but V_peak = -71 and V_reset = -70\.6",
        ),
        (LIF, {"V_reset": -50.0}, "LIF: V_reset < V_th must hold, but V_reset = -50 and V_th"),
        (Izhikevich, {"c": 31.0}, "Izhikevich: c < V_peak must hold, but V_peak = 30 and c = 31"),
        (LIF, {"R": float("nan")}, "LIF: R is nan; it must be finite"),
        (LIF, {"E_L": float("inf")}, "LIF: E_L is inf; it must be finite"),
    ],
)
def test_a_parameter_that_makes_no_sense_is_refused(model, parameters, message):
    with pytest.raises(ValueError, match=message):
        model(**parameters)


@pytest.mark.parametrize("value", ["10", None, [1.0, 2.0], np.zeros(2)])
def test_a_parameter_that_is_no_number_is_refused(value):
    with pytest.raises(TypeError, match="LIF: R must be"):
        LIF(R=value)


def test_a_parameter_cannot_change_after_construction():
    neuron = LIF()
    with pytest.raises(AttributeError, match=r"LIF\.R is fixed on construction.*LIF\(R=\.\.\.\)"):
        neuron.R = 5.0
    assert neuron.R == 10.0


def test_a_neuron_without_a_state_an_input_or_update_is_refused():
    class Stateless(Neuron):
        I = Input()

        def update(self, I):
            return I >= 0

    class Deaf(Neuron):
        V = State()

        def update(self, V):
            return V >= 0, V + 1

    class Idle(Neuron):
        V = State()
        I = Input()

    for model in (Stateless, Deaf, Idle, Neuron):
        with pytest.raises(TypeError, match=r"must declare a State and an Input, and define upd"):
            model()


def test_a_parameter_without_a_default_is_refused():
    with pytest.raises(TypeError, match="Bare: parameter tau needs a default value"):

        class Bare(Neuron):
            tau: float
            V = State()


@pytest.mark.parametrize(
    "name",
    ["step", "run", "reset", "read", "write", "fixed", "graph", "name", "dt", "seed", "parameters",
     "spec", "preset", "currents", "units", "update", "state_names", "initial", "hardware",
     "registers", "words", "lowered", "noise", "spike", "spikes", "t", "states", "inputs"],
)  # fmt: skip
@pytest.mark.parametrize("kind", [State, Input, Noise])
def test_a_name_that_means_something_else_is_refused(name, kind):
    with pytest.raises(TypeError, match=rf"Taken: {kind.__name__} {name} has a name .*{name}_ for"):
        type("Taken", (LIF,), {name: kind()})
    with pytest.raises(TypeError, match=f"Hidden: {kind.__name__} _{name} must not start with"):
        type("Hidden", (LIF,), {f"_{name}": kind()})


@pytest.mark.parametrize(
    ("name", "why"),
    [("read", "means"), ("I", "means"), ("R", "means"), ("_x", "underscore")],
)
def test_a_state_of_an_instance_must_not_have_a_taken_name_either(name, why):
    class Further(LIF):
        def further_states(self):
            return {name: State()}

    with pytest.raises(TypeError, match=rf"Further: State {name} .*{why}"):
        Further()


@pytest.mark.parametrize("name", ["step", "fixed", "seed", "initial", "parameters"])
def test_a_parameter_must_not_hide_what_every_neuron_has(name):
    with pytest.raises(TypeError, match=f"Hiding: parameter {name} has a name that means"):
        type("Hiding", (LIF,), {name: 1.0})


def test_a_parameter_may_be_called_as_a_recordings_parts_are():
    kind = type("Named", (LIF,), {"noise": 0.5, "t": 2.0})
    assert kind(t=3.0).parameters["t"] == 3.0


def test_annotations_may_name_what_is_not_imported():
    class Later(LIF):
        tau_m: "float" = 5.0
        extra: "NotImported" = 2.0  # noqa: F821
        note: "ClassVar[NotImported]" = "no parameter"  # noqa: F821

    assert Later().parameters["extra"] == 2.0
    assert list(Later().parameters)[-2:] == ["tau_m", "extra"]
    assert "note" not in Later().parameters


def test_a_state_that_starts_at_no_parameter_is_refused():
    class Lost(LIF):
        V = State(init="E_M")

    with pytest.raises(TypeError, match="Lost: V starts at 'E_M', no parameter"):
        Lost()


def test_an_update_that_returns_too_little_is_refused():
    class Short(LIF):
        def update(self, V, I):
            return V >= 0

    with pytest.raises(UpdateError, match=r"Short\.update\(\) must return the spike flag and"):
        Short().step(I=1.0)


# -- that it is right -----------------------------------------------------------------------------
def test_lif_below_threshold_is_its_analytic_solution():
    neuron = LIF()
    I = 1.9  # to -51 mV, below the threshold
    recording = neuron.run(np.full(1000, I))
    assert recording.spikes == 0
    steady = neuron.E_L + neuron.R * I
    n = np.arange(1, 1001)
    euler = steady + (neuron.E_L - steady) * (1 - neuron.dt / neuron.tau_m) ** n
    np.testing.assert_allclose(recording.V, euler, rtol=0, atol=1e-9)
    exact = steady + (neuron.E_L - steady) * np.exp(-recording.t / neuron.tau_m)
    worst = np.abs(recording.V - exact).max()
    assert worst < 0.5 * neuron.dt / neuron.tau_m * np.exp(-1) * neuron.R * I * 1.02
    finer = LIF(dt=0.05).run(np.full(2000, I))
    exact = steady + (neuron.E_L - steady) * np.exp(-finer.t / neuron.tau_m)
    assert np.abs(finer.V - exact).max() == pytest.approx(worst / 2, rel=0.02)


@pytest.mark.parametrize("current", LIF.currents)
def test_lif_fires_at_its_analytic_rate(current):
    neuron = LIF(dt=0.01)
    steady = neuron.E_L + neuron.R * current
    period = neuron.tau_m * np.log((steady - neuron.V_reset) / (steady - neuron.V_th))
    intervals = np.diff(neuron.run(np.full(20_000, current)).spike_steps) * neuron.dt
    np.testing.assert_allclose(intervals, period, rtol=0.01)


ADEX_CURRENTS = (0.6, 0.8, 1.0, 1.5)
ADEX_SPIKES = ((1,), (17,), (30, 31), (60, 61))


@pytest.fixture(scope="module")
def adex():
    """Float and Q8.8 over 1 s: four constant currents, then a fluctuating one."""
    fluctuating = ornstein_uhlenbeck(0.8, 0.4, 20.0, dt=0.1, steps=10_000)
    current = np.column_stack([np.tile(ADEX_CURRENTS, (10_000, 1)), fluctuating])
    current = np.round(current * 256) / 256  # what a port carries, for both
    return AdEx().run(current), AdEx().fixed().run(current)


def test_adex_fires_a_known_number_of_times():
    recording = AdEx().run(np.tile(ADEX_CURRENTS, (10_000, 1)))
    for spikes, expected in zip(recording.spikes, ADEX_SPIKES, strict=True):
        assert spikes in expected


@pytest.mark.parametrize("column", range(5))
def test_adex_in_q8_8_spikes_as_float_does(adex, column):
    reference, fixed = (np.flatnonzero(r.spike[:, column]) for r in adex)
    assert len(reference) == len(fixed) > 0
    errors = 0.1 * time_errors(reference, fixed)
    assert errors.max() <= 1.5
    assert errors.mean() <= 0.7


@pytest.mark.parametrize("name", few(Izhikevich.presets, lambda name: name in ("RS", "LTS")))
def test_izhikevich_in_q8_8_spikes_as_often_as_float(name):
    neuron = Izhikevich.preset(name)
    current = np.full(10_000, 10.0)
    reference, fixed = neuron.run(current).spikes, neuron.fixed().run(current).spikes
    assert fixed == reference > 10


@pytest.mark.parametrize("current", LIF.currents)
def test_lif_in_q8_8_spikes_within_a_step_of_float(current):
    current = np.full(10_000, round(current * 256) / 256)
    reference, fixed = LIF().run(current), LIF().fixed().run(current)
    assert reference.spikes == fixed.spikes > 0
    assert time_errors(reference.spike_steps, fixed.spike_steps).max() <= 1
