"""All presets of a neuron on one page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..neuron import Neuron
from .page import FLOAT, WORDS, amount, label, page, require
from .runs import both, count, held, stimuli

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["plot_presets"]

_DURATION = 500.0  # ms
_COLUMNS = 4


def plot_presets(neuron: type[Neuron], path: str | Path, *, steps: int | None = None) -> Figure:
    """Draw the first state of every preset, each under its own first current, float under integers.

    Parameters
    ----------
    neuron : type of Neuron
        With ``presets``.
    path : path
        A .png, .svg or .pdf file, written whole or not at all.
    steps : int, optional
        Of every run; by default 500 ms.

    Returns
    -------
    Figure
        As it was written.

    Raises
    ------
    ValueError
        A path with another suffix, or a neuron without presets.
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    require(path)
    if not neuron.presets:
        raise ValueError(f"{neuron.__name__} has no presets; plot its trace instead")
    rows = -(-len(neuron.presets) // _COLUMNS)
    columns = min(len(neuron.presets), _COLUMNS)
    with page(path, 9, 1.75 * rows + 1, f"{neuron.__name__} in float and in integers") as figure:
        axes = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).ravel()
        for axis, name in zip(axes, neuron.presets, strict=False):
            one = neuron.preset(name)
            first, source = one.state_names[0], next(iter(one.input_defaults))
            current = held(one, None)
            runs = both(one, stimuli(one, current, count(one, steps, _DURATION)))
            for (fidelity, run), style in zip(runs.items(), (FLOAT, WORDS), strict=True):
                axis.plot(run.t, run.states[first], label=fidelity, **style)
            about = amount(current, one.units[source])
            axis.set_title(f"{name.replace('_', ' ')}, {about}", fontsize=10)
        for axis in axes[len(neuron.presets) :]:
            axis.set_visible(False)
        for axis in axes[: len(neuron.presets)][-columns:]:  # the last of every column
            axis.tick_params(labelbottom=True)
        axes[0].set_xlim(0, run.t[-1])
        figure.supxlabel("time (ms)", fontsize=10)
        figure.supylabel(label([first], one.units[first]), fontsize=10)
        figure.legend(*axes[0].get_legend_handles_labels(), loc="outside upper right", ncols=2)
    return figure
