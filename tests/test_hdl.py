"""Gates: chains of adders, the pipeline, the LFSR, the UART and the frames on it."""

import itertools
import random
import time
from collections import Counter
from itertools import chain

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.lib import wiring
from checks import few
from datapaths import made
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import (
    LIF,
    AdEx,
    ConductanceLIF,
    HodgkinHuxley,
    Input,
    Izhikevich,
    NoisyLIF,
    ScneuroError,
    State,
)
from scneuro import Neuron as NeuronModel
from scneuro.compiler.datapath import ARRAYS, Datapath
from scneuro.compiler.pipeline.expand import adder_count, expand, plan
from scneuro.hdl import LFSR, Form, Step
from scneuro.hdl import Neuron as HardwareNeuron
from scneuro.hdl.link.samples import FRAME_BYTES, FrameReader, FrameWriter, Sample
from scneuro.hdl.uart import UARTReceiver, UARTTransmitter, divisor
from scneuro.neurons import builtin, builtins
from scneuro.sim import parity, simulate_steps, vector_parity
from scneuro.sim.compare.vectors import random_vectors
from scneuro.sim.engines.bench import run_bench
from scneuro.sim.engines.packing import unpack
from scneuro.stochastic import LFSR as Sequence

BUILT_IN = [builtin(name) for name in builtins()]
SMALL = few(BUILT_IN, lambda model: model is not HodgkinHuxley)


def simulate(design, *testbenches, max_cycles=200_000):
    run_bench(design, *testbenches, max_cycles=max_cycles)


def test_a_bench_that_waits_for_what_never_comes_is_an_error():
    tx = UARTTransmitter(5)
    clocks = 0

    async def wait(ctx):
        nonlocal clocks
        while ctx.get(tx.tx):
            await ctx.tick()
            clocks += 1

    with pytest.raises(ScneuroError, match="not done after 300 clocks: a start bit"):
        run_bench(tx, wait, max_cycles=300, what="a start bit")
    assert 295 <= clocks <= 300


def test_a_design_without_a_register_has_a_clock_on_the_bench():
    m, a, b = Module(), Signal(), Signal()
    m.d.comb += b.eq(~a)

    async def drive(ctx):
        await ctx.tick().repeat(3)
        assert ctx.get(b) == 1

    simulate(m, drive)


@pytest.mark.parametrize("held", [False, True])
def test_a_step_of_wires_alone_is_compared_and_so_is_its_neuron(held):
    """Of latency 0: nothing is added or compared on the way."""
    fixed = made(lambda path, V, I: (path.ge(I, -(1 << 15)), V))
    step = Step(fixed.lowered, held=held)
    assert step.latency == 0
    result = vector_parity(fixed, 50, step=step, progress=False)
    assert result.ok, str(result.first)
    assert HardwareNeuron(fixed).latency == 1
    words = {"I": np.arange(-10, 10)}
    for spike, word, registers in simulate_steps(HardwareNeuron(fixed), fixed, words):
        assert (spike, word, registers) == (1, 0, {"V": 0})


class Constant(NeuronModel):
    V = State()
    I = Input()

    def update(self, V, I):
        return True, 0 * V + 5.0


def test_a_neuron_of_constants_is_the_same_at_every_fidelity():
    result = parity(Constant(), np.arange(-20.0, 20.0), progress=False)
    assert result.ok, str(result)


# -- multiplications as adders --------------------------------------------------------------------
def computed(steps, x=1):
    value = x
    for left_x, right_x, i, j, sign in steps:
        value = ((x if left_x else value) << i) + sign * ((x if right_x else value) << j)
    return value


def test_a_chain_of_adders_makes_its_constant():
    constants = set(random.Random(0).sample(range(1, 65536, 2), 300))
    for n in range(1, 17):
        constants |= {k for k in (2**n - 1, 2**n + 1) if k < 65536}
    for k in constants:
        steps = plan(k)
        assert computed(steps) == k
        assert computed(steps, -12345) == -12345 * k
        assert len(steps) <= 8


def test_a_chain_for_a_constant_of_31_bits_is_found_at_once_and_is_short():
    rng = random.Random(1)
    begin = time.process_time()
    lengths = []
    for bits in range(17, 32):
        for _ in range(2):
            k = rng.randrange(1 << (bits - 1), 1 << bits) | 1
            steps = plan(k)
            assert computed(steps) == k
            assert len(steps) <= 6 + (bits - 20 + 1) // 2 + (bits <= 20)
            lengths.append(len(steps))
    assert time.process_time() - begin < 30
    assert sum(lengths) / len(lengths) < 7  # the signed digits alone would be over 8
    assert plan(k) is plan(k)


