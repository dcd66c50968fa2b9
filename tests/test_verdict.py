"""The verdict of parity: what is right passes, garbage does not, and chaos is told from error."""

import json
from dataclasses import replace

import numpy as np
import pytest
from checks import without_gates
from test_textbook import neuron_of

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, NoisyLIF, State
from scneuro.neurons import builtin, builtins
from scneuro.runner import Recording
from scneuro.signals.spikes import alike, coincidence, lateness, time_errors
from scneuro.signals.stimulus import ornstein_uhlenbeck
from scneuro.sim import Criteria
from scneuro.sim import parity as compare
from scneuro.sim.compare import parity as module
from scneuro.sim.compare.advice import working_range
from scneuro.sim.compare.verdict import _when_late

STEPS = 5000


@pytest.fixture
def parity(monkeypatch):
    """Parity without the gates, which are not what is tested here."""
    monkeypatch.setattr(module, "compare_bits", without_gates)

    def check(neuron, stimulus=None, **options):
        if stimulus is not None and np.ndim(stimulus) == 0:
            stimulus = np.full(options.pop("steps", STEPS), stimulus)
        return compare(neuron, stimulus, progress=False, **options)

    return check


def failed(result):
    return {c.what.partition(",")[0] for c in result.verdict if c.ok is False}


def with_lowered(fixed, **changes):
    """The integer model with figures of its lowered form, each by state, set to others."""
    known = {name: {**getattr(fixed.lowered, name), **new} for name, new in changes.items()}
    fixed.lowered = replace(fixed.lowered, **known)


def unjudged(result):
    return {c.what.partition(",")[0] for c in result.verdict if c.ok is None}


# -- what is right passes -------------------------------------------------------------------------
def of_every_kind():
    for name in builtins():
        kind = builtin(name)
        yield pytest.param(kind(), id=name, marks=[pytest.mark.slow] * (name == "hodgkin_huxley"))
        for preset in kind.presets:
            marks = pytest.mark.slow, pytest.mark.nightly
            yield pytest.param(kind.preset(preset), id=f"{name}-{preset}", marks=marks)


@pytest.mark.parametrize("neuron", list(of_every_kind()))
def test_a_built_in_neuron_passes(parity, neuron):
    result = parity(neuron, steps=1000)
    assert result.ok, str(result)
    assert "FAIL" not in str(result)


@pytest.mark.slow
@pytest.mark.parametrize("neuron", list(of_every_kind()))
def test_a_built_in_neuron_passes_at_each_of_its_currents(parity, neuron):
    fixed = neuron.fixed()
    for current in neuron.currents:
        result = parity(neuron, current, fixed=fixed, steps=10_000)
        assert result.ok, str(result)
    for seed in (1, 2):
        noise = ornstein_uhlenbeck(
            neuron.currents[0],
            abs(neuron.currents[0]) / 2,
            20,
            dt=neuron.dt,
            steps=10_000,
            seed=seed,
        )
        result = parity(neuron, noise, fixed=fixed)
        assert result.ok, str(result)


def test_a_chaotic_neuron_is_called_so_and_passes(parity):
    result = parity(AdEx.preset("irregular"), steps=STEPS)
    assert result.chaotic
    assert result.ok, str(result)
    assert min(a.coincidence for a in result.rounded_alike) < 0.5  # float's own
    (line,) = [x for x in str(result).splitlines() if x.startswith("  chaotic")]
    assert "pass" not in line
    assert result.figures()["chaotic"] is True
    assert result.figures()["reference"]["least_coincidence"] < 0.5


def test_a_limit_below_chance_judges_nothing_and_is_not_said_to(parity):
    rounded = tuple(np.sort(np.random.default_rng(0).permutation(5000)[:36]) for _ in range(8))
    result = parity(LIF(), steps=STEPS)
    result = replace(result, rounded=replace(result.rounded, spikes=rounded))
    assert result.chaotic
    assert "coincidence without the drift" in unjudged(result)
    assert "hardly more than by chance" in str(result)


class Logistic(Neuron):
    """A map that is chaotic, and never spikes."""

    v = State(init=0.3)
    I = Input()

    def update(self, v, I):
        return v > 2, 3.9 * v * (1 - v) + I


