"""NumPy forms besides arithmetic: float, the graph and the integers compute what NumPy does."""

import numpy as np
import pytest
from checks import check_one_step

from scneuro import Input, Neuron, ScneuroError, State, UpdateError
from scneuro.compiler.graph import Graph

WEIGHTS = np.array([0.5, -0.25])
FORMS = {
    "select": lambda V, w: np.select([V > 2, w > 1, V > 0], [w, -0.5, 2 * V], 0.25),
    "select without a default": lambda V, w: np.select([V > 2], [w]),
    "piecewise": lambda V, w: w * np.piecewise(V, [V < 0, V >= 2], [np.tanh, 2.0]),
    "piecewise with an else": lambda V, w: np.piecewise(
        V, [V < -1, V > 1], [-1.0, lambda x: 1 + x / 8, lambda x: x]
    ),
    "piecewise, overlapping": lambda V, w: np.piecewise(V, [V < 2, V < 0], [1.0, 3.0]),
    "interp": lambda V, w: np.interp(V, [-2.0, 0.0, 1.0], [0.5, -0.5, 2.0]),
    "interp beyond": lambda V, w: np.interp(V, (0.0, 1.0), (0.0, 0.5), left=0.0, right=0.5) * w,
    "interp of a sum": lambda V, w: np.interp(V - w, np.linspace(-4, 4, 9), np.arange(9) ** 2 / 32),
    "heaviside": lambda V, w: np.heaviside(V - w, 0.5) * w,
    "heaviside of a value": lambda V, w: np.heaviside(V, w),
    "sign": lambda V, w: np.sign(V - 1) * w,
    "remainder": lambda V, w: (V + w) % 1.5,
    "np.mod": lambda V, w: np.mod(V, 2),
    "np.remainder": lambda V, w: w * np.remainder(np.clip(3 * V, -2.0, 5.0), 1.0),
    "whole quotient": lambda V, w: (V + 0.01) // 1.5,
    "floor": lambda V, w: np.floor(2 * V + 0.3) / 4,
    "ceil": lambda V, w: np.ceil(V - 0.3) / 4,
    "sum of a list": lambda V, w: np.sum([V, w, V * w / 4], axis=0),
    "sum of an array": lambda V, w: np.array([V, w]).sum(axis=0),
    "mean": lambda V, w: np.mean([V, w], axis=0),
    "product": lambda V, w: np.prod([V, w / 4], axis=0),
    "matrix product": lambda V, w: WEIGHTS @ np.array([V, w]),
    "matrix product of a list": lambda V, w: WEIGHTS @ [V, w],
    "dot": lambda V, w: np.dot(WEIGHTS, [V, w]),
    "a function of a list": lambda V, w: WEIGHTS @ np.tanh(np.array([V, w])),
    "polynomial": lambda V, w: np.polyval([0.125, 0.0, -0.5, 1.0], V) + w,
    "cube root": lambda V, w: np.cbrt(V + 8.5),
    "power": lambda V, w: (V + 4.5) ** 1.3 / 8,
    "sinc": lambda V, w: np.sinc(V / 2),
    "astype": lambda V, w: w.astype(float) + (V > 1).astype(float),
    "astype of a condition": lambda V, w: w * (V > 1).astype(int),
    "exclusive or": lambda V, w: np.where((V > 1) ^ (w > 0), V, w),
    "zeros like": lambda V, w: np.where(V > 1, np.zeros_like(V), w) + np.ones_like(V) / 4,
    "full like": lambda V, w: np.full_like(V, 0.25) * w,
    "copy": lambda V, w: V.copy() + np.copy(w),
}


class Form(Neuron):
    V = State(range=(-4.0, 4.0))
    w = State(range=(-3.0, 3.0))
    I = Input(range=(-2.0, 2.0))
    currents = (1.0,)
    form = None

    def update(self, V, w, I):
        return V >= 3.0, 0.5 * type(self).form(V, w), 0.5 * w + I


