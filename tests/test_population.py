"""Populations: many neurons of one kind, in float, in integers and in gates."""

import copy
import pickle
import re
from unittest.mock import patch

import numpy as np
import pytest
from checks import few, nightly
from systems import finite_systems

from scneuro import (
    LIF,
    AdEx,
    ConductanceLIF,
    EscapeLIF,
    Input,
    Izhikevich,
    Neuron,
    NoisyLIF,
    Population,
    ScneuroError,
    State,
)
from scneuro.hdl import Form
from scneuro.hdl.population import Population as Gates
from scneuro.sim import population_parity, run_population
from scneuro.sim.compare.bits import compare_bits
from scneuro.sim.contracts.population import PopulationContract

CURRENTS = np.array([0.0, 10.0, 20.0, 30.0, 40.0])


# -- float and integers ---------------------------------------------------------------------------
@pytest.mark.parametrize("make", [lambda p: p, lambda p: p.fixed()], ids=["float", "fixed"])
def test_a_population_is_so_many_neurons(make):
    held = np.broadcast_to(CURRENTS, (600, 5))
    together = make(Population(LIF(), 5)).run(held, progress=False)
    for k in range(5):
        alone = make(LIF()).run(held[:, k], progress=False)
        assert np.array_equal(together.spike[:, k], alone.spike)
        assert np.array_equal(together.V[:, k], alone.V)
    assert together.spikes[-1] > together.spikes[1]


def test_parameters_and_initial_states_are_each_neurons_own():
    a, V = np.linspace(0.02, 0.1, 6), np.linspace(-70.0, -55.0, 6)
    population = Population(Izhikevich(), 6, parameters={"a": a}, init={"V": V})
    held = np.full(2_000, 10.0)
    runs = population.run(held, progress=False), population.fixed().run(held, progress=False)
    for k in range(6):
        single = Izhikevich(a=float(a[k]))
        single.set_initial(V=float(V[k]))
        alone = single.run(held, progress=False)
        assert np.array_equal(runs[0].spike[:, k], alone.spike)
        assert runs[1].spikes[k] == alone.spikes
    assert len(set(runs[0].spikes)) > 3
    assert population.state_names == ("V", "u")


def test_a_state_that_starts_by_a_parameter_starts_by_each_neurons_own():
    b = np.array([0.2, 0.25])
    population = Population(Izhikevich(), 2, parameters={"b": b})
    assert population.u.tolist() == [Izhikevich(b=float(x)).u for x in b]


def test_a_population_steps_resets_and_goes_on():
    population = Population(AdEx(), 3).fixed()
    first = [population.step(500.0 / 256) for _ in range(5)]
    population.reset()
    again = [population.step(np.full(3, 500.0 / 256)) for _ in range(5)]
    assert all(np.array_equal(x[1], y[1]) for x, y in zip(first, again, strict=True))
    population.write("V", -60.0)
    assert population.V.tolist() == [-60.0] * 3
    assert len(population) == 3


def test_a_population_pickles_and_copies():
    made = Population(
        Izhikevich(), 4, lanes=2, interval=3, parameters={"a": [0.02, 0.03, 0.04, 0.1]}
    )
    for twin in (pickle.loads(pickle.dumps(made)), copy.deepcopy(made)):
        assert (twin.count, twin.lanes, twin.interval) == (4, 2, 3)
        held = np.full(300, 10.0)
        assert np.array_equal(twin.run(held, progress=False).V, made.run(held, progress=False).V)


class Prepared(Neuron):
    """Computes its decay on construction, where no population sees it."""

    tau: float = 10.0
    V = State()
    I = Input()

    def __init__(self, *values, **parameters):
        super().__init__(*values, **parameters)
        self.decay = np.exp(-self.dt / self.tau)

    def update(self, V, I):
        V = self.decay * V + (1 - self.decay) * I
        return V >= 1.0, np.where(V >= 1.0, 0.0, V)