def test_a_power_of_two_takes_no_adder_and_its_neighbours_one():
    assert plan(1) == ()
    assert adder_count(64) == adder_count(-1) == 0
    for n in range(2, 16):
        assert adder_count(2**n + 1) == adder_count(2**n - 1) == 1
        assert adder_count(-3 * 2**n) == 1


@pytest.mark.parametrize("k", [0, 2, -1, -3])
def test_a_chain_is_for_odd_positive_constants_only(k):
    with pytest.raises(ValueError, match=f"k must be odd and positive, not {k}"):
        plan(k)


@pytest.mark.parametrize("dsp", [False, True])
@pytest.mark.parametrize("model", SMALL)
def test_the_expanded_datapath_computes_the_same(model, dsp):
    fixed = model().fixed(rounding="stochastic")
    source = fixed.lowered.path
    words = fixed.lowered.words
    path, new = expand(source, tuple(words.values()), Form.of(None, dsp=dsp))
    vectors = random_vectors(fixed, 5000)
    before = source.evaluator({**source.outputs, **words}, ARRAYS)(vectors)
    before |= source.evaluator(source.outputs, ARRAYS)(vectors)
    after = path.evaluator(path.outputs, ARRAYS)(vectors)
    for name in source.outputs:
        assert np.array_equal(before[name], after[name]), name
    read = path.evaluator({name: new[node.index] for name, node in words.items()}, ARRAYS)(vectors)
    want = source.evaluator(words, ARRAYS)(vectors)
    for name in words:
        assert np.array_equal(read[name], want[name]), name
    assert all(abs(n.meta) == 1 for n in path.reachable() if n.op == "scale")
    assert dsp or not any(n.op == "mul" for n in path.reachable())


@pytest.mark.parametrize("dsp", [False, True])
@pytest.mark.parametrize("model", SMALL)
def test_no_node_of_an_expanded_datapath_leaves_its_interval(model, dsp):
    fixed = model().fixed()
    path, _ = expand(fixed.lowered.path, (), Form.of(None, dsp=dsp))
    nodes = path.reachable()
    values = path.evaluator({str(n.index): n for n in nodes}, ARRAYS)(random_vectors(fixed, 5000))
    for node in nodes:
        value = np.asarray(values[str(node.index)]).astype(np.int64)
        assert node.low <= value.min(), f"{node.name} ({node.op})"
        assert value.max() <= node.high, f"{node.name} ({node.op})"


# -- as many DSPs as there are --------------------------------------------------------------------
def dsp_cells(path):
    """DSPs of 16 x 16 that the products of a datapath take."""
    products = (node.args for node in path.reachable() if node.op == "mul")
    return sum(cells_of(a.width, b.width) for a, b in products)


def cells_of(a, b):
    return -(-a // 16) * -(-b // 16)


@pytest.mark.parametrize("dsp", [1, 2, 8])
@pytest.mark.parametrize("model", BUILT_IN)
def test_no_more_dsps_are_used_than_there_are(model, dsp):
    fixed = model().fixed()
    path, _ = expand(fixed.lowered.path, (), Form.of(None, dsp=dsp))
    assert dsp_cells(path) <= dsp
    vectors = random_vectors(fixed, 1000)
    before = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, ARRAYS)(vectors)
    after = path.evaluator(path.outputs, ARRAYS)(vectors)
    for name in before:
        assert np.array_equal(before[name], after[name]), name


@pytest.mark.parametrize("model", [ConductanceLIF, HodgkinHuxley, AdEx])
def test_the_dsps_there_are_are_used(model):
    source = model().fixed().lowered.path
    cells = [dsp_cells(expand(source, (), Form(multipliers=n))[0]) for n in (0, 1, 2, 5, 1000)]
    assert cells == sorted(cells)
    assert cells[:2] == [0, 1]
    assert cells[3] >= 3
    assert cells[4] == dsp_cells(expand(source, (), Form())[0])