def neuron(name):
    return type("Formed", (Form,), {"form": staticmethod(FORMS[name])})()


@pytest.mark.parametrize("name", FORMS)
def test_float_on_arrays_and_the_graph_are_what_numpy_computes_on_numbers(name):
    rng = np.random.default_rng(0)
    V, w = rng.uniform(-4, 4, 400), rng.uniform(-3, 3, 400)
    V[:40] = np.arange(-20, 20) / 5  # some where branches meet
    w[20:60] = V[20:60]
    V, w = np.clip(V, -4, 4), np.clip(w, -3, 3)
    made = neuron(name)
    expected = [0.5 * FORMS[name](np.float64(a), np.float64(b)) for a, b in zip(V, w, strict=True)]
    _, found, _ = made.update(V, w, np.zeros(400))
    np.testing.assert_allclose(np.broadcast_to(found, 400), expected, rtol=1e-12, atol=1e-12)
    (graph,) = Graph.evaluate(made.graph[1:2], {"V": V, "w": w, "I": 0.0})
    np.testing.assert_allclose(np.broadcast_to(graph, 400), expected, rtol=1e-12, atol=1e-12)
    run = made.run(np.ones((5, 2)))
    alone = made.run(np.ones(5))
    assert np.array_equal(run.V[:, 0], alone.V)


@pytest.mark.parametrize("name", FORMS)
def test_a_step_in_integers_is_within_its_bound(name):
    made = neuron(name)
    assert check_one_step(made) > 0.9
    bounds = made.fixed().lowered.bounds
    assert all(bound <= 1 / 256 for bound in bounds.values())


ACROSS = {
    "a sum over all": lambda V, w: np.sum([V, w]),
    "a mean of one": lambda V, w: np.mean(V) + w,
    "the running sum": lambda V, w: np.cumsum(V) + w,
    "the largest": lambda V, w: np.max(V) + w,
}


@pytest.mark.parametrize("name", ACROSS)
def test_what_adds_up_across_neurons_is_refused_on_several(name):
    made = type("Across", (Form,), {"form": staticmethod(ACROSS[name])})()
    with pytest.raises(UpdateError, match="not on 3 neurons what it is on each") as caught:
        made.run(np.ones((5, 2)))
    assert "axis=0" in caught.value.hint
    assert __file__ in caught.value.message


def test_what_works_on_several_neurons_alone_is_refused():
    made = type("Sorting", (Form,), {"form": staticmethod(lambda V, w: np.sort(V) + w)})()
    with pytest.raises(UpdateError, match="AxisError"):
        made.run(np.ones((5, 2)))


def test_a_state_set_within_update_is_refused():
    class Setting(Form):
        def update(self, V, w, I):
            self.V = V + 1
            return V >= 3.0, V, w

    with pytest.raises(Exception, match=r"update\(\) cannot set V itself") as caught:
        Setting().fixed()
    assert "return the next value" in str(caught.value)


def test_the_interval_of_a_remainder_comes_from_the_declared_ranges():
    class Phase(Neuron):
        theta = State(range=(0.0, 6.5))
        I = Input(range=(-8.0, 8.0))
        currents = (1.0,)

        def update(self, theta, I):
            turned = theta + self.dt * (I + 1 - np.cos(theta))
            return turned >= 2 * np.pi, np.mod(turned, 2 * np.pi)

    made = Phase()
    beyond = np.full(20_000, 50.0)  # float goes further than the range: no period is missing there
    with np.errstate(all="ignore"):
        theta = made.run(beyond).theta
    assert np.all((theta >= 0) & (theta < 2 * np.pi))
    with pytest.raises(ScneuroError, match="a remainder has no compiled form"):
        made.run(beyond, engine="compiled")
    assert check_one_step(made) > 0.9
    current = np.full(2000, 1.5)
    assert made.run(current).spikes == made.fixed().run(current).spikes > 10