def test_a_silent_neuron_that_is_chaotic_is_judged_by_what_rounding_does_to_it(parity):
    result = parity(Logistic(), 0.0, steps=1000)
    assert result.chaotic
    assert result.ok, str(result)
    assert "rounding alone costs float its time course here" in str(result)
    assert result.state_rms["v"] > 0.1  # they have nothing in common any more
    assert failed(with_fixed(result, v=result.fixed_run["v"] + 1)) == {"rms of v between spikes"}
    coarse = parity(Logistic(), 0.0, steps=10, fixed=Logistic().fixed(guard=0))
    assert not coarse.chaotic  # not yet, so nothing is excused
    assert failed(coarse) == {"rms of v between spikes"}


def test_an_interval_that_rounding_alone_moves_is_judged_by_that(parity):
    """Where the threshold is hardly reached, any rounding decides about several steps."""
    gif = neuron_of("gif")
    result = parity(gif, 0.15)
    assert np.sum(~result.between.agree(1, 0.01, 0)) > 1
    assert result.ok, str(result)
    between = result.between
    assert np.all(between.rounding[np.abs(between.error) <= 1] == 0)
    further = replace(between, error=3 * between.error)
    assert failed(replace(result, between=further)) == {"intervals that disagree"}


def test_a_regular_neuron_is_not_called_chaotic(parity):
    for neuron in (LIF(), AdEx(), NoisyLIF()):
        assert not parity(neuron, steps=2000).chaotic


def test_rounded_float_draws_the_same_noise(parity):
    result = parity(NoisyLIF(), steps=3000, fixed=NoisyLIF().fixed(seed=77))
    assert result.ok, str(result)
    for spikes in result.rounded.spikes:
        assert np.array_equal(spikes, result.float_run.spike_steps)


# -- garbage does not -----------------------------------------------------------------------------
class FitzHughNagumo(Neuron):
    """The textbook neuron, in the words one gets without asking."""

    dt: float = 0.1
    v = State()
    w = State()
    I = Input()
    currents = (0.5,)

    def update(self, v, w, I):
        v_next = v + self.dt * (v - v**3 / 3 - w + I)
        w_next = w + self.dt * 0.08 * (v + 0.7 - 0.8 * w)
        return (v < 1.0) & (v_next >= 1.0), v_next, w_next


class Ranged(FitzHughNagumo):
    v = State(range=(-3, 3))
    w = State(range=(-0.75, 2))


def test_a_cubic_in_plain_words_fails_if_its_integers_are_bad(parity):
    """Without guard bits they are, however good the compiler has become."""
    neuron = FitzHughNagumo()
    result = parity(neuron, fixed=neuron.fixed(guard=0), steps=STEPS)
    assert not result.traces_agree
    assert not result.chaotic  # its registers are coarse, and float is not
    assert {"coincidence without the drift", "intervals that disagree"} <= failed(result)


def test_a_bound_beyond_its_budget_fails_and_names_the_cure(parity):
    neuron = FitzHughNagumo()
    fixed = neuron.fixed()
    with_lowered(fixed, bounds={"v": 2424 / 256})
    result = parity(neuron, fixed=fixed, steps=3000)
    assert "bound of v" in failed(result)
    assert not result.within_bound
    (line,) = [x for x in str(result).splitlines() if x.startswith("  advice")]
    assert "v visits -1." in line
    assert "v = State(range=(-3, 3))" in line
    assert parity(Ranged(), steps=3000).ok


def test_a_budget_of_the_compiler_is_the_limit(parity):
    fixed = AdEx().fixed()
    bound = fixed.lowered.bounds["V"] * 256
    with_lowered(fixed, budgets={"V": 0.9 * bound / 256, "w": 0.5 / 256})
    result = parity(AdEx(), fixed=fixed, steps=300)
    assert failed(result) == {"bound of V"}
    assert result.budgets == {"V": 0.9 * bound, "w": 0.5}
    assert parity(AdEx(), steps=300).budgets == {"V": 1.0, "w": 0.25}  # w is slow
    wide = AdEx().fixed(budget=8)
    assert parity(AdEx(), fixed=wide, steps=300).budgets == {"V": 8.0, "w": 2.0}


FAULTS = [
    (LIF, 2.5, {"tau_m": 10.2}, "intervals that disagree"),
    (LIF, 4.0, {"R": 10.1}, "drift"),
    (LIF, 2.1, {"V_th": -50 + 16 / 256}, "intervals that disagree"),
    (LIF, 4.0, {"V_reset": -64.5}, "rms of V between spikes"),
    (AdEx, 1.0, {"b": 0.08211}, "drift"),
    (AdEx, 1.0, {"C": 286.62}, "intervals that disagree"),
    (NoisyLIF, 1.8, {"sigma": 4.08}, "intervals that disagree"),
]


