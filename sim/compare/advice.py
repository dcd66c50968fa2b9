"""What to change where a bound or a range is not good enough, with numbers from the float run."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterable, Mapping

import numpy as np

from ...compiler.bounds.registers import Register
from ...compiler.lowered import Lowered
from ...compiler.table import Table
from ...errors import ScneuroError
from ...fixed import FixedNeuron
from ...neuron import Neuron
from ...runner import Recording
from ...words import fitting

__all__ = ["advise", "cautions", "coarse_tables", "working_range"]

_MARGIN = 0.25  # of the range that was visited, on both sides
_STEPS = 1_000  # of the runs that tell where a neuron saturates
_COARSE = 0.25  # of a table's range: an error that large rivals it
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
    visited = _visited(neuron, float_run)
    lines = [_wider(n, registers[n], *visited[n]) for n in saturated if n in visited]
    if bounds:
        lines += _narrower(neuron, registers, visited, bounds)
    return tuple(lines)


def _visited(neuron: Neuron, float_run: Recording) -> dict[str, tuple[float, float]]:
    return {
        n: (float(min(np.min(v), neuron.initial[n])), float(max(np.max(v), neuron.initial[n])))
        for n, v in float_run.states.items()
        if np.all(np.isfinite(v))
    }


def cautions(neuron: Neuron, fixed: FixedNeuron) -> tuple[str, ...]:
    """What to know of a neuron before it is used, a line each, with the declaration that helps.

    A bound of more than an LSB, a table that is off by as much as it says, and what saturates in a
    run of 1,000 steps on each of the neuron's ``currents``.
    """
    lowered = fixed.lowered
    first, *_ = neuron.input_defaults
    word = lowered.input_words[first]
    ends = (word.least, word.greatest)
    given = np.tile(np.clip(np.asarray(neuron.currents, dtype=float), *ends), (_STEPS, 1))
    twin = neuron.spec.make()
    with np.errstate(all="ignore"):
        float_run = twin.run(**{first: given}, progress=False)
    saturated = twin.fixed().run(**{first: given}, progress=False).saturated
    beyond = [r.name for r in lowered.registers.values() if _beyond(r, float_run.states[r.name])]
    lines = list(
        advise(
            neuron,
            lowered.registers,
            float_run,
            bounds={},
            saturated=[n for n in beyond if n in saturated],
        )
    )
    if first in saturated:
        limits = [round(end * word.lsb, 3) for end in lowered.input_limits[first]]
        low, high = working_range(float(given.min()), float(given.max()))
        lines.append(
            f"{first} is held at {given.min():g} to {given.max():g} and is limited to "
            f"{limits[0]:g} to {limits[1]:g}: {first} = Input(range=({low:g}, {high:g}))"
        )
    bounds = {n: lowered.bounds[n] / r.word.lsb for n, r in lowered.registers.items()}
    coarse = {n: bound for n, bound in bounds.items() if bound > 1}
    if coarse:
        ranges = _narrower_ranges(lowered.registers, _visited(neuron, float_run))
        other = _with(neuron, ranges)
        for name, bound in coarse.items():
            line = f"a step of {name} may be off by {bound:.3g} LSB, as its budget allows"
            after = other.bounds[name] / lowered.registers[name].word.lsb if other else bound
            if after <= bound / 2:
                line += f"; {_declared(ranges)} makes it {after:.3g}"
            lines.append(line)
    return (*lines, *coarse_tables(neuron, lowered, float_run))


def coarse_tables(neuron: Neuron, lowered: Lowered, float_run: Recording) -> tuple[str, ...]:
    """A line for each table that is off by as much as it says, with ranges that help."""
    lines: list[str] = []
    tables = [table for table in lowered.tables if _rivals(table)]
    if tables:
        ranges = _narrower_ranges(lowered.registers, _visited(neuron, float_run))
        other = _with(neuron, ranges)
        for table in tables:
            line = f"the table of {table.text} is off by {table.error:.3g}, as much as it says"
            finer = [t for t in other.tables if t.text == table.text] if other else []
            if finer and not any(map(_rivals, finer)):
                line += f"; {_declared(ranges)} makes it {finer[0].error:.3g}"
            lines.append(line)
    return tuple(lines)


def _rivals(table: Table) -> bool:
    """Whether a table's error is as large as what it tells apart."""
    tells_apart = math.ldexp(table.high - table.low, -table.fraction)
    return table.error > _COARSE * tells_apart > 0


def _beyond(register: Register, values: np.ndarray) -> bool:
    """Whether float goes where a register cannot follow."""
    least, most = register.to_real(register.least), register.to_real(register.most)
    lsb = register.word.lsb
    return bool(np.any(values < least - lsb) or np.any(values > most + lsb))


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
    ranges = _narrower_ranges(registers, visited)
    lowered = _with(neuron, ranges)
    lines = []
    for name, (bound, most) in bounds.items():
        after = lowered.bounds[name] / registers[name].word.lsb if lowered else bound
        line = f"the bound of {name} is {bound:,.4g} LSB and may be {most:.4g}: "
        if after > bound / 2:
            line += "no narrower range helps; write it with smaller products, or in another unit"
            lines.append(line)
            continue
        seen = ", ".join(f"{n} visits {visited[n][0]:.4g} to {visited[n][1]:.4g}" for n in ranges)
        lines.append(f"{line}{seen}; {_declared(ranges)} makes it {after:.4g}")
    return lines


def _narrower_ranges(
    registers: Mapping[str, Register], visited: Mapping[str, tuple[float, float]]
) -> dict[str, tuple[float, float]]:
    """Limits around what was visited, of the states that have wider ones."""
    ranges = {}
    for name, (low, high) in visited.items():
        r = registers[name]
        limits = working_range(low, high)
        least, most = max(limits[0], r.to_real(r.least)), min(limits[1], r.to_real(r.most))
        if most - least < r.to_real(r.most) - r.to_real(r.least):
            ranges[name] = (float(least), float(most))
    return ranges


def _declared(ranges: Mapping[str, tuple[float, float]]) -> str:
    return ", ".join(f"{n} = State(range=({low:g}, {high:g}))" for n, (low, high) in ranges.items())


def _with(neuron: Neuron, ranges: Mapping[str, tuple[float, float]]) -> Lowered | None:
    """The neuron's integers with other ranges; None if there are none, or it has none then."""
    if not ranges:
        return None
    other = copy.copy(neuron)
    states = {n: copy.copy(s) for n, s in neuron.state_variables.items()}
    for name, limits in ranges.items():
        states[name].range = limits
    other.__dict__["state_variables"] = states
    try:
        return other.fixed().lowered
    except (ScneuroError, ValueError):
        return None
