"""Whole runs compiled: the bits of the evaluator that the proof uses, and of stepping."""

import itertools
import random

import numpy as np
import pytest
from checks import as_written, few, nightly
from datapaths import HIGH, LOW, fitted, made
from hypothesis import given, settings
from hypothesis import strategies as st

from scneuro import LIF, AdEx, Input, Neuron, NoisyLIF, State
from scneuro.compiler.datapath import ARRAYS
from scneuro.engine import choice, whole
from scneuro.engine.emit import _FUNCTIONS, of_datapath
from scneuro.errors import ScneuroError
from scneuro.neurons import builtin, builtins
from scneuro.stochastic.lfsr import LFSR, leap

SHAPES = [(90,), (70, 3), (40, 13), (12, 131)]


def everything(runner, inputs, **options):
    """What a run leaves: its recording, its states and its noise."""
    run = runner.run(**inputs, **options)
    words = {**run.words} or dict(run.states)
    left = runner.registers if hasattr(runner, "registers") else runner._values
    return {
        "spike": run.spike,
        "states": words,
        "saturated": run.saturated,
        "left": left,
        "noise": getattr(runner, "noise", {}),
        "sources": [source._lfsr.state for source in runner._drawing()],
    }


def assert_same(one, other):
    if isinstance(one, dict):
        assert one.keys() == other.keys()
        for name in one:
            assert_same(one[name], other[name])
    else:
        assert np.array_equal(one, other, equal_nan=True)
        assert np.shape(one) == np.shape(other)


def stimulus(neuron, shape, seed=0):
    """What drives a neuron through all it does, limits included."""
    rng = np.random.default_rng(seed)
    most = max(map(abs, neuron.currents))
    wild = {name: most * rng.uniform(-1.5, 3.0, shape) for name in neuron.input_defaults}
    return {name: np.clip(values, -120, 120) for name, values in wild.items()}


# -- every operation ------------------------------------------------------------------------------
def grown(rng):
    """A datapath of random operations on V and I, as a function that builds it."""

    def build(path, V, I):
        values = [V, I, path.const(rng.randrange(-500, 500), 8)]
        conditions = [path.ge(V, rng.randrange(LOW, HIGH))]
        for _ in range(rng.randrange(4, 14)):
            a, b = rng.choice(values), rng.choice(values)
            a, b = fitted(path, a), fitted(path, b)
            match rng.randrange(13):
                case 0:
                    values.append(path.add(a, b, rng.choice((1, -1))))
                case 1:
                    values.append(path.scale(a, rng.choice((-7, 3, 255)), rng.randrange(4)))
                case 2:
                    values.append(path.mul(a, b))
                case 3:
                    values.append(path.shl(a, rng.randrange(1, 9)))
                case 4:
                    values.append(path.shr(a, rng.randrange(1, 9), 0.0))
                case 5:
                    bits = rng.randrange(1, 12)
                    values.append(path.low(a, bits, signed=rng.random() < 0.5))
                case 6:
                    rows = tuple(rng.randrange(-(1 << 20), 1 << 20) for _ in range(64))
                    values.append(path.rom(path.low(a, 6), rows, 8))
                case 7:
                    conditions.append(path.ge(a, rng.randrange(-9000, 9000)))
                case 8:
                    ends = sorted(rng.randrange(a.low, a.high + 1) for _ in range(2))
                    values.append(path.clamp(a, *ends))
                case 9:
                    values.append(path.move(a, rng.randrange(12)))
                case 10:
                    values.append(path.annotate(a, a.low, a.high, 0.0, "known"))
                case 11:
                    values.append(path.mux(rng.choice(conditions), a, b))
                case _:
                    one, other = rng.choice(conditions), rng.choice(conditions)
                    conditions.append(path.logic("not", one))
                    conditions.append(path.logic(rng.choice(("and", "or")), one, other))
        return conditions[-1], path.clamp(fitted(path, values[-1]), LOW, HIGH)

    return build


def following(fixed, register, words):
    """The registers and spikes of a run, by the evaluator over arrays."""
    step = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, ARRAYS)
    register = np.array(register)
    for word in words:
        found = step({"V": register, "I": np.broadcast_to(word, register.shape)})
        register = np.broadcast_to(found["V"], register.shape)
        yield register, np.broadcast_to(found["spike"], register.shape)


