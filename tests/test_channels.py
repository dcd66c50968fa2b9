"""Ion channels, and the Hodgkin-Huxley neurons made of them."""

import numpy as np
import pytest
from checks import check_one_step
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import solve_ivp

from scneuro import Channel, Gate, HodgkinHuxley, LoweringError
from scneuro.channel import linoid
from scneuro.compiler.datapath import ARRAYS
from scneuro.neurons.hodgkin_huxley import leak, m_type, potassium, sodium
from scneuro.signals.spikes import time_errors
from scneuro.signals.stimulus import as_words
from scneuro.sim import parity, vector_parity

SQUID = (sodium, potassium, leak)
GATES = [gate for channel in (sodium, potassium, m_type) for gate in channel.gates]


# -- rates ----------------------------------------------------------------------------------------
def test_the_linoid_is_its_formula_and_1_at_0():
    x = np.array([-30.0, -2.0, -0.1, 0.1, 3.0, 40.0])
    np.testing.assert_allclose(linoid(x), x / (1 - np.exp(-x)), rtol=1e-12)
    assert linoid(np.float64(0.0)) == 1.0


@given(st.floats(-1e-3, 1e-3))
def test_the_linoid_is_continuous_around_0(x):
    """Its series is 1 + x/2 + x^2/12 - ..."""
    assert linoid(np.float64(x)) == pytest.approx(1 + x / 2 + x**2 / 12, abs=2e-9)


@pytest.mark.parametrize("x", [1e-4, -1e-4])
def test_the_linoid_has_no_step_where_its_form_changes(x):
    inside, outside = linoid(np.array([x * (1 - 1e-9), x * (1 + 1e-9)]))
    assert outside == pytest.approx(inside, abs=2e-9)


@pytest.mark.parametrize("V", [-100.0, -65.0, -40.0, -20.0, 0.0, 50.0])
def test_a_relaxing_gate_has_the_steady_state_and_time_constant_it_was_given(V):
    def steady(V):
        return 1 / (1 + np.exp(-(V + 35) / 10))

    def tau(V):
        return 1000 / (3.3 * np.exp((V + 35) / 20) + np.exp(-(V + 35) / 20))

    gate = Gate.relaxing("p", 1, steady, tau)
    assert gate.steady(V) == pytest.approx(steady(V), rel=1e-12)
    assert 1 / (gate.alpha(V) + gate.beta(V)) == pytest.approx(tau(V), rel=1e-12)
    after = gate.step(0.9, V, tau(V))
    assert after - steady(V) == pytest.approx((0.9 - steady(V)) * np.exp(-1), rel=1e-9)


def test_the_squid_rests_where_its_rates_balance():
    """The values every textbook has: m 0.053, h 0.596, n 0.318 at -65 mV."""
    neuron = HodgkinHuxley()
    assert neuron.m == pytest.approx(0.0529, abs=1e-4)
    assert neuron.h == pytest.approx(0.5961, abs=1e-4)
    assert neuron.n == pytest.approx(0.3177, abs=1e-4)


@pytest.mark.parametrize("gate", GATES, ids=lambda g: g.name)
def test_a_step_is_the_exact_solution_at_constant_potential(gate):
    for V, dt, x in ((-70.0, 0.02, 0.2), (-30.0, 1.5, 0.9), (20.0, 0.3, 0.0)):

        def slope(t, y, V=V):
            return gate.alpha(V) * (1 - y) - gate.beta(V) * y

        exact = solve_ivp(slope, (0, dt), [x], rtol=1e-10, atol=1e-12).y[0, -1]
        assert gate.step(x, V, dt) == pytest.approx(exact, abs=1e-8)


@given(
    st.sampled_from(GATES),
    st.floats(0, 1),
    st.floats(-200, 200),
    st.floats(1e-3, 1000),
)
def test_a_gate_stays_between_0_and_1_at_any_potential_and_time_step(gate, x, V, dt):
    after = gate.step(x, np.float64(V), dt)
    assert -1e-12 <= after <= 1 + 1e-12


