"""Stochastic computing in gates: the bits, counts and spikes of NumPy."""

import numpy as np
import pytest
from amaranth import Module, Signal
from checks import few, more_at_night, nightly
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import (
    LIF,
    AdExLayer,
    Input,
    Neuron,
    NoisyLIF,
    SCDenseLayer,
    ScneuroError,
    State,
    Stochastic,
)
from scneuro.boards import BOARDS
from scneuro.boards.area import measure_layer
from scneuro.hdl.stochastic import Layer, Sources, Synapses
from scneuro.hdl.stochastic.gates import less, multiplexed, popcount, product
from scneuro.sim import layer_parity
from scneuro.sim.engines.bench import run_bench
from scneuro.stochastic import Source, streams
from scneuro.stochastic.streams import bits_of


class Driven(Neuron):
    """It follows its input, of which there is some already."""

    V = State()
    I = Input(default=5.0)

    def update(self, V, I):
        V_next = 0.5 * V + 0.25 * I
        return V_next >= 60.0, V_next


# -- sources ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", ["lfsr", "low_discrepancy"])
@pytest.mark.parametrize(
    ("bits", "per_step"),
    few([(4, 16), (8, 1), (8, 4), (9, 16), (20, 2), (32, 8)], lambda case: case[0] < 32),
)
def test_registers_are_those_of_the_sources(kind, bits, per_step):
    inputs = 3 if bits > 7 else 1
    options = {"source": kind, "per_step": per_step, "seed": 5}
    projection = Stochastic(np.ones((1, inputs)), 1 << 10, bits=bits, **options)
    sources = Sources(projection)
    steps = 20 if per_step > 1 else 300
    found = []

    async def watch(ctx):
        ctx.set(sources.en, 1)
        for step in range(steps):
            if step == 7:  # held for a while
                ctx.set(sources.en, 0)
                await ctx.tick().repeat(3)
                ctx.set(sources.en, 1)
            found.append(ctx.get(sources.states.as_value()))
            await ctx.tick()

    run_bench(sources, watch, max_cycles=steps + 9)
    mask = (1 << bits) - 1
    for k, source in enumerate(projection.sources):
        expected = source.states(0, steps * per_step).tolist()
        for step in range(steps):
            for b in range(per_step):
                state = found[step] >> (k * per_step + b) * bits & mask
                assert state == expected[step * per_step + b]


@pytest.mark.parametrize("bits", [4, 5])
@pytest.mark.parametrize("mirrored", [False, True])
@pytest.mark.parametrize("kind", ["lfsr", "low_discrepancy"])
def test_a_comparison_is_right_for_all_states_and_words(kind, mirrored, bits):
    source = Source(bits, kind, mirrored=mirrored)
    states = source.states(0, source.levels).tolist()
    draws = source.draws(0, source.levels)
    state, word = Signal(bits), Signal(source.levels.bit_length())
    result = Signal()
    m = Module()
    m.d.comb += result.eq(less(source, state, word, mirrored=mirrored))

    async def watch(ctx):
        for value, draw in zip(states, draws, strict=True):
            ctx.set(state, value)
            for of in range(source.levels + 1):
                ctx.set(word, of)
                assert ctx.get(result) == bits_of(of, draw)

    run_bench(m, watch, max_cycles=10)


def test_products_and_scaled_sums_are_numpys_for_all_bits():
    a, b, select = Signal(), Signal(), Signal()
    results = [Signal(name=name) for name in ("unipolar", "bipolar", "sum")]
    m = Module()
    gates = [product(a, b), product(a, b, bipolar=True), multiplexed(a, b, select)]
    m.d.comb += [result.eq(gate) for result, gate in zip(results, gates, strict=True)]

    async def watch(ctx):
        for k in range(8):
            bits = [np.array([k >> n & 1]) > 0 for n in range(3)]
            for signal, bit in zip((a, b, select), bits, strict=True):
                ctx.set(signal, int(bit[0]))
            expected = [
                streams.product(*bits[:2]),
                streams.product(*bits[:2], bipolar=True),
                streams.multiplexed(*bits),
            ]
            assert [ctx.get(r) for r in results] == [int(e[0]) for e in expected]

    run_bench(m, watch, max_cycles=10)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 7, 9])