def check_datapath(seed, neurons):
    rng = random.Random(seed)
    fixed = made(grown(rng))
    start = np.array([rng.randrange(LOW, HIGH + 1) for _ in range(neurons)])
    words = np.array([rng.randrange(-(1 << 15), 1 << 15) for _ in range(12)])
    fixed.registers = {"V": start}
    run = fixed.run(words / 256, engine="compiled", reset=False)
    expected = list(following(fixed, start, words))
    assert np.array_equal(run.spike, [spike for _, spike in expected])
    word = fixed.lowered.registers["V"].to_word
    assert np.array_equal(run.words["V"], [word(register) for register, _ in expected])
    assert np.array_equal(fixed.registers["V"], expected[-1][0])


@settings(max_examples=60)
@given(seed=st.integers(0, 10**9), neurons=st.sampled_from((1, 2, 11)))
def test_any_datapath_is_written_as_the_evaluator_takes_it(seed, neurons):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "compiled", as_written)
        check_datapath(seed, neurons)


def test_the_random_datapaths_have_every_operation():
    found = set()
    for seed in range(60):
        lowered = made(grown(random.Random(seed))).lowered
        found |= {node.op for node in lowered.path.reachable()}
    assert found >= set(ARRAYS) | {"input"}


@pytest.mark.parametrize("neurons", [1, 11])
def test_a_compiled_datapath_is_the_evaluator(neurons):
    check_datapath(3, neurons)


@pytest.mark.slow
@pytest.mark.parametrize("neurons", [1, 11])
@pytest.mark.parametrize("seed", nightly(range(20), lambda seed: seed < 8))
def test_compiled_datapaths_are_the_evaluator(seed, neurons):
    check_datapath(seed, neurons)


# -- every neuron ---------------------------------------------------------------------------------
@pytest.mark.parametrize("name", few(builtins(), lambda name: name != "hodgkin_huxley"))
@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
def test_a_run_as_it_is_written_is_the_run_of_its_steps(name, rounding, uncompiled):
    neuron = builtin(name)()
    fixed = neuron.fixed(rounding=rounding, seed=77)
    for shape in SHAPES[:2] if name == "hodgkin_huxley" else SHAPES:
        inputs = stimulus(neuron, shape)
        stepped = everything(fixed, inputs, engine="numpy")
        assert_same(stepped, everything(fixed, inputs, engine="compiled"))


def check_compiled(neuron, fixed):
    for shape in SHAPES:
        inputs = stimulus(neuron, shape, seed=len(shape))
        stepped = everything(fixed, inputs, engine="numpy")
        assert_same(stepped, everything(fixed, inputs, engine="compiled"))


@pytest.mark.parametrize("rounding", few(("nearest", "stochastic"), "stochastic".__eq__))
def test_a_compiled_run_is_the_run_of_its_steps(rounding):
    neuron = NoisyLIF()
    check_compiled(neuron, neuron.fixed(rounding=rounding))


@pytest.mark.slow
@pytest.mark.parametrize("name", builtins())
@pytest.mark.parametrize(
    "rounding", nightly(("nearest", "floor", "stochastic"), lambda way: way == "stochastic")
)
def test_every_compiled_run_is_the_run_of_its_steps(name, rounding):
    neuron = builtin(name)()
    check_compiled(neuron, neuron.fixed(rounding=rounding, seed=5))


def test_threads_share_out_the_neurons(monkeypatch, uncompiled):
    monkeypatch.setattr(whole, "_SHARE", 8)
    monkeypatch.setattr(whole.os, "sched_getaffinity", lambda _: range(3), raising=False)
    assert whole._parts(600) == [(0, 256), (256, 512), (512, 600)]
    neuron = NoisyLIF()
    fixed = neuron.fixed(rounding="stochastic")
    inputs = stimulus(neuron, (9, 300))
    stepped = everything(fixed, inputs, engine="numpy")
    assert_same(stepped, everything(fixed, inputs, engine="compiled"))


def test_stretches_of_a_few_steps_make_the_same_run(monkeypatch, uncompiled):
    neuron = NoisyLIF()
    fixed = neuron.fixed(rounding="stochastic")
    inputs = stimulus(neuron, (50, 9))
    stepped = everything(fixed, inputs, engine="numpy")
    monkeypatch.setattr(whole, "_AT_ONCE", 7 * 9 * of_datapath(fixed.lowered).size)
    assert_same(stepped, everything(fixed, inputs, engine="compiled"))


# -- where a run starts and ends ------------------------------------------------------------------
@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_a_run_goes_on_from_states_set_beforehand(engine, uncompiled):
    fixed = NoisyLIF().fixed(rounding="stochastic")
    current = stimulus(NoisyLIF(), (60,))["I"]
    whole_run = fixed.run(current, engine="numpy")
    fixed.run(current[:25], engine=engine)
    rest = fixed.run(current[25:], engine=engine, reset=False)
    assert np.array_equal(rest.words["V"], whole_run.words["V"][25:])
    fixed.V = [-60.0, -55.0, -52.5]
    assert fixed.run(current, engine=engine, reset=False).spike.shape == (60, 3)
    fixed.reset()
    fixed.V = -51.0
    assert fixed.run(np.zeros(1), engine=engine, reset=False).V[0] == pytest.approx(-51, abs=1.5)


