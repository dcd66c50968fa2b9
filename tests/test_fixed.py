"""The integer model: exact arithmetic, one rounding, saturation, and reproducible random bits."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, State
from scneuro.compiler.datapath import ARRAYS, INTEGERS
from scneuro.sim.compare.vectors import random_vectors
from scneuro.stochastic import LFSR

BUILT_IN = [LIF, AdEx, Izhikevich]


class Leaky(LIF):
    """No constant term: what is reported of its coefficients is all there is to know."""

    tau_m: float = 4.7
    E_L: float = 0.0
    V_th: float = 20.0
    V_reset: float = -5.0


@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
@pytest.mark.parametrize("model", BUILT_IN)
def test_integers_and_arrays_compute_the_same(model, rounding):
    fixed = model().fixed(rounding=rounding)
    path = fixed.lowered.path
    vectors = random_vectors(fixed, 300)
    together = path.evaluator(path.outputs, ARRAYS)(vectors)
    one = path.evaluator(path.outputs, INTEGERS)
    for t in range(300):
        alone = one({name: int(values[t]) for name, values in vectors.items()})
        assert alone == {name: int(values[t]) for name, values in together.items()}


def exact_update(fixed, V, I, noise):
    """V's next register by fractions, and the spike: nothing shared with the datapath."""
    r = fixed.lowered.registers["V"]
    neuron = Leaky()
    used = {c.of: Fraction(c.used) for c in fixed.lowered.coefficients}
    total = Fraction(V, 2**r.fraction) * (1 + used["V"]) + Fraction(I, 256) * used["I"]
    add = {
        "nearest": Fraction(1, 2),
        "floor": Fraction(0),
        "stochastic": Fraction(noise, 2**16),
    }[fixed.lowered.rounding]
    rounded = math.floor(total * 2**r.fraction + add)
    if rounded >= neuron.V_th * 2**r.fraction:
        return int(neuron.V_reset * 2**r.fraction), True
    return min(max(rounded, r.least), r.most), False


@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
def test_an_update_is_exact_arithmetic_rounded_once(rounding):
    fixed = Leaky().fixed(rounding=rounding)
    vectors = random_vectors(fixed, 2000)
    got = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, ARRAYS)(vectors)
    for t in range(2000):
        V, I = int(vectors["V"][t]), int(vectors["I"][t])
        noise = int(vectors["dither.V"][t]) if rounding == "stochastic" else 0
        want = exact_update(fixed, V, I, noise)
        assert (int(got["V"][t]), bool(got["spike"][t])) == want, (V, I, noise)


def test_the_reported_coefficients_are_those_of_the_equation():
    neuron = Leaky()
    exact = {c.of: c.exact for c in neuron.fixed().lowered.coefficients}
    k = neuron.dt / neuron.tau_m
    assert exact == {"V": pytest.approx(-k), "I": pytest.approx(neuron.R * k)}


def test_stochastic_rounding_is_right_on_average():
    fixed = Leaky().fixed(rounding="stochastic")
    path = fixed.lowered.path
    vectors = {"V": np.full(65536, 123_456), "I": np.full(65536, 77),
               "dither.V": np.arange(65536)}  # fmt: skip
    mean = path.evaluator(path.outputs, ARRAYS)(vectors)["V"].mean()
    used = {c.of: Fraction(c.used) for c in fixed.lowered.coefficients}
    exact = 123_456 * (1 + used["V"]) + Fraction(77, 256) * 2**16 * used["I"]
    assert abs(mean - float(exact)) < 1e-4


@pytest.mark.parametrize("model", BUILT_IN)
def test_stochastic_rounding_repeats_for_a_seed_and_differs_for_another(model):
    current = np.full(500, model.currents[0])

    def registers(seed):
        fixed = model().fixed(rounding="stochastic", seed=seed)
        recording = fixed.run(current)
        return recording.states[fixed.state_names[0]].tolist(), fixed.registers

    assert registers(7) == registers(7)
    assert registers(7)[1] != registers(8)[1]


def test_a_reset_rewinds_the_random_bits():
    fixed = LIF().fixed(rounding="stochastic")
    first = fixed.run(np.full(300, 2.5)).V
    assert np.array_equal(fixed.run(np.full(300, 2.5)).V, first)


