"""Updates as large as people write them: they lower, and grow no faster than their source."""

import itertools
import sys

import numpy as np
import pytest
from checks import check_one_step, few, visited

from scneuro import Input, Neuron, State
from scneuro.compiler.algebra.canonical import Canonical
from scneuro.compiler.algebra.terms import behind
from scneuro.compiler.datapath import ARRAYS
from scneuro.sim.compare.vectors import random_vectors

LIMIT = sys.getrecursionlimit()


class Nested(Neuron):
    """A function of V, ``n`` times of itself."""

    n: float = 1.0
    V = State(init=0.1, range=(-100, 100))
    I = Input()
    currents = (1.0, 2.0)

    def update(self, V, I):
        x = self.start(V, I)
        for k in range(int(self.n)):
            x = self.inner(x, V, k)
        return V >= 50.0, 0.9 * V + 0.1 * x + 0.1 * I

    def start(self, V, I):
        return V


class Folded(Nested):
    def inner(self, x, V, k):
        return np.abs(x - (k % 7 + 1.0))


class Clipped(Nested):
    def inner(self, x, V, k):
        return np.clip(x + 0.5, -10.0 - k, 10.0 + k)


class Chosen(Nested):
    """By what is no part of it."""

    def start(self, V, I):
        return I

    def inner(self, x, V, k):
        return np.where(2.0 * k - 20 < V, x + 1, 0.5 * x + 0.1 * V)


class ChosenByItself(Nested):
    """Every comparison is one of a choice."""

    def inner(self, x, V, k):
        return np.where(x > 2.0 * k - 20, 0.5 * x, x + 1)


class ChosenOfItself(Nested):
    """Both branches are choices."""

    def inner(self, x, V, k):
        return np.where(2.0 * k - 20 < V, np.where(x > 1, x - 1, 0.3 * x), x + 0.5)


class SubSteps(Neuron):
    """Izhikevich's, a step of 0.1 ms in ``n`` sub-steps."""

    n: float = 1.0
    V = State(init=-65.0)
    u = State(init=-13.0)
    I = Input()
    currents = (10.0, 15.0)

    def update(self, V, u, I):
        h = self.dt / self.n
        for _ in range(int(self.n)):
            V = V + h * (0.04 * V * V + 5 * V + 140 - u + I)
            u = u + h * 0.02 * (0.2 * V - u)
        spike = V >= 30
        return spike, np.where(spike, -65.0, V), np.where(spike, u + 8.0, u)


class LimitedSubSteps(SubSteps):
    """Of 1 ms, each limited."""

    dt: float = 1.0

    def update(self, V, u, I):
        h = self.dt / self.n
        for _ in range(int(self.n)):
            V = np.clip(V + h * (0.04 * V * V + 5 * V + 140 - u + I), -100.0, 30.0)
        u = u + self.dt * 0.02 * (0.2 * V - u)
        spike = V >= 30
        return spike, np.where(spike, -65.0, V), np.where(spike, u + 8.0, u)


class Linear(Neuron):
    """Two linear equations in ``n`` sub-steps."""

    n: float = 1.0
    V = State()
    w = State()
    I = Input()
    currents = (10.0, 15.0)

    def update(self, V, w, I):
        h = self.dt / self.n
        for _ in range(int(self.n)):
            V, w = V + h * (I - V - w), w + h * (0.2 * V - w)
        spike = V >= 5
        return spike, np.where(spike, 0.0, V), w


# what a step may be off by is no matter here, but how much there is to compute
FREE = 2.0**20
NESTED = [Folded, Clipped, Chosen, ChosenByItself, ChosenOfItself]
EVERY = [*((kind, 10) for kind in NESTED), (SubSteps, 5), (LimitedSubSteps, 5), (Linear, 100)]


def nodes(neuron, **options):
    return len(neuron.fixed(**options).lowered.path.reachable())


@pytest.mark.parametrize(("kind", "n"), EVERY)
def test_twice_as_much_source_is_at_most_about_twice_as_much_to_compute(kind, n):
    few, many = (nodes(kind(n=float(k)), budget=FREE) for k in (n, 2 * n))
    assert many <= 2.5 * few
    assert sys.getrecursionlimit() == LIMIT


