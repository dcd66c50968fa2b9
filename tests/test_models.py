"""The built-in neurons: each at every fidelity, and each by what is known of it."""

import numpy as np
import pytest
from checks import few
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from scneuro import (
    LIF,
    AdEx,
    ConductanceLIF,
    EscapeLIF,
    ExponentialIF,
    HodgkinHuxley,
    Izhikevich,
    NoisyLIF,
    QuadraticIF,
    SCAdExNeuron,
    SCConductanceNeuron,
)
from scneuro.neurons import builtin, builtins
from scneuro.signals.patterns import PATTERNS
from scneuro.signals.stimulus import as_words
from scneuro.sim import conformance, parity

TestExponentialIF = pytest.mark.slow(conformance(ExponentialIF, steps=150))
TestQuadraticIF = conformance(QuadraticIF, steps=150)
TestConductanceLIF = pytest.mark.slow(conformance(ConductanceLIF, steps=150))
TestHodgkinHuxley = pytest.mark.slow(conformance(HodgkinHuxley, steps=100))
TestRefractoryLIF = conformance(LIF(t_ref=2.0), steps=150)
TestSCAdExNeuron = pytest.mark.slow(conformance(SCAdExNeuron, steps=150))
TestSCConductanceNeuron = pytest.mark.slow(conformance(SCConductanceNeuron, steps=150))
TestNoisyLIF = pytest.mark.slow(conformance(NoisyLIF, steps=150))
TestEscapeLIF = pytest.mark.slow(conformance(EscapeLIF, steps=150))


# -- all of them ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "name", few(builtins(), lambda name: name in ("adex", "izhikevich", "lif", "noisy_lif"))
)
def test_a_built_in_neuron_in_q8_8_fires_as_often_as_float_does(name):
    """A second (100 ms of Hodgkin and Huxley's) at each of its typical currents."""
    neuron = builtin(name)()
    steps = round((100 if name == "hodgkin_huxley" else 1000) / neuron.dt)
    current = np.tile(as_words(np.array(neuron.currents)), (steps, 1))
    a = neuron.run(current, progress=False).spikes
    b = neuron.fixed().run(current, progress=False).spikes
    assert a.tolist() == b.tolist()
    assert a.max() > 4


@pytest.mark.parametrize("name", builtins())
def test_a_built_in_neuron_describes_itself(name):
    neuron = builtin(name)()
    assert type(neuron).__doc__
    assert len(neuron.currents) == 4
    for parameter in neuron.parameters:
        assert parameter in type(neuron).__doc__


@pytest.mark.parametrize("name", few(Izhikevich.presets, lambda name: name in ("CH", "FS")))
def test_a_preset_of_izhikevich_fires_as_often_in_q8_8_as_in_float(name):
    neuron = Izhikevich.preset(name)
    current = np.tile([10.0, 15.0], (5000, 1))
    a, b = (r.run(current, progress=False).spikes for r in (neuron, neuron.fixed()))
    assert a.tolist() == b.tolist()
    assert a.min() > 3


def test_thalamo_cortical_and_resonator_are_izhikevichs_published_ones():
    columns = ("a", "b", "c", "d")
    published = {"TC": (0.02, 0.25, -65.0, 0.05), "RZ": (0.1, 0.26, -65.0, 2.0)}
    for name, values in published.items():
        neuron = Izhikevich.preset(name)
        assert tuple(getattr(neuron, c) for c in columns) == values


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize(("name", "fires"), [("TC", True), ("LTS", True), ("RS", False)])
def test_only_some_presets_of_izhikevich_fire_when_inhibition_ends(name, fires, fidelity):
    neuron = Izhikevich.preset(name)
    runner = neuron if fidelity == "float" else neuron.fixed()
    recording = runner.run(np.repeat([0.0, -10.0, 0.0], 2000), progress=False)
    assert not recording.spike[500:4000].any()
    assert recording.spike[4000:].any() == fires


