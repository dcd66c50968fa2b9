"""Phase planes: where two variables push each other, and where they go."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..neuron import Neuron, need_neuron
from ..runner import Recording
from .page import FLOAT, WORDS, label, page, require, symbol
from .runs import both, called, count, described, held, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_phase"]

_DURATION = 200.0  # ms
_POINTS = 400  # of the grid, in each direction
_ARROWS = (14, 10)
_REACH = 20  # trajectories' heights within which nullclines are looked for
_LEAST = 64  # LSB that a plane shows
_SIZE = (6.5, 4.9)

_Limits = tuple[float, float]


def plot_phase(
    neuron: Neuron,
    path: str | Path,
    current: float | None = None,
    *,
    steps: int | None = None,
    variables: Sequence[str] | None = None,
    inputs: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the phase plane of two variables of a neuron under a constant current.

    It shows both nullclines (where the float ``update`` leaves a variable as it is), the flow, the
    region in which a step ends in a spike, and the trajectory from the initial state in float and
    in integers, broken at every spike, with the points at which it is reset.

    Parameters
    ----------
    neuron : Neuron
        With two states, not counting those in words of whole numbers (``Q16.0``), such as the
        steps of a refractory period; or with more, if ``variables`` are named.
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    current : float, optional
        Of the first input, rounded to the nearest Q8.8 word; by default the neuron's first typical
        one.
    steps : int, optional
        Of the trajectory; by default 200 ms.
    variables : (str, str), optional
        The states on the x and the y axis. The nullclines and the flow are then those of the plane
        in which all other states have their initial values, which the trajectory leaves.
    inputs : mapping of str to float, optional
        What other inputs are held at, instead of their default.

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        A path with another suffix, a neuron that has not two states, variables that are not two
        states, or an input that does not fit Q8.8.
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    need_neuron(neuron, "plot_phase()")
    require(path)
    plane = _plane(neuron, variables)
    first = next(iter(neuron.input_defaults))
    given = {n: float(v) for n, v in words(neuron, inputs or {}).items()}
    given[first] = held(neuron, current)
    driven = {n: np.full(count(neuron, steps, _DURATION), v) for n, v in given.items()}
    runs = both(neuron, driven)
    given = {**neuron.input_defaults, **given}
    limits = _limits(neuron, plane, given, list(runs.values()))
    title = f"{called(neuron)}: {described(neuron, driven)}"
    with page(path, *_SIZE, title) as figure:
        axis = figure.subplots()
        start = [neuron.initial[name] for name in plane]
        for (fidelity, run), style in zip(runs.items(), (FLOAT, WORDS), strict=True):
            axis.plot(*_trajectory(run, plane, start), label=fidelity, **style)
        _draw_flow(axis, neuron, plane, given, limits)
        _draw_resets(axis, plane, runs)
        for name, limit, place in zip(plane, limits, ("x", "y"), strict=True):
            axis.set(**{f"{place}lim": limit, f"{place}label": label([name], neuron.units[name])})
        axis.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0.2)
    return figure


def _plane(neuron: Neuron, variables: Sequence[str] | None) -> list[str]:
    """The two states that are drawn."""
    there = [n for n, state in neuron.state_variables.items() if state.format.fraction > 0]
    if variables is None:
        if len(there) != 2:
            cure = "name two: variables=" + repr(tuple(there[:2]))
            raise ValueError(
                f"a phase plane needs two states, but {neuron.name} has {', '.join(there)}; "
                + (cure if len(there) > 2 else "plot its trace instead")
            )
        return there
    chosen = list(variables)
    if len(set(chosen)) != 2 or not set(chosen) <= set(neuron.state_names):
        raise ValueError(
            f"variables must be two of {neuron.name}'s states, {', '.join(neuron.state_names)}, "
            f"not {', '.join(map(str, chosen))}"
        )
    return chosen


def _flow(
    neuron: Neuron, plane: list[str], inputs: Mapping[str, float], x: np.ndarray, y: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Whether ``update`` spikes, and by how much it moves both variables; NaN where it spikes.

    Further states keep their initial values, and noise is at its mean.
    """
    states = neuron.initial | dict(zip(plane, (x, y), strict=True))
    noise = [source.scaled(len(source.draws) / 2) for source in neuron._noises.values()]
    with np.errstate(all="ignore"):
        spike, *after = neuron.update(*states.values(), *inputs.values(), *noise)
    spike = np.broadcast_to(spike, x.shape)
    moved = dict(zip(states, after, strict=True))
    dx, dy = (np.where(spike, np.nan, moved[n] - states[n]) for n in plane)
    return spike, dx, dy


