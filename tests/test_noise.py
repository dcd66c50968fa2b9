"""Noise: the same draws in float, in integers and in gates, and as random as they claim to be."""

from functools import cache

import numpy as np
import pytest
from checks import few
from scipy import stats

from scneuro import EscapeLIF, Input, Neuron, Noise, NoisyLIF, State, TraceError
from scneuro.signals.stimulus import as_words
from scneuro.sim import parity, vector_parity
from scneuro.stochastic import LFSR, NoiseSource

NOISY = [NoisyLIF, EscapeLIF]


class Sampler(Neuron):
    """States that are the noises themselves."""

    a = State()
    b = State()
    I = Input()
    x = Noise()
    y = Noise("uniform")

    def update(self, a, b, I, x, y):
        return x > y, x, y


@cache
def samples(count, runner=None):
    recording = (runner or Sampler()).run(np.zeros(count), progress=False)
    return recording.a, recording.b


# -- the draws ------------------------------------------------------------------------------------
def test_normal_noise_is_the_sum_of_four_draws_and_uniform_noise_is_one():
    neuron = Sampler()
    lfsr = LFSR(LFSR.apart(neuron.seed))
    x, y = samples(50)
    for t in range(50):
        draws = [lfsr.draw() for _ in range(5)]
        mean, variance = 4 * (2**16 - 1) / 2, 4 * 2**32 / 12
        assert x[t] == pytest.approx((sum(draws[:4]) - mean) / np.sqrt(variance), abs=1e-12)
        assert y[t] == (draws[4] + 0.5) / 2**16


def test_normal_noise_has_mean_0_and_variance_1():
    x, _ = samples(40_000)
    assert abs(np.mean(x)) < 4 / np.sqrt(len(x))
    kurtosis = 3 - 6 / 5 / 4  # Irwin and Hall, n = 4
    assert abs(np.var(x) - 1) < 4 * np.sqrt((kurtosis - 1) / len(x))
    assert stats.kurtosis(x, fisher=False) == pytest.approx(kurtosis, abs=0.1)
    assert np.max(np.abs(x)) < 2 * np.sqrt(3)


def test_normal_noise_follows_the_distribution_of_irwin_and_hall():
    x, _ = samples(20_000)
    exact = stats.irwinhall(4, loc=-2 * np.sqrt(3), scale=np.sqrt(3))
    assert stats.kstest(x, exact.cdf).pvalue > 0.001


def test_uniform_noise_is_uniform_and_independent_of_the_normal_one():
    x, y = samples(20_000)
    assert stats.kstest(y, "uniform").pvalue > 0.001
    assert abs(stats.spearmanr(x, y)[0]) < 4 / np.sqrt(len(x))
    for lag in (1, 2, 3):
        assert abs(np.corrcoef(x[lag:], x[:-lag])[0, 1]) < 4 / np.sqrt(len(x))
        assert abs(np.corrcoef(y[lag:], y[:-lag])[0, 1]) < 4 / np.sqrt(len(y))


def test_every_value_of_a_draw_occurs_as_often_as_any_other():
    source = NoiseSource(("u",), 1)
    counts = np.bincount(source.draw((65_536 * 4,))["u"] >> 4, minlength=4096)
    assert len(counts) == 4096
    assert stats.chisquare(counts).pvalue > 0.001


def test_uniform_noise_keeps_all_16_bits_in_a_word_that_holds_them():
    class Fine(Sampler):
        a = State(guard=8)
        b = State(word="Q1.15", guard=1)

    fine, fixed = Fine(), Fine().fixed()
    for _ in range(100):
        fine.step()
        fixed.step()
        assert fixed.registers["b"] == fine.b * 2**16 + 0.5  # the half rounds up


# -- the same everywhere --------------------------------------------------------------------------
@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
def test_float_and_fixed_draw_alike_however_states_are_rounded(rounding):
    x, y = samples(200)
    a, b = samples(200, Sampler().fixed(rounding=rounding))
    np.testing.assert_allclose(a, x, atol=2**-7)
    np.testing.assert_allclose(b, y, atol=2**-7)
    assert np.std(a - x) > 0