@pytest.mark.parametrize(("kind", "current", "wrong", "by"), FAULTS)
def test_integers_of_a_slightly_different_neuron_fail(parity, kind, current, wrong, by):
    result = parity(kind(), current, fixed=kind(**wrong).fixed())
    assert result.within_bound  # each step is right, by the other neuron's equations
    assert not result.traces_agree
    assert by in failed(result)


CHAOTIC_FAULTS = [
    (AdEx, "irregular", {"g_L": 12.12}),
    (AdEx, "irregular", {"b": 0.0306}),
    (Izhikevich, "CH", {"d": 2.04}),
]


@pytest.mark.parametrize(("kind", "preset", "wrong"), CHAOTIC_FAULTS)
def test_chaos_excuses_no_error(parity, kind, preset, wrong):
    neuron = kind.preset(preset)
    current = 20.0 if preset == "CH" else neuron.currents[0]
    result = parity(neuron, current, fixed=kind.preset(preset, **wrong).fixed())
    assert result.chaotic
    assert "intervals that disagree" in failed(result)


NOT_SEEN = [
    (LIF, 2.5, {"V_th": -50 + 1 / 256}),  # an LSB of threshold
    (LIF, 4.0, {"tau_m": 10.05}),  # half a percent: every interval is 56 steps in both
]


@pytest.mark.parametrize(("kind", "current", "wrong"), NOT_SEEN)
def test_what_a_step_of_time_cannot_tell_is_not_seen(parity, kind, current, wrong):
    """Level 3 is no substitute for level 2, which sees each of these in its first step."""
    assert parity(kind(), current, fixed=kind(**wrong).fixed(), steps=3000).traces_agree


# -- figures that are wrong in themselves ---------------------------------------------------------
@pytest.fixture
def sound(parity):
    return parity(LIF(), steps=5000)


def with_fixed(result, *, spike=None, **states):
    old = result.fixed_run
    states = states or old.states
    run = Recording(old.dt, old.spike if spike is None else spike, states, old.inputs)
    return replace(result, fixed_run=run)


def test_a_step_more_in_every_interval_is_a_drift_and_no_failure(sound):
    times = np.rint(sound.float_run.spike_steps * 1.007).astype(int)
    spike = np.isin(np.arange(5000), times)
    result = with_fixed(sound, spike=spike)
    assert result.coincidence < 0.9  # the trains part ...
    assert result.alike.coincidence > 0.95  # ... and at a steady rate
    assert result.alike.drift == pytest.approx(0.007, abs=5e-4)
    assert result.ok, str(result)
    assert not result.chaotic
    (line,) = [x for x in str(result).splitlines() if x.startswith("  drift")]
    assert "coincidence 0." in line


def test_spikes_that_come_late_fail(sound):
    assert sound.ok
    for late in (30, 60):  # 3 and 6 ms
        result = with_fixed(sound, spike=np.roll(sound.fixed_run.spike, late))
        assert not result.ok
        assert "coincidence without the drift" in failed(result)


def test_spikes_at_random_times_fail(sound):
    spike = np.random.default_rng(0).permutation(sound.fixed_run.spike)
    assert "coincidence without the drift" in failed(with_fixed(sound, spike=spike))


def test_a_clock_that_runs_two_percent_fast_fails(sound):
    spike = np.zeros_like(sound.fixed_run.spike)
    spike[(sound.fixed_run.spike_steps * 0.985).astype(int)] = True
    assert failed(with_fixed(sound, spike=spike)) == {"drift"}


def test_a_missing_spike_is_tolerated_and_two_are_not(sound):
    spike = sound.fixed_run.spike.copy()
    spike[sound.fixed_run.spike_steps[-1]] = False
    assert with_fixed(sound, spike=spike).ok
    spike[sound.fixed_run.spike_steps[-2]] = False
    assert "difference in spikes" in failed(with_fixed(sound, spike=spike))


def test_an_rms_of_any_size_fails(sound):
    for V in (np.full(5000, 1e18), sound.fixed_run.V + 12.0):
        result = with_fixed(sound, V=V)
        assert failed(result) == {"rms of V"}
        assert "trace  FAIL  rms of the run" in str(result)