@given(st.floats(-128, 127), st.floats(0.001, 0.01), st.integers(0, 10**6))
def test_the_gates_of_a_neuron_stay_between_0_and_1(I, dt, seed):
    rng = np.random.default_rng(seed)
    neuron = HodgkinHuxley(dt=dt)
    for name in ("m", "h", "n"):
        setattr(neuron, name, rng.random())
    neuron.V = rng.uniform(-100, 60)
    for _ in range(20):
        neuron.step(I=I)
        for name in ("m", "h", "n"):
            assert 0 <= neuron.read(name) <= 1


def test_the_gates_of_the_integer_model_stay_between_0_and_1():
    fixed = HodgkinHuxley().fixed()
    for name in ("m", "h", "n"):
        r = fixed.lowered.registers[name]
        assert r.low >= 0
        assert r.to_real(r.high) < 1
    current = np.random.default_rng(0).uniform(-128, 127, (300, 8))
    recording = fixed.run(current)
    for name in ("m", "h", "n"):
        assert recording.states[name].min() >= 0
        assert recording.states[name].max() <= 1


# -- the squid axon -------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def squid():
    """Float and Q8.8 over 100 ms at 7, 10, 15 and 20 uA/cm2, and at rest."""
    neuron = HodgkinHuxley()
    current = np.tile(as_words(np.array([7.0, 10.0, 15.0, 20.0, 0.0])), (5000, 1))
    return neuron.run(current, progress=False), neuron.fixed().run(current, progress=False)


@pytest.mark.parametrize("column", range(4))
def test_hodgkin_huxley_in_q8_8_spikes_as_float_does(squid, column):
    a, b = (r.spike[:, column] for r in squid)
    assert a.sum() == b.sum() > 4
    assert time_errors(np.flatnonzero(a), np.flatnonzero(b)).max() * 0.02 <= 0.2


def test_without_input_the_squid_stays_at_rest(squid):
    for recording in squid:
        V = recording.V[:, 4]
        assert not recording.spike[:, 4].any()
        assert np.max(np.abs(V + 65)) < 0.1


@pytest.mark.parametrize("start", [-75.0, -60.0])
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_the_resting_potential_is_stable(start, fidelity):
    runner = HodgkinHuxley() if fidelity == "float" else HodgkinHuxley().fixed()
    runner.V = start
    for _ in range(2500):
        runner.step()
    assert abs(runner.V + 65) < 0.5


def test_the_squid_spikes_when_an_adaptive_integrator_does():
    def slopes(t, y):
        V, m, h, n = y
        am = 0.1 * (V + 40) / -np.expm1(-(V + 40) / 10)
        an = 0.01 * (V + 55) / -np.expm1(-(V + 55) / 10)
        ah, bh = 0.07 * np.exp(-(V + 65) / 20), 1 / (1 + np.exp(-(V + 35) / 10))
        bm, bn = 4 * np.exp(-(V + 65) / 18), 0.125 * np.exp(-(V + 65) / 80)
        ionic = 120 * m**3 * h * (V - 50) + 36 * n**4 * (V + 77) + 0.3 * (V + 54.387)
        return [10 - ionic, am * (1 - m) - bm * m, ah * (1 - h) - bh * h, an * (1 - n) - bn * n]

    def crossing(t, y):
        return y[0]

    crossing.direction = 1
    neuron = HodgkinHuxley(dt=0.005)
    start = [neuron.V, neuron.m, neuron.h, neuron.n]
    exact = solve_ivp(slopes, (0, 50), start, events=crossing, rtol=1e-8, atol=1e-10, max_step=1.0)
    times = neuron.run(np.full(10_000, 10.0), progress=False)
    times = times.t[times.spike_steps]
    assert len(times) == len(exact.t_events[0]) > 2
    np.testing.assert_allclose(times, exact.t_events[0], atol=0.1)


