"""Float from any states, a stretch of steps at a time, its states rounded or not."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from ...compiler.graph import Graph
from ...engine.choice import MANY, is_worth
from ...engine.emit import of_graph
from ...engine.traces import Traces
from ...engine.whole import run_whole
from ...errors import ScneuroError
from ...neuron import Neuron

__all__ = ["Stretch", "stretches"]

#: From states (states, N), inputs and sums of draws by name, (T,) or (T, N), and dither
#: (T, states, N) or None: the spikes (T, N), and the states after each step, (states, T, N).
Stretch = Callable[
    [np.ndarray, Mapping[str, np.ndarray], np.ndarray | None], tuple[np.ndarray, np.ndarray]
]


def stretches(
    neuron: Neuron, steps: int, neurons: int, lsb: Mapping[str, float] | None = None
) -> Stretch:
    """What takes float through a stretch, compiled where that pays.

    Parameters
    ----------
    neuron : Neuron
    steps, neurons : int
        About how many there will be in all.
    lsb : mapping of str to float, optional
        What each state is rounded to multiples of after each step, once its dither is added.
    """
    return _compiled(neuron, steps, neurons, lsb) or _stepped(neuron, lsb)


def _stepped(neuron: Neuron, lsb: Mapping[str, float] | None) -> Stretch:
    """By ``update()``, step by step."""

    def advance(
        start: np.ndarray, given: Mapping[str, np.ndarray], dither: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        rows = [given[n] for n in neuron.input_defaults]
        rows += [noise.scaled(given[n]) for n, noise in neuron.noises.items()]
        count, neurons = len(rows[0]), start.shape[1]
        spike = np.zeros((count, neurons), dtype=bool)
        states = np.empty((len(start), count, neurons))
        values = list(start)
        for t in range(count):
            spike[t], *values = neuron.following(*values, *(row[t] for row in rows))
            if lsb is not None and dither is not None:
                pairs = zip(lsb.values(), values, dither[t], strict=True)
                values = [np.floor(value / x + d) * x for x, value, d in pairs]
            for k, value in enumerate(values):
                states[k, t] = value
            values = list(states[:, t])
        return spike, states

    return advance


def _compiled(
    neuron: Neuron, steps: int, neurons: int, lsb: Mapping[str, float] | None
) -> Stretch | None:
    """As one function, with the rounding in its graph; None where that does not pay."""
    names, inputs = neuron.state_names, (*neuron.input_defaults, *neuron.noises)
    dithers = tuple(f"dither.{n}" for n in lsb or ())
    try:
        spike, *following = neuron.graph
        if lsb is not None:
            graph = Graph()
            for k, (draw, x) in enumerate(zip(dithers, lsb.values(), strict=True)):
                step = graph.node("const", value=x)
                parts = graph.node("div", following[k], step), graph.node("var", value=draw)
                whole = graph.node("call", graph.node("add", *parts), value=np.floor)
                following[k] = graph.node("mul", whole, step)
        body = of_graph(neuron.name, (spike, *following), names, (*inputs, *dithers), {})
    except ScneuroError:
        return None
    if not is_worth(body, steps, neurons):
        return None
    fields = {"spike": bool, **dict.fromkeys(names, float)}

    def advance(
        start: np.ndarray, given: Mapping[str, np.ndarray], dither: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray]:
        drawn = {} if dither is None else {n: dither[:, k] for k, n in enumerate(dithers)}
        shape = len(next(iter(given.values()))), start.shape[1]
        with Traces(neuron.name, shape, fields) as traces:
            run_whole(
                body,
                start,
                (),
                {**given, **drawn},
                traces,
                names,
                steps=shape[0],
                name=neuron.name,
                progress=False,
                many=neurons >= MANY,
            )
        return traces["spike"], np.array([traces[n] for n in names])

    return advance
