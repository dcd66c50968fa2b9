"""Traces: what every variable does in time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..neuron import Neuron, need_neuron
from ..runner import Recording
from .page import FLOAT, WORDS, label, page, require, symbol
from .runs import both, called, count, described, stimuli

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_recordings", "plot_trace"]

_DURATION = 200.0  # ms
_THIRD = {"color": "#2f7d4f", "lw": 1.0, "ls": (0, (2, 2))}
_INPUT = "#6b5020"
# states that share a panel
_INKS = (WORDS["color"], "#1b6e3c", "#6a3d9a", "#333333")
_DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (6, 1.5, 1.5, 1.5)))


def plot_trace(
    neuron: Neuron, path: str | Path, stimulus: Any = None, *, steps: int | None = None
) -> Figure:
    """Run a neuron in float and in integers and draw both over each other, with the error below.

    Parameters
    ----------
    neuron : Neuron
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    stimulus : float, array of shape (T,), or mapping of input name to such, optional
        The first input, or several; a float is held. By default a pulse of the neuron's first
        typical current over the middle four fifths. Both fidelities are given the Q8.8 words
        nearest to it.
    steps : int, optional
        Length where no array is given; by default 200 ms.

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError, TypeError
        A path with another suffix, or a stimulus of the wrong shape or kind, or that does not
        fit Q8.8.
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    need_neuron(neuron, "plot_trace()")
    require(path)
    inputs = stimuli(neuron, stimulus, count(neuron, steps, _DURATION))
    return plot_recordings(
        both(neuron, inputs),
        path,
        title=f"{called(neuron)}: {described(neuron, inputs)}",
        units=neuron.units,
        lsb={name: state.format.lsb for name, state in neuron.state_variables.items()},
    )


def plot_recordings(
    recordings: Mapping[str, Recording],
    path: str | Path,
    *,
    title: str,
    units: Mapping[str, str],
    lsb: Mapping[str, float] | None = None,
) -> Figure:
    """Draw recordings of one neuron over each other: states, spikes, inputs and their difference.

    The first state has a panel of its own; the others, and the inputs, share one if they share a
    unit.

    Parameters
    ----------
    recordings : mapping of str to Recording
        By label, at most three; the first is the reference. All of one neuron and one stimulus,
        shape (T,).
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    title : str
    units : mapping of str to str
        Of states and inputs.
    lsb : mapping of str to float, optional
        LSB of each state's word; with it, the first state's difference from the reference is shown
        in LSB.

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        A path with another suffix, or recordings of many neurons.
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    runs = list(recordings.values())
    if any(run.spike.ndim != 1 for run in runs):
        raise ValueError("a trace shows one neuron: record it under inputs of shape (T,)")
    styles = [FLOAT, WORDS, _THIRD][: len(runs)] if len(runs) > 1 else [WORDS]
    reference = runs[0]
    first, *others = reference.states
    states = [[first], *_panels(others, units)]
    inputs = _panels(reference.inputs, units)
    compared = lsb is not None and len(runs) > 1
    heights = [2.1] + [1.05] * (len(states) - 1 + compared) + [0.8] * len(inputs)
    with page(path, 8, sum(heights) + 0.9, title) as figure:
        axes = figure.subplots(len(heights), 1, sharex=True, height_ratios=heights, squeeze=False)
        panels = iter(axes[:, 0])
        for names in states:
            _draw(next(panels), names, runs, styles, units)
        _crown(axes[0, 0], first, recordings, styles)
        if lsb is not None and compared:
            error = next(panels)
            for run, style in zip(runs[1:], styles[1:], strict=True):
                error.plot(
                    run.t, (run.states[first] - reference.states[first]) / lsb[first], **style
                )
            error.set_ylabel(f"error of {symbol(first)}\n(LSB)")
            _magnify(error)
        for names in inputs:
            axis = next(panels)
            for j, name in enumerate(names):
                values = reference.inputs[name]
                axis.plot(
                    reference.t, values, color=_INPUT, lw=1.2, ls=_dash(j), label=symbol(name)
                )
            axis.set_ylabel(label(names, units.get(names[0], "")))
            axis.update_datalim([(0, 0)])
            axis.autoscale_view()
            axis.margins(y=0.15)
            _name_lines(axis, axis.get_lines())
        axes[-1, 0].set_xlabel("time (ms)")
        axes[-1, 0].set_xlim(0, reference.t[-1])
        figure.align_ylabels(axes[:, 0])
    return figure


def _panels(names: Iterable[str], units: Mapping[str, str]) -> list[list[str]]:
    """Names that share a unit, together."""
    panels: dict[str, list[str]] = {}
    for name in names:
        panels.setdefault(units.get(name, ""), []).append(name)
    return list(panels.values())


def _dash(index: int) -> Any:
    return _DASHES[index % len(_DASHES)]


def _draw(
    axis: Any,
    names: list[str],
    runs: list[Recording],
    styles: list[dict[str, Any]],
    units: Mapping[str, str],
) -> None:
    """States in one panel; the last recording tells them apart by ink and dash."""
    for j, name in enumerate(names):
        own = {"color": _INKS[j % len(_INKS)], "ls": _dash(j)} if len(names) > 1 else {}
        for run, style in zip(runs, styles, strict=True):
            axis.plot(
                run.t,
                run.states[name],
                label=symbol(name),
                **style | (own if run is runs[-1] else {}),
            )
    axis.set_ylabel(label(names, units.get(names[0], "")))
    _name_lines(axis, axis.get_lines()[len(runs) - 1 :: len(runs)])


def _name_lines(axis: Any, lines: list[Any]) -> None:
    """A legend at the right of a panel, where it has more than one variable."""
    if len(lines) > 1:
        axis.legend(handles=lines, loc="center left", bbox_to_anchor=(1, 0.5), handlelength=1.6)


def _crown(
    axis: Any, first: str, recordings: Mapping[str, Recording], styles: list[dict[str, Any]]
) -> None:
    """Above the first panel: a row of spikes of every recording, and the legend."""
    low = min(float(np.min(run.states[first])) for run in recordings.values())
    top = max(float(np.max(run.states[first])) for run in recordings.values())
    for row, (run, style) in enumerate(zip(recordings.values(), styles, strict=True)):
        height = top + (0.1 + 0.1 * row) * (top - low or 1)
        ticks = {"color": style["color"], "ms": 7, "mew": 2 if style is FLOAT else 1}
        axis.plot(run.t[run.spike], np.full(int(run.spikes), height), "|", **ticks)
    for line, (name, run) in zip(axis.get_lines(), recordings.items(), strict=False):
        line.set_label(f"{name}, {run.spikes} spike{'' if run.spikes == 1 else 's'}")
    axis.legend(
        handles=axis.get_lines()[: len(recordings)],
        loc="lower left",
        bbox_to_anchor=(0, 1),
        ncols=len(recordings),
        borderaxespad=0.2,
    )


def _magnify(axis: Any) -> None:
    """Errors of a few LSB and of a whole spike on one scale."""
    from matplotlib.ticker import SymmetricalLogLocator

    worst = max(abs(limit) for limit in axis.get_ylim())
    if worst > 10:
        axis.set_yscale("symlog", linthresh=10)
        axis.yaxis.set_major_locator(SymmetricalLogLocator(base=10, linthresh=10))
        axis.yaxis.get_major_locator().set_params(numticks=5)
    axis.axhline(0, color="0.7", lw=0.6, zorder=0)