# -- firing patterns ------------------------------------------------------------------------------
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize("name", few(AdEx.presets, lambda name: name in ("bursting", "transient")))
def test_a_preset_of_adex_fires_in_its_pattern_and_in_no_other(name, fidelity):
    neuron = AdEx.preset(name)
    runner = neuron if fidelity == "float" else neuron.fixed()
    current = as_words(np.full(10_000, neuron.currents[0]))
    recording = runner.run(current, progress=False)
    times = recording.t[recording.spike_steps]
    assert [other for other, pattern in PATTERNS.items() if pattern.holds(times)] == [name]


def test_there_is_a_pattern_for_every_preset():
    assert set(PATTERNS) == set(AdEx.presets)
    assert len({pattern.criterion for pattern in PATTERNS.values()}) == len(PATTERNS)


@pytest.mark.parametrize("times", [[], [20.0], [10.0, 30.0]])
def test_few_spikes_are_a_transient_or_nothing(times):
    held = [name for name, pattern in PATTERNS.items() if pattern.holds(np.array(times))]
    assert held == (["transient"] if times else [])


MADE = {
    "tonic": np.arange(20, 1000, 20.0),
    "adapting": np.cumsum(np.linspace(20, 60, 20)),
    "initial_burst": np.cumsum([10, 5, 5] + [60] * 12),
    "bursting": np.cumsum([10] + [5, 5, 100] * 8),
    "delayed_burst": np.cumsum([80] + [5, 5, 100] * 8),
    "accelerating": np.cumsum(np.linspace(60, 20, 22)),
    "transient": np.array([12.0]),
    "irregular": np.cumsum(np.random.default_rng(2).exponential(20, 45)),
}


@pytest.mark.parametrize("name", MADE)
def test_a_pattern_recognises_a_train_made_to_its_criterion(name):
    assert [other for other, pattern in PATTERNS.items() if pattern.holds(MADE[name])] == [name]


@pytest.mark.parametrize("name", AdEx.presets)
def test_a_preset_brings_its_own_currents(name):
    neuron = AdEx.preset(name)
    assert neuron.currents == AdEx.presets[name]["currents"]
    assert AdEx().currents == AdEx.currents == (1.0, 0.6, 0.8, 1.5)
    assert "currents" not in neuron.parameters


def test_a_presets_parameters_can_be_overridden():
    neuron = AdEx.preset("bursting", b=0.2)
    assert (neuron.b, neuron.V_reset) == (0.2, -46.0)
    assert AdEx.preset("bursting").b == 0.1


# -- refractory period ----------------------------------------------------------------------------
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize("t_ref", [0.1, 0.5, 2.0, 7.3])
def test_no_two_spikes_are_closer_than_the_refractory_period(t_ref, fidelity):
    neuron = LIF(t_ref=t_ref)
    runner = neuron if fidelity == "float" else neuron.fixed()
    current = np.random.default_rng(3).uniform(-20, 127, (1500, 4))
    current[:, 0] = 127.0
    recording = runner.run(current)
    held = round(t_ref / neuron.dt)
    closest = min(np.diff(np.flatnonzero(recording.spike[:, k])).min() for k in range(4))
    assert closest >= held + 1
    first = np.flatnonzero(recording.spike[:, 0])
    assert np.all(np.diff(first) == held + 2)  # full drive takes two steps to the threshold
    for step in first[:-1]:
        assert np.all(recording.V[step : step + held + 1, 0] == neuron.V_reset)
        assert recording.r[step, 0] == held


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize("t_ref", [0.5, 5.0])
@pytest.mark.parametrize("current", [2.5, 4.0])
def test_a_refractory_lif_fires_at_its_analytic_rate(current, t_ref, fidelity):
    neuron = LIF(t_ref=t_ref)
    runner = neuron if fidelity == "float" else neuron.fixed()
    recording = runner.run(np.full(3000, current), progress=False)
    drive = neuron.E_L + neuron.R * current
    rise = neuron.tau_m * np.log((drive - neuron.V_reset) / (drive - neuron.V_th))
    intervals = np.diff(recording.spike_steps) * neuron.dt
    # Euler is early by a fraction dt / (2 tau_m) of the rise, and a spike waits for its step
    assert np.all(np.abs(intervals - (t_ref + rise)) <= neuron.dt * (1 + rise / neuron.tau_m / 2))