def test_a_run_and_then_a_step_are_the_steps_of_both(uncompiled):
    fixed = AdEx().fixed(rounding="stochastic")
    for neurons in ((), (4,)):
        fixed.run(np.full((30, *neurons), 1.0), engine="numpy")
        expected = fixed.step(np.full(neurons, 1.0)), fixed.registers, fixed.noise
        fixed.run(np.full((30, *neurons), 1.0), engine="compiled")
        found = fixed.step(np.full(neurons, 1.0)), fixed.registers, fixed.noise
        for one, other in zip(expected, found, strict=True):
            assert str(one) == str(other)


@pytest.mark.parametrize("neurons", [(), (9,)])
def test_an_interrupted_run_stops_after_a_whole_stretch(neurons, monkeypatch, tmp_path):
    fixed = NoisyLIF().fixed(rounding="stochastic")
    current = np.full((30, *neurons), 2.0)
    fixed.run(current[:14], engine="numpy")
    expected = fixed.registers, fixed.noise
    stretches = []

    def plain(body, *, many):
        function = as_written(body, many=many)

        def run(*arguments):
            if len(stretches) == 2:
                arguments[3][:] = 0  # whatever it had come to
                raise KeyboardInterrupt
            stretches.append(arguments[2])
            function(*arguments)

        return run

    monkeypatch.setattr(whole, "compiled", plain)
    count = neurons[0] if neurons else 1
    monkeypatch.setattr(whole, "_AT_ONCE", 7 * count * of_datapath(fixed.lowered).size)
    with pytest.raises(KeyboardInterrupt):
        fixed.run(current, engine="compiled", file=tmp_path / "run.npy")
    assert stretches == [7, 7]
    assert_same(expected[0], fixed.registers)
    assert_same(expected[1], fixed.noise)
    assert list(tmp_path.iterdir()) == []


# -- float ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", builtins())
def test_float_is_the_same_graph(name, uncompiled):
    neuron = builtin(name)()
    exact = neuron._body().exact
    for shape in SHAPES[:3]:
        inputs = stimulus(neuron, shape)
        stepped = everything(neuron, inputs, engine="numpy")
        together = everything(neuron, inputs, engine="compiled")
        if exact and len(shape) == 2:  # of one number, NumPy squares by another function
            assert_same(stepped, together)
        assert stepped["sources"] == together["sources"]
        assert np.array_equal(stepped["spike"], together["spike"])
        for state in neuron.state_names:
            np.testing.assert_allclose(
                stepped["states"][state], together["states"][state], rtol=1e-10, atol=1e-11
            )


class Choosy(Neuron):
    """What is no number, and conditions among numbers."""

    V = State(init=1.0)
    w = State(init=-2.0)
    I = Input()

    def update(self, V, w, I):
        above = V > 3.0
        V_next = np.maximum(np.minimum(V + I, 2.0), -2.0) + 0.5 * above
        V_next = V_next + np.minimum(w / I, 0.0) + np.maximum(0.0, w / I)
        w_next = np.where(above, np.abs(w), np.clip(w * I, -4.0, 4.0) - above)
        return above & (w > 1.0), V_next, w_next + np.fmin(V / I, 1.0)


@pytest.mark.parametrize("shape", [(40,), (40, 9)])
def test_what_is_no_number_stays_none(shape, uncompiled):
    current = np.resize([0.5, 1.0, 0.0, -3.0, 2.0, 0.0, 0.0], shape)
    with np.errstate(all="ignore"):
        stepped = everything(Choosy(), {"I": current}, engine="numpy")
        assert_same(stepped, everything(Choosy(), {"I": current}, engine="compiled"))


@pytest.mark.parametrize(
    ("kind", "shape"),
    few(
        itertools.product((Choosy, AdEx), ((60,), (60, 9))),
        lambda case: case in ((Choosy, (60,)), (AdEx, (60, 9))),
    ),
)
def test_compiled_float_computes_what_the_source_says(kind, shape, monkeypatch):
    neuron = kind()
    inputs = stimulus(neuron, shape)
    together = everything(neuron, inputs, engine="compiled")
    monkeypatch.setattr(whole, "compiled", as_written)
    with np.errstate(all="ignore"):
        assert_same(together, everything(neuron, inputs, engine="compiled"))