def test_a_spike_is_counted_once_while_v_is_above_its_threshold():
    recording = HodgkinHuxley().run(np.full(1500, 10.0))
    rising = (recording.V[1:] >= 0) & (recording.V[:-1] < 0)
    assert np.array_equal(recording.spike[1:], rising)
    assert (recording.V >= 0).sum() > 3 * recording.spikes


# -- channels of one's own ------------------------------------------------------------------------
def sigmoid(x):
    return 1 / (1 + np.exp(-x))


a_type = Channel(
    "A",
    g=8.0,
    E=-77.0,
    gates=(
        Gate.relaxing("a", 3, lambda V: sigmoid((V + 50) / 20), lambda V: 1.5 + 0 * V),
        Gate.relaxing("b", 1, lambda V: sigmoid(-(V + 80) / 6), lambda V: 15 + 0 * V),
    ),
)
calcium = Channel(
    "Ca",
    g=0.5,
    E=120.0,
    gates=(Gate.relaxing("c", 2, lambda V: sigmoid((V + 20) / 9), lambda V: 2 + 0 * V),),
)
OWN = {"A": a_type, "Ca": calcium, "M": m_type, "no gate": Channel("shunt", g=0.1, E=-70.0)}


@pytest.mark.parametrize(
    "name", ["A", *(pytest.param(n, marks=pytest.mark.slow) for n in OWN if n != "A")]
)
def test_a_channel_of_ones_own_works_in_float_and_in_fixed(name):
    neuron = HodgkinHuxley([*SQUID, OWN[name]])
    current = np.full(1000, 15.0)
    a, b = neuron.run(current, progress=False), neuron.fixed().run(current, progress=False)
    assert a.spikes == b.spikes >= 1
    assert time_errors(a.spike_steps, b.spike_steps).max() * neuron.dt <= 0.2
    assert check_one_step(neuron, 500) > 0.99


@pytest.mark.slow
@pytest.mark.parametrize("name", OWN)
def test_a_channel_of_ones_own_works_in_gates(name):
    neuron = HodgkinHuxley([*SQUID, OWN[name]])
    result = parity(neuron, np.full(40, 15.0), progress=False)
    assert result.bit_exact, str(result)
    assert result.within_bound, str(result)
    assert vector_parity(neuron.fixed(), 50, progress=False).ok


def test_a_channel_changes_what_the_neuron_does():
    plain = HodgkinHuxley().run(np.full(2500, 15.0), progress=False)
    for channel in OWN.values():
        other = HodgkinHuxley([*SQUID, channel]).run(np.full(2500, 15.0), progress=False)
        assert np.max(np.abs(other.V - plain.V)) > 1


@pytest.mark.slow
def test_the_m_current_reduces_firing():
    current = np.full(4000, 10.0)
    strong = HodgkinHuxley([*SQUID, m_type.but(g=3.0)])
    plain = HodgkinHuxley().run(current, progress=False)
    counts = [r.run(current, progress=False).spikes for r in (strong, strong.fixed())]
    assert counts[0] == counts[1] < plain.spikes


@pytest.mark.slow
def test_a_slow_gate_gets_guard_bits_by_the_rule_behind_its_table():
    """p relaxes with up to 1000 / (2 sqrt(3.3)) ms, so it loses 0.02 over that per step."""
    neuron = HodgkinHuxley([*SQUID, m_type])
    V = np.linspace(-100, 60, 4001)
    gate = m_type.gates[0]
    least = np.min(-np.expm1(-neuron.dt * (gate.alpha(V) + gate.beta(V))))
    assert least == pytest.approx(neuron.dt * 2 * np.sqrt(3.3) / 1000, rel=1e-3)
    registers = neuron.fixed().lowered.registers
    guard = registers["p"].guard
    assert 0.5 * 2.0**-guard / least <= 1.0 < 0.5 * 2.0 ** -(guard - 1) / least
    assert f"so it has {guard}" in registers["p"].note
    assert [registers[n].guard for n in "mhn"] == [8, 8, 8]