@pytest.mark.parametrize("kind", few(NESTED, lambda kind: kind is not ChosenOfItself))
def test_functions_nested_20_deep_are_within_their_bounds(kind):
    neuron = kind(n=20.0)
    lowered = neuron.fixed().lowered
    assert lowered.bounds["V"] <= lowered.budgets["V"]
    assert check_one_step(neuron, 5000) > 0.8


@pytest.mark.parametrize("kind", few(NESTED, lambda kind: kind is not ChosenByItself))
def test_the_canonical_form_of_nested_functions_grows_with_their_depth(kind):
    """Seen before anything limits it: one more level once was twice as much."""
    sizes = []
    for n in (25, 50, 100):
        spike, value = kind(n=float(n)).graph
        canonical = Canonical((spike, value))
        sizes.append(len(behind([canonical.sum(value)])))
    assert sizes[1] <= 2.5 * sizes[0]
    assert sizes[2] <= 2.5 * sizes[1]


@pytest.mark.parametrize(
    ("kind", "n"),
    few(
        itertools.product((SubSteps, LimitedSubSteps), (1, 2)),
        lambda case: case != (LimitedSubSteps, 2),
    ),
)
def test_two_sub_steps_are_within_a_budget_of_one(kind, n):
    neuron = kind(n=float(n))
    lowered = neuron.fixed().lowered
    assert all(lowered.bounds[s] <= lowered.budgets[s] for s in "Vu")
    assert check_one_step(neuron, 5000) > 0.9
    current = np.tile([10.0, 15.0], (3000, 1))
    a, b = (r.run(current, progress=False).spikes for r in (neuron, neuron.fixed()))
    assert a.tolist() == b.tolist()
    assert a.min() > 3


@pytest.mark.parametrize(
    ("kind", "n"),
    few(
        [(SubSteps, 5), (SubSteps, 20), (LimitedSubSteps, 5), (LimitedSubSteps, 20)],
        lambda case: case != (LimitedSubSteps, 20),
    ),
)
def test_many_sub_steps_that_are_short_or_limited_are_within_a_budget_of_one(kind, n):
    neuron = kind(n=float(n))
    lowered = neuron.fixed().lowered
    assert all(lowered.bounds[s] <= lowered.budgets[s] for s in "Vu")
    assert check_one_step(neuron, 5000) > 0.9


@pytest.mark.slow
@pytest.mark.parametrize("n", [30, 100])
def test_up_to_a_hundred_sub_steps_of_izhikevich_are_within_a_budget_of_one(n):
    neuron = SubSteps(n=float(n))
    lowered = neuron.fixed().lowered
    assert all(lowered.bounds[s] <= lowered.budgets[s] for s in "Vu")
    assert nodes(neuron) <= 2.5 * nodes(SubSteps(n=n / 2))
    assert check_one_step(neuron, 2000) > 0.9
    assert sys.getrecursionlimit() == LIMIT


def test_400_linear_sub_steps_are_one_linear_step():
    few, many = Linear(n=10.0), Linear(n=400.0)
    assert nodes(many) <= nodes(few) + 4
    assert check_one_step(many) > 0.9
    lowered = many.fixed().lowered
    assert all(lowered.bounds[s] <= lowered.budgets[s] for s in "Vw")


@pytest.mark.parametrize(
    ("kind", "n"), [*((kind, 12) for kind in NESTED), (LimitedSubSteps, 5), (SubSteps, 5)]
)
def test_no_node_leaves_the_interval_that_its_limits_give_it(kind, n):
    fixed = kind(n=float(n)).fixed()
    path = fixed.lowered.path
    nodes = path.reachable((*path.outputs.values(), *fixed.lowered.words.values()))
    evaluate = path.evaluator({str(node.index): node for node in nodes}, ARRAYS)
    for vectors in (random_vectors(fixed, 20_000), visited(fixed, 300)):
        values = evaluate(vectors)
        for node in nodes:
            value = np.asarray(values[str(node.index)]).astype(np.int64)
            assert node.low <= value.min(), f"{node.name} ({node.op}) goes below {node.low}"
            assert value.max() <= node.high, f"{node.name} ({node.op}) goes above {node.high}"