@pytest.mark.parametrize("multipliers", [2, 5, 16])
@pytest.mark.parametrize("model", [ConductanceLIF, HodgkinHuxley])
def test_the_dsps_go_where_each_does_most(model, multipliers):
    """To the largest multiplications for each DSP they take, of those that there are enough for."""
    source = model().fixed().lowered.path

    def products(form):
        nodes = [n for n in expand(source, (), form)[0].reachable() if n.op == "mul"]
        widths = [(n.args[0].width, n.args[1].width) for n in nodes]
        return Counter((a * b / cells_of(a, b), cells_of(a, b)) for a, b in widths)

    every, few = products(Form()), products(Form(multipliers=multipliers))
    left = multipliers - sum(cells * count for (_, cells), count in few.items())
    assert few <= every
    for size, cells in every - few:
        dearer = sum(c * n for (s, c), n in few.items() if s >= size)
        assert cells > multipliers - dearer, "it would have had its DSPs before a smaller one"
        assert cells > left


@pytest.mark.parametrize("dsp", [1, 8])
@pytest.mark.parametrize(
    "model", few((ConductanceLIF, HodgkinHuxley), lambda model: model is ConductanceLIF)
)
def test_a_pipeline_with_some_dsps_is_the_integer_model(model, dsp):
    result = vector_parity(model().fixed(), 200, dsp=dsp, progress=False)
    assert result.ok, f"{result.mismatches} of {result.vectors} differ: {result.first}"


@pytest.mark.parametrize("model", [ConductanceLIF, NoisyLIF])
def test_a_neuron_with_one_dsp_is_the_integer_model(model):
    neuron = model()
    fixed = neuron.fixed()
    current = np.full(100, neuron.currents[-1])
    result = parity(
        neuron, current, fixed=fixed, make=lambda: HardwareNeuron(fixed, dsp=1), progress=False
    )
    assert result.bit_exact, str(result)


# -- what is known needs no gates -----------------------------------------------------------------
def test_a_known_condition_needs_no_gate():
    path = Datapath()
    a = path.input("a", -10, 10, 0)
    maybe, always, never = path.ge(a, 3), path.ge(a, -10), path.ge(a, 11)
    assert (always.low, always.high, never.low, never.high) == (1, 1, 0, 0)
    for known, op in ((always, "and"), (never, "or")):
        assert path.logic(op, known, maybe) is maybe
        assert path.logic(op, maybe, known) is maybe
    assert path.logic("or", maybe, always) is always
    assert path.logic("and", never, maybe) is never
    assert path.logic("and", maybe, path.ge(a, 4)).op == "and"
    refused = path.logic("not", always)
    assert (refused.low, refused.high) == (0, 0)
    assert path.logic("or", refused, maybe) is maybe


def test_a_known_choice_needs_no_multiplexer():
    path = Datapath()
    a, b = path.input("a", -10, 10, 0), path.input("b", -100, 100, 0)
    assert path.mux(path.ge(a, -10), a, b) is a
    assert path.mux(path.ge(a, 11), a, b) is b
    assert path.mux(path.ge(a, 0), b, b) is b
    assert path.mux(path.ge(a, 0), a, b).op == "mux"


# -- the pipeline ---------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("model", "dsp", "rounding"),
    few(
        itertools.product(BUILT_IN, (False, True), ("nearest", "stochastic")),
        lambda case: case[1] == (case[2] == "nearest") and case[0] is not HodgkinHuxley,
        lambda case: case[0] is not HodgkinHuxley,
    ),
)
def test_the_pipeline_is_the_integer_model_from_any_state(model, dsp, rounding):
    fixed = model().fixed(rounding=rounding)
    result = vector_parity(fixed, 150, dsp=dsp, progress=False)
    assert result.ok, f"{result.mismatches} of {result.vectors} differ: {result.first}"
    assert result.vectors == 150


@pytest.mark.parametrize("held", [False, True])
@pytest.mark.parametrize("model", [LIF, AdEx, Izhikevich, ConductanceLIF, NoisyLIF])
def test_a_change_of_input_comes_out_latency_clocks_later(model, held):
    fixed = model().fixed()
    step = Step(fixed.lowered, held=held)
    names, widths = fixed.state_names, {n: r.width for n, r in fixed.lowered.registers.items()}
    rest = fixed.registers
    path = fixed.lowered.path
    model_of = path.evaluator(path.outputs, ARRAYS)
    first, *others = (*fixed.lowered.inputs, *fixed.lowered.noise)
    rest |= dict.fromkeys(others, 0)
    before, after = ({n: int(v) for n, v in model_of({**rest, first: I}).items() if n in names}
                     for I in (0, 20_000))  # fmt: skip
    assert before != after
    seen = []

    async def drive(ctx):
        for name in names:
            ctx.set(step.state[name], rest[name])
        ctx.set(step.inputs[first], 0)
        await ctx.tick().repeat(step.latency + 2)
        ctx.set(step.inputs[first], 20_000)
        for _ in range(step.latency + 3):
            seen.append(unpack(ctx.get(step.next.as_value()), widths))
            await ctx.tick()

    simulate(step, drive)
    assert seen[step.latency :] == [after] * 3
    if held:  # only the result is promised; what comes before may be anything
        return
    assert seen[: step.latency] == [before] * step.latency


