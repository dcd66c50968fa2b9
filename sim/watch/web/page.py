"""The page: what is seen of a chip, and what can be wished of it."""

from __future__ import annotations

from collections.abc import Callable
from html import escape
from typing import Any

import numpy as np
from bokeh.document import Document
from bokeh.layouts import column, row
from bokeh.models import (
    Button,
    ColumnDataSource,
    Div,
    FixedTicker,
    HoverTool,
    MultiChoice,
    NumericInput,
    Range1d,
    Select,
    Slider,
    Span,
    TextInput,
    Toggle,
)
from bokeh.models.ui import UIElement
from bokeh.plotting import figure

from ....errors import ScneuroError
from ..choice import MOST_NEURONS, MOST_STATES, Choice, numbered
from ..history import KEPT_MS, Traces, View
from ..watch import PACES, Status, Watch

__all__ = ["Page"]

_EVERY_MS = 150
_WINDOWS = (50.0, 100.0, 300.0, 1000.0, 3000.0, KEPT_MS)
_COLOURS = (
    "#1f4e8c", "#b5341c", "#2f7d4f", "#8a5a00", "#6b3fa0",
    "#00798c", "#c2185b", "#5d6d1e", "#a0522d", "#4d4d4d",
)  # fmt: skip
_WARNS = "#b5341c"
_WIDE, _SIDE = 900, 330  # pixels
_COUNTERS = {
    "steps": "that the chip has made",
    "late": "of them began late",
    "saturated": "input words were limited",
    "dropped": "were lost",
    "repeated": "requests were sent again",
}