def test_states_that_are_off_fail_though_every_spike_is_right(sound):
    """A state may be off by all that it moves and still be within two of its deviations."""
    off = sound.float_run.V.std() / 3
    assert failed(with_fixed(sound, V=sound.fixed_run.V + off)) == {"rms of V"}


def test_states_are_as_late_as_their_spikes(sound):
    old = sound.fixed_run
    late = with_fixed(sound, spike=np.roll(old.spike, 3), V=np.roll(old.V, 3))
    assert late.state_rms["V"] > sound.float_run.V.std() / 4
    assert late.ok, str(late)
    assert failed(with_fixed(sound, V=np.roll(old.V, 3))) == {"rms of V"}


def test_a_short_transient_is_no_range_to_be_judged_by(parity):
    """Of what only the start moves, 1 % is much of what the rest does."""
    result = parity(LIF(V_th=100.0), np.tile([1.5, 1.4], 1000).repeat(2))
    far = result.float_run.V.copy()
    far[:5] -= 40
    run = replace(result.float_run, states={"V": far})
    moved = far.copy()
    moved[5:] += 0.4
    result = replace(result, float_run=run)
    assert not failed(with_fixed(result, V=far))
    assert failed(with_fixed(result, V=moved)) == {"rms of V between spikes"}


class Runaway(Neuron):
    """Grows without limit, past what a float holds."""

    dt: float = 1.0
    v = State(init=1.0)
    I = Input()

    def update(self, v, I):
        return v < -1e6, v + v * 0.1 + v * v * 1e-4 + I


def test_a_float_model_that_is_not_finite_fails_at_its_first_step(parity):
    result = parity(Runaway(), steps=200)
    first = result.not_finite["v"]
    assert np.isfinite(result.float_run.v[:first]).all()
    assert not np.isfinite(result.float_run.v[first])
    assert f"trace  FAIL  float is not finite: v from step {first:,}" in str(result)
    text = json.dumps(result.figures(), allow_nan=False)
    assert json.loads(text)["rms"] is None
    assert json.loads(text)["not_finite"] == {"v": first}


def test_a_bound_that_is_not_finite_fails_and_stays_json(parity):
    for bound in (np.nan, np.inf):
        fixed = LIF().fixed()
        with_lowered(fixed, bounds={"V": bound})
        result = parity(LIF(), steps=300, fixed=fixed)
        assert not result.within_bound
        json.dumps(result.figures(), allow_nan=False)


class Tight(Neuron):
    """Leaky, and on its way to 12."""

    dt: float = 0.1
    v = State(range=(-10, 10))
    I = Input()
    currents = (12.0,)

    def update(self, v, I):
        v = v + self.dt / 10 * (I - v)
        return v >= 100, v


def test_a_state_that_saturates_is_said_with_the_range_it_needs(parity):
    result = parity(Tight(), steps=2000)
    assert not result.ok
    assert result.saturated["v"] > 1000
    text = str(result)
    assert f"v stopped by its limits in {result.saturated['v']:,} of 2,000 steps" in text
    assert "v visits 0 to 12 in float: v = State(range=(-4, 16))" in text


def test_a_state_that_rests_at_its_limit_is_not_saturated(parity):
    assert not parity(LIF.preset("refractory"), steps=2000).saturated


def test_an_input_at_the_end_of_its_word_is_counted(parity):
    assert parity(LIF(), np.full(50, 127.99609375)).saturated["I"] == 50


def test_working_ranges_are_round_and_leave_room():
    assert working_range(-2.1, 2.0) == (-4, 4)
    assert working_range(0.0, 0.37) == (-0.125, 0.5)
    low, high = working_range(5.0, 5.0)
    assert low < 5.0 < high


# -- what is not judged ---------------------------------------------------------------------------
def test_a_silent_neuron_is_judged_by_rms_alone_and_said_to_be(parity):
    result = parity(LIF(), 0.5, steps=1000)
    assert result.ok
    assert {"coincidence without the drift", "drift"} <= unjudged(result)
    assert "silent, so judged by rms alone" in str(result)
    other = parity(LIF(), 0.5, steps=1000, fixed=LIF(R=12.0).fixed())
    assert failed(other) == {"rms of V between spikes"}


def test_few_spikes_have_no_coincidence(parity):
    result = parity(AdEx(), 0.6, steps=2000)
    assert result.ok
    assert "coincidence without the drift" in unjudged(result)
    assert "not judged     coincidence without the drift 1: fewer than 5 spikes" in str(result)