def test_a_lif_without_a_refractory_period_has_no_second_state():
    assert LIF().state_names == ("V",)
    assert LIF(t_ref=1.0).state_names == LIF.preset("refractory").state_names == ("V", "r")
    with pytest.raises(ValueError, match="t_ref >= 0 must hold"):
        LIF(t_ref=-1.0)


@pytest.mark.parametrize("t_ref", [0.1, 2.0, 7.3, 400.0])
def test_the_counter_of_the_refractory_period_holds_its_count_exactly(t_ref):
    register = LIF(t_ref=t_ref).fixed().lowered.registers["r"]
    assert (register.low, register.high) == (0, round(t_ref / 0.1))
    assert (register.guard, register.fraction) == (0, 0)


# -- conductances ---------------------------------------------------------------------------------
INHIBITION = st.one_of(
    st.lists(st.floats(0, 127.9), min_size=40, max_size=40),
    st.floats(0, 127.9).map(lambda x: [x] * 40),
    st.tuples(st.floats(0, 127.9), st.integers(1, 20)).map(
        lambda p: [p[0] * (k // p[1] % 2) for k in range(40)]
    ),
)


FIXED = ConductanceLIF().fixed()


@settings(max_examples=30)
@given(INHIBITION, st.floats(-100, -50.001), st.floats(0, 60))
def test_no_inhibition_makes_the_conductance_lif_fire(inhibition, V, g_inh):
    for runner in (ConductanceLIF(), FIXED):
        runner.reset()
        runner.V, runner.g_inh = V, g_inh
        for value in inhibition:
            before = runner.V
            spike, after = runner.step(I_exc=0.0, I_inh=value)
            assert spike == 0
            assert after <= max(before, -60.0) + 2**-7  # towards the mean of E_L and E_inh


def test_no_inhibition_makes_it_fire_from_any_register():
    rng = np.random.default_rng(4)
    count = 20_000
    r = FIXED.lowered.registers
    below = int(-50.0 * 2 ** r["V"].fraction) - 1
    FIXED.reset()
    FIXED.registers = {
        "V": rng.integers(r["V"].low, below, count, endpoint=True),
        "g_exc": np.zeros(count, dtype=int),
        "g_inh": rng.integers(r["g_inh"].low, r["g_inh"].high, count, endpoint=True),
    }
    for _ in range(5):
        spike, _ = FIXED.step(I_exc=0.0, I_inh=rng.uniform(0, 127.9, count))
        assert not spike.any()
    FIXED.reset()


def test_strong_inhibition_alone_makes_the_tutorials_euler_form_fire():
    """Which is why there is a ConductanceLIF."""
    neuron = SCConductanceNeuron()
    current = np.full(60, 1.0)
    assert neuron.run(np.zeros(60), current).spikes > 0
    mild = neuron.run(np.zeros(60), np.full(60, 0.02))
    assert mild.spikes == 0
    strong = ConductanceLIF()
    for runner in (strong, strong.fixed()):
        recording = runner.run(np.zeros(600), np.full(600, 127.0))
        assert recording.spikes == 0
        assert recording.V[-1] < -75


def test_the_tutorials_euler_form_is_limited_in_integers_to_where_it_works():
    """Its currents go to 0.2; an input may go 2.25 times as far, and it is said."""
    neuron = SCConductanceNeuron()
    fixed = neuron.fixed()
    limit = 2.25 * max(neuron.currents)
    assert fixed.lowered.working["I_inh"] == pytest.approx((-limit, limit))
    assert fixed.lowered.input_limits["I_inh"] == (-round(limit * 256), round(limit * 256))
    nothing = np.zeros(60)
    strong, limited = (fixed.run(nothing, np.full(60, I)) for I in (1.0, limit))
    assert np.array_equal(strong.V, limited.V)
    expected = neuron.run(nothing, as_words(np.full(60, limit)))
    assert strong.spikes == expected.spikes
    assert neuron.run(nothing, np.ones(60)).spikes > strong.spikes
    result = parity(neuron, {"I_exc": nothing, "I_inh": np.ones(60)}, progress=False)
    assert result.saturated["I_inh"] == 60  # nothing is limited in silence


@settings(max_examples=30)
@given(st.lists(st.tuples(st.floats(-128, 127), st.floats(-128, 127)), min_size=5, max_size=20))
def test_no_input_makes_a_conductance_negative(inputs):
    for runner in (ConductanceLIF(), FIXED):
        runner.reset()
        for excitation, inhibition in inputs:
            runner.step(excitation, inhibition)
            assert runner.g_exc >= 0
            assert runner.g_inh >= 0


def test_the_conductance_lif_is_exact_while_its_conductances_are_constant():
    neuron = ConductanceLIF(tau_exc=5.0, tau_inh=10.0)
    neuron.g_exc, neuron.g_inh = 2.0, 7.0
    V = []
    for _ in range(300):
        neuron.step(I_exc=2.0 / 5.0, I_inh=7.0 / 10.0)  # which keeps them as they are
        V.append(neuron.V)
    assert neuron.g_exc == pytest.approx(2.0)
    g = np.array([10.0, 2.0, 7.0])
    rest = np.sum(g * [-60.0, 0.0, -80.0]) / g.sum()
    t = 0.1 * np.arange(1, 301)
    np.testing.assert_allclose(V, rest + (-60 - rest) * np.exp(-t * g.sum() / 200.0), rtol=1e-9)


# -- the two others -------------------------------------------------------------------------------
def times_by_integrator(slope, start, peak, reset, duration):
    """Spike times of a one-dimensional neuron by an adaptive integrator."""

    def crossing(t, y):
        return y[0] - peak

    crossing.terminal = True
    t, V, times = 0.0, start, []
    while True:
        found = solve_ivp(
            lambda t, y: [slope(y[0])], (t, duration), [V], events=crossing,
            rtol=1e-8, atol=1e-8, max_step=0.5,
        )  # fmt: skip
        if not len(found.t_events[0]):
            return np.array(times)
        t, V = found.t_events[0][0], reset
        times.append(t)


@pytest.mark.parametrize("current", [0.5, 1.0])
def test_the_exponential_neuron_spikes_when_an_adaptive_integrator_does(current):
    p = ExponentialIF(dt=0.01)

    def slope(V):
        return (p.E_L - V + p.Delta_T * np.exp((V - p.V_T) / p.Delta_T) + p.R * current) / p.tau_m

    exact = times_by_integrator(slope, p.E_L, p.V_peak, p.V_reset, 100.0)
    run = p.run(np.full(10_000, current), progress=False)
    assert run.spikes == len(exact) > 1
    np.testing.assert_allclose(run.t[run.spike_steps], exact, rtol=5e-3, atol=0.05)


@pytest.mark.parametrize("current", [1.0, 2.0])
def test_the_quadratic_neuron_spikes_when_an_adaptive_integrator_does(current):
    p = QuadraticIF(dt=0.01)

    def slope(V):
        return (p.a_0 * (V - p.E_L) * (V - p.V_c) + p.R * current) / p.tau_m

    exact = times_by_integrator(slope, p.E_L, p.V_peak, p.V_reset, 150.0)
    run = p.run(np.full(15_000, current), progress=False)
    assert run.spikes == len(exact) > 1
    np.testing.assert_allclose(run.t[run.spike_steps], exact, rtol=5e-3, atol=0.05)


@pytest.mark.parametrize("model", [ExponentialIF, QuadraticIF, NoisyLIF, EscapeLIF])
def test_without_input_a_neuron_stays_at_rest(model):
    neuron = model(sigma=0.0) if model is NoisyLIF else model()
    recording = neuron.run(np.zeros(2000))
    assert recording.spikes == 0
    assert np.max(np.abs(recording.V - recording.V[-1])) < 2.0
