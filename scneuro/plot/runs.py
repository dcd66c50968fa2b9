"""What a figure shows: a neuron under a stimulus in float and in integers, and their names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ..neuron import Neuron
from ..runner import Recording
from .page import amount, symbol

__all__ = ["both", "called", "count", "described", "held", "stimuli", "words"]

_MOST = 3  # changed parameters that a title lists


def count(neuron: Neuron, steps: int | None, duration: float) -> int:
    """The number of steps: those asked for, or ``duration`` in ms."""
    if steps is not None and steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    return round(duration / neuron.dt) if steps is None else steps


def held(neuron: Neuron, current: float | None) -> float:
    """The Q8.8 word nearest to a current, by default the neuron's first typical one."""
    name = next(iter(neuron.input_defaults))
    chosen = neuron.currents[0] if current is None else current
    return float(neuron.carried(name, chosen))


def stimuli(neuron: Neuron, stimulus: Any, steps: int) -> dict[str, np.ndarray]:
    """The inputs that are given, by name, as Q8.8 words; None is a pulse.

    A number is held for the length of the arrays, or for ``steps`` where there is none.
    """
    first, *_ = neuron.input_defaults
    given = dict(stimulus) if isinstance(stimulus, Mapping) else {first: stimulus}
    arrays = [np.shape(v) for v in given.values() if v is not None and np.ndim(v)]
    if not arrays:
        arrays = [(steps,)]
        given = {n: v if v is None else np.full(steps, v) for n, v in given.items()}
    for name, values in given.items():
        if values is None:
            given[name] = _pulse(neuron, name, arrays[0][0])
    return words(neuron, given)


def words(neuron: Neuron, given: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """Values of inputs, by name, as the Q8.8 words nearest to them."""
    return {name: neuron.carried(name, v) for name, v in given.items()}


def _pulse(neuron: Neuron, name: str, steps: int) -> np.ndarray:
    """The first typical current over the middle four fifths."""
    pulse = np.full(steps, neuron.input_defaults[name])
    pulse[steps // 10 : -(steps // 10) or None] = neuron.currents[0]
    return pulse


def both(neuron: Neuron, inputs: Mapping[str, Any], **options: Any) -> dict[str, Recording]:
    """A run in float and one in integers, by label; both draw the same noise."""
    return {
        "float": neuron.run(**inputs, **options),
        "integers": neuron.fixed().run(**inputs, **options),
    }


def called(neuron: Neuron) -> str:
    """The neuron's name, its preset and what was changed of either's parameters."""
    cls, preset = type(neuron), neuron.spec.preset
    usual = (cls() if preset is None else cls.preset(preset)).parameters
    changed = [f"{symbol(n)} = {v:g}" for n, v in neuron.parameters.items() if v != usual[n]]
    shown = ", ".join(changed[:_MOST]) + (", ..." if len(changed) > _MOST else "")
    name = (preset or "").replace("_", " ")
    return " ".join(filter(None, [neuron.name, name, shown and f"({shown})"]))


def described(neuron: Neuron, inputs: Mapping[str, np.ndarray]) -> str:
    """The stimulus in words; inputs that were not given are at their default."""
    told = []
    for name, values in inputs.items():
        low, high = float(np.min(values)), float(np.max(values))
        most = amount(high, neuron.units[name])
        if low == high:
            told.append(f"{symbol(name)} = {most}")
        elif set(np.unique(values)) == {low, high}:
            told.append(f"{symbol(name)} stepping between {low:.3g} and {most}")
        else:
            told.append(f"{symbol(name)} varying between {low:.3g} and {most}")
    return ", ".join(told)