def test_a_popcount_is_right_for_all_bits(count):
    m = Module()
    bits, total = Signal(count), Signal(count.bit_length())
    m.d.comb += total.eq(popcount(m, list(bits), "sum"))

    async def watch(ctx):
        for value in range(1 << count):
            ctx.set(bits, value)
            assert ctx.get(total) == value.bit_count()

    run_bench(m, watch, max_cycles=10)


# -- synapses --------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("bipolar", "lanes"),
    few([(False, 1), (True, 1), (False, 2), (True, 2)], lambda c: c == (True, 2)),
)
def test_counts_of_rows_come_in_turn_however_they_are_taken(bipolar, lanes):
    rng = np.random.default_rng(3)
    low = -1 if bipolar else 0
    weights = rng.uniform(low, 1, (5, 4))
    projection = Stochastic(weights, 64, bits=8, bipolar=bipolar, per_step=2)
    synapses = Synapses(projection, lanes)
    words = projection.input_words(rng.uniform(low, 1, 4))
    rows, steps = -(-5 // lanes), 12
    found = []

    async def feed(ctx):
        for i, word in enumerate(words.tolist()):
            ctx.set(synapses.words[i], word)
        while True:
            ctx.set(synapses.run, int(rng.integers(4) > 0))
            await ctx.tick()

    async def take(ctx):
        while len(found) < steps * rows:
            ready = int(rng.integers(2))
            ctx.set(synapses.o.ready, ready)
            _, _, valid, payload = await ctx.tick().sample(synapses.o.valid, synapses.o.payload)
            if valid and ready:
                counts = [payload.counts[lane] for lane in range(lanes)]
                found.append((payload.row, counts))

    run_bench(synapses, take, background=[feed], max_cycles=steps * rows * 20)
    counts = projection.counts(words, 0, steps)
    for k, (row, values) in enumerate(found):
        step, expected_row = divmod(k, rows)
        assert row == expected_row
        for lane, value in enumerate(values):
            if row * lanes + lane < 5:
                assert value == counts[step, row * lanes + lane]


# -- layers ----------------------------------------------------------------------------------------
SHAPES = [
    {},
    {"per_step": 4},
    {"source": "low_discrepancy"},
    {"bipolar": True, "lanes": 2},
    {"source": "low_discrepancy", "per_step": 2, "bipolar": True, "lanes": 2, "interval": 2},
    {"bits": 8, "sources": 2, "seed": 9},
    {"neuron": LIF(), "gain": 60.0},
    {"neuron": NoisyLIF(), "gain": 60.0},
    {"neuron": Driven(), "gain": 127.0, "weights": np.ones((2, 3))},
]


@pytest.mark.parametrize("options", few(SHAPES, lambda o: SHAPES.index(o) in (1, 4, 6, 8)), ids=str)
def test_a_layers_gates_are_its_integers(options):
    layer = AdExLayer(3, 5 if "neuron" not in options else 2, 32, **options)
    low = -1 if options.get("bipolar") else 0
    x = np.random.default_rng(0).uniform(low, 1, (2, 3))
    x[1] = 1.0
    report = layer_parity(layer, x, engine="amaranth")
    assert report.ok, str(report)
    assert report.rates.max() > 0
    fixed = layer.fixed()
    assert np.array_equal(report.rates, [fixed.forward(row) for row in x])
    projection, registers = layer.projection, fixed.population.lowered.registers.values()
    each = (3 * projection.per_step).bit_length() + sum(r.width for r in registers) + 1
    total = projection.steps * each + projection.steps.bit_length()
    assert report.bits == 2 * layer.n_neurons * total


@more_at_night(3, 30)
def test_any_layers_gates_are_its_integers(examples):
    @settings(max_examples=examples)
    @given(
        st.integers(1, 4),
        st.integers(1, 5),
        st.sampled_from([1, 2, 4]),
        st.booleans(),
        st.sampled_from(["lfsr", "low_discrepancy"]),
        st.integers(0, 1000),
    )
    def check(inputs, neurons, per_step, bipolar, source, seed):
        options = {"per_step": per_step, "bipolar": bipolar, "source": source, "seed": seed}
        layer = AdExLayer(inputs, neurons, 16, **options)
        x = np.random.default_rng(seed).uniform(-1 if bipolar else 0, 1, (3, inputs))
        report = layer_parity(layer, x, engine="amaranth")
        assert report.ok, str(report)

    check()


@pytest.mark.slow
@pytest.mark.compiler
def test_the_compiled_gates_are_the_integers_too():
    layer = AdExLayer(4, 3, 64, lanes=2)
    x = np.random.default_rng(1).uniform(size=(3, 4))
    report = layer_parity(layer, x)
    assert report.ok, str(report)
    assert np.array_equal(report.rates, layer_parity(layer, x, engine="amaranth").rates)


@pytest.mark.slow
@pytest.mark.compiler
@pytest.mark.parametrize(
    ("inputs", "neurons"), nightly([(16, 8), (64, 32)], lambda size: size[0] == 16)
)
def test_no_bit_of_a_layer_differs_over_ten_inputs(inputs, neurons):
    layer = AdExLayer(inputs, neurons)
    x = np.random.default_rng(0).uniform(size=(10, inputs))
    report = layer_parity(layer, x)
    assert (report.differing, report.inputs, report.steps) == (0, 10, 256)
    assert report.rates.min() > 0.01


def test_what_differs_is_named():
    layer = AdExLayer(2, 3, 16).fixed()
    gates = Layer(AdExLayer(2, 3, 16, weights=layer.weights[[0, 2, 1]]).fixed())
    report = layer_parity(layer, [[0.9, 0.9]], gates=gates, engine="amaranth")
    assert not report.ok
    counts = layer.projection.counts(layer.projection.input_words([0.9, 0.9]))
    swapped = counts[:, [0, 2, 1]]
    step, neuron = np.argwhere(counts != swapped)[0]
    assert report.first == {
        "step": step,
        "neuron": neuron,
        "what": "count",
        "model": counts[step, neuron],
        "hardware": swapped[step, neuron],
    }
    assert report.differing >= np.sum(counts != swapped)
    assert f"differ, first count of neuron {neuron} at step {step}:" in str(report)


@pytest.mark.parametrize(
    ("make", "kind", "said"),
    [
        (lambda: Layer(AdExLayer(1, 1)), TypeError, r"such as layer.fixed\(\), not AdExLayer"),
        (lambda: layer_parity(LIF(), [[1]]), TypeError, r"layer_parity\(\) takes a layer, not LIF"),
        (lambda: layer_parity(AdExLayer(1, 1), [[1]], engine="x"), ValueError, "engine must be"),
        (lambda: layer_parity(AdExLayer(2, 1), [0.5, 0.5]), ValueError, r"\(runs, 2\), not \(2,\)"),
        (
            lambda: Layer(SCDenseLayer(1, 3, neuron=NoisyLIF(), lanes=2).fixed()),
            ScneuroError,
            "3 neurons do not fill 2 lanes",
        ),
    ],
)
def test_mistakes_about_gates_are_refused(make, kind, said):
    with pytest.raises(kind, match=said):
        make()


# -- devices ---------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(
    ("inputs", "neurons", "board"),
    nightly([(16, 8, "icebreaker"), (64, 32, "ulx3s_85f")], lambda case: case[0] == 16),
)
def test_a_layer_fits_its_device_and_meets_the_clock_of_its_board(inputs, neurons, board):
    area = measure_layer(AdExLayer(inputs, neurons), BOARDS[board].chip)
    part = BOARDS[board].part
    assert area.best >= BOARDS[board].clock_hz / 1e6
    assert area.used["logic"] <= part.logic
    assert area.used["ram"] <= part.rams
    assert area.used["dsp"] <= part.dsps