def test_the_draws_of_the_integer_model_do_not_depend_on_its_rounding():
    plain, dithered = Sampler().fixed(), Sampler().fixed(rounding="stochastic")
    for _ in range(50):
        plain.step()
        dithered.step()
        assert plain.noise == {n: dithered.noise[n] for n in plain.lowered.drawn}
        assert set(dithered.noise) - set(plain.noise) == {"dither.a", "dither.b"}


@pytest.mark.parametrize("model", NOISY)
def test_many_neurons_draw_in_turn_in_float_as_in_fixed(model):
    neuron, fixed = model(), model().fixed()
    current = np.full((400, 3), 2.5)
    a, b = neuron.run(current), fixed.run(current)
    assert not np.array_equal(a.spike[:, 0], a.spike[:, 1])
    assert np.array_equal(a.spike, b.spike)
    np.testing.assert_allclose(a.V, b.V, atol=0.05)


def test_n_neurons_in_turn_are_the_sequence_of_one():
    alone = samples(60)[0]
    together = Sampler().run(np.zeros((20, 3))).a
    assert np.array_equal(together.ravel(), alone)


@pytest.mark.parametrize("seed", [1, 12345, 0x55555555])
@pytest.mark.parametrize("model", NOISY)
def test_noise_in_gates_is_the_integer_models_bit_for_bit(model, seed):
    neuron = model()
    fixed = neuron.fixed(seed=seed)
    result = parity(neuron, np.full(300, neuron.currents[-1]), fixed=fixed, progress=False)
    assert result.bit_exact, str(result)
    assert result.within_bound, str(result)
    assert neuron.seed == 1
    assert len(result.float_run.spike_steps) == len(result.fixed_run.spike_steps) > 0


@pytest.mark.parametrize("model", [NoisyLIF, EscapeLIF, Sampler])
def test_noise_beside_stochastic_rounding_is_bit_exact_in_gates(model):
    neuron = model()
    fixed = neuron.fixed(rounding="stochastic", seed=7)
    result = parity(neuron, np.full(300, neuron.currents[0]), fixed=fixed, progress=False)
    assert result.bit_exact, str(result)
    assert result.within_bound, str(result)
    assert len(fixed.lowered.dither) == len(fixed.state_names)


@pytest.mark.parametrize("rounding", ["nearest", "stochastic"])
@pytest.mark.parametrize("dsp", [False, True])
@pytest.mark.parametrize("model", NOISY)
def test_noise_of_any_draws_is_bit_exact_in_the_pipeline(model, dsp, rounding):
    result = vector_parity(model().fixed(rounding=rounding), 500, dsp=dsp, progress=False)
    assert result.ok, result.first


@pytest.mark.parametrize("seed", few((1, 2, 2**30), lambda seed: seed == 2))
@pytest.mark.parametrize("model", NOISY)
def test_spike_counts_of_a_second_are_those_of_float(model, seed):
    neuron = model()
    fixed = neuron.fixed(seed=seed)
    neuron.seed = seed
    current = as_words(np.full(10_000, neuron.currents[0]))
    a, b = neuron.run(current, progress=False), fixed.run(current, progress=False)
    assert a.spikes == b.spikes > 5


# -- seeds ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_a_reset_restores_the_noise(fidelity):
    runner = NoisyLIF() if fidelity == "float" else NoisyLIF().fixed()
    first = [runner.step(I=1.0)[1] for _ in range(20)]
    second = [runner.step(I=1.0)[1] for _ in range(20)]
    runner.reset()
    assert [runner.step(I=1.0)[1] for _ in range(20)] == first != second


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_a_seed_takes_effect_at_the_next_reset(fidelity):
    runner = NoisyLIF() if fidelity == "float" else NoisyLIF().fixed()
    first = runner.run(np.zeros(20)).V
    runner.seed = 2
    other = runner.run(np.zeros(20)).V
    assert not np.array_equal(first, other)
    runner.seed = 1
    assert np.array_equal(runner.run(np.zeros(20)).V, first)