class Unused(Neuron):
    """Has a parameter that nothing needs."""

    idle: float = 1.0
    V = State()
    I = Input()

    def update(self, V, I):
        return V >= 1.0, np.where(V >= 1.0, 0.0, V + 0.1 * (I - V))


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Population(LIF, 3), TypeError, r"LIF is its class: write LIF\(\)"),
        (lambda: Population(LIF(), 0), ValueError, "neurons must be at least 1, not 0"),
        (lambda: Population(LIF(), 2.5), TypeError, "neurons must be a whole number, not 2.5"),
        (lambda: Population(LIF(), True), TypeError, "must be a whole number"),
        (lambda: Population(LIF(), 6, lanes=3), ValueError, "lanes must be a power of two, not 3"),
        (lambda: Population(LIF(), 2, lanes=4), ValueError, "4 lanes for 2 neurons"),
        (lambda: Population(LIF(), 2, interval=17), ValueError, "interval must be 1 to 16 clocks"),
        (lambda: Population(LIF(), 2, init={"X": 1}), TypeError, "no state 'X'; it has V"),
        (lambda: Population(LIF(), 2, init={"V": [1, 2, 3]}), ValueError, r"shape \(3,\)"),
        (lambda: Population(LIF(), 2, init={"V": np.nan}), ValueError, "must be finite"),
        (lambda: Population(LIF(), 2, parameters={"tau": 1}), TypeError, "no parameter 'tau'"),
        (lambda: Population(LIF(), 2, parameters={"dt": 1}), TypeError, "no parameter 'dt'"),
        (
            lambda: Population(LIF(), 2, parameters={"tau_m": [1.0, -1.0]}),
            ValueError,
            "tau_m > 0 must hold, but neuron 1 has tau_m = -1",
        ),
        (
            lambda: Population(Izhikevich(), 2, parameters={"a": [0.1, np.inf]}),
            ValueError,
            "must be finite",
        ),
        (
            lambda: Population(Prepared(), 2, parameters={"tau": [5.0, 10.0]}),
            ScneuroError,
            "what is computed from a parameter on construction",
        ),
        (
            lambda: Population(Unused(), 2, parameters={"idle": [1.0, 2.0]}),
            ScneuroError,
            "does not use idle",
        ),
        (
            lambda: Population(LIF(), 3).run(np.ones((5, 2))),
            ValueError,
            r"\(5, 2\), and there are 3",
        ),
        (lambda: Population(LIF(), 3).step([1.0, 2.0]), ValueError, r"\(2,\), and there are 3"),
        (lambda: population_parity(LIF()), TypeError, "takes a population, not LIF"),
        (
            lambda: Gates(Population(NoisyLIF(), 5, lanes=2).fixed()),
            ScneuroError,
            "take a multiple of 2 neurons",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, error, words):
    with pytest.raises(error) as raised:
        make()
    hint = getattr(raised.value, "hint", "") or ""
    assert re.search(words, f"{raised.value} {hint}")


# -- gates ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("neuron", [LIF(), NoisyLIF(), ConductanceLIF()], ids=lambda n: n.name)
@pytest.mark.parametrize(
    ("count", "lanes", "interval", "stall"),
    few(
        [(1, 1, 1, 0), (2, 1, 3, 1), (3, 1, 1, 1), (5, 1, 16, 0), (8, 4, 2, 1), (40, 2, 1, 1)],
        lambda case: case[0] in (1, 3, 8),
    ),
)
def test_gates_are_the_integers_bit_for_bit(neuron, count, lanes, interval, stall):
    population = Population(neuron, count, lanes=lanes, interval=interval)
    rng = np.random.default_rng(count)
    most = 3 * max(neuron.currents)
    drive = rng.uniform(0, most, (12, count))
    found = population_parity(population, drive, engine="amaranth", stall=stall, progress=False)
    assert found.bit_exact, found.first
    assert found.neurons == count


@pytest.mark.parametrize(("count", "lanes", "interval"), [(1, 1, 2), (7, 1, 2), (6, 2, 5)])
def test_states_in_memories_of_one_port_are_the_integers(count, lanes, interval):
    """They start by a sweep: the bitstream does not fill them."""
    population = Population(LIF(), count, lanes=lanes, interval=interval)
    form = Form(interval=interval, stored=True, single=True)
    drive = np.random.default_rng(1).uniform(0, 100, (15, count))
    found = population_parity(population, drive, form=form, engine="amaranth", progress=False)
    assert found.bit_exact, found.first
    assert found.spikes["fixed"] > 0


def test_neurons_that_start_apart_do_not_go_to_memories_of_one_port():
    fixed = Population(LIF(), 3, interval=2, init={"V": [-60.0, -65.0, -70.0]}).fixed()
    with pytest.raises(ScneuroError, match="starts all neurons alike"):
        Gates(fixed, Form(interval=2, stored=True, single=True))


def test_lanes_that_are_not_full_say_nothing_of_neurons_there_are_not():
    drive = np.full((30, 5), 100.0)
    population = Population(LIF(), 5, lanes=4)
    found = population_parity(population, drive, engine="amaranth", progress=False)
    assert found.bit_exact
    assert found.spikes["fixed"] > 20


