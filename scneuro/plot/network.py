"""A network at work: a raster of each population, and which class it takes for which."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..network.recording import NetworkRecording
from .page import FLOAT, WORDS, page, require

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_confusion", "plot_network"]

_LEAST = 0.25  # of the tallest raster


def plot_network(
    recording: NetworkRecording,
    path: str | Path,
    *,
    inputs: Mapping[str, Any] | None = None,
    item: int = 0,
    title: str = "",
) -> Figure:
    """Draw a raster of the spikes of every population, one below the other.

    Parameters
    ----------
    recording : NetworkRecording
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    inputs : mapping of str to array, optional
        Spikes that went into it, by name, as they were given: drawn above.
    item : int
        Which of several runs.
    title : str

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        No such run, or a path with another suffix.
    ScneuroError, FileTrouble
        As for :func:`scneuro.plot.plot_trace`.
    """
    require(path)
    several = next(iter(recording.spike.values())).ndim == 3
    runs = next(iter(recording.spike.values())).shape[1] if several else 1
    if item not in range(runs):
        raise ValueError(f"item must be 0 to {runs - 1}, the runs there are, not {item!r}")
    given = {n: np.asarray(values) for n, values in (inputs or {}).items()}
    rasters = {
        name: (spike[:, item] if several else spike).reshape(len(spike), -1)
        for name, spike in {**given, **recording.spike}.items()
    }
    tallest = max(r.shape[1] for r in rasters.values())
    heights = [max(r.shape[1] / tallest, _LEAST) for r in rasters.values()]
    with page(path, 8.0, 1.2 + 2.4 * sum(heights), title) as figure:
        axes = figure.subplots(
            len(rasters), 1, sharex=True, squeeze=False, height_ratios=heights
        ).flat
        for axis, (name, raster) in zip(axes, rasters.items(), strict=True):
            when, who = np.nonzero(raster)
            look = FLOAT if name in given else WORDS
            size = max(0.5, min(40.0, 1500 * max(raster.shape[1] / tallest, _LEAST) / tallest))
            axis.scatter(
                recording.t[when], who, s=size, marker="|", color=look["color"], rasterized=True
            )
            axis.set_ylim(-0.5, raster.shape[1] - 0.5)
            axis.set_ylabel(name)
        figure.axes[-1].set_xlabel("time (ms)")
        figure.axes[-1].set_xlim(0, len(recording.t) * recording.dt * 1.01)
    return figure


def plot_confusion(told: Any, labels: Any, path: str | Path, *, title: str = "") -> Figure:
    """Draw how often each class was taken for which.

    Parameters
    ----------
    told, labels : array of int, shape (items,)
        The classes that were told, and those that are right, from 0.
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    title : str

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        Arrays of different lengths, or a path with another suffix.
    ScneuroError, FileTrouble
        As for :func:`scneuro.plot.plot_trace`.
    """
    require(path)
    told, labels = np.asarray(told), np.asarray(labels)
    if told.shape != labels.shape or told.ndim != 1 or not told.size:
        raise ValueError(f"{told.shape} classes were told, and {labels.shape} are right")
    count = int(max(told.max(), labels.max())) + 1
    table = np.zeros((count, count), dtype=int)
    np.add.at(table, (labels, told), 1)
    with page(path, 1.5 + 0.4 * count, 1.5 + 0.4 * count, title) as figure:
        axis = figure.subplots()
        shares = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
        axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
        for right, taken in np.argwhere(table):
            colour = "white" if shares[right, taken] > 0.5 else "black"
            number = table[right, taken]
            axis.text(taken, right, number, ha="center", va="center", color=colour, fontsize=9)
        axis.set_xticks(range(count))
        axis.set_yticks(range(count))
        axis.set_xlabel("class told")
        axis.set_ylabel("class")
    return figure
