"""The custom-neuron tutorial's surface: its names, its trajectories to the last bit, its parity."""

import io
from contextlib import redirect_stdout

import numpy as np
import pytest
from checks import nightly

from scneuro import (
    FixedPointAdExNeuron,
    SCAdExNeuron,
    SCConductanceNeuron,
    verify_adex_parity,
)

STEPS = 2000


def adex_by_hand(currents, *, E_L=0.30, V_T=0.50, V_reset=0.28, V_peak=0.80, delta_T=0.02,
                 g_L=0.10, a=0.02, b=0.05, tau_w=30.0, dt=1.0):  # fmt: skip
    """The equations, stepped in plain floats: yields spike, V and w after every step."""
    potential, adaptation = E_L, 0.0
    for current in currents:
        exponent = (potential - V_T) / (delta_T if delta_T > 1e-6 else 1e-6)
        upswing = delta_T * float(np.exp(exponent if exponent < 5.0 else 5.0))
        slope = -g_L * (potential - E_L) + g_L * upswing - adaptation + current
        potential = potential + slope * dt
        pull = a * (potential - E_L) - adaptation
        adaptation = adaptation + pull / tau_w * dt
        fired = 0
        if not potential < V_peak:
            fired, potential, adaptation = 1, V_reset, adaptation + b
        potential = 0.0 if potential < 0.0 else 1.0 if potential > 1.0 else potential
        adaptation = adaptation if adaptation > 0.0 else 0.0
        yield fired, potential, adaptation


def conductance_by_hand(excitation, inhibition, *, V_rest=0.30, V_E=0.90, V_I=0.10, theta=0.60,
                        V_reset=0.30, tau_m=20.0, tau_E=5.0, tau_I=10.0, dt=1.0):  # fmt: skip
    """As above: yields spike, V, g_E and g_I."""
    potential, ge, gi = V_rest, 0.0, 0.0
    for up, down in zip(excitation, inhibition, strict=True):
        ge = ge + (-ge / tau_E + up) * dt
        gi = gi + (-gi / tau_I + down) * dt
        ge, gi = (ge if ge > 0 else 0.0), (gi if gi > 0 else 0.0)
        synaptic = ge * (V_E - potential) + gi * (V_I - potential)
        potential = potential + (-(potential - V_rest) / tau_m + synaptic) * dt
        potential = 0.0 if potential < 0.0 else 1.0 if potential > 1.0 else potential
        fired = int(not potential < theta)
        potential = V_reset if fired else potential
        yield fired, potential, ge, gi