def test_the_integer_model_takes_the_neurons_seed_unless_it_is_given_one():
    neuron = NoisyLIF()
    neuron.seed = 5
    assert neuron.fixed().seed == 5
    assert neuron.fixed(seed=9).seed == 9
    np.testing.assert_allclose(
        neuron.fixed(seed=5).run(np.zeros(20)).V, neuron.run(np.zeros(20)).V, atol=0.02
    )


# -- refusals -------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["gaussian", "", None, 1])
def test_an_unknown_kind_of_noise_is_refused(kind):
    with pytest.raises(ValueError, match="kind must be one of uniform, normal, not"):
        Noise(kind)


def test_numpys_random_is_refused_with_what_to_declare_instead():
    rng = np.random.default_rng(0)

    class Generator(Neuron):
        V = State()
        I = Input()

        def update(self, V, I):
            return V >= 1.0, V + I + rng.normal()

    class Global(Generator):
        def update(self, V, I):
            return V >= 1.0, V + I + np.random.rand()

    for model in (Generator, Global):
        with pytest.raises(TraceError, match=r"(?s)random.*Noise"):
            model().fixed()


# -- the models -----------------------------------------------------------------------------------
@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize("sigma", [4.0])
def test_a_free_membrane_spreads_by_sigma_over_the_root_of_two(fidelity, sigma):
    neuron = NoisyLIF(V_th=100.0, E_L=0.0, V_reset=0.0, sigma=sigma)
    runner = neuron if fidelity == "float" else neuron.fixed()
    steps, count = 1200, 300
    V = runner.run(np.zeros((steps, count)), progress=False).V[500:]  # five time constants in
    assert V.max() < 100
    decay = 1 - neuron.dt / neuron.tau_m
    exact = sigma * np.sqrt(neuron.dt / neuron.tau_m / (1 - decay**2))
    assert exact == pytest.approx(sigma / np.sqrt(2), rel=0.01)
    independent = count * (steps - 500) * neuron.dt / neuron.tau_m
    assert np.std(V) == pytest.approx(exact, rel=3 / np.sqrt(2 * independent))
    assert np.mean(V) == pytest.approx(0.0, abs=4 * exact * np.sqrt(2 / independent))


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
@pytest.mark.parametrize("above", [-6.0, -3.0, 0.0, 2.0, 5.0])
def test_escape_noise_fires_at_the_hazard_of_its_formula(fidelity, above):
    """V is held by resting, and being reset, at V_th + above."""
    V = -50.0 + above
    neuron = EscapeLIF(E_L=V, V_reset=V, V_th=-50.0) if above < 0 else Held(above=above)
    runner = neuron if fidelity == "float" else neuron.fixed()
    steps, count = 250, 200
    spikes = int(runner.run(np.zeros((steps, count)), progress=False).spikes.sum())
    rate = np.exp(above / neuron.Delta_u) / neuron.tau_0
    chance = 1 - np.exp(-rate * neuron.dt)
    assert stats.binomtest(spikes, steps * count, chance).pvalue > 0.001
    assert spikes > 20


class Held(EscapeLIF):
    """An escape-noise neuron whose reset leaves it at rest, above its threshold."""

    above: float = 0.0
    constraints = ()

    def __init__(self, above):
        super().__init__(above=above, E_L=-50.0 + above, V_reset=-50.0 + above)


def test_the_intervals_of_escape_noise_are_geometric():
    neuron = EscapeLIF(E_L=-53.0, V_reset=-53.0)
    steps = neuron.run(np.zeros(60_000), progress=False).spike_steps
    chance = -np.expm1(-np.exp(-3.0 / neuron.Delta_u) / neuron.tau_0 * neuron.dt)
    edges = stats.geom.ppf(np.linspace(0, 1, 9)[1:-1], chance)
    intervals = np.diff(steps)
    observed = np.bincount(np.searchsorted(edges, intervals), minlength=8)
    shares = np.diff(np.concatenate([[0], stats.geom.cdf(edges, chance), [1]]))
    assert len(intervals) > 300
    assert stats.chisquare(observed, shares * len(intervals)).pvalue > 0.001