def test_the_words_of_the_state_come_out_at_once():
    fixed = AdEx().fixed()
    step = Step(fixed.lowered)
    registers = fixed.lowered.registers
    vectors = random_vectors(fixed, 50)

    async def drive(ctx):
        for t in range(50):
            for name in registers:
                ctx.set(step.state[name], int(vectors[name][t]))
            await ctx.delay(1e-9)
            for name, r in registers.items():
                assert ctx.get(step.words[name]) == r.to_word(vectors[name][t])
            await ctx.tick()

    simulate(step, drive)


@pytest.mark.parametrize("model", SMALL)
def test_a_neuron_answers_within_its_latency_and_waits_for_its_reader(model):
    fixed = model().fixed()
    neuron = HardwareNeuron(fixed)
    words = [int(256 * model.currents[0])] * 3
    expected = []
    for word in words:
        spike, v = fixed.step(word / 256)
        expected.append((spike, int(v * 256)))
    first = next(iter(fixed.lowered.inputs))
    got, clocks = [], []

    async def feed(ctx):
        for word in words:
            ctx.set(neuron.i.payload[first], word)
            ctx.set(neuron.i.valid, 1)
            await ctx.tick().until(neuron.i.ready)
        ctx.set(neuron.i.valid, 0)

    async def read(ctx):
        for stall in (0, 0, 40):
            count = 0
            while not ctx.get(neuron.o.valid):
                await ctx.tick()
                count += 1
            clocks.append(count)
            held = (ctx.get(neuron.o.payload.spike), ctx.get(neuron.o.payload["V"]))
            for _ in range(stall):
                await ctx.tick()
                assert ctx.get(neuron.o.valid)
                now = (ctx.get(neuron.o.payload.spike), ctx.get(neuron.o.payload["V"]))
                assert now == held
            got.append(held)
            ctx.set(neuron.o.ready, 1)
            await ctx.tick()
            ctx.set(neuron.o.ready, 0)

    simulate(neuron, feed, read)
    assert got == expected
    assert clocks[0] == neuron.latency