def _nullcline(x: np.ndarray, y: np.ndarray, change: np.ndarray) -> np.ndarray:
    """Where ``change`` passes zero: points (x, y), shape (P, 2), with NaN between pieces."""
    from contourpy import contour_generator

    lines = contour_generator(x, y, np.ma.masked_invalid(change)).lines(0.0)
    gap = np.full((1, 2), np.nan)
    return np.concatenate([gap, *(piece for line in lines for piece in (line, gap))])


def _grid(limits: tuple[_Limits, _Limits], points: tuple[int, int]) -> list[np.ndarray]:
    """Coordinates of the centres of a plane's cells, each of shape (points[1], points[0])."""
    centres = (
        low + (high - low) * (np.arange(n) + 0.5) / n
        for (low, high), n in zip(limits, points, strict=True)
    )
    return list(np.meshgrid(*centres))


def _extent(values: np.ndarray, lsb: float) -> _Limits:
    """From the least to the greatest, and some LSB around what rests."""
    low, high = float(values.min()), float(values.max())
    room = max(0.0, _LEAST * lsb - (high - low)) / 2
    return low - room, high + room


def _limits(
    neuron: Neuron, plane: list[str], inputs: Mapping[str, float], runs: list[Recording]
) -> tuple[_Limits, _Limits]:
    """The trajectories, and as much of either nullcline as is near."""
    (left, right), (bottom, top) = (
        _extent(
            np.concatenate([run.states[name] for run in runs]),
            neuron.state_variables[name].format.lsb,
        )
        for name in plane
    )
    wide, high = right - left, top - bottom
    x_limits = (left - 0.12 * wide, right + 0.12 * wide)
    around = (bottom - _REACH * high, top + _REACH * high)
    x, y = _grid((x_limits, around), (_POINTS, _POINTS))
    for change in _flow(neuron, plane, inputs, x, y)[1:]:
        heights = _nullcline(x, y, change)[:, 1]
        heights = heights[np.isfinite(heights)]
        if heights.size:
            nearest = heights[np.argmin(np.maximum(bottom - heights, heights - top))]
            bottom, top = min(bottom, nearest), max(top, nearest)
    high = top - bottom
    return x_limits, (bottom - 0.15 * high, top + 0.15 * high)


def _draw_flow(
    axis: Any,
    neuron: Neuron,
    plane: list[str],
    inputs: Mapping[str, float],
    limits: tuple[_Limits, _Limits],
) -> None:
    """Nullclines, arrows of one length in the direction of the flow, and the region of spikes."""
    x, y = _grid(limits, (_POINTS, _POINTS))
    spike, *changes = _flow(neuron, plane, inputs, x, y)
    for name, change, dash in zip(plane, changes, ("-", (0, (5, 2))), strict=True):
        text = rf"$\mathrm{{d}}${symbol(name)}$/\mathrm{{d}}t = 0$"
        axis.plot(
            *_nullcline(x, y, change).T, color="black", lw=1.4, ls=dash, label=text, zorder=1.5
        )
    if spike.any():
        axis.contourf(x, y, spike.astype(float), levels=[0.5, 1.5], colors=["0.9"], zorder=0)
        axis.fill([], [], color="0.9", label="next step spikes")
    x, y = _grid(limits, _ARROWS)
    _, *moves = _flow(neuron, plane, inputs, x, y)
    across, up = (
        size * move / (limit[1] - limit[0])
        for size, move, limit in zip(_SIZE, moves, limits, strict=True)
    )
    length = np.hypot(across, up)
    seen = length > 0  # not where the neuron rests, nor where it spikes
    arrows = (v[seen] for v in (x, y, across / length, up / length))
    axis.quiver(
        *arrows, color="0.6", scale_units="inches", scale=5, width=0.003, pivot="mid", zorder=1
    )


def _trajectory(run: Recording, plane: list[str], start: list[float]) -> list[np.ndarray]:
    """Both variables from the initial state on, with a NaN before the state a spike leaves."""
    breaks = run.spike_steps + 1
    return [
        np.insert(np.concatenate([[first], run.states[name]]), breaks, np.nan)
        for name, first in zip(plane, start, strict=True)
    ]


def _draw_resets(axis: Any, plane: list[str], runs: Mapping[str, Recording]) -> None:
    """The states that spikes leave, and a line where they all have the same potential."""
    for run, style, size in zip(runs.values(), (FLOAT, WORDS), (8, 3), strict=True):
        points = (run.states[name][run.spike] for name in plane)
        axis.plot(*points, "o", ms=size, color=style["color"], alpha=style.get("alpha", 1))
    reference = next(iter(runs.values()))
    potentials = np.unique(reference.states[plane[0]][reference.spike])
    if len(potentials) == 1:
        axis.axvline(potentials[0], color="0.35", lw=1, ls=":", label="reset", zorder=1)