def test_inputs_that_come_in_parts_and_in_any_order_add_up():
    population = Population(LIF(), 6)
    fixed = population.fixed()
    rng = np.random.default_rng(3)
    parts = rng.integers(-300, 900, (4, 3, 6))  # steps, parts, neurons
    order = np.array([rng.permutation(18) for _ in range(4)])

    class InParts(PopulationContract):
        def words(self, given, begin):
            split = [super(InParts, self).words({"I": parts[:, k]}, 0)[0] for k in range(3)]
            whole = np.concatenate([part.reshape(4, 6, -1) for part in split], axis=1)
            whole = np.take_along_axis(whole, order[:, :, None], axis=1)
            return whole.reshape(4 * 18, -1), 18 * (1 + np.arange(4))

    contract = InParts(Gates(fixed, None), fixed)
    found = compare_bits(contract, {"I": parts.sum(axis=1)}, engine="amaranth")
    assert (found.differing, found.first) == (0, None)
    assert len(np.unique(found.integers.run.after["V"])) > 4


class Stale(Gates):
    """A population whose rows enter the next step before they are written."""

    @property
    def _overlaps(self):
        return True


class Rotated(Gates):
    """A population in which every neuron starts where the one before it should."""

    def elaborate(self, platform):
        turned = {n: np.roll(v, 1) for n, v in self._fixed.initial.items()}
        with patch.dict(self._fixed.initial, turned):
            return super().elaborate(platform)


@pytest.mark.parametrize(("kind", "count"), [(Stale, 3), (Rotated, 7)])
def test_broken_gates_are_caught(kind, count):
    population = Population(AdEx(), count, init={"V": np.linspace(-80, -60, count)})
    fixed = population.fixed()
    gates = kind(fixed, Form(stored=True))
    drive = np.random.default_rng(0).uniform(0, 3, (8, count))
    found = population_parity(
        population, drive, fixed=fixed, gates=gates, engine="amaranth", progress=False
    )
    assert not found.bit_exact
    assert not found.ok
    assert found.first["model"] != found.first["hardware"]
    assert "FAIL" in str(found)


@pytest.mark.slow
@pytest.mark.usefixtures("quick_to_compile")
def test_the_compiled_gates_run_as_the_integers():
    population = Population(EscapeLIF(), 12, lanes=2)
    fixed = population.fixed()
    drive = np.broadcast_to(np.linspace(0, 60, 12), (200, 12))
    gates = run_population(fixed, I=drive, progress=False)
    integers = fixed.run(I=drive, progress=False)
    assert np.array_equal(gates.spike, integers.spike)
    assert np.array_equal(gates.V, integers.V)
    assert gates.spike.any()


@pytest.mark.usefixtures("quick_to_compile")
def test_parity_of_a_population_says_what_was_judged():
    found = population_parity(Population(Izhikevich(), 20), steps=600, progress=False)
    assert found.ok
    text = str(found)
    assert "20 of 20 neurons have float's count" in text
    assert "updates a clock" in text
    figures = found.figures()
    assert figures["neurons"] == 20
    assert figures["step_error_lsb"]["max"] <= figures["step_error_lsb"]["bound"]
    assert {c["what"] for c in figures["verdict"]} >= {"difference in spikes"}


class Map(Neuron):
    """Its V is made of the input alone: nothing reads it."""

    V = State()
    w = State()
    I = Input()
    currents = (1.0,)

    def update(self, V, w, I):
        return w >= 1.0, 0.5 * I, np.where(w >= 1.0, 0.0, w + 0.1 * I)


def test_a_state_that_nothing_reads_is_seen_all_the_same():
    found = population_parity(
        Population(Map(), 5, lanes=2), np.full((12, 5), 2.0), engine="amaranth", progress=False
    )
    assert found.bit_exact, found.first
    assert found.spikes["fixed"] > 0


@pytest.mark.slow
@pytest.mark.parametrize("count_of_systems", nightly((2, 4), lambda count: count == 2))
def test_populations_of_random_systems_are_the_integers(count_of_systems):
    tried = 0
    for seed, neuron in finite_systems(count_of_systems, first=300):
        rng = np.random.default_rng(seed)
        count = int(rng.integers(1, 70))
        lanes = int(2 ** rng.integers(0, 1 + min(3, int(np.log2(count)))))
        interval = int(rng.integers(1, 17)) if rng.random() < 0.5 else 1
        population = Population(neuron, count, lanes=lanes, interval=interval)
        try:
            fixed = population.fixed()
        except ScneuroError:
            continue
        if fixed.lowered.noise and count % lanes:
            continue
        rams = int(rng.integers(0, 9)) if interval == 1 else 0
        form = Form(interval=interval, stored=True, multipliers=[None, 0][tried % 2], rams=rams)
        most = max(map(abs, neuron.currents))
        drive = {n: rng.uniform(-most, most, (60, count)) for n in neuron.input_defaults}
        found = population_parity(
            population, drive, fixed=fixed, form=form, stall=seed + 1, progress=False
        )
        assert found.bit_exact, (seed, count, lanes, interval, found.first)
        tried += 1
    assert tried >= count_of_systems // 2