def test_the_noise_is_the_draws_of_the_lfsr_in_the_order_of_the_states():
    fixed = AdEx().fixed(rounding="stochastic", seed=99)
    lfsr = LFSR(99)
    for _ in range(20):
        fixed.step(I=1.0)
        assert fixed.noise == {"dither.V": lfsr.draw(), "dither.w": lfsr.draw()}


def test_neurons_draw_in_turn():
    fixed = LIF().fixed(rounding="stochastic", seed=5)
    lfsr = LFSR(5)
    fixed.step(I=np.zeros(4))
    assert fixed.noise["dither.V"].tolist() == [lfsr.draw() for _ in range(4)]


def test_only_stochastic_rounding_draws():
    fixed = LIF().fixed()
    fixed.step(I=1.0)
    assert fixed.noise == {}
    assert fixed.lowered.noise == []


# -- the surface ----------------------------------------------------------------------------------
@pytest.mark.parametrize("model", BUILT_IN)
def test_many_neurons_are_each_one_neuron(model):
    fixed = model().fixed()
    currents = model.currents[0] * np.array([0.3, 1.0, 1.4])
    together = fixed.run(np.tile(currents, (400, 1)))
    assert together.spike.shape == (400, 3)
    for n, current in enumerate(currents):
        alone = fixed.run(np.full(400, current))
        assert alone.spike.shape == (400,)
        assert np.array_equal(alone.spike, together.spike[:, n])
        for name in fixed.state_names:
            assert np.array_equal(alone.states[name], together.states[name][:, n])


def test_a_state_reads_as_a_word():
    fixed = AdEx().fixed()
    for _ in range(30):
        spike, v = fixed.step(I=1.0)
        assert isinstance(spike, int)
        assert v == fixed.V == fixed.words["V"] / 256
        assert float(v * 256).is_integer()


def test_a_state_can_be_written_with_its_guard_bits():
    fixed = LIF().fixed()
    fixed.V = -60.123
    assert fixed.registers["V"] == math.floor(-60.123 * 65536 + 0.5)
    assert math.floor(-60.123 * 256 + 0.5) == 256 * fixed.V


@pytest.mark.parametrize("value", [-129.0, -49.0, 200.0])
def test_writing_a_state_beyond_its_reach_is_refused(value):
    fixed = LIF().fixed()
    with pytest.raises(
        ValueError, match=f"LIF: V = {value:g} is outside the -128 to -50"
    ) as caught:
        fixed.V = value
    assert "it can reach" in str(caught.value)
    assert fixed.V == -70.0


def test_the_message_names_the_value_of_many_that_is_out_of_reach():
    fixed = LIF().fixed()
    with pytest.raises(ValueError, match="V = 200 is outside"):
        fixed.V = [-60.0, 200.0]


def test_writing_registers_is_checked():
    fixed = AdEx().fixed()
    r = fixed.lowered.registers["w"]
    start = fixed.registers
    with pytest.raises(ValueError, match=rf"register of w holds {r.low} to {r.high}, not"):
        fixed.registers = {**start, "w": r.high + 1}
    with pytest.raises(TypeError, match="register of V must be integers"):
        fixed.registers = {**start, "V": -60.5}
    assert fixed.registers == start
    fixed.registers = {"V": np.full(3, start["V"]), "w": 5}
    assert fixed.w.shape == (3,)
    spike, _ = fixed.step(I=1.0)
    assert spike.shape == (3,)


def test_registers_written_are_where_the_next_step_starts():
    fixed = Leaky().fixed()
    for V, I in ((12345, 0), (-777_777, 3.0), (1_300_000, 127.0)):
        fixed.registers = {"V": V}
        spike, _ = fixed.step(I=I)
        assert (fixed.registers["V"], bool(spike)) == exact_update(fixed, V, int(I * 256), 0)


