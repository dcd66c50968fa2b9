"""Where a neuron works: the values its states take in float, under its own currents."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from .neuron import Neuron

__all__ = ["working_range"]

_STEPS = 4_000
_MARGIN = 0.5  # of what was visited, added at either end
_INPUT = 2.0  # times the largest of the neuron's currents


def working_range(neuron: Neuron) -> dict[str, tuple[float, float]]:
    """The interval of every state and input without a range of its own, by a float run.

    The neuron runs for 4,000 steps on each of its ``currents`` and on none; what its states visit,
    and half as much again on either side, is where it works. The first input may go to twice the
    largest current, others to twice their default or as far as the first.

    Returns
    -------
    dict of str to (float, float)
        Empty if the float model does not stay finite.
    """
    twin = neuron.fresh()
    names = list(twin.input_defaults)
    currents = np.array([0.0, *map(float, np.ravel(neuron.currents))])
    most = float(np.max(np.abs(currents))) or 1.0
    given = {names[0]: np.tile(currents, (_STEPS, 1))}
    with np.errstate(all="ignore"):
        recording = twin.run(progress=False, **given)
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
    for name in names:
        declared = neuron._inputs[name]
        if declared.range is None:
            size = min(_INPUT * max(most if name == names[0] else 0.0, abs(declared.default)), 127.0)
            size = size or _INPUT * most
            found[name] = (-size, size)
    return found
