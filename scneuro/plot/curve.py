"""f-I curves: how fast a neuron fires at a current."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..neuron import Neuron, need_neuron
from .page import FLOAT, WORDS, label, page, require
from .runs import both, called, count, described, words

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["CURRENTS", "plot_fi"]

_STEPS = 10_000
#: As many currents as are chosen where none are given.
CURRENTS = 40


def plot_fi(
    neuron: Neuron,
    path: str | Path,
    currents: Any = None,
    *,
    steps: int | None = None,
    inputs: Mapping[str, float] | None = None,
) -> Figure:
    """Draw the firing rate over the current, of float and of integers, and their difference.

    Parameters
    ----------
    neuron : Neuron
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    currents : array of shape (N,), optional
        Values of the first input, each held throughout and rounded to the nearest Q8.8 word. By
        default 40 up to 1.5 times the neuron's greatest
        typical current. All run at once.
    steps : int, optional
        At each current, by default 10,000; the rate is the number of spikes over their time.
    inputs : mapping of str to float, optional
        What other inputs are held at, instead of their default.

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError, TypeError
        A path with another suffix, currents that are not (N,) or do not fit Q8.8, or no steps.
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    need_neuron(neuron, "plot_fi()")
    require(path)
    steps = count(neuron, steps, _STEPS * neuron.dt)
    name = next(iter(neuron.input_defaults))
    word = neuron.input_words[name]
    if currents is None:
        most = max(neuron.currents, key=abs)
        currents = np.linspace(0, np.clip(1.5 * most, word.least, word.greatest), CURRENTS)
    values = np.unique(neuron.carried(name, currents))
    if np.ndim(currents) != 1:
        raise ValueError(f"currents must have shape (N,), not {np.shape(currents)}")
    held = np.broadcast_to(values, (steps, len(values)))
    driven = {**words(neuron, inputs or {}), name: held}
    spikes = {fidelity: run.spikes for fidelity, run in both(neuron, driven, record=()).items()}
    time = steps * neuron.dt
    others = f", {described(neuron, words(neuron, inputs))}" if inputs else ""
    title = f"{called(neuron)}: firing rate over {time:g} ms at each current{others}"
    with page(path, 6.5, 4.3, title) as figure:
        above, below = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
        marks = ({"marker": "o", "ms": 7}, {"marker": ".", "ms": 5})
        for (fidelity, numbers), style, mark in zip(
            spikes.items(), (FLOAT, WORDS), marks, strict=True
        ):
            above.plot(values, 1e3 * numbers / time, label=fidelity, **style, **mark)
        above.set_ylabel("firing rate (Hz)")
        above.legend(loc="upper left")
        above.set_ylim(bottom=0)
        reference, integers = spikes.values()
        _draw_difference(below, values, integers - reference)
        below.set_xlabel(label([name], neuron.units[name]))
        figure.align_ylabels()
    return figure


def _draw_difference(axis: Any, values: np.ndarray, difference: np.ndarray) -> None:
    from matplotlib.ticker import MaxNLocator

    axis.axhline(0, color="0.7", lw=0.6, zorder=0)
    axis.vlines(values, 0, difference, color=WORDS["color"], lw=1.5)
    axis.plot(values, difference, ".", color=WORDS["color"], ms=5)
    most = max(1.5, 1.2 * float(np.max(np.abs(difference))))
    axis.set_ylim(-most, most)
    axis.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axis.set_ylabel("integers \N{MINUS SIGN} float\n(spikes)")