class Integrator(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 1000.0, V + I


@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
def test_a_state_saturates_where_it_would_wrap(rounding):
    fixed = Integrator().fixed(rounding=rounding)
    recording = fixed.run(np.full(40, 127.99609375))
    assert np.all(np.diff(recording.V) >= 0)
    assert recording.V[-1] == 127.99609375
    recording = fixed.run(np.full(40, -128.0))
    assert np.all(np.diff(recording.V) <= 0)
    assert recording.V[-1] == -128.0


@pytest.mark.parametrize("model", BUILT_IN)
@pytest.mark.parametrize("current", [-128.0, 127.99609375])
def test_a_full_scale_input_does_not_wrap(model, current):
    fixed, neuron = model().fixed(), model()
    recording = fixed.run(np.full(300, current))
    first = fixed.state_names[0]
    expected = neuron.run(np.full(300, current)).states[first]
    # where float is far beyond the word, the word is at its end, on the same side
    low = expected < -200
    assert np.all(recording.states[first][low] == -128.0)
    assert recording.states[first].max() < 31


def test_a_range_of_its_own_saturates_a_state():
    class Clipped(Integrator):
        V = State(range=(-10.0, 20.5))

    fixed = Clipped().fixed()
    assert fixed.run(np.full(40, 5.0)).V[-1] == 20.5
    assert fixed.run(np.full(40, -5.0)).V[-1] == -10.0


@pytest.mark.parametrize("value", [128.0, -128.01, 1e9])
def test_an_input_that_does_not_fit_is_refused_before_any_step(value):
    fixed = LIF().fixed()
    with pytest.raises(ValueError, match=r"LIF: I = .* nA does not fit Q8\.8"):
        fixed.step(I=value)
    with pytest.raises(ValueError, match=r"LIF: I = .* nA does not fit Q8\.8"):
        fixed.run([1.0, 2.0, value])
    assert fixed.V == -70.0


def test_an_input_is_rounded_to_its_nearest_word():
    fixed = Integrator().fixed()
    fixed.step(I=1.001953125)  # a tie: up
    assert fixed.V == 1.00390625


def test_an_unknown_attribute_is_an_attribute_error():
    with pytest.raises(AttributeError, match="has no attribute 'q'"):
        _ = LIF().fixed().q


# -- the LFSR -------------------------------------------------------------------------------------
@given(st.integers(1, 2**31 - 1))
def test_the_lfsr_is_its_recurrence_bit_by_bit(seed):
    bits = [(seed >> n) & 1 for n in range(31)]
    lfsr = LFSR(seed)
    for _ in range(50):
        fresh = []
        for _ in range(16):
            fresh.append(bits[0] ^ bits[13])
            bits = [*bits[1:], fresh[-1]]
        assert lfsr.draw() == sum(bit << n for n, bit in enumerate(fresh))
        assert lfsr.state == sum(bit << n for n, bit in enumerate(bits))


def test_the_lfsr_never_reaches_zero():
    lfsr = LFSR(1)
    seen_low = set()
    for _ in range(100_000):
        draw = lfsr.draw()
        assert lfsr.state != 0
        assert 0 <= draw < 65536
        seen_low.add(draw & 0xFF)
    assert len(seen_low) == 256


def test_the_polynomial_of_the_lfsr_is_primitive():
    """2**31 - 1 is prime, so x has that order if x**(2**31 - 1) is 1 and x is not."""
    modulus = 1 << 31 | 1 << 13 | 1

    def times(a, b):
        product = 0
        while b:
            if b & 1:
                product ^= a
            a, b = a << 1, b >> 1
            if a >> 31:
                a ^= modulus
        return product

    power, square, exponent = 1, 2, 2**31 - 1
    while exponent:
        if exponent & 1:
            power = times(power, square)
        square, exponent = times(square, square), exponent >> 1
    assert power == 1
    # x is not 1, and the polynomial has no root, so it is no product with a factor x or x + 1
    assert modulus & 1
    assert bin(modulus).count("1") % 2
    # irreducible: x**(2**31) = x, and 31 is prime
    power = 2
    for _ in range(31):
        power = times(power, power)
    assert power == 2


def test_the_draws_are_uniform_bits():
    lfsr = LFSR(12345)
    draws = np.array([lfsr.draw() for _ in range(20_000)])
    for bit in range(16):
        assert abs((draws >> bit & 1).mean() - 0.5) < 0.02
    assert abs(draws.mean() / 65535 - 0.5) < 0.01


@pytest.mark.parametrize("seed", [0, -1, 2**31, 2**40])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(ValueError, match=rf"seed must be 1 to 2\*\*31 - 1, not {seed}"):
        LFSR(seed)


@pytest.mark.parametrize("seed", [1.0, "1", None, True])
def test_a_seed_that_is_no_int_is_refused(seed):
    with pytest.raises(TypeError, match="seed must be an int"):
        LFSR(seed)
