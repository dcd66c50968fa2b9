"""Figures, drawn with matplotlib where it is installed."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np

from .errors import ScneuroError
from .files import write_whole
from .model import Recording

__all__ = ["plot_recordings", "require"]

_INPUT = "#8a6d3b"
_STYLES = (
    {"color": "#1f4e8c", "lw": 2.4, "alpha": 0.55},
    {"color": "#c8553d", "lw": 1.1},
    {"color": "#2f7d4f", "lw": 1.1, "ls": (0, (2, 2))},
)


def require() -> None:
    """Fail early, and in one line, where matplotlib is missing."""
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ScneuroError("plots need matplotlib", 'pip install "scneuro[plots]"') from None


def plot_recordings(
    recordings: dict[str, Recording],
    path: str | Path,
    *,
    title: str,
    units: dict[str, str],
    lsb: dict[str, float] | None = None,
) -> None:
    """Draw recordings of one neuron over each other: states, spikes, input and their difference.

    Parameters
    ----------
    recordings : dict of str to Recording
        By label; the first is the reference. All of one neuron and one stimulus, shape (T,).
    path : path
        Where the PNG goes, written whole or not at all.
    title : str
    units : dict of str to str
        Of states and inputs.
    lsb : dict of str to float, optional
        LSB of each state's word; with it, the first state's difference from the reference is shown
        in LSB.

    Raises
    ------
    ScneuroError
        If matplotlib is missing.
    FileTrouble
        If the file cannot be written.
    """
    require()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    reference = next(iter(recordings.values()))
    names = list(reference.states)
    difference = lsb is not None and len(recordings) > 1
    rows = len(names) + 1 + difference
    heights = [3.0] + [1.6] * (rows - 1)
    figure: Any = Figure(
        figsize=(9, 1.3 * sum(heights) ** 0.9), layout="constrained", facecolor="white"
    )
    FigureCanvasAgg(figure)
    axes = figure.subplots(rows, 1, sharex=True, height_ratios=heights, squeeze=False)[:, 0]
    for axis, name in zip(axes, names, strict=False):
        for (label, recording), style in zip(recordings.items(), _STYLES, strict=False):
            count = f", {recording.spikes} spikes" if name == names[0] else ""
            axis.plot(recording.t, recording.states[name], label=label + count, **style)
        axis.set_ylabel(f"{name} ({units.get(name, '')})")
    top = max(float(np.max(r.states[names[0]])) for r in recordings.values())
    low = min(float(np.min(r.states[names[0]])) for r in recordings.values())
    for row, ((_, recording), style) in enumerate(zip(recordings.items(), _STYLES, strict=False)):
        height = top + (0.06 + 0.07 * row) * (top - low or 1)
        axes[0].plot(
            recording.t[recording.spike],
            np.full(int(recording.spikes), height),
            "|",
            color=style["color"],
            ms=8,
        )
    axes[0].legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=len(recordings), frameon=False)
    if difference:
        assert lsb is not None
        for (label, recording), style in list(zip(recordings.items(), _STYLES, strict=False))[1:]:
            gap = (recording.states[names[0]] - reference.states[names[0]]) / lsb[names[0]]
            axes[-2].plot(recording.t, gap, label=label, **style)
        axes[-2].set_ylabel(f"error of {names[0]}\n(LSB)")
        axes[-2].set_yscale("symlog", linthresh=10)
    for name, values in reference.inputs.items():
        axes[-1].plot(reference.t, values, color=_INPUT, lw=1)
        axes[-1].set_ylabel(f"{name} ({units.get(name, '')})")
    axes[-1].set_xlabel("time (ms)")
    for axis in axes:
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(title, x=0.01, ha="left", fontsize=11)
    content = io.BytesIO()
    figure.savefig(content, dpi=130, format="png")
    write_whole(Path(path), content.getvalue())