def test_pass_stands_only_beside_what_was_judged(parity):
    for neuron, current in ((LIF(), 0.5), (AdEx(), 0.6), (AdEx.preset("irregular"), 0.16)):
        result = parity(neuron, current, steps=2000)
        for line in str(result).splitlines()[1:]:
            judged = line.split()[0] in ("bit", "step", "trace")
            assert judged == ("pass" in line or "FAIL" in line), line
            if judged and "coincidence" in line:
                assert "coincidence without the drift" not in unjudged(result)


def test_the_verdict_is_in_the_figures(parity):
    figures = parity(LIF(), steps=1000).figures()
    rows = {row["what"]: row for row in figures["verdict"]}
    assert rows["difference in spikes"] == {
        "level": "trace",
        "what": "difference in spikes",
        "figure": 0.0,
        "limit": 1.0,
        "ok": True,
        "note": "",
    }
    assert figures["ok"] == all(row["ok"] is not False for row in rows.values())
    assert figures["criteria"]["coincidence"] == 0.8
    assert figures["reference"]["spikes"] == [7] * 8


# -- other criteria -------------------------------------------------------------------------------
def test_other_criteria_need_a_reason_which_is_printed(parity):
    with pytest.raises(ValueError, match="criteria: drift differs from the default; say why"):
        parity(LIF(), steps=100, criteria=Criteria(drift=0.1))
    fixed = LIF(R=10.1).fixed()
    assert not parity(LIF(), 4.0, fixed=fixed).ok
    loose = Criteria(drift=0.05, count=5)
    result = parity(LIF(), 4.0, fixed=fixed, criteria=loose, because="R is known to 1 %")
    assert result.ok, str(result)
    assert "criteria       drift 0.05 instead of 0.01, because R is known to 1 %" in str(result)
    assert result.figures()["because"] == "R is known to 1 %"
    assert result.figures()["criteria"]["count"] == 5


def test_a_tolerance_is_the_count_s(parity):
    result = parity(LIF(), steps=1000, tolerance=3)
    assert result.tolerance == 3
    assert "count 3, because a tolerance was asked for" in str(result)


# -- spike trains ---------------------------------------------------------------------------------
def test_trains_of_a_slow_clock_are_alike_but_for_a_drift():
    reference = np.arange(100, 10_000, 100)
    found = alike(reference, np.rint(reference * 1.007).astype(int), steps=10_100, window=20)
    assert found.drift == pytest.approx(0.007, abs=2e-4)
    assert found.coincidence == pytest.approx(1.0)
    assert found.near < 1
    assert (
        coincidence(reference, np.rint(reference * 1.007).astype(int), steps=10_100, window=20) < 1
    )


def test_no_drift_is_taken_out_where_there_is_none():
    train = np.sort(np.random.default_rng(1).choice(10_000, 50, replace=False))
    found = alike(train, train, steps=10_000, window=20)
    assert (found.drift, found.mean, found.count) == (0.0, 0.0, 0)


def test_a_window_that_chance_fills_is_none():
    assert alike(np.arange(0, 999, 3), np.arange(0, 999, 3), steps=999, window=2).window == 0


def test_steps_are_as_late_as_the_spikes_around_them():
    here = np.array([3, 6, 9])
    late = lateness(here, np.array([3, 7, 9]), steps=12)
    assert late.tolist() == [0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    assert lateness(here[:2], here, steps=12)[7:].tolist() == [3] * 5  # one is missing at the end
    assert not lateness(here, here, steps=12).any()


def test_what_is_late_is_compared_with_the_furthest_value_nearby():
    rng = np.random.default_rng(0)
    values, late = rng.standard_normal(200).cumsum(), rng.choice([0, 1, 3, 7, 15], 200)
    near = [values[max(0, t - d) : t + d + 1] for t, d in enumerate(late)]
    expected = [np.max(np.abs(n - v)) for n, v in zip(near, values, strict=True)]
    assert np.allclose(_when_late(values, late), expected)


def test_nearest_spikes_are_found_without_a_matrix():
    reference, other = np.array([10, 50, 90]), np.array([12, 47])
    assert time_errors(reference, other).tolist() == [2, 3, 43]
    many = np.arange(200_000)
    assert time_errors(many, many[1:]).max() == 1