# -- random bits ----------------------------------------------------------------------------------
@pytest.mark.parametrize("draws", [1, 2])
def test_the_lfsr_in_gates_draws_what_the_one_in_python_draws(draws):
    lfsr, sequence = LFSR(draws, seed=4242), Sequence(4242)

    async def compare(ctx):
        ctx.set(lfsr.en, 1)
        for _ in range(2000 // draws):
            value = ctx.get(lfsr.o)
            assert [value >> 16 * n & 0xFFFF for n in range(draws)] == [
                sequence.draw() for _ in range(draws)
            ]
            await ctx.tick()
        ctx.set(lfsr.en, 0)
        held = ctx.get(lfsr.o)
        await ctx.tick().repeat(3)
        assert ctx.get(lfsr.o) == held

    simulate(lfsr, compare)


# -- the UART -------------------------------------------------------------------------------------
async def send_bits(ctx, rx, bits, clocks):
    for bit in bits:
        ctx.set(rx, bit)
        await ctx.tick().repeat(clocks)


def collector(receiver, into, clocks):
    async def collect(ctx):
        ctx.set(receiver.o.ready, 1)
        for _ in range(clocks):
            _, _, valid, payload = await ctx.tick().sample(receiver.o.valid, receiver.o.payload)
            if valid:
                into.append(payload)

    return collect


@pytest.mark.parametrize("clocks", [4, 7])
def test_every_byte_goes_through_the_uart(clocks):
    m = Module()
    m.submodules.tx = tx = UARTTransmitter(clocks)
    m.submodules.rx = rx = UARTReceiver(clocks)
    m.d.comb += rx.rx.eq(tx.tx)
    received = []

    async def send(ctx):
        for byte in range(256):
            ctx.set(tx.i.payload, byte)
            ctx.set(tx.i.valid, 1)
            await ctx.tick().until(tx.i.ready)
        ctx.set(tx.i.valid, 0)

    simulate(m, send, collector(rx, received, 257 * (10 * clocks + 1)))
    assert received == list(range(256))


def test_a_byte_on_the_line_is_a_start_bit_the_bits_lowest_first_and_a_stop_bit():
    tx = UARTTransmitter(5)
    line = []

    async def send(ctx):
        assert ctx.get(tx.tx) == 1
        ctx.set(tx.i.payload, 0b1011_0010)
        ctx.set(tx.i.valid, 1)
        await ctx.tick().until(tx.i.ready)
        ctx.set(tx.i.valid, 0)
        while ctx.get(tx.tx):
            await ctx.tick()
        await ctx.tick().repeat(2)
        for _ in range(12):
            line.append(ctx.get(tx.tx))
            await ctx.tick().repeat(5)

    simulate(tx, send)
    assert line == [0, 0, 1, 0, 0, 1, 1, 0, 1, 1, 1, 1]


def bits_of(byte, stop=1):
    return [0, *(byte >> n & 1 for n in range(8)), stop]


def test_a_byte_with_a_broken_stop_bit_is_dropped():
    clocks, received = 6, []
    rx = UARTReceiver(clocks)

    async def send(ctx):
        await send_bits(ctx, rx.rx, [1, 1], clocks)
        await send_bits(ctx, rx.rx, bits_of(0x41), clocks)
        await send_bits(ctx, rx.rx, [*bits_of(0xFF, stop=0), *[1] * 12], clocks)
        await send_bits(ctx, rx.rx, bits_of(0x42), clocks)

    simulate(rx, send, collector(rx, received, 50 * clocks))
    assert received == [0x41, 0x42]


@pytest.mark.parametrize("period", [49, 50, 51])
def test_a_sender_two_percent_off_is_understood(period):
    rx, received = UARTReceiver(50), []

    async def send(ctx):
        await send_bits(ctx, rx.rx, [1], 50)
        for byte in (0x00, 0xFF, 0x55, 0xA5):
            await send_bits(ctx, rx.rx, bits_of(byte), period)

    simulate(rx, send, collector(rx, received, 45 * 50))
    assert received == [0x00, 0xFF, 0x55, 0xA5]


@pytest.mark.parametrize(
    ("clock", "baud", "clocks"),
    [(12_000_000, 1_000_000, 12), (12_000_000, 115_200, 104), (100_000_000, 1_000_000, 100)],
)
def test_a_divisor_is_the_nearest_number_of_clocks(clock, baud, clocks):
    assert divisor(clock, baud) == clocks


@pytest.mark.parametrize(
    ("clock", "baud"), [(12_000_000, 921_600 * 2), (1_000_000, 300_000), (1_000_000, 0), (10, -1)]
)
def test_a_rate_the_clock_cannot_make_is_refused(clock, baud):
    with pytest.raises(ValueError, match=rf"{clock:,} Hz clock cannot make {baud:,} baud"):
        divisor(clock, baud)


# -- frames ---------------------------------------------------------------------------------------
WORD = st.integers(-(2**15), 2**15 - 1)
SAMPLES = st.builds(Sample, st.integers(0, 255), st.integers(0, 255), WORD, WORD)


def crc8_autosar(data):
    """Bit by bit: polynomial 0x2F, start and final XOR 0xFF, highest bit first."""
    crc = 0xFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ 0x2F if crc & 0x80 else crc << 1) & 0xFF
    return crc ^ 0xFF


def frame(sample):
    body = bytes([0xA5, sample.sequence, sample.spikes])
    body += (sample.v & 0xFFFF).to_bytes(2, "little") + (sample.i & 0xFFFF).to_bytes(2, "little")
    return body + bytes([crc8_autosar(body)])


def written(samples, stall=0):
    """The bytes the writer makes of samples, with a reader that stalls between them."""
    writer, received = FrameWriter(), []

    async def send(ctx):
        for s in samples:
            ctx.set(writer.i.payload.sequence, s.sequence)
            ctx.set(writer.i.payload.spikes, s.spikes)
            ctx.set(writer.i.payload.v, s.v & 0xFFFF)
            ctx.set(writer.i.payload.i, s.i & 0xFFFF)
            ctx.set(writer.i.valid, 1)
            await ctx.tick().until(writer.i.ready)
        ctx.set(writer.i.valid, 0)

    async def receive(ctx):
        while len(received) < FRAME_BYTES * len(samples):
            ctx.set(writer.o.ready, 1)
            (byte,) = await ctx.tick().sample(writer.o.payload).until(writer.o.valid)
            received.append(byte)
            ctx.set(writer.o.ready, 0)
            for _ in range(stall):
                await ctx.tick()

    simulate(writer, send, receive)
    return bytes(received)


