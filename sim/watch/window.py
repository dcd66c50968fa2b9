"""What is seen of a chip, drawn with matplotlib: a figure, or a window that goes on."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...plot.page import label, page
from .history import View
from .watch import Watch

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Window", "draw", "has_window"]

_EVERY_MS, _WINDOW = 200, 300.0
_WIDE = 8.0
_FILES = ("agg", "cairo", "pdf", "pgf", "ps", "svg", "template")  # backends without windows


def has_window() -> bool:
    """Whether matplotlib can show anything here."""
    from matplotlib import pyplot

    return pyplot.get_backend().lower() not in _FILES


def draw(watch: Watch, path: str | Path, title: str, steps: int) -> Figure:
    """Draw the last steps of a chip to a .png, .svg or .pdf file.

    Raises
    ------
    ScneuroError, ValueError, FileTrouble
        As for :func:`scneuro.plot.plot_trace`.
    """
    view = watch.view(steps * watch.network.dt)
    with page(path, _WIDE, 3.0 + 1.4 * (1 + len(view.traces)), title) as figure:
        _draw(figure, view, watch)
    return figure


class Window:
    """A window that shows what a chip does, until it is closed or the watch ends.

    Parameters
    ----------
    watch : Watch
        That has begun.
    title : str
    """

    def __init__(self, watch: Watch, title: str) -> None:
        from matplotlib import pyplot

        self._watch, self._title = watch, title
        self._figure = pyplot.figure(figsize=(_WIDE, 7.0), layout="constrained", num=title)
        self._timer: Any = self._figure.canvas.new_timer(interval=_EVERY_MS)
        self._timer.add_callback(self.update)

    def update(self) -> None:
        """Draw how things are."""
        from matplotlib import pyplot

        watch, status = self._watch, self._watch.status
        if watch.ended:
            pyplot.close(self._figure)
            return
        self._figure.clear()
        _draw(self._figure, watch.view(_WINDOW), watch)
        how = f"{status.steps_per_s:,.0f} steps/s, {status.speed:.2g} times real time"
        counters = ", ".join(f"{n} {v:,}" for n, v in status.counters.items())
        lines = [f"{self._title}: {how if status.connected else 'no link'}", counters]
        if status.message:
            lines.append(status.message.splitlines()[0])
        self._figure.suptitle("\n".join(lines), x=0.014, ha="left", fontsize=10)
        self._figure.canvas.draw_idle()

    def run(self) -> None:
        """Show it."""
        from matplotlib import pyplot

        self._timer.start()
        pyplot.show()


def _draw(figure: Figure, view: View, watch: Watch) -> None:
    """Spikes, rates and traces, one below the other."""
    heights = [2.2, 1.0, *([1.2] * len(view.traces))]
    axes = list(figure.subplots(len(heights), 1, sharex=True, height_ratios=heights))
    raster, rates, *curves = axes
    ticks, first = {}, 0
    for k, (name, found) in enumerate(view.rasters.items()):
        count = watch.network.layers[name].count
        raster.scatter(
            found.t, found.neuron + first, s=max(2.0, min(60.0, 2000 / count)), marker="|",
            color=f"C{k}", rasterized=True,
        )  # fmt: skip
        ticks[first] = f"{name} 0"
        if count > 1:
            ticks[first + count - 1] = f"{count - 1}"
        first += count
        rates.plot(view.bins, found.rates, color=f"C{k}", lw=1.2, label=name)
    raster.set_ylim(first - 0.5, -0.5)
    raster.set_yticks(list(ticks), list(ticks.values()))
    rates.set_ylabel("rate (Hz)")
    if len(view.rasters) > 1:
        rates.legend(loc="upper left", ncols=5)
    for axis, (name, traces) in zip(curves, view.traces.items(), strict=True):
        for k, neuron in enumerate(traces.neurons):
            axis.plot(
                traces.t[k], traces.values[k], color=f"C{k}", lw=1.0, label=f"neuron {neuron}"
            )
        axis.set_ylabel(f"{name.rsplit('.', 1)[0]}\n" + label([name.rsplit(".", 1)[1]],
                                                             watch.unit(name)))  # fmt: skip
        if traces.neurons:
            axis.legend(loc="upper left", ncols=4)
    axes[-1].set_xlabel("time (ms)")
    axes[-1].set_xlim(view.begin, view.end)