@pytest.mark.slow
@pytest.mark.parametrize("V", [-90.0, -55.0, -35.0, -10.0])
def test_a_slow_gate_moves_towards_its_steady_state_from_anywhere(V):
    """But for an LSB, and what its tables are off."""
    fixed = HodgkinHuxley([*SQUID, m_type]).fixed()
    lowered = fixed.lowered
    r = lowered.registers["p"]
    p = np.linspace(r.low, r.high, 20_001).astype(int)
    start = {n: np.full(len(p), v) for n, v in fixed.registers.items()}
    start |= {"V": np.full(len(p), int(V * 2**16)), "p": p, "I": np.zeros(len(p), dtype=int)}
    after = lowered.path.evaluator({"p": lowered.path.outputs["p"]}, ARRAYS)(start)["p"]
    gate = m_type.gates[0]
    moved = -np.expm1(-0.02 * (gate.alpha(V) + gate.beta(V)))
    off = sum(table.error for table in lowered.tables[-2:]) / moved
    above = r.to_real(p) - gate.steady(V)
    assert np.all(after[above > r.word.lsb + off] < p[above > r.word.lsb + off])
    assert np.all(after[above < -r.word.lsb - off] > p[above < -r.word.lsb - off])
    assert off < 0.01


def test_a_channel_can_be_had_with_another_conductance():
    other = sodium.but(g=60.0)
    assert (other.g, other.E, other.gates) == (60.0, sodium.E, sodium.gates)
    assert sodium.g == 120.0
    assert other.current(10.0, {"m": 0.5, "h": 0.4}) == pytest.approx(60 * 0.125 * 0.4 * -40)


# -- the surface ----------------------------------------------------------------------------------
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_gates_read_and_write_as_attributes(fidelity):
    runner = HodgkinHuxley() if fidelity == "float" else HodgkinHuxley().fixed()
    runner.m = 0.3
    assert runner.m == pytest.approx(0.3, abs=2**-15)
    runner.step(I=0.0)
    assert 0.05 < runner.m < 0.3
    runner.reset()
    assert runner.m == pytest.approx(0.0529, abs=1e-4)
    with pytest.raises(AttributeError):
        _ = runner.q


def test_a_neuron_has_the_states_of_its_own_channels_only():
    assert HodgkinHuxley([leak]).state_names == ("V",)
    assert HodgkinHuxley([*SQUID, m_type]).state_names == ("V", "m", "h", "n", "p")
    assert HodgkinHuxley().state_names == ("V", "m", "h", "n")


@pytest.mark.parametrize("name", ["m", "V", "I", "C", "dt", "V_th"])
def test_a_gate_whose_name_is_taken_is_refused(name):
    own = Channel("X", g=1.0, E=0.0, gates=(Gate(name, 1, np.exp, np.exp),))
    with pytest.raises(ValueError, match=f"the name '{name}' of a gate is taken"):
        HodgkinHuxley([*SQUID, own])


@pytest.mark.parametrize("g", [-1.0, np.nan, np.inf])
def test_a_conductance_that_makes_no_sense_is_refused(g):
    with pytest.raises(ValueError, match=r"channel X: g = .* must be at least 0"):
        Channel("X", g=g, E=0.0)


@pytest.mark.parametrize("E", [np.nan, -np.inf])
def test_a_reversal_potential_that_is_not_finite_is_refused(E):
    with pytest.raises(ValueError, match=r"E = .* finite"):
        Channel("X", g=1.0, E=E)


def test_a_resting_potential_outside_the_range_is_refused():
    with pytest.raises(LoweringError, match="V starts at -120, outside its range -100 to 60"):
        HodgkinHuxley(V_0=-120.0).fixed()
