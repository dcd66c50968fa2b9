"""Stochastic computing in NumPy: sources, streams, what their products miss, layers."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import (
    LIF,
    AdExLayer,
    BitstreamEncoder,
    BitstreamSynapse,
    Input,
    Izhikevich,
    Neuron,
    SCAdExNeuron,
    SCConductanceNeuron,
    SCDenseLayer,
    State,
    Stochastic,
)
from scneuro.stochastic import LFSR, Source, correlation, overlap, places, sources_for
from scneuro.stochastic.linear import applied, orbit, power
from scneuro.stochastic.sources import KINDS, TAPS, limit, step_of
from scneuro.stochastic.streams import bits_of, multiplexed, popcounts, product, words_of

GRID = np.linspace(0, 1, 33)


# -- registers, one step at a time, by their definition --------------------------------------------
def shifted(state, bits):
    """A shift register as drawn: bit 1 is new, the XOR of the taps, and all others move up."""
    register = [state >> (bits - k) & 1 for k in range(1, bits + 1)]  # bit 1 is the highest here
    new = 0
    for tap in TAPS[bits]:
        new ^= register[tap - 1]
    register = [new, *register[:-1]]
    return sum(bit << (bits - k) for k, bit in enumerate(register, 1))


def registers(source, count):
    """The states of a source, by stepping."""
    state = 1
    for _ in range(source.place if source.kind == "lfsr" else 0):
        state = shifted(state, source.bits)
    found = []
    for t in range(count):
        if source.kind == "lfsr":
            found.append(state)
            state = shifted(state, source.bits)
        else:
            moved = t % (1 << source.bits)
            for _ in range(source.place):
                moved = shifted(moved, source.bits)
            found.append(moved)
    return found


def draws(source, count):
    """The draws, by reading the bits of the states."""
    found = []
    for state in registers(source, count):
        text = format(state, f"0{source.bits}b")
        number = int(text if source.mirrored else text[::-1], 2)
        found.append(number - 1 if source.kind == "lfsr" else number)
    return found


any_source = st.builds(
    Source,
    bits=st.integers(4, 32),
    kind=st.sampled_from(KINDS),
    place=st.integers(0, 70),
    mirrored=st.booleans(),
)


@given(any_source, st.integers(0, 300), st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_draws_are_those_of_a_register_that_is_stepped(source, start, count):
    assert source.draws(start, count).tolist() == draws(source, start + count)[start:]


@pytest.mark.parametrize("bits", range(4, 21))
def test_a_shift_register_goes_through_all_states_but_zero(bits):
    states = Source(bits).states(0, 1 << bits)
    assert np.array_equal(np.sort(states[:-1]), np.arange(1, 1 << bits))
    assert states[-1] == states[0] == 1
    assert states[1] == shifted(1, bits)


@pytest.mark.parametrize("bits", range(4, 33))
def test_the_taps_of_every_width_are_maximal(bits):
    """The step is of the order 2**n - 1: one after all of them, and not after any part of them."""
    period = (1 << bits) - 1
    one = tuple(1 << k for k in range(bits))
    divisors = [q for q in range(2, 100_000) if period % q == 0]
    primes = [q for q in divisors if all(q % d for d in range(2, int(q**0.5) + 1))]
    rest = period
    for q in primes:
        while rest % q == 0:
            rest //= q
    primes += [rest] * (rest > 1)  # beyond 100,000 there is one at most
    step = step_of(bits)
    assert power(step, period) == one
    assert all(power(step, period // q) != one for q in primes)
    assert len(TAPS[bits]) in (2, 4)


@given(st.integers(4, 32), st.integers(0, 200), st.integers(1, 15))
@settings(max_examples=40, deadline=None)
def test_a_jump_ahead_is_so_many_steps(bits, steps, state):
    expected = state
    for _ in range(steps):
        expected = shifted(expected, bits)
    assert applied(power(step_of(bits), steps), state) == expected
    assert orbit(step_of(bits), state, steps + 1)[-1] == expected


@given(st.integers(4, 32), st.integers(0, 2**40), st.integers(0, 2**40))
@settings(max_examples=40, deadline=None)
def test_jumps_add_up(bits, a, b):
    step = step_of(bits)
    assert applied(power(step, b), applied(power(step, a), 1)) == applied(power(step, a + b), 1)


def test_the_noises_register_skips_as_it_draws():
    drawn, skipped = LFSR(12345), LFSR(12345)
    drawn.draws(1000)
    skipped.skip(1000)
    assert drawn.state == skipped.state


@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bits", [4, 7, 12])
def test_a_period_has_every_draw_once(bits, kind, mirrored):
    source = Source(bits, kind, 5, mirrored)
    found = source.draws(3, source.levels)
    assert np.array_equal(np.sort(found), np.arange(source.levels))
    assert np.array_equal(source.draws(3 + source.levels, 9), found[:9])


def test_a_counter_makes_van_der_corputs_sequence_and_a_ramp():
    source = Source(4, "low_discrepancy")
    assert source.draws(0, 6).tolist() == [0, 8, 4, 12, 2, 10]
    assert source.mirror.draws(0, 6).tolist() == [0, 1, 2, 3, 4, 5]


# -- streams ---------------------------------------------------------------------------------------
@given(any_source, st.integers(0, 2**33))
@settings(max_examples=60, deadline=None)
def test_a_bit_is_1_where_the_draw_is_less_than_the_word(source, word):
    word = min(word, source.levels)
    expected = [int(draw < word) for draw in draws(source, 20)]
    assert bits_of(word, source.draws(0, 20)).astype(int).tolist() == expected


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("bipolar", [False, True])
def test_a_period_holds_a_word_exactly(kind, bipolar):
    source = Source(8, kind, 3)
    values = np.linspace(-1 if bipolar else 0, 1, 200)
    words = words_of(values, source.levels, "x", bipolar=bipolar)
    bits = bits_of(words[:, None], source.draws(0, source.levels))
    assert np.array_equal(bits.sum(axis=1), words)
    share = (values + 1) / 2 if bipolar else values
    assert np.abs(words / source.levels - share).max() <= 0.5 / source.levels + 1e-12
    assert words[0] == 0
    assert words[-1] == source.levels


def miss(first, second, length, *, bipolar=False):
    """The rms error of products over the grid."""
    values = 2 * GRID - 1 if bipolar else GRID
    words = words_of(values, first.levels, "x", bipolar=bipolar)[:, None]
    a, b = (bits_of(words, s.draws(0, length)) for s in (first, second))
    ones = product(a[:, None], b[None], bipolar=bipolar).mean(axis=2)
    found = 2 * ones - 1 if bipolar else ones
    return np.sqrt(np.mean((found - np.outer(values, values)) ** 2))


BERNOULLI = 0.0249


@pytest.mark.parametrize(("kind", "most"), [("lfsr", BERNOULLI), ("low_discrepancy", 0.006)])
def test_a_product_of_256_bits_misses_as_little_as_was_asked_for(kind, most):
    for source in set(sources_for(16, 8, kind)):
        assert 0 < miss(source, source.mirror, 256) <= most


def test_products_of_two_registers_miss_no_more_than_bernoullis():
    for a, b in itertools.combinations(sources_for(10, 8), 2):
        assert miss(a, b, 256) <= BERNOULLI


@pytest.mark.parametrize(("kind", "most"), [("lfsr", 0.0125), ("low_discrepancy", 0.006)])
def test_bipolar_products_miss_as_little(kind, most):
    source = sources_for(1, 8, kind)[0]
    assert 0 < miss(source, source.mirror, 256, bipolar=True) <= most


@pytest.mark.parametrize("kind", KINDS)
def test_a_longer_stream_misses_less(kind):
    """A register that fits has an error of about 1 / length, and a random one 1 / sqrt(length)."""
    errors = []
    for bits in (6, 8, 10):
        source = Source(bits, kind)
        errors.append(miss(source, source.mirror, 1 << bits))
    assert errors[0] > 3 * errors[1]
    assert errors[1] > 3 * errors[2]


def test_a_stream_with_itself_does_not_multiply():
    source = Source(8)
    assert miss(source, source, 256) > 0.1


def test_a_multiplexer_adds_half_and_half():
    a, b, select = sources_for(3, 10)
    bits = [bits_of(w, s.draws(0, 1023)) for w, s in ((900, a), (200, b), (512, select))]
    found = multiplexed(*bits)
    assert found.mean() == pytest.approx((900 + 200) / 2 / 1023, abs=0.01)
    assert np.array_equal(found, np.where(bits[2], bits[1], bits[0]))
    assert not np.array_equal(found, bits[0])


@given(
    st.integers(1, 4),
    st.integers(1, 3),
    st.integers(1, 5),
    st.integers(1, 5),
    st.booleans(),
    st.integers(0, 2**32 - 1),
)
@settings(max_examples=60, deadline=None)
def test_counts_are_those_of_the_gates_one_by_one(steps, together, neurons, inputs, bipolar, seed):
    rng = np.random.default_rng(seed)
    bits = rng.integers(0, 2, (steps, together, inputs)) > 0
    words = rng.integers(0, 17, (neurons, inputs))
    drawn = rng.integers(0, 16, (steps, together, inputs))
    found = popcounts(bits, words, drawn, bipolar=bipolar)
    for t, n in itertools.product(range(steps), range(neurons)):
        count = 0
        for b, i in itertools.product(range(together), range(inputs)):
            weight = drawn[t, b, i] < words[n, i]
            count += (bits[t, b, i] == weight) if bipolar else (bits[t, b, i] and weight)
        assert found[t, n] == count


def test_counts_of_many_products_are_made_in_stretches(monkeypatch):
    projection = Stochastic(np.random.default_rng(0).uniform(size=(5, 7)), 64, per_step=2)
    words = projection.input_words(np.linspace(0, 1, 7))
    whole = projection.counts(words)
    monkeypatch.setattr("scneuro.stochastic.streams._AT_ONCE", 100)
    assert np.array_equal(projection.counts(words), whole)


# -- correlation -----------------------------------------------------------------------------------
def test_correlations_of_streams_that_are_known():
    a = np.array([1, 1, 0, 0, 1, 0, 1, 0])
    assert correlation(a, a) == pytest.approx(1)
    assert correlation(a, 1 - a) == pytest.approx(-1)
    assert correlation(a, np.ones(8)) == overlap(a, np.ones(8)) == 0
    few = np.array([1, 0, 0, 0, 0, 0, 0, 0])
    assert overlap(a, few) == pytest.approx(1)  # its ones are among the other's
    assert correlation(a, few) == pytest.approx(np.corrcoef(a, few)[0, 1])
    assert overlap(a, np.array([0, 0, 1, 0, 0, 0, 0, 0])) == pytest.approx(-1)
    with pytest.raises(ValueError, match=r"two streams of one length are compared, not of \(8,\)"):
        correlation(a, a[:4])
    with pytest.raises(ValueError, match="a stream must be of zeros and ones"):
        overlap(a, a + 1)


@given(st.lists(st.tuples(st.booleans(), st.booleans()), min_size=2, max_size=40))
def test_overlap_is_the_covariance_as_a_share_of_what_it_can_be(pairs):
    """Alaghi and Hayes (2013), by their counts of 11, 10, 01 and 00."""
    x, y = np.array(pairs).T
    both, first = int(np.sum(x & y)), int(np.sum(x & ~y))
    second, neither = int(np.sum(~x & y)), int(np.sum(~x & ~y))
    n, away = len(pairs), both * neither - first * second
    ones = both + first, both + second
    if away > 0:
        expected = away / (n * min(*ones) - ones[0] * ones[1])
    elif away < 0:
        expected = away / (ones[0] * ones[1] - n * max(sum(ones) - n, 0))
    else:
        expected = 0.0
    assert overlap(x, y) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("bits", "count"), [(6, 2), (8, 10), (9, 20), (10, 48), (12, 6)])
def test_independent_inputs_hardly_correlate(bits, count, kind):
    found = sources_for(count, bits, kind, shared=count)
    assert len(set(found)) == count
    period = found[0].levels
    words = np.arange(-(-period // 8), period * 7 // 8 + 1, period // 64 if bits > 8 else 1)
    assert len(words) >= 48
    streams = np.stack([bits_of(words[:, None], s.draws(0, period)) for s in found])
    streams = streams.astype(np.float32)
    streams -= streams.mean(axis=2, keepdims=True)
    streams /= np.sqrt((streams**2).sum(axis=2, keepdims=True))
    flat = streams.reshape(-1, period)
    blocks = np.abs(flat @ flat.T).reshape(count, len(words), count, len(words)).max(axis=(1, 3))
    assert np.all(np.diag(blocks) > 0.99)
    worst = np.max(blocks - 2 * np.eye(count))
    assert 0.02 < worst <= limit(bits)
    assert limit(bits) == (0.1 if bits >= 8 else 1.6 / 2 ** (bits / 2))


@pytest.mark.parametrize("seed", [0, 1, 77])
def test_a_seed_moves_all_sources_to_another_part_of_the_period(seed):
    found = sources_for(4, 12, seed=seed)
    apart = {(s.place - found[0].place) % 4095 for s in found}
    assert apart == set(places(12)[:4])
    assert len({sources_for(1, 12, seed=k)[0].place for k in range(4095)}) == 4095


def test_inputs_take_shared_sources_in_turn():
    found = sources_for(5, 8, shared=2)
    assert found[0] == found[2] == found[4] != found[1] == found[3]
    assert len(set(sources_for(64, 8))) == 10
    assert len(set(sources_for(64, 10))) == 16
    assert len(set(sources_for(64, 4))) == 2


# -- encoder and synapse ---------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["lfsr", "low_discrepancy", "bernoulli", "sobol"])
def test_a_value_comes_back_from_its_stream(mode):
    encoder = BitstreamEncoder(x_min=-2.0, x_max=6.0, length=1024, mode=mode, seed=3)
    for x in (-2.0, -1.0, 0.5, 3.3, 6.0):
        bits = encoder.encode(x)
        assert bits.shape == (1024,)
        assert bits.dtype == np.uint8
        assert encoder.decode(bits) == pytest.approx(x, abs=8 * 1.5 / 1024)
    assert encoder.encode(-2.0).sum() == 0
    assert encoder.encode(6.0).sum() == 1024
    many = encoder.encode([[0.5, 1.0], [2.0, 3.0]])
    assert many.shape == (2, 2, 1024)
    assert np.array_equal(many[0, 0], encoder.encode(0.5))
    assert encoder.decode(many).shape == (2, 2)


def test_a_synapse_multiplies():
    encoder = BitstreamEncoder(length=256)
    for w in (0.0, 0.25, 0.5, 1.0):
        synapse = BitstreamSynapse(w_min=0.0, w_max=1.0, w=w, length=256)
        assert synapse.w == w
        assert synapse.apply(encoder.encode(0.7)).mean() == pytest.approx(0.7 * w, abs=0.01)
    synapse.w = 0.5
    assert synapse.apply(encoder.encode(0.7)).mean() == pytest.approx(0.35, abs=0.01)


def test_a_bipolar_synapse_multiplies_signs():
    encoder = BitstreamEncoder(-1, 1, 1024, seed=2)
    synapse = BitstreamSynapse(-1, 1, 1024, -0.5, seed=2, bipolar=True)
    assert encoder.decode(synapse.apply(encoder.encode(0.5))) == pytest.approx(-0.25, abs=0.01)
    assert encoder.decode(synapse.apply(encoder.encode(-0.5))) == pytest.approx(0.25, abs=0.01)


# -- projection ------------------------------------------------------------------------------------
@pytest.mark.parametrize("bipolar", [False, True])
@pytest.mark.parametrize("per_step", [1, 4, 16])
def test_counts_of_several_bits_a_clock_are_those_of_one_at_a_time_added_up(bipolar, per_step):
    weights = np.random.default_rng(1).uniform(0, 1, (3, 5))
    options = {"bipolar": bipolar, "seed": 2, "source": "low_discrepancy"}
    one = Stochastic(weights, 256, **options)
    many = Stochastic(weights, 256, per_step=per_step, **options)
    words = one.input_words(np.linspace(0, 1, 5))
    assert many.steps * per_step == one.steps == 256
    expected = one.counts(words).reshape(many.steps, per_step, 3).sum(axis=1)
    assert np.array_equal(many.counts(words), expected)
    assert np.array_equal(many.counts(words, 7, 3), expected[7:10] if per_step < 16 else
                          one.counts(words, 112, 48).reshape(3, 16, 3).sum(axis=1))  # fmt: skip


def test_counts_are_the_products_of_the_streams():
    projection = Stochastic([[0.5, 1.0], [0.0, 0.25]], 255)
    words = projection.input_words([0.8, 0.3])
    counts = projection.counts(words).sum(axis=0) / 255
    assert counts == pytest.approx([0.8 * 0.5 + 0.3, 0.3 * 0.25], abs=0.02)
    weights = np.array([[0.5, -1.0], [0.0, 0.25]])
    signed = Stochastic(weights, 1023, bipolar=True)
    counts = signed.counts(signed.input_words([0.8, -0.6])).sum(axis=0)
    found = 2 * counts / 1023 - 2
    assert found == pytest.approx(weights @ [0.8, -0.6], abs=0.02)


def test_spikes_are_streams():
    projection = Stochastic([[0.5, 1.0], [0.0, 0.25]], 64, per_step=2)
    spikes = np.random.default_rng(0).integers(0, 2, (32, 2))
    found = projection.counts_of(spikes, start=5)
    assert found.shape == (32, 2)
    source = projection.sources
    for t, n in itertools.product(range(32), range(2)):
        count = 0
        for b, i in itertools.product(range(2), range(2)):
            draw = source[i].mirror.draws(2 * (5 + t) + b, 1)[0]
            count += spikes[t, i] * (draw < projection.words[n, i])
        assert found[t, n] == count


@pytest.mark.parametrize("gain", [1.0, -0.7, 127.0])
def test_a_current_is_the_gain_where_all_products_are_1(gain):
    projection = Stochastic(np.ones((1, 7)), gain=gain)
    found = projection.currents(np.array([0, 1, 7]))
    assert found.tolist() == [0, round(256 * gain / 7), round(256 * gain)]
    both = Stochastic(np.ones((1, 7)), gain=gain, bipolar=True)
    assert both.currents(np.array([0, 7])).tolist() == [-round(256 * gain), round(256 * gain)]
    assert abs(both.currents(np.array([3]))[0] + 256 * gain / 7) <= 1


# -- layers ----------------------------------------------------------------------------------------
def test_a_layer_feeds_its_neurons_with_the_counts():
    layer = SCDenseLayer(3, 2, 64, weights=[[1, 0.5, 0], [0.2, 0.3, 0.4]], gain=40.0)
    rates = layer.forward([0.9, 0.5, 0.1])
    words = layer.projection.input_words([0.9, 0.5, 0.1])
    counts = layer.projection.counts(words)
    assert np.array_equal(layer.counts, counts)
    by_hand = LIF().run(layer.projection.currents(counts) / 256)
    assert np.array_equal(layer.recording.spike, by_hand.spike)
    assert np.array_equal(rates, by_hand.spike.mean(axis=0))
    assert rates[0] > 0


@pytest.mark.parametrize("fidelity", ["float", "fixed"])
def test_two_calls_from_the_same_reset_agree_and_a_third_goes_on(fidelity):
    layer = AdExLayer(5, 4, 100)
    layer = layer if fidelity == "float" else layer.fixed()
    x = [0.1, 0.9, 0.4, 0.7, 0.2]
    first = layer.forward(x)
    trace = layer.recording.V
    layer.reset()
    assert layer.recording is None
    assert np.array_equal(layer.forward(x), first)
    assert np.array_equal(layer.recording.V, trace)
    layer.forward(x)
    assert layer.step == 200
    assert not np.array_equal(layer.recording.V, trace)


def test_two_calls_are_one_run():
    layer = AdExLayer(3, 2, 100, bits=8)
    x = [0.3, 0.6, 0.9]
    layer.forward(x)
    counts = layer.counts
    layer.forward(x)
    whole = Stochastic(layer.weights, 200, bits=8)
    assert np.array_equal(
        np.concatenate([counts, layer.counts]), whole.counts(whole.input_words(x))
    )


def test_the_integers_of_a_layer_have_its_rates():
    layer = AdExLayer(16, 8)
    x = np.linspace(0.2, 0.9, 16)
    assert np.abs(layer.forward(x) - layer.fixed().forward(x)).max() <= 2 / 256
    assert layer.recording.spikes.min() > 5
    assert layer.population.name == "SCAdExNeuron"


def test_more_drive_makes_more_spikes():
    layer = AdExLayer(8, 3, 256, weights=np.full((3, 8), 0.5))
    found = []
    for x in (0.1, 0.5, 1.0):
        layer.reset()
        found.append(layer.forward(np.full(8, x)).mean())
    assert found[0] < found[1] < found[2]


def test_any_neuron_and_any_input_of_it():
    layer = SCDenseLayer(4, 3, 64, neuron=Izhikevich(), bipolar=True, gain=40.0, seed=3)
    assert layer.forward([1, 1, -1, 0.5]).shape == (3,)
    assert layer.weights.min() < 0
    synapses = SCDenseLayer(4, 3, 64, neuron=SCConductanceNeuron(), input="I_inh", gain=1.0)
    synapses.forward(np.ones(4))
    assert synapses.recording.I_inh.max() > 0
    assert synapses.recording.I_exc.max() == 0
    assert type(AdExLayer(2, 2, neuron=SCAdExNeuron(b=0.1)).population.neuron) is SCAdExNeuron


def test_weights_that_are_drawn_depend_on_the_seed_alone():
    a, b = SCDenseLayer(6, 5, seed=4).weights, SCDenseLayer(6, 5, seed=4).weights
    assert np.array_equal(a, b)
    assert not np.array_equal(a, SCDenseLayer(6, 5, seed=5).weights)
    assert 0 <= a.min() < 0.2
    assert 0.8 < a.max() <= 1


class Driven(Neuron):
    """It follows its input, of which there is some already."""

    V = State()
    I = Input(default=5.0)

    def update(self, V, I):
        V_next = 0.5 * V + 0.25 * I
        return V_next >= 60.0, V_next


def test_a_current_is_added_to_the_inputs_default_and_saturates_as_a_words_sum_does():
    layer = SCDenseLayer(1, 1, 16, weights=[[1.0]], gain=-30.0, neuron=Driven())
    layer.forward([1.0])
    assert np.all(layer.recording.I == 5.0 - 30.0)
    layer = SCDenseLayer(1, 1, 16, weights=[[1.0]], gain=127.0, neuron=Driven())
    assert layer.forward([1.0])[0] > 0.5
    assert np.all(layer.recording.I == 127 + 255 / 256)


# -- refusals --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: Source(3), ValueError, "bits of a source must be 4 to 32, not 3"),
        (lambda: Source(33), ValueError, "bits of a source must be 4 to 32, not 33"),
        (lambda: Source(8.0), TypeError, "bits of a source must be a whole number, not 8.0"),
        (lambda: Source(8, "halton"), ValueError, "lfsr, low_discrepancy, not 'halton'"),
        (lambda: Source(8, place=-1), ValueError, "place of a source must be at least 0, not -1"),
        (
            lambda: sources_for(9, 8, shared=17),
            ValueError,
            "17 sources of 8 bits: there are 1 to 10",
        ),
        (lambda: BitstreamEncoder(length=0), ValueError, "length must be 1 to 16,777,216, not 0"),
        (lambda: BitstreamEncoder(1, 1), ValueError, "the limits must rise, not 1 to 1"),
        (lambda: BitstreamEncoder(mode="x"), ValueError, "mode must be one of lfsr, .*not 'x'"),
        (lambda: BitstreamEncoder(seed=-1), ValueError, "seed must be at least 0, not -1"),
        (lambda: BitstreamEncoder().encode(1.5), ValueError, "x must be 0 to 1, not 1.5"),
        (lambda: BitstreamEncoder().encode(np.nan), ValueError, "x is nan; it must be finite"),
        (lambda: BitstreamEncoder().encode("a"), TypeError, "x must be numbers, not 'a'"),
        (lambda: BitstreamEncoder().decode([0, 2]), ValueError, "bits must be of zeros and ones"),
        (lambda: BitstreamSynapse(w=2), ValueError, "w must be 0 to 1, not 2"),
        (lambda: BitstreamSynapse(w=[0.1, 0.2]), ValueError, "w must be one number"),
        (lambda: BitstreamSynapse().apply([1, 0]), ValueError, r"shape \(1024,\), not \(2,\)"),
        (lambda: Stochastic([[np.nan]]), ValueError, r"weights is nan at index \(0, 0\)"),
        (lambda: Stochastic([[1.5]]), ValueError, "weights must be 0 to 1, not 1.5"),
        (lambda: Stochastic([[-0.1]]), ValueError, "weights must be 0 to 1, not -0.1"),
        (lambda: Stochastic([[-1.1]], bipolar=True), ValueError, "must be -1 to 1, not -1.1"),
        (lambda: Stochastic([0.5]), ValueError, r"shape \(neurons, inputs\), not \(1,\)"),
        (lambda: Stochastic(np.ones((0, 3))), ValueError, r"\(neurons, inputs\), not \(0, 3\)"),
        (lambda: Stochastic([["a"]]), TypeError, "weights must be numbers"),
        (lambda: Stochastic([[1]], 2.5), TypeError, "length must be a whole number, not 2.5"),
        (lambda: Stochastic([[1]], 9, per_step=2), ValueError, "multiple of the 2 bits of a step"),
        (lambda: Stochastic([[1]], per_step=3), ValueError, "per_step must be 1, 2, 4, 8 or 16"),
        (lambda: Stochastic([[1]], per_step=32), ValueError, "per_step must be 1 to 16, not 32"),
        (lambda: Stochastic([[1]], gain=200).scale, ValueError, "gain = 200 does not fit Q8.8"),
        (lambda: Stochastic([[1]], gain=1e-9).scale, ValueError, "less than a word can add up"),
        (lambda: Stochastic([[1]], gain=np.inf), ValueError, "gain is inf"),
        (lambda: Stochastic([[1]], source="x"), ValueError, "one of lfsr, .*not 'x'"),
        (lambda: Stochastic([[1]], bits=2), ValueError, "bits of a source must be 4 to 32"),
        (lambda: Stochastic([[1]]).input_words([1, 1]), ValueError, r"shape \(1,\), not \(2,\)"),
        (lambda: Stochastic([[1]]).input_words([2]), ValueError, "x must be 0 to 1, not 2"),
        (lambda: Stochastic([[1]]).counts_of([[2]]), ValueError, "spikes must be of zeros and"),
        (lambda: Stochastic([[1]]).counts_of([1]), ValueError, r"shape \(steps, 1\), not \(1,\)"),
        (lambda: SCDenseLayer(0, 1), ValueError, "n_inputs must be at least 1, not 0"),
        (lambda: SCDenseLayer(2.0, 1), TypeError, "n_inputs must be a whole number, not 2.0"),
        (lambda: SCDenseLayer(2, 1, weights=[[1]]), ValueError, r"shape \(1, 2\), not \(1, 1\)"),
        (lambda: SCDenseLayer(1, 1, neuron=LIF), TypeError, "takes a neuron"),
        (lambda: SCDenseLayer(1, 1, input="J"), ValueError, "LIF has no input 'J'; it has I"),
        (lambda: SCDenseLayer(1, 1, neuron=finer()), ValueError, r"LIF.I is Q4.12, .*in Q8.8"),
        (lambda: SCDenseLayer(1, 1).forward([np.nan]), ValueError, r"x is nan at index \(0,\)"),
        (lambda: SCDenseLayer(1, 1).forward([-0.1]), ValueError, "x must be 0 to 1, not -0.1"),
        (lambda: AdExLayer(1, 1, 0), ValueError, "length must be 1 to 16,777,216, not 0"),
    ],
)
def test_mistakes_are_refused_in_a_line(make, kind, said):
    with pytest.raises(kind, match=said) as refused:
        make()
    assert "\n" not in str(refused.value)


def finer():
    neuron = LIF(R=40.0)
    neuron.set_words(I="Q4.12")
    return neuron


def test_an_input_that_is_refused_changes_nothing():
    layer = AdExLayer(2, 2, 32)
    layer.forward([0.5, 0.9])
    before = layer.step, layer.population.V.tolist()
    with pytest.raises(ValueError, match="x must be 0 to 1"):
        layer.forward([0.5, 1.1])
    assert (layer.step, layer.population.V.tolist()) == before