@settings(max_examples=8)
@given(st.lists(SAMPLES, min_size=1, max_size=5), st.integers(0, 3))
def test_what_the_writer_writes_the_reader_reads(samples, stall):
    received = written(samples, stall)
    assert received == b"".join(map(frame, samples))
    reader = FrameReader()
    assert list(reader.feed(received)) == samples
    assert reader.bad == 0


@given(st.lists(SAMPLES, max_size=5), st.randoms(use_true_random=False))
def test_frames_may_arrive_in_any_pieces(samples, rng):
    received, reader, found = b"".join(map(frame, samples)), FrameReader(), []
    while received:
        size = rng.randint(1, 12)
        found += reader.feed(received[:size])
        received = received[size:]
    assert found == samples


GARBAGE = st.binary(max_size=20).map(lambda b: b.replace(b"\xa5", b""))


@given(GARBAGE, st.lists(SAMPLES, min_size=1, max_size=4), GARBAGE)
def test_the_reader_finds_frames_after_garbage(before, samples, after):
    reader = FrameReader()
    received = before + b"".join(map(frame, samples)) + after + bytes(FRAME_BYTES)
    assert list(reader.feed(received)) == samples
    assert len(before) + len(after) <= reader.bad <= len(before) + len(after) + FRAME_BYTES


def test_a_sync_byte_in_the_garbage_does_not_hide_the_frame_after_it():
    sample = Sample(1, 2, -300, 400)
    for cut in range(1, FRAME_BYTES):
        reader = FrameReader()
        broken = frame(Sample(0, 0xA5, -1, 0x1A5))[:cut]
        assert list(reader.feed(broken + frame(sample) + bytes(FRAME_BYTES))) == [sample]


@given(st.lists(SAMPLES, min_size=3, max_size=3), st.integers(0, 7), st.integers(0, 7))
def test_a_frame_with_a_flipped_bit_is_dropped(samples, byte, bit):
    frames = [bytearray(frame(s)) for s in samples]
    frames[1][byte] ^= 1 << bit
    reader = FrameReader()
    found = list(reader.feed(b"".join(frames)))
    assert samples[1] not in found or samples[1] in (samples[0], samples[2])
    assert found[0] == samples[0]
    assert reader.bad > 0


@given(st.integers(0, 255), st.lists(st.integers(1, 200), min_size=1, max_size=6))
def test_lost_frames_are_counted_across_the_wrap(start, gaps):
    numbers = [start]
    for gap in gaps:
        numbers.append((numbers[-1] + gap) % 256)
    reader = FrameReader()
    found = list(reader.feed(b"".join(frame(Sample(n, 0, 0, 0)) for n in numbers)))
    assert [s.sequence for s in found] == numbers
    assert reader.lost == sum(gap - 1 for gap in gaps)


def test_frames_survive_the_wire():
    """Writer, transmitter, line, receiver, reader: all of the way."""
    m = Module()
    m.submodules.writer = writer = FrameWriter()
    m.submodules.tx = tx = UARTTransmitter(4)
    m.submodules.rx = rx = UARTReceiver(4)
    wiring.connect(m, writer.o, tx.i)
    m.d.comb += rx.rx.eq(tx.tx)
    samples = [Sample(n, 3 * n, -1000 * n, 77 * n) for n in range(4)]
    received = []

    async def send(ctx):
        for s in samples:
            ctx.set(writer.i.payload.sequence, s.sequence)
            ctx.set(writer.i.payload.spikes, s.spikes)
            ctx.set(writer.i.payload.v, s.v & 0xFFFF)
            ctx.set(writer.i.payload.i, s.i & 0xFFFF)
            ctx.set(writer.i.valid, 1)
            await ctx.tick().until(writer.i.ready)
        ctx.set(writer.i.valid, 0)

    simulate(m, send, collector(rx, received, 5 * FRAME_BYTES * 41 + 20))
    assert bytes(received) == bytes(chain.from_iterable(map(frame, samples)))
    assert list(FrameReader().feed(bytes(received))) == samples