def stimulus(name):
    rng = np.random.default_rng(11)
    return {
        "none": np.zeros(STEPS),
        "weak": np.full(STEPS, 0.03),
        "the tutorial's": np.full(STEPS, 0.15),
        "strong": np.full(STEPS, 0.9),
        "pulses": np.where(np.arange(STEPS) // 37 % 3 == 1, 0.4, 0.0),
        "random": rng.uniform(0, 1, STEPS),
        "of both signs": rng.normal(0, 0.5, STEPS),
    }[name]


STIMULI = ["none", "weak", "the tutorial's", "strong", "pulses", "random", "of both signs"]


@pytest.mark.parametrize("name", STIMULI)
@pytest.mark.parametrize(
    "parameters", [{}, {"delta_T": 0.05, "a": 0.1, "tau_w": 80.0}, {"dt": 0.25, "V_reset": 0.45}],
    ids=["defaults", "others", "smaller dt"],
)  # fmt: skip
def test_the_adex_is_its_equations_to_the_last_bit(name, parameters):
    neuron, current = SCAdExNeuron(**parameters), stimulus(name)
    spikes = 0
    for step, want in zip(current, adex_by_hand(current, **parameters), strict=True):
        spike, V = neuron.step(I=step)
        assert (spike, float(V), float(neuron.w)) == want
        spikes += spike
    assert (spikes > 0) == (name != "none")


def test_a_run_of_the_adex_is_its_equations_too():
    current = stimulus("random")
    recording = SCAdExNeuron().run(current)
    spikes, V, w = zip(*adex_by_hand(current), strict=True)
    assert recording.spike.tolist() == [bool(s) for s in spikes]
    assert recording.V.tolist() == list(V)
    assert recording.w.tolist() == list(w)


@pytest.mark.parametrize("inhibition", ["weak", "pulses", "of both signs"])
@pytest.mark.parametrize("excitation", ["none", "the tutorial's", "random"])
def test_the_conductance_neuron_is_its_equations_to_the_last_bit(excitation, inhibition):
    neuron = SCConductanceNeuron()
    up, down = stimulus(excitation), stimulus(inhibition)[::-1]
    for e, i, want in zip(up, down, conductance_by_hand(up, down), strict=True):
        spike, V = neuron.step(I_exc=e, I_inh=i)
        assert (spike, float(V), float(neuron.g_E), float(neuron.g_I)) == want


def test_other_parameters_of_the_conductance_neuron_are_used():
    up, down = stimulus("random"), stimulus("pulses")
    given = {"tau_m": 8.0, "tau_E": 3.0, "tau_I": 25.0, "V_E": 0.8, "V_reset": 0.2}
    neuron = SCConductanceNeuron(**given)
    for e, i, want in zip(up, down, conductance_by_hand(up, down, **given), strict=True):
        spike, V = neuron.step(e, i)
        assert (spike, float(V), float(neuron.g_E), float(neuron.g_I)) == want


# -- the surface ----------------------------------------------------------------------------------
@pytest.mark.parametrize("model", [SCAdExNeuron, SCConductanceNeuron])
def test_a_step_returns_an_int_and_a_float(model):
    neuron = model()
    for value in (0.0, 1.0, 1.0):
        spike, V = neuron.step(value)
        assert type(spike) is int
        assert isinstance(V, float)
        assert neuron.V == V


def test_parameters_may_be_given_in_the_order_of_their_declaration():
    neuron = SCAdExNeuron(0.31, 0.51, 0.27, 0.79, 0.03, 0.11, 0.01, 0.04, 25.0, 0.5)
    assert list(neuron.parameters.values()) == [
        0.31, 0.51, 0.27, 0.79, 0.03, 0.11, 0.01, 0.04, 25.0, 0.5,
    ]  # fmt: skip
    assert list(neuron.parameters) == [
        "E_L", "V_T", "V_reset", "V_peak", "delta_T", "g_L", "a", "b", "tau_w", "dt",
    ]  # fmt: skip
    assert neuron.V == 0.31
    assert SCConductanceNeuron(0.25).V == 0.25
    assert SCAdExNeuron(0.31, V_T=0.6).V_T == 0.6


def test_parameters_given_twice_or_too_many_are_refused():
    with pytest.raises(TypeError, match="E_L is given twice"):
        SCAdExNeuron(0.3, E_L=0.3)
    with pytest.raises(TypeError, match="has 10 parameters, not 11"):
        SCAdExNeuron(*[0.5] * 11)


def test_an_input_may_be_given_by_position():
    a, b = SCAdExNeuron(), SCAdExNeuron()
    for _ in range(20):
        assert a.step(0.15) == b.step(I=0.15)
    c, d = SCConductanceNeuron(), SCConductanceNeuron()
    for _ in range(20):
        assert c.step(0.1, 0.05) == d.step(I_inh=0.05, I_exc=0.1)
    with pytest.raises(TypeError, match=r"has 1 input \(I\), not 2"):
        a.step(0.1, 0.2)
    with pytest.raises(TypeError, match="I is given twice"):
        a.step(0.1, I=0.2)


def test_the_tutorials_own_experiment_shows_adaptation():
    neuron = SCAdExNeuron()
    times = [t for t in range(300) if neuron.step(I=0.15 if 50 < t < 250 else 0.0)[0]]
    first, last = times[1] - times[0], times[-1] - times[-2]
    assert len(times) > 5
    assert last > 1.5 * first
    neuron.reset()
    assert (neuron.V, neuron.w) == (0.30, 0.0)


# -- fixed point ----------------------------------------------------------------------------------
def test_the_attributes_of_the_fixed_point_neuron_are_ints():
    neuron = FixedPointAdExNeuron()
    names = ("E_L", "V_T", "V_reset", "V_peak", "g_L", "a", "b", "V", "w")
    values = [getattr(neuron, name) for name in names]
    assert all(type(value) is int for value in values)
    assert values == [77, 128, 72, 205, 26, 5, 13, 77, 0]
    result = neuron.step(I_q8=38)
    assert [type(value) for value in result] == [int, int]
    assert result == (0, neuron.V)
    assert neuron.V > 77


def test_a_reset_of_the_fixed_point_neuron_returns_to_the_start():
    neuron = FixedPointAdExNeuron()
    first = [(*neuron.step(60), neuron.w) for _ in range(100)]
    assert sum(spike for spike, *_ in first) > 5
    neuron.reset()
    assert (neuron.V, neuron.w) == (77, 0)
    assert [(*neuron.step(I_q8=60), neuron.w) for _ in range(100)] == first


def test_the_fixed_point_neuron_is_the_lowered_float_neuron_word_for_word():
    chip, fixed = FixedPointAdExNeuron(), SCAdExNeuron().fixed()
    rng = np.random.default_rng(5)
    for word in [*[38] * 300, *rng.integers(-100, 300, 300).tolist(), -32768, 32767, 0, 0]:
        spike, V = chip.step(I_q8=word)
        fixed_spike, _ = fixed.step(I=word / 256)
        assert (spike, V, chip.w) == (fixed_spike, fixed.words["V"], fixed.words["w"])


def test_parameters_of_the_fixed_point_neuron_are_words():
    chip = FixedPointAdExNeuron(E_L=80, V_T=120, b=20)
    fixed = SCAdExNeuron(E_L=80 / 256, V_T=120 / 256, b=20 / 256).fixed()
    assert (chip.E_L, chip.V) == (80, 80)
    for _ in range(200):
        spike, V = chip.step(40)
        assert spike == fixed.step(I=40 / 256)[0]
        assert (V, chip.w) == (fixed.words["V"], fixed.words["w"])


def test_two_fixed_point_neurons_are_independent():
    a, b, alone = FixedPointAdExNeuron(), FixedPointAdExNeuron(), FixedPointAdExNeuron()
    want = [alone.step(50) for _ in range(150)]
    got = []
    for t in range(150):
        got.append(a.step(50))
        b.step(200)
        if t == 70:
            b.reset()
            FixedPointAdExNeuron().step(255)
    assert got == want
    assert (a.V, a.w) != (b.V, b.w)


@pytest.mark.parametrize("value", [0.15, "38", None, True, [38]])
def test_an_input_of_the_fixed_point_neuron_that_is_no_int_is_refused(value):
    neuron = FixedPointAdExNeuron()
    with pytest.raises(TypeError, match="I_q8 must be an int"):
        neuron.step(I_q8=value)
    assert (neuron.V, neuron.w) == (77, 0)


@pytest.mark.parametrize("value", [32768, -32769, 10**9])
def test_an_input_of_the_fixed_point_neuron_that_does_not_fit_is_refused(value):
    with pytest.raises(ValueError, match=f"I_q8 = {value} does not fit 16 bits"):
        FixedPointAdExNeuron().step(I_q8=value)


def test_a_parameter_of_the_fixed_point_neuron_is_checked():
    with pytest.raises(TypeError, match="g_L must be an int"):
        FixedPointAdExNeuron(g_L=0.1)
    with pytest.raises(ValueError, match="b = 40000 does not fit 16 bits"):
        FixedPointAdExNeuron(b=40_000)


# -- its parity -----------------------------------------------------------------------------------
def printed(**options):
    out = io.StringIO()
    with redirect_stdout(out):
        assert verify_adex_parity(**options) is None
    return out.getvalue().splitlines()


def test_the_tutorials_comparison_prints_no_difference():
    assert printed() == ["Float spikes: 9", "Q8.8 spikes: 9", "Difference: 0"]


def test_the_comparison_counts_what_its_neurons_do():
    current = [0.3 if 50 < t < 150 else 0.0 for t in range(120)]
    count = sum(spike for spike, *_ in adex_by_hand(current))
    lines = printed(n_steps=120, current=0.3)
    assert lines[0] == f"Float spikes: {count}"
    assert count > 10


@pytest.mark.parametrize("word", [0, 6, 7, 13, 26, 38, 64, 100, 177, 255, 256])
def test_the_comparison_shows_no_difference_at_other_currents(word):
    assert printed(current=word / 256)[2] == "Difference: 0"


@pytest.mark.slow
@pytest.mark.parametrize("word", nightly(range(6, 257), lambda word: word % 5 == 1))
def test_the_comparison_shows_no_difference_at_any_current(word):
    assert printed(current=word / 256)[2] == "Difference: 0"


@pytest.fixture(scope="module")
def counts():
    """Float's and Q8.8's over 5,000 steps at I = 5/256, 10/256 ... 255/256."""
    neuron = SCAdExNeuron()
    current = np.tile(np.arange(5, 256, 5) / 256, (5000, 1))
    runs = (r.run(current, progress=False) for r in (neuron, neuron.fixed()))
    return [run.spikes for run in runs]


def test_counts_over_5000_steps_are_floats_at_48_of_51_currents_at_least(counts):
    a, b = counts
    assert len(a) == 51
    assert np.sum(a == b) >= 48
    assert np.max(np.abs(a - b)) <= 2
    assert a.max() > 1000


def test_the_counts_are_those_of_the_equations(counts):
    a, _ = counts
    for word in (5, 90, 255):
        spikes = sum(spike for spike, *_ in adex_by_hand([word / 256] * 5000))
        assert a[word // 5 - 1] == spikes
