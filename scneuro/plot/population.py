"""Many neurons at once: a raster of their spikes, the rate of all, and a few of their traces."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from ..runner import Recording
from .page import FLOAT, WORDS, label, page, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_population"]

_BINS = 100
_TRACES = 3
_MOST_POINTS = 4_000  # of a trace


def plot_population(
    recording: Recording, path: str | Path, *, units: Mapping[str, str], title: str = ""
) -> Figure:
    """Draw a raster of spikes, their rate, and the first state of three neurons.

    Parameters
    ----------
    recording : Recording
        Of shape (T, N).
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    units : mapping of str to str
        Of the states, by name.
    title : str

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        A recording of a single neuron, or a path with another suffix.
    ScneuroError, FileTrouble
        As for :func:`scneuro.plot.plot_trace`.
    """
    require(path)
    if recording.spike.ndim != 2:
        raise ValueError(f"a population's recording is (T, N), not {recording.spike.shape}")
    steps, count = recording.spike.shape
    when, who = np.nonzero(recording.spike)
    end = steps * recording.dt
    names = list(recording.states)[:1]
    with page(path, 8.0, 6.0, title) as figure:
        raster, rate, *below = figure.subplots(
            2 + len(names), 1, sharex=True, height_ratios=[3, 1, *[1.5] * len(names)]
        )
        size = max(0.5, min(12.0, 600 / count))
        raster.scatter(
            recording.t[when], who, s=size, marker="|", color=WORDS["color"], rasterized=True
        )
        raster.set_ylim(-0.5, count - 0.5)
        raster.set_ylabel("neuron")
        edges = np.linspace(0, end, min(_BINS, steps) + 1)
        counts, _ = np.histogram(recording.t[when], edges)
        each = counts / (count * np.diff(edges) / 1000)
        rate.stairs(each, edges, fill=True, color=FLOAT["color"], alpha=FLOAT["alpha"])
        rate.set_ylabel("rate of each (Hz)")
        for axis, name in zip(below, names, strict=True):
            values = recording[name]
            every = max(1, steps // _MOST_POINTS)
            shown = np.unique(np.linspace(0, count - 1, _TRACES).astype(int))
            for k in shown:
                axis.plot(recording.t[::every], values[::every, k], lw=0.8, label=f"neuron {k}")
            axis.set_ylabel(label([name], units.get(name, "")))
            axis.legend(loc="lower right", bbox_to_anchor=(1, 0.95), ncols=len(shown))
        figure.axes[-1].set_xlabel("time (ms)")
        figure.axes[-1].set_xlim(0, end)
    return figure
