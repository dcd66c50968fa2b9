"""Lowering: how many bits, which coefficients, and refusals that have the numbers."""

import math

import numpy as np
import pytest
from checks import check_one_step

from scneuro import LIF, AdEx, Input, Izhikevich, LoweringError, Neuron, State
from scneuro.compiler.datapath import ARRAYS, INTEGERS
from scneuro.sim.compare.vectors import random_vectors

BUILT_IN = [LIF, AdEx, Izhikevich]


# -- guard bits -----------------------------------------------------------------------------------
def test_lif_needs_no_more_than_the_eight_usual_guard_bits():
    V = LIF().fixed().lowered.registers["V"]
    assert (V.guard, V.width, V.note) == (8, 24, "")


def test_the_slow_state_of_adex_gets_ten_guard_bits_and_a_note_why():
    w = AdEx().fixed().lowered.registers["w"]
    assert (w.guard, w.width) == (10, 26)
    assert "0.000694" in w.note
    assert "8 guard bits would leave a dead zone of 2.8 LSB, so it has 10" in w.note


@pytest.mark.parametrize("tau_m", [10.0, 25.0, 51.0, 52.0, 100.0, 1000.0, 10000.0])
def test_guard_bits_keep_the_dead_zone_within_an_lsb(tau_m):
    neuron = LIF(tau_m=tau_m)
    guard = neuron.fixed().lowered.registers["V"].guard
    lost = neuron.dt / tau_m
    assert 0.5 * 2.0**-guard / lost <= 1.0
    assert guard == 8 or 0.5 * 2.0 ** -(guard - 1) / lost > 1.0


class Decay(Neuron):
    tau: float = 1000.0
    V = State(init=100.0)
    I = Input()

    def update(self, V, I):
        return V >= 120.0, V - self.dt / self.tau * V


def test_a_slow_decay_does_not_stick_above_an_lsb():
    neuron = Decay()
    steps = int(12 * neuron.tau / neuron.dt)  # e**-12 of 100 is well below an LSB
    fixed = neuron.fixed()
    value = fixed.registers["V"]
    evaluate = fixed.lowered.path.evaluator(fixed.lowered.path.outputs, INTEGERS)
    for _ in range(steps):
        new = int(evaluate({"V": value, "I": 0})["V"])
        if new == value:
            break
        value = new
    assert value <= 1 << fixed.lowered.registers["V"].guard


def test_guard_bits_can_be_given_per_neuron_and_per_state():
    class Own(Decay):
        V = State(init=100.0, guard=3)

    assert Decay().fixed(guard=5).lowered.registers["V"].guard == 5
    assert Own().fixed(guard=5).lowered.registers["V"].guard == 3
    assert Own().fixed().lowered.registers["V"].width == 19


# -- refusals -------------------------------------------------------------------------------------
def test_an_initial_value_outside_the_word_is_refused():
    message = r"LIF: V starts at -200, outside its range -128 to 127\.996.*State\(word=.Q9\.7"
    with pytest.raises(LoweringError, match=message.replace(".*", "(?s:.*)")):
        LIF(E_L=-200.0).fixed()


def test_a_reset_outside_the_range_is_refused():
    with pytest.raises(LoweringError, match=r"LIF: V is set to -150, outside its range -128 to"):
        LIF(V_reset=-150.0).fixed()


def test_a_reset_outside_a_range_of_its_own_is_refused():
    class Narrow(LIF):
        V = State(init="E_L", range=(-80.0, -40.0))

    assert Narrow().fixed().lowered.registers["V"].least == -80 * 2**16
    with pytest.raises(LoweringError, match="V is set to -90, outside its range -80 to -40"):
        Narrow(V_reset=-90.0).fixed()


@pytest.mark.parametrize("limits", [(-200.0, 0.0), (0.0, 129.0)])
def test_a_range_that_does_not_fit_the_word_is_refused(limits):
    class Wide(LIF):
        V = State(init=5.0, range=limits)

    with pytest.raises(LoweringError, match=f"range of V, {limits[0]:g} to {limits[1]:g}, does"):
        Wide().fixed()


class Function(Neuron):
    """V' = V / 2 + f(V, w, I)."""

    V = State()
    w = State()
    I = Input()

    def update(self, V, w, I):
        return V >= 100.0, 0.5 * V + self.function(V, w, I), 0.9 * w + 0.05 * I


def test_a_logarithm_undefined_at_a_reachable_word_is_refused():
    class Log(Function):
        def function(self, V, w, I):
            return np.log(V)

    with pytest.raises(LoweringError, match=r"log\(V\) is nan where V = -128, which can occur"):
        Log().fixed()


def test_a_logarithm_that_is_bounded_is_accepted():
    class Log(Function):
        def function(self, V, w, I):
            return np.log(np.maximum(V, 0.5))

    assert Log().fixed().lowered.tables[0].error < 2.0**-8


class Everywhere(Function):
    """The same, wherever its states and its input are."""

    V = State(range=(-127.0, 127.0))
    w = State(range=(-127.0, 127.0))
    I = Input(range=(-127.0, 127.0))


def test_an_argument_that_may_be_wide_has_a_word_where_the_neuron_works():
    class Wide(Function):
        def function(self, V, w, I):
            return np.tanh(V**4 - w**4)

    lowered = Wide().fixed().lowered
    assert set(lowered.working) == {"V", "w"}
    assert lowered.bounds["V"] <= lowered.budgets["V"]
    assert check_one_step(Wide()) > 0.95


