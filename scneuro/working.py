"""Where a neuron works: the values its states take in float, under its own currents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from .words import Q8_8

if TYPE_CHECKING:
    from .neuron import Neuron

__all__ = ["working_range"]

_STEPS = 4_000
_MARGIN = 0.5  # of what was visited, added at either end
_INPUT = 2.0  # times the largest value an input was held at


def working_range(neuron: Neuron) -> dict[str, tuple[float, float]]:
    """The interval of every state and input without a range of its own, by a float run.

    The neuron runs for 4,000 steps on each of its ``currents`` and on none; what its states visit,
    and half as much again on either side, is where it works. An input may go twice as far.

    Returns
    -------
    dict of str to (float, float)
        Empty if the float model does not stay finite.
    """
    twin = neuron.spec.make()
    given = _currents(neuron)
    runs = {name: np.tile(values, (_STEPS, 1)) for name, values in given.items()}
    with np.errstate(all="ignore"):
        recording = twin.run(progress=False, **runs)
    found: dict[str, tuple[float, float]] = {}
    for name, state in twin.state_variables.items():
        if state.range is not None:
            continue
        word = state.format
        values = recording.states[name]
        finite = np.all(np.isfinite(values), axis=0)
        if not finite.any():
            return {}
        start = twin.initial[name]
        low = min(float(values[:, finite].min()), start)
        high = max(float(values[:, finite].max()), start)
        margin = max(_MARGIN * (high - low), 64 * word.lsb)
        low, high = max(low - margin, word.least), min(high + margin, word.greatest)
        found[name] = (low, high) if low < high else (word.least, word.greatest)
    for name, values in given.items():
        if neuron._inputs[name].range is None:
            size = min(_INPUT * float(np.max(np.abs(values))), Q8_8.greatest)
            found[name] = (-size, size)
    return found


def _currents(neuron: Neuron) -> dict[str, np.ndarray]:
    """What each input is held at, run by run.

    The first goes through the neuron's ``currents`` and 0, with the others at their defaults; then
    every other input in turn goes as far, with the first at its least and its greatest.
    """
    first, *others = neuron.input_defaults
    currents = [0.0, *map(float, np.ravel(neuron.currents))]
    rows = [{first: current} for current in currents]
    for name in others:
        usual = abs(neuron.input_defaults[name]) or max(map(abs, currents)) or 1.0
        rows += [{first: end, name: usual} for end in (min(currents), max(currents))]
    filled = [{**neuron.input_defaults, **row} for row in rows]
    result = {name: np.array([row[name] for row in filled]) for name in neuron.input_defaults}
    if not np.any(result[first]):
        result[first][0] = 1.0
    return result
