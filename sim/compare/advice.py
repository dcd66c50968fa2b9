"""What to change where a bound or a range is not good enough, with numbers from the float run."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping

import numpy as np

from ...compiler.registers import Register
from ...errors import ScneuroError
from ...neuron import Neuron
from ...runner import Recording
from ...words import fitting

__all__ = ["advise", "working_range"]

_MARGIN = 0.25  # of the range that was visited, on both sides
_FIGURES = 4  # limits are multiples of a quarter of the power of two below the range


def working_range(low: float, high: float) -> tuple[float, float]:
    """Limits around a visited range: a quarter of it further on both sides, in round numbers."""
    span = (high - low) or abs(high) or 1.0
    grain = 2.0 ** math.floor(math.log2(span)) / _FIGURES
    return (
        grain * math.floor((low - _MARGIN * span) / grain),
        grain * math.ceil((high + _MARGIN * span) / grain),
    )


def advise(
    neuron: Neuron,
    registers: Mapping[str, Register],
    float_run: Recording,
    *,
    bounds: Mapping[str, tuple[float, float]],
    saturated: Iterable[str],
) -> tuple[str, ...]:
    """Lines of advice, each with the declaration to write.

    Parameters
    ----------
    neuron : Neuron
    registers : mapping of str to Register
    float_run : Recording
    bounds : mapping of str to (float, float)
        The bound of each state that exceeds what it may be, and that, in LSB.
    saturated : iterable of str
        States that were stopped by their limits.
    """
    visited = {
        n: (float(min(np.min(v), neuron.initial[n])), float(max(np.max(v), neuron.initial[n])))
        for n, v in float_run.states.items()
        if np.all(np.isfinite(v))
    }
    lines = [_wider(n, registers[n], *visited[n]) for n in saturated if n in visited]
    if bounds:
        lines += _narrower(neuron, registers, visited, bounds)
    return tuple(lines)


def _wider(name: str, register: Register, low: float, high: float) -> str:
    """The range, and the word if it takes another, that a saturated state needs."""
    limits = working_range(low, high)
    word, held = register.word, f"{name} visits {low:.4g} to {high:.4g} in float"
    if not (word.least <= limits[0] and limits[1] <= word.greatest):
        other = fitting(*limits)
        if other is None:
            return f"{held}, which no 16-bit word holds: scale it"
        return f'{held}: {name} = State(range=({limits[0]:g}, {limits[1]:g}), word="{other}")'
    return f"{held}: {name} = State(range=({limits[0]:g}, {limits[1]:g}))"


def _narrower(
    neuron: Neuron,
    registers: Mapping[str, Register],
    visited: Mapping[str, tuple[float, float]],
    bounds: Mapping[str, tuple[float, float]],
) -> list[str]:
    """Ranges that lower a bound, tried: the neuron is compiled with them."""
    ranges = {}
    for name, (low, high) in visited.items():
        r = registers[name]
        limits = working_range(low, high)
        least, most = max(limits[0], r.to_real(r.least)), min(limits[1], r.to_real(r.most))
        if most - least < r.to_real(r.most) - r.to_real(r.least):
            ranges[name] = (float(least), float(most))
    lowered = _bounds_with(neuron, ranges) if ranges else None
    lines = []
    for name, (bound, most) in bounds.items():
        after = lowered[name] / registers[name].word.lsb if lowered else bound
        line = f"the bound of {name} is {bound:,.4g} LSB and may be {most:.4g}: "
        if after > bound / 2:
            line += "no narrower range helps; write it with smaller products, or in another unit"
            lines.append(line)
            continue
        written = ", ".join(
            f"{n} = State(range=({low:g}, {high:g}))" for n, (low, high) in ranges.items()
        )
        seen = ", ".join(f"{n} visits {visited[n][0]:.4g} to {visited[n][1]:.4g}" for n in ranges)
        lines.append(f"{line}{seen}; {written} makes it {after:.4g}")
    return lines


def _bounds_with(
    neuron: Neuron, ranges: Mapping[str, tuple[float, float]]
) -> dict[str, float] | None:
    """The bounds of the neuron with other ranges; None if it cannot be compiled so."""
    other = copy.copy(neuron)
    states = {n: copy.copy(s) for n, s in neuron.state_variables.items()}
    for name, limits in ranges.items():
        states[name].range = limits
    other.__dict__["state_variables"] = states
    try:
        return other.fixed().lowered.bounds
    except (ScneuroError, ValueError):
        return None
