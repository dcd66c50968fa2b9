"""Where and how a neuron works: what its float model does under its own currents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .compiler.bounds.precision import Working
from .compiler.graph import Graph

if TYPE_CHECKING:
    from .neuron import Neuron

__all__ = ["working"]

_STEPS = 4_000
_EVERY = 20  # steps: one is looked at closely
_SLIGHT = 1e-4  # of what a state visits: a change of it
_MOST_STEPS = 16_000  # of a state that still reaches further
_STILL = 0.02  # of what was visited: reaching less further than that is none
_MARGIN = 0.5  # of what was visited, added at either end
_MOST = 1.0  # times what was visited: as far as a state may go on
_TOWARDS = 0.25  # of what was visited: how near to 0 a state comes that keeps its sign
_STRONGER = 1.5  # times the largest current
_INPUT = 1.5  # times the largest value an input was held at


def working(neuron: Neuron) -> Working:
    """Where and how a neuron works, by a float run.

    The neuron runs for 4,000 steps on each of its ``currents``, on none, on half as much again as
    the largest, and on the largest reversed, as noise and inhibition do; what its states visit, and
    half as much again on either side, is where it works. A state that never changes its sign keeps
    it. One that still reaches further than before runs on, for 16,000 steps at most, and then gets
    as much more as its pace leaves it. An input may go half as far again as it was held at. What
    was given another word, as networks give theirs, works wherever that reaches.

    Returns
    -------
    Working
        Of nothing, if the float model does not stay finite.
    """
    twin = neuron.spec.make()
    given = _currents(neuron)
    run = _Run(twin, given)
    if not run.finite.any():
        return Working()
    ranges: dict[str, tuple[float, float]] = {}
    for name, (low, high) in run.visited.items():
        state = twin.state_variables[name]
        if state.range is not None or name in neuron._words:
            continue
        word = state.format
        margin = max(_MARGIN * (high - low), 64 * word.lsb)
        ends = low - margin, high + margin
        if low >= 0:  # a concentration, a gate: it keeps its sign, and may have a logarithm
            ends = max(ends[0], low * _TOWARDS), ends[1]
        elif high <= 0:
            ends = ends[0], min(ends[1], high * _TOWARDS)
        low, high = max(ends[0], word.least), min(ends[1], word.greatest)
        ranges[name] = (low, high) if low < high else (word.least, word.greatest)
    for name, values in given.items():
        if neuron._inputs[name].range is None and name not in neuron._words:
            size = min(_INPUT * float(np.max(np.abs(values))), neuron._inputs[name].format.greatest)
            ranges[name] = (-size, size)
    return Working(ranges, run.slopes(neuron), run.pace)


class _Run:
    """A float run, column by column: what it visits, and samples of it.

    Attributes
    ----------
    finite : array of bool, shape (columns,)
        The runs that stay finite.
    visited : dict of str to (float, float)
        The least and the greatest value of each state, over those.
    pace : dict of str to float
        By how much each state changes in a step, typically, where it changes least.
    """

    def __init__(self, twin: Neuron, given: dict[str, np.ndarray]) -> None:
        self._names = names = list(twin.state_variables)
        self._given = given
        (columns,) = {len(values) for values in given.values()}
        twin.reset()
        least = most = np.array([np.full(columns, twin.initial[name]) for name in names])
        samples: list[np.ndarray] = []
        changes: list[np.ndarray] = []
        steps, reached = 0, _STEPS // 2
        before: tuple[np.ndarray, np.ndarray] | None = None
        with np.errstate(all="ignore"):
            while True:
                trace = _trace(twin, given, reached - steps)
                least = np.fmin(least, np.fmin.reduce(trace))
                most = np.fmax(most, np.fmax.reduce(trace))
                steps = reached
                last = trace[_EVERY - 2 :: _EVERY]
                samples.append(last)
                changes.append(np.abs(trace[_EVERY - 1 :: _EVERY] - last))
                whole = np.isfinite(most - least).all(axis=0)
                self.finite = np.isfinite(trace[-1]).all(axis=0) & whole
                if not self.finite.any():
                    return
                ends = np.stack(
                    [-least[:, self.finite].min(axis=1), most[:, self.finite].max(axis=1)]
                )
                size = ends.sum(axis=0)
                further = np.zeros_like(ends) if before is None else ends - before[0]
                still = further > _STILL * size
                if before is not None and not still.any():
                    break
                if before is not None and steps >= _MOST_STEPS:
                    ratio = further / np.maximum(before[1], 1e-300)  # to half the time before
                    rest = np.where(ratio < 1, further * ratio / (1 - ratio), np.inf)
                    onward = ends + np.where(still, np.minimum(rest, _MOST * size), 0.0)
                    ends = np.where(ends <= 0, np.minimum(onward, 0.0), onward)
                    break
                before, reached = (ends, further), 2 * steps
        self.visited = {n: (-float(ends[0, k]), float(ends[1, k])) for k, n in enumerate(names)}
        by_state = np.concatenate(samples).swapaxes(0, 1)
        self._samples = np.ascontiguousarray(by_state)  # (states, samples, columns)
        usual = np.median(np.concatenate(changes), axis=0)[:, self.finite]
        usual = np.where(usual > 0, usual, np.inf).min(axis=1)
        self.pace = dict(zip(names, map(float, usual), strict=True))

    def slopes(self, neuron: Neuron) -> dict[str, dict[str, float]]:
        """How a change of a state, by name, changes the next value of each, typically."""
        at = self._samples[:, :, self.finite]
        size = np.array([high - low for low, high in self.visited.values()])
        values = {n: w[self.finite][None, :] for n, w in self._given.items()}
        values |= {n: len(noise.draws) / 2 for n, noise in neuron._noises.items()}
        names = self._names

        def following(points: np.ndarray) -> np.ndarray:
            found = Graph.evaluate(neuron.graph[1:], values | dict(zip(names, points, strict=True)))
            return np.array([np.broadcast_to(f, points.shape[1:]) for f in found])

        here, result = following(at), {}
        for k, name in enumerate(names):
            change = _SLIGHT * (size[k] or 1.0)
            moved = at.copy()
            moved[k] += change
            with np.errstate(all="ignore"):
                slope = np.nanmedian(np.abs(following(moved) - here), axis=(1, 2)) / change
            result[name] = dict(zip(names, map(float, np.nan_to_num(slope)), strict=True))
        return result


def _trace(twin: Neuron, given: dict[str, np.ndarray], steps: int) -> np.ndarray:
    """The states after each of so many steps more, shape (steps, states, columns)."""
    held = [np.broadcast_to(values, (steps, len(values))) for values in given.values()]
    run = twin.run(*held, engine="numpy", reset=False, progress=False)
    return np.stack(list(run.states.values()), axis=1)


def _currents(neuron: Neuron) -> dict[str, np.ndarray]:
    """What each input is held at, run by run.

    The first goes through the neuron's ``currents``, 0, half as much again as the largest, and the
    largest reversed, with the others at their defaults; then every other input in turn goes as far,
    with the first at its least and its greatest.
    """
    first, *others = neuron.input_defaults
    currents = [0.0, *map(float, np.ravel(neuron.currents))]
    largest = max(currents, key=abs)
    currents += [_STRONGER * largest, -largest]
    rows = [{first: current} for current in currents]
    for name in others:
        usual = abs(neuron.input_defaults[name]) or max(map(abs, currents)) or 1.0
        rows += [{first: end, name: usual} for end in (min(currents), max(currents))]
    filled = [{**neuron.input_defaults, **row} for row in rows]
    result = {name: np.array([row[name] for row in filled]) for name in neuron.input_defaults}
    if not np.any(result[first]):
        result[first][0] = 1.0
    return result