def test_an_argument_too_wide_for_its_table_is_refused_with_the_error_of_its_word():
    class Wide(Everywhere):
        def function(self, V, w, I):
            return np.tanh(V**4 - w**4)

    message = r"V may be off by .* LSB, .*most of it, .* LSB, is tanh\(\(V\*\*4 - w\*\*4\)\)"
    with pytest.raises(LoweringError, match=message):
        Wide().fixed()


def test_a_value_too_large_for_any_word_is_refused_with_its_size():
    class Wide(Everywhere):
        def function(self, V, w, I):
            return np.tanh(V**12 - w**12)

    with pytest.raises(
        LoweringError, match=r"(power_12\(.\) reaches \d.*e\+24|no table of power_12)"
    ):
        Wide().fixed()


def test_a_coefficient_too_small_to_matter_is_dropped_and_said():
    class Small(Function):
        def function(self, V, w, I):
            return 1.5e-20 * I

    lowered = Small().fixed().lowered
    assert lowered.notes == ("1.5e-20 of I is too little for any state to notice, and is lost",)
    assert 1.5e-20 * 128 < lowered.bounds["V"] <= lowered.budgets["V"]
    assert check_one_step(Small()) > 0.95


@pytest.mark.parametrize("base", [Function, Everywhere])
def test_a_factor_wider_than_a_word_is_counted_more_coarsely(base):
    class Wide(base):
        def function(self, V, w, I):
            return I + 1e-6 * V**4 * I

    lowered = Wide().fixed().lowered
    assert lowered.bounds["V"] <= lowered.budgets["V"]
    assert check_one_step(Wide()) > 0.95


def test_more_than_24_guard_bits_are_refused_with_the_reason():
    message = r"LIF: V would need 2\d guard bits, and 0 to 24 are possible.* loses 1e-09 of itself"
    with pytest.raises(LoweringError, match=message):
        LIF(tau_m=1e8).fixed()


def test_guard_bits_of_a_state_are_checked_too():
    with pytest.raises(ValueError, match=r"State\(guard=30\) must be a whole number, 0 to 24"):
        State(init="E_L", guard=30)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"rounding": "up"}, "rounding must be one of nearest, floor, stochastic, not 'up'"),
        ({"guard": -1}, "guard must be 0 to 24 bits, not -1"),
        ({"guard": 25}, "guard must be 0 to 24 bits, not 25"),
        ({"table_error": 0.0}, r"table_error must be positive, not 0\.0"),
        ({"table_error": float("nan")}, "table_error must be positive, not nan"),
    ],
)
def test_an_option_out_of_range_is_refused(options, message):
    with pytest.raises(ValueError, match=message):
        LIF().fixed(**options)


# -- coefficients ---------------------------------------------------------------------------------
@pytest.mark.parametrize("model", BUILT_IN)
def test_every_coefficient_of_a_built_in_neuron_is_exact_to_16_bits(model):
    lowered = model().fixed().lowered
    assert lowered.coefficients
    for c in lowered.coefficients:
        assert abs(c.used - c.exact) <= 2.0**-16 * abs(c.exact), c


@pytest.mark.parametrize("C", [281.0, 150.0, 60.0, 333.3])
def test_the_capacitance_of_adex_keeps_16_bits(C):
    (c,) = [c for c in AdEx(C=C).fixed().lowered.coefficients if c.of == "I"]
    assert c.exact == pytest.approx(0.1 / C * 1e3)
    assert abs(c.used / c.exact - 1) <= 2.0**-16


@pytest.mark.parametrize("dt", [0.1, 0.25, 0.01])
def test_the_square_of_izhikevich_keeps_16_bits(dt):
    (c,) = [c for c in Izhikevich(dt=dt).fixed().lowered.coefficients if c.of == "V**2"]
    assert c.exact == pytest.approx(0.04 * dt)
    assert abs(c.used / c.exact - 1) <= 2.0**-16


# -- intervals ------------------------------------------------------------------------------------
@pytest.mark.parametrize("rounding", ["nearest", "floor", "stochastic"])
@pytest.mark.parametrize("model", BUILT_IN)
def test_no_node_leaves_its_interval(model, rounding):
    fixed = model().fixed(rounding=rounding)
    path = fixed.lowered.path
    nodes = path.reachable((*path.outputs.values(), *fixed.lowered.words.values()))
    vectors = random_vectors(fixed, 20_000)
    values = path.evaluator({str(n.index): n for n in nodes}, ARRAYS)(vectors)
    for node in nodes:
        value = np.asarray(values[str(node.index)]).astype(np.int64)
        assert node.low <= value.min(), f"{node.name} ({node.op}) goes below {node.low}"
        assert value.max() <= node.high, f"{node.name} ({node.op}) goes above {node.high}"


@pytest.mark.parametrize("model", BUILT_IN)
def test_what_is_written_is_what_a_register_can_hold(model):
    lowered = model().fixed().lowered
    for name, r in lowered.registers.items():
        node = lowered.path.outputs[name]
        assert r.least <= r.low <= node.low <= node.high <= r.high <= r.most
        assert -(2 ** (r.width - 1)) <= r.least
        assert r.most < 2 ** (r.width - 1)
        assert r.low <= r.init <= r.high


def test_a_state_is_read_as_its_nearest_word():
    r = LIF().fixed().lowered.registers["V"]
    values = np.arange(r.low, r.low + 2**16)
    expected = [math.floor(v / 256 + 0.5) for v in values.tolist()]
    assert r.to_word(values).tolist() == expected
    assert int(r.to_word(2**23 - 1)) == 2**15 - 1
