"""Where a neuron works: the values its states take in float, under its own currents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .words import Q8_8

if TYPE_CHECKING:
    from .neuron import Neuron

__all__ = ["working_range"]

_STEPS = 4_000
_MOST_STEPS = 16_000  # of a state that still reaches further
_STILL = 0.02  # of what was visited: reaching less further than that is none
_MARGIN = 0.5  # of what was visited, added at either end
_MOST = 1.0  # times what was visited: as far as a state may go on
_STRONGER = 1.5  # times the largest current
_INPUT = 1.5  # times the largest value an input was held at


def working_range(neuron: Neuron) -> dict[str, tuple[float, float]]:
    """The interval of every state and input without a range of its own, by a float run.

    The neuron runs for 4,000 steps on each of its ``currents``, on none, on half as much again as
    the largest, and on the largest reversed, as noise and inhibition do; what its states visit, and
    half as much again on either side, is where it works. A state that never changes its sign keeps
    it. One that still reaches further than before runs on, for 16,000 steps at most, and then gets
    as much more as its pace leaves it. An input may go half as far again as it was held at.

    Returns
    -------
    dict of str to (float, float)
        Empty if the float model does not stay finite.
    """
    twin = neuron.spec.make()
    given = _currents(neuron)
    found: dict[str, tuple[float, float]] = {}
    sought = {n: state for n, state in twin.state_variables.items() if state.range is None}
    visited = _visited(twin, given) if sought else {}
    if sought and not visited:
        return {}
    for name, state in sought.items():
        word = state.format
        low, high = visited[name]
        margin = max(_MARGIN * (high - low), 64 * word.lsb)
        ends = low - margin, high + margin
        if low >= 0 or high <= 0:  # a concentration, a gate: it keeps its sign
            ends = (max(ends[0], 0.0), ends[1]) if low >= 0 else (ends[0], min(ends[1], 0.0))
        low, high = max(ends[0], word.least), min(ends[1], word.greatest)
        found[name] = (low, high) if low < high else (word.least, word.greatest)
    for name, values in given.items():
        if neuron._inputs[name].range is None:
            size = min(_INPUT * float(np.max(np.abs(values))), Q8_8.greatest)
            found[name] = (-size, size)
    return found


def _visited(twin: Neuron, given: dict[str, np.ndarray]) -> dict[str, tuple[float, float]]:
    """The least and the greatest value of each state, over the runs that stay finite."""
    names = list(twin.state_variables)
    (columns,) = {len(values) for values in given.values()}
    twin.reset()
    least = np.array([np.full(columns, twin.initial[name]) for name in names])
    most = least.copy()
    steps, reached, before = 0, _STEPS // 2, None
    with np.errstate(all="ignore"):
        while True:
            while steps < reached:
                twin.step(**given)
                now = np.array([twin.read(name) for name in names])
                np.fmin(least, now, out=least)
                np.fmax(most, now, out=most)
                steps += 1
            finite = np.isfinite(now).all(axis=0) & np.isfinite(most - least).all(axis=0)
            if not finite.any():
                return {}
            ends = np.stack([-least[:, finite].min(axis=1), most[:, finite].max(axis=1)])
            size = ends.sum(axis=0)
            further = np.zeros_like(ends) if before is None else ends - before[0]
            still = further > _STILL * size
            if before is not None and not still.any():
                break
            if steps >= _MOST_STEPS:
                pace = further / np.maximum(before[1], 1e-300)  # to what it was in half the time
                with np.errstate(all="ignore"):
                    rest = np.where(pace < 1, further * pace / (1 - pace), np.inf)
                onward = ends + np.where(still, np.minimum(rest, _MOST * size), 0.0)
                ends = np.where(ends <= 0, np.minimum(onward, 0.0), onward)
                break
            before, reached = (ends, further), 2 * steps
    return {n: (-float(ends[0, k]), float(ends[1, k])) for k, n in enumerate(names)}


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