class Page:
    """Draws a watch to a document, again and again, and has its widgets do what they say.

    Where the watch is read-only there are none, but for how much is seen at once.

    Parameters
    ----------
    document : Document
    watch : Watch
    where : str
        Of the chip: its board and its port.
    """

    def __init__(self, document: Document, watch: Watch, where: str) -> None:
        self._watch, self._where = watch, where
        self._refused = ""
        self._quiet = False  # widgets are set to how things are: nobody wishes that
        network = watch.network
        self._counts = {name: layer.count for name, layer in network.layers.items()}
        self._colours = {n: _COLOURS[k % len(_COLOURS)] for k, n in enumerate(self._counts)}
        self._header, self._said = Div(name="header"), Div(name="said")
        self._counters, self._notes = Div(name="counters"), Div(name="notes")
        self._window = Select(
            title="time that is seen, ms",
            value="300",
            options=[f"{w:g}" for w in _WINDOWS],
            name="window",
            width=_SIDE // 2 - 10,
        )
        self._range = Range1d(0, 300)
        self._draw_figures()
        side: list[UIElement] = [self._counters, self._window]
        if not watch.read_only:
            side += self._widgets()
        seen = column(self._raster, self._rates, *self._curves, self._notes)
        document.title = f"{network.name}, {where}"
        document.add_root(column(self._header, self._said, row(seen, column(*side, width=_SIDE))))
        document.add_periodic_callback(self.update, _EVERY_MS)
        self.update()

    # -- figures ---------------------------------------------------------------------------------
    def _draw_figures(self) -> None:
        self._raster = self._figure("figure spikes", 320)
        self._raster.xaxis.visible = False
        self._dots = {}
        first = 0
        ticks: dict[int, str] = {}
        for name, count in self._counts.items():
            dots = ColumnDataSource({"t": [], "y": [], "neuron": []}, name=f"spikes {name}")
            size = float(np.clip(240 / max(1, sum(self._counts.values())), 2, 12))
            drawn = self._raster.scatter(
                "t", "y", source=dots, marker="dash", angle=np.pi / 2, size=size,
                line_color=self._colours[name], line_width=1.5,
            )  # fmt: skip
            self._raster.add_tools(
                HoverTool(
                    renderers=[drawn],
                    tooltips=[("neuron", f"{name} @neuron"), ("ms", "@t{0.0}")],
                    visible=False,
                )
            )
            self._dots[name] = (dots, first)
            ticks[first] = f"{name} 0"
            if count > 1:
                ticks[first + count - 1] = str(count - 1)
            if first:
                self._raster.add_layout(Span(location=first - 0.5, line_color="#dddddd"))
            first += count
        self._raster.y_range = Range1d(first - 0.5, -0.5)
        self._raster.yaxis.ticker = FixedTicker(ticks=list(ticks))
        self._raster.yaxis.major_label_overrides = ticks
        self._rates = self._figure("figure rates", 170)
        self._rates.yaxis.axis_label = "rate (Hz)"
        self._rates.xaxis.visible = False
        self._lines = {}
        for name in self._counts:
            self._lines[name] = ColumnDataSource({"t": [], "rate": []}, name=f"rate {name}")
            self._rates.line(
                "t", "rate", source=self._lines[name], line_color=self._colours[name], line_width=2,
                legend_label=name,
            )  # fmt: skip
        self._rates.legend.visible = len(self._counts) > 1
        self._rates.legend.location = "top_left"
        self._rates.legend.orientation = "horizontal"
        self._rates.legend.label_text_font_size = "9px"
        self._rates.legend.padding = 2
        self._curves = [self._figure(f"figure traces {k}", 170) for k in range(MOST_STATES)]
        self._traces, self._samples = [], []
        for k, curves in enumerate(self._curves):
            source = ColumnDataSource(
                {"t": [], "value": [], "colour": [], "neuron": []}, name=f"traces {k}"
            )
            curves.multi_line(
                "t", "value", source=source, line_color="colour", line_width=1.4,
                legend_field="neuron",
            )  # fmt: skip
            dots = ColumnDataSource({"t": [], "value": [], "colour": []}, name=f"samples {k}")
            curves.scatter("t", "value", source=dots, size=4, line_color=None, fill_color="colour")
            self._samples.append(dots)
            curves.legend.location = "top_left"
            curves.legend.orientation = "horizontal"
            curves.legend.padding = 2
            curves.legend.background_fill_alpha = 0.7
            curves.legend.label_text_font_size = "9px"
            self._traces.append(source)

    def _figure(self, name: str, height: int) -> Any:
        made = figure(
            name=name,
            width=_WIDE,
            height=height,
            x_range=self._range,
            tools="ywheel_zoom,ypan,reset,save",
            toolbar_location="right",
            min_border_left=80,
        )
        made.toolbar.logo = None
        made.xaxis.axis_label = "time (ms)"
        made.grid.grid_line_color = "#eeeeee"
        return made

    # -- widgets ---------------------------------------------------------------------------------
    def _widgets(self) -> list[UIElement]:
        watch, choice = self._watch, self._watch.choice
        half = _SIDE // 2 - 10
        self._pause = Toggle(label="pause", name="pause", width=_SIDE // 3 - 10)
        self._record = Toggle(label="record", name="record", width=_SIDE // 3 - 10)
        reset = Button(label="reset", name="reset", width=_SIDE // 3 - 10)
        self._pace = Select(
            title="pace", options=list(PACES), value=watch.status.pace, name="pace", width=half
        )
        self._populations = MultiChoice(
            title="populations whose spikes are seen",
            options=list(self._counts),
            value=list(choice.populations),
            name="populations",
            width=_SIDE - 10,
        )
        self._states = MultiChoice(
            title="states that are traced",
            options=list(watch.states),
            value=list(choice.states),
            max_items=MOST_STATES,
            name="states",
            width=_SIDE - 10,
        )
        self._neurons = TextInput(
            title=f"of neurons, such as 0, 3-5; {MOST_NEURONS} at most",
            value=_listed(choice.neurons),
            name="neurons",
            width=_SIDE - 10,
        )
        self._of = TextInput(
            title="what follows is for neuron (empty: for all)", value="", name="of",
            width=_SIDE - 10,
        )  # fmt: skip
        self._sliders = {
            name: self._slider(name, *watch.inputs.span(name)) for name in watch.network.inputs
        }
        of_own = {name: self._parameter(name, *ends) for name, ends in watch.settable.items()}
        self._state = Select(
            title="state", options=list(watch.states), value=watch.states[0], name="state",
            width=half,
        )  # fmt: skip
        self._value = NumericInput(title="value", mode="float", name="value", width=half // 2)
        give = Button(label="set", name="set", width=half // 2, styles={"padding-top": "18px"})
        self._pause.on_change("active", self._when(lambda on: watch.pause(on)))
        self._record.on_change("active", self._when(lambda on: watch.record(on)))
        reset.on_click(lambda: self._wish(watch.reset))
        self._pace.on_change("value", self._when(watch.set_pace))
        for widget in (self._populations, self._states, self._neurons):
            widget.on_change("value", self._when(lambda _: watch.choose(self._chosen())))
        self._of.on_change("value", self._when(lambda _: self._show_inputs()))
        give.on_click(lambda: self._wish(self._set_state))
        constant = (
            "Parameters that are the same for all neurons are constants of the bitstream: they "
            "cannot be set."
        )
        return [
            row(self._pause, reset, self._record),
            row(self._pace, Div(width=half)),
            self._populations,
            self._states,
            self._neurons,
            self._of,
            *self._sliders.values(),
            *of_own.values(),
            row(self._state, self._value, give),
            Div(text=constant, width=_SIDE - 10, styles={"color": "#777777"}),
        ]

    def _slider(self, name: str, low: float, high: float) -> Slider:
        watch = self._watch
        step = (high - low) / 400
        made = Slider(
            title=_titled(name, watch.inputs.unit(name)), start=low, end=high, step=step,
            value=float(np.clip(watch.inputs.of(name), low, high)), format="0[.]000",
            name=f"input {name}", width=_SIDE - 10,
        )  # fmt: skip
        made.on_change("value", self._when(lambda v: watch.set_input(name, v, self._neuron())))
        return made

    def _parameter(self, name: str, least: float, greatest: float) -> Slider:
        watch = self._watch
        around = max(greatest - least, abs(greatest) / 2, abs(least) / 2) or 1.0
        low, high = least - around, greatest + around
        if least >= 0:
            low = max(low, 0.0)
        made = Slider(
            title=name, start=low, end=high, step=(high - low) / 400,
            value=(least + greatest) / 2, format="0[.]00000",
            name=f"parameter {name}", width=_SIDE - 10,
        )  # fmt: skip
        made.on_change("value", self._when(lambda v: watch.set_state(name, v, self._neuron())))
        return made

    def _when(self, work: Callable[[Any], None]) -> Callable[[str, Any, Any], None]:
        """What a widget's change does, if it is somebody's."""

        def changed(attribute: str, old: Any, new: Any) -> None:
            if not self._quiet:
                self._wish(lambda: work(new))

        return changed

    def _wish(self, work: Callable[[], None]) -> None:
        try:
            work()
            self._refused = ""
        except (ValueError, TypeError, ScneuroError) as error:
            self._refused = str(error)

    def _neuron(self) -> int | None:
        """The neuron that sliders are for; None for all."""
        text = self._of.value.strip()
        if not text:
            return None
        if not text.isdecimal():
            raise ValueError(f"{text!r} is no neuron: write a number, or nothing for all")
        return int(text)

    def _chosen(self) -> Choice:
        return Choice(
            tuple(self._populations.value), tuple(self._states.value), numbered(self._neurons.value)
        )

    def _set_state(self) -> None:
        if self._value.value is None:
            raise ValueError(f"write the value that {self._state.value} shall have")
        self._watch.set_state(self._state.value, self._value.value, self._neuron())

    def _show_inputs(self) -> None:
        """Set the sliders to what inputs are of the neuron that they are for."""

        neuron = self._neuron()
        self._quiet = True
        for name, slider in self._sliders.items():
            inside = neuron is None or neuron < self._watch.network.inputs[name].count
            slider.disabled = not inside
            if inside:
                slider.value = self._watch.inputs.of(name, neuron)
        self._quiet = False

    # -- again and again -------------------------------------------------------------------------
    def update(self) -> None:
        """Draw how things are."""
        watch, status = self._watch, self._watch.status
        view = watch.view(float(self._window.value))
        self._header.text = self._headline(status)
        self._said.text = self._messages(status)
        self._counters.text = _counted(status)
        self._range.update(start=view.begin, end=view.end)
        notes = self._update_spikes(view, status) + self._update_traces(view, status)
        self._notes.text = "<br>".join(map(escape, notes))
        if not watch.read_only:
            self._update_widgets(status)

    def _update_spikes(self, view: View, status: Status) -> list[str]:
        notes = []
        for name, raster in view.rasters.items():
            dots, first = self._dots[name]
            dots.data = {
                "t": raster.t.astype(np.float32),
                "y": (raster.neuron + first).astype(np.float32),
                "neuron": raster.neuron.astype(np.int32),
            }
            self._lines[name].data = {
                "t": view.bins.astype(np.float32), "rate": raster.rates.astype(np.float32)
            }  # fmt: skip
            if raster.every > 1:
                notes.append(
                    f"{name}: of so many spikes, those of every {_ordinal(raster.every)} neuron "
                    "are drawn; rates are of all"
                )
        hidden = [n for n, r in view.rasters.items() if np.isnan(r.rate)]
        if hidden and status.pace == PACES[1]:
            notes.append(
                f"{', '.join(hidden)}: by the board's clock, spikes leave the outputs alone"
            )
        return notes

    def _update_traces(self, view: View, status: Status) -> list[str]:
        notes, chosen = [], list(view.traces.items())
        for k, (curves, source) in enumerate(zip(self._curves, self._traces, strict=True)):
            curves.visible = k < len(chosen)
            if not curves.visible:
                source.data = {"t": [], "value": [], "colour": [], "neuron": []}
                continue
            name, traces = chosen[k]
            curves.yaxis.axis_label = _titled(name, self._watch.unit(name))
            source.data = {
                "t": [t.astype(np.float32) for t in traces.t],
                "value": [v.astype(np.float32) for v in traces.values],
                "colour": [_COLOURS[n % len(_COLOURS)] for n in range(len(traces.neurons))],
                "neuron": [f"neuron {n}" for n in traces.neurons],
            }
            self._samples[k].data = self._dotted(traces, status)
            if traces.every > 1:
                notes.append(
                    f"{name}: of {traces.every} samples each, the least and the greatest are drawn"
                )
        if chosen and status.pace == PACES[1]:
            notes.append(
                "by the board's clock, states are sampled now and then, where the dots are"
            )
        return notes

    def _dotted(self, traces: Traces, status: Status) -> dict[str, Any]:
        """The samples one by one, where not every step is one."""
        if status.pace == PACES[0] or not traces.t:
            return {"t": [], "value": [], "colour": []}
        return {
            "t": np.concatenate(traces.t).astype(np.float32),
            "value": np.concatenate(traces.values).astype(np.float32),
            "colour": [
                _COLOURS[n % len(_COLOURS)] for n, t in enumerate(traces.t) for _ in range(len(t))
            ],
        }

    def _update_widgets(self, status: Status) -> None:
        self._quiet = True
        self._pause.update(active=status.paused, label="go on" if status.paused else "pause")
        recording = bool(status.recording)
        self._record.update(
            active=recording,
            label="stop and save" if recording else "record",
            button_type="danger" if recording else "default",
        )
        self._pace.value = status.pace
        self._quiet = False

    # -- words -----------------------------------------------------------------------------------
    def _headline(self, status: Status) -> str:
        counts = ", ".join(f"{name} ({count:,})" for name, count in self._counts.items())
        if not status.connected:
            how = f"<b style='color:{_WARNS}'>no link</b>"
        elif status.paused:
            how = "paused"
        else:
            how = f"{status.steps_per_s:,.0f} steps/s, {_times(status.speed)} real time"
        view_only = " &middot; read-only" * self._watch.read_only
        return (
            f"<h2 style='margin:4px 0'>{escape(self._watch.network.name)} on "
            f"{escape(self._where)}</h2>{escape(counts)} &middot; {how}{view_only}"
        )

    def _messages(self, status: Status) -> str:
        said = [f"<span style='color:{_WARNS}'>{escape(text)}</span>"
                for text in (self._refused, status.message) if text]  # fmt: skip
        if status.recording:
            said.append(f"recording to {escape(status.recording)}")
        elif status.recorded:
            said.append(f"recorded: {escape(status.recorded)}")
        if status.unread:
            said.append(f"{status.unread:,} steps were not seen while there was no link")
        return "<br>".join(said)


def _counted(status: Status) -> str:
    """The counters, as a table; what should not be in a colour of its own."""
    lines = []
    for name, says in _COUNTERS.items():
        if name not in status.counters:
            continue
        value = status.counters[name]
        warns = value and name in ("late", "saturated", "dropped")
        colour = f" style='color:{_WARNS};font-weight:bold'" if warns else ""
        lines.append(
            f"<tr{colour} class='{'warns' if warns else 'well'}'><td style='text-align:right'>"
            f"{value:,}</td><td style='padding-left:8px'>{name}: {says}</td></tr>"
        )
    return f"<table>{''.join(lines)}</table>"


def _titled(name: str, unit: str) -> str:
    return f"{name} ({unit})" if unit else name


def _times(speed: float) -> str:
    return f"{speed:.{2 if speed < 0.995 else 3}g} \N{MULTIPLICATION SIGN}"


def _ordinal(number: int) -> str:
    ending = {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{'th' if number % 100 in (11, 12, 13) else ending}"


def _listed(numbers: tuple[int, ...]) -> str:
    return ", ".join(map(str, numbers))