@pytest.mark.parametrize(("name", "most"), [("exp", 1.0), ("expm1", 2.0)])
def test_exponentials_miss_by_no_more_than_the_last_places(name, most):
    names = {"np": np}
    exec(_FUNCTIONS[name], names)
    rng = np.random.default_rng(0)
    points = np.concatenate([rng.uniform(-745, 709.7, 4000), rng.normal(0, 1, 4000)])
    points = np.append(points, [0.0, 1e-300, -1e-300, 709.782712893384, -708.5, -740.0, 0.3466])
    found = np.array([names[name](x) for x in points])
    exact = getattr(np, name)(points.astype(np.longdouble))
    assert np.max(np.abs(found - exact) / np.spacing(np.abs(found))) <= most
    for x in (np.inf, -np.inf, np.nan, 710.0, -746.0, 1e308, -1e308):
        with np.errstate(all="ignore"):
            assert_same(names[name](x), getattr(np, name)(x))


class Unusual(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        return V > 1.0, np.where(V > 1.0, 0.0, np.cbrt(V) + I)


class Untraceable(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        return V > 1.0, V + I if np.ndim(V) < 2 and float(np.mean(V)) < 9 else V


@pytest.mark.parametrize("kind", [Unusual, Untraceable])
def test_what_has_no_compiled_form_runs_in_numpy(kind, monkeypatch):
    monkeypatch.setattr(choice, "_COMPILING", 0.0)
    current = np.full((4000, 200), 0.1)
    assert kind().run(current).spike.any()
    with pytest.raises(ScneuroError):
        kind().run(current, engine="compiled")


# -- the noise, from anywhere ---------------------------------------------------------------------
@given(st.integers(1, 2**31 - 1), st.integers(0, 300))
def test_a_leap_is_as_many_draws(seed, draws):
    stepped, skipped = LFSR(seed), LFSR(seed)
    for _ in range(draws):
        stepped.draw()
    skipped.skip(draws)
    rows = leap(draws)
    leapt = np.bitwise_xor.reduce([rows[k][seed >> 8 * k & 255] for k in range(4)])
    assert stepped.state == skipped.state == leapt


def test_a_leap_of_the_whole_period_leads_back():
    lfsr = LFSR(12345)
    lfsr.skip(2**31 - 1)
    assert lfsr.state == 12345


# -- which engine ---------------------------------------------------------------------------------
@pytest.fixture
def chosen(monkeypatch):
    """The runs that were compiled."""
    found = []

    def plain(body, *, many):
        found.append((body, many))
        return as_written(body, many=many)

    monkeypatch.setattr(choice, "compiled", plain)
    monkeypatch.setattr(whole, "compiled", plain)
    monkeypatch.setattr(choice, "is_at_hand", lambda body, *, many: (body, many) in found)
    monkeypatch.setattr(choice, "_SPENT", {})
    monkeypatch.setattr(choice, "_CALL", 1e-4)
    return found


def test_a_long_run_is_compiled_and_a_short_one_is_not(chosen):
    neuron = AdEx()
    for runner in (neuron, neuron.fixed()):
        operations = runner._body().size
        chosen.clear()
        runner.run(np.zeros(100), engine="numpy")
        assert not chosen
        assert not choice.is_worth(runner._body(), 100, 1)
        assert choice.is_worth(runner._body(), int(2 / operations * 1e4) + 1, 1)
        assert chosen


def test_many_short_runs_are_compiled_once_they_took_as_long(chosen):
    body = LIF().fixed()._body()
    worth = [choice.is_worth(body, int(0.6 / body.size * 1e4), 1) for _ in range(6)]
    assert worth == [False, False, False, True, True, True]
    inexact = AdEx()._body()
    assert not any(choice.is_worth(inexact, int(0.5 / inexact.size * 1e4), 1) for _ in range(9))


def test_without_numba_numpy_runs_and_the_message_names_the_extra(monkeypatch):
    monkeypatch.setattr(choice, "is_installed", lambda: False)
    monkeypatch.setattr("scneuro.engine.kernel.is_installed", lambda: False)
    fixed = LIF().fixed()
    assert not choice.is_worth(fixed._body(), 10**9, 1)
    with pytest.raises(ScneuroError, match=r"needs numba, which is not installed") as caught:
        fixed.run(np.zeros(5), engine="compiled")
    assert 'pip install "scneuro[fast]"' in caught.value.hint


def test_an_unknown_engine_is_refused():
    with pytest.raises(ValueError, match="engine must be one of auto, numpy, compiled, not 'gpu'"):
        LIF().run(np.zeros(3), engine="gpu")