# -- what a newcomer met --------------------------------------------------------------------------
class Late(Neuron):
    """Its threshold is made of a parameter on construction, and shows after many steps."""

    g: float = 1.0
    dt: float = 0.1
    V = State()
    I = Input()
    currents = (25.0, 5.0)

    def __init__(self, **parameters):
        super().__init__(**parameters)
        self.threshold = 10 * self.g

    def update(self, V, I):
        V = V + self.dt / 10 * (I * self.g - V)
        spike = self.threshold <= V
        return spike, np.where(spike, 0.0, V)


def test_what_is_derived_from_a_parameter_is_noticed_though_it_shows_late():
    with pytest.raises(ScneuroError, match=r"made with g = .* does another step"):
        Population(Late(), 4, parameters={"g": [0.5, 1.0, 1.4, 2.0]})


@pytest.mark.parametrize("name", few(("C", "V_T", "Delta_T"), "Delta_T".__eq__))
def test_a_parameter_that_is_multiplied_or_divided_by_lowers(name):
    value = AdEx().parameters[name]
    values = value * np.linspace(0.98, 1.02, 4)
    population = Population(AdEx(), 4, parameters={name: values})
    held = np.full(2_000, AdEx().currents[0])
    counts = population.fixed().run(held, progress=False).spikes
    singles = [AdEx(**{name: float(v)}).run(held, progress=False).spikes for v in values]
    assert np.abs(counts - singles).max() <= 1
    assert counts.min() > 0


def test_the_first_state_stays_the_first_though_a_parameter_was_declared_before():
    population = Population(LIF(), 3, parameters={"tau_m": [8.0, 10.0, 12.0]})
    assert population.one.state_names[0] == "V"
    assert population.step(20.0)[1].tolist() == population.V.tolist()
    assert population.fixed().step(20.0)[1] == pytest.approx(population.V, abs=0.01)


def test_neurons_that_rest_elsewhere_start_there():
    assert Population(AdEx(), 2, parameters={"E_L": [-75.0, -65.0]}).V.tolist() == [-75.0, -65.0]


def test_states_are_set_as_attributes_and_nothing_else_is():
    for made in (Population(LIF(), 3), Population(LIF(), 3).fixed()):
        made.V = [-60.0, -61.0, -62.0]
        assert made.run(0.0 * np.ones(1), reset=False, progress=False).V[0, 0] < -60.0
        with pytest.raises(AttributeError, match="lanes cannot be set"):
            made.lanes = 2
        with pytest.raises(AttributeError, match="Vv cannot be set"):
            made.Vv = 1.0
        with pytest.raises(ValueError, match="must be finite"):
            made.V = np.nan
        with pytest.raises(ValueError, match="no state 'zz'"):
            made.write("zz", 1.0)


def test_integers_with_parameters_of_their_own_pickle():
    fixed = Population(Izhikevich(), 3, parameters={"a": [0.02, 0.05, 0.1]}).fixed(budget=2.0)
    again = pickle.loads(pickle.dumps(fixed))
    held = np.full(500, 10.0)
    assert np.array_equal(again.run(held, progress=False).V, fixed.run(held, progress=False).V)


@pytest.mark.parametrize(
    ("make", "error", "words"),
    [
        (lambda: Population(LIF(), 10**9), ValueError, "more than the 10,000,000"),
        (lambda: Population(LIF(), 2, parameters=[1]), TypeError, "a mapping from names"),
        (lambda: Population(LIF(), 2, parameters={1: 1.0}), TypeError, "no parameter 1"),
        (lambda: Population(LIF(), 2, init=np.ones(2)), TypeError, "a mapping from names"),
        (lambda: Gates(LIF().fixed()), TypeError, r"such as population.fixed\(\)"),
        (lambda: population_parity(Population(LIF(), 2), steps=0), ValueError, "at least 1, not 0"),
        (
            lambda: population_parity(Population(LIF(), 2), fixed=Population(LIF(), 3).fixed()),
            ValueError,
            "integers of 3 LIF",
        ),
    ],
)
def test_a_newcomers_mistakes_are_refused(make, error, words):
    with pytest.raises(error, match=words):
        make()
