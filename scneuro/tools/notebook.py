"""What a notebook and a prompt show of an object: a line, or a small table and a trace.

The trace is an SVG written here, so that it needs no matplotlib.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from reprlib import Repr
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..fixed import FixedNeuron
    from ..neuron import Neuron
    from ..runner import Recording

__all__ = [
    "fixed_html",
    "fixed_text",
    "neuron_html",
    "neuron_text",
    "recording_html",
    "recording_text",
    "table",
    "trace",
]

_WIDTH, _HEIGHT, _LEFT, _BELOW = 560, 130, 64, 20  # of a trace, in pixels
_PALE = 'stroke="#1f4e8c" stroke-width="3" stroke-opacity="0.4"'
_DARK = 'stroke="#b5341c" stroke-width="1"'
_STEPS = 2_000  # of the run that a neuron is shown with
_DURATION = 200.0  # ms, if that is less

_short = Repr()
_short.maxother = _short.maxstring = 40


# -- tables and traces ----------------------------------------------------------------------------
def table(title: str, rows: Iterable[Sequence[Any]], head: Sequence[str] = ()) -> str:
    """An HTML table under a title; numbers are given six digits."""
    body = "".join(f"<tr>{''.join(f'<td>{_cell(v)}</td>' for v in row)}</tr>" for row in rows)
    top = f"<tr>{''.join(f'<th>{escape(name)}</th>' for name in head)}</tr>" if head else ""
    return f"<p><b>{escape(title)}</b></p><table>{top}{body}</table>"


def trace(curves: Mapping[str, np.ndarray], end: float, called: str) -> str:
    """Curves over one time axis as inline SVG; of two, the first is wide and pale.

    Parameters
    ----------
    curves : mapping of str to ndarray, shape (T,)
        By label.
    end : float
        Of the time axis, ms.
    called : str
        What is drawn, with its unit.
    """
    values = np.concatenate(list(curves.values()))
    values = values[np.isfinite(values)]
    low, high = (float(values.min()), float(values.max())) if len(values) else (0.0, 0.0)
    room = (high - low) or 1.0
    right, bottom = _WIDTH - 4, _HEIGHT - _BELOW
    lines, named = [], []
    styles = [_PALE, _DARK] if len(curves) > 1 else [_DARK]
    for (label, curve), style in zip(curves.items(), styles, strict=False):
        x, y = _thinned(np.asarray(curve, dtype=float), right - _LEFT)
        x = _LEFT + x * (right - _LEFT)
        y = 8 + (high - y) / room * (bottom - 8)
        points = " ".join(f"{a:.1f},{b:.1f}" for a, b in zip(x, y, strict=True))
        lines.append(f'<polyline points="{points}" fill="none" {style}/>')
        named.append(label)
    text = 'font-size="11" font-family="sans-serif" fill="#333"'
    legend = f"{called}: {', '.join(filter(None, named))}" if any(named) else called
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{_HEIGHT}" '
        f'viewBox="0 0 {_WIDTH} {_HEIGHT}" style="background:white">'
        f'<path d="M{_LEFT},8 V{bottom} H{right}" fill="none" stroke="#999"/>{"".join(lines)}'
        f'<text x="{_LEFT - 4}" y="14" text-anchor="end" {text}>{high:.4g}</text>'
        f'<text x="{_LEFT - 4}" y="{bottom}" text-anchor="end" {text}>{low:.4g}</text>'
        f'<text x="{_LEFT}" y="{_HEIGHT - 5}" {text}>{escape(legend)}</text>'
        f'<text x="{right}" y="{_HEIGHT - 5}" text-anchor="end" {text}>{end:g} ms</text></svg>'
    )


def _thinned(values: np.ndarray, most: int) -> tuple[np.ndarray, np.ndarray]:
    """The least and the greatest value of each of ``most`` parts, and where they are, 0 to 1."""
    steps = np.arange(len(values))
    if len(values) > 2 * most:
        parts = np.array_split(steps, most)
        low = [part[np.argmin(values[part])] for part in parts]
        high = [part[np.argmax(values[part])] for part in parts]
        steps = np.unique(np.concatenate([low, high]))
    steps = steps[np.isfinite(values[steps])]
    return steps / max(len(values) - 1, 1), values[steps]


def _cell(value: Any) -> str:
    return f"{value:.6g}" if isinstance(value, float) else escape(str(value))


def _amount(value: float, unit: str) -> str:
    return f"{value:.6g} {unit}".rstrip()


# -- what a run produced --------------------------------------------------------------------------
def recording_text(run: Recording) -> str:
    """A recording in a line."""
    many = f" of {run.spike.shape[1]:,} neurons" if run.spike.ndim == 2 else ""
    spikes = int(np.sum(run.spikes))
    return (
        f"<Recording{many}: {len(run.spike):,} steps of {run.dt:g} ms, {spikes:,} "
        f"spike{'s' * (spikes != 1)}; {', '.join(run.states)} under {', '.join(run.inputs)}>"
    )


def recording_html(run: Recording) -> str:
    """What each variable did, and the trace of the first state."""
    rows = [
        (name, *(float(f(v)) for f in (np.min, np.max, np.mean)), run.saturated.get(name, ""))
        for name, v in {**run.states, **run.inputs}.items()
        if v.size
    ]
    head = ("", "least", "greatest", "mean", *(["steps at its limit"] if run.saturated else []))
    shown = table(recording_text(run)[1:-1], [row[: len(head)] for row in rows], head)
    for name, values in run.states.items():
        many = values.ndim == 2
        if values.size:
            first = values[:, 0] if many else values
            called = f"{name} of neuron 0" if many else name
            return shown + trace({"": first}, len(values) * run.dt, called)
    return shown


# -- neurons --------------------------------------------------------------------------------------
def neuron_text(neuron: Neuron) -> str:
    """A neuron as the call that makes it."""
    kind = type(neuron).__name__
    preset, overrides = neuron._preset
    arguments, keywords = ((preset,), overrides) if preset is not None else neuron._call
    given = [_short.repr(a) for a in arguments]
    given += [f"{name}={_short.repr(value)}" for name, value in keywords.items()]
    return f"{kind}{'.preset' if preset is not None else ''}({', '.join(given)})"


def neuron_html(neuron: Neuron) -> str:
    """Its variables, its parameters, and what it does at its first typical current."""
    rows: list[tuple[Any, ...]] = [
        ("state", name, state.unit, f"starts at {neuron.initial[name]:.6g}", state.word)
        for name, state in neuron.state_variables.items()
    ]
    rows += [
        ("input", name, neuron.units[name], f"{value:.6g} by default", "Q8.8")
        for name, value in neuron.input_defaults.items()
    ]
    rows += [("noise", name, "", noise.kind, "") for name, noise in neuron.noises.items()]
    rows += [("parameter", name, "", value, "") for name, value in neuron.parameters.items()]
    shown = table(neuron_text(neuron), rows)
    name, unit = neuron.state_names[0], neuron.units[neuron.state_names[0]]
    current, source = neuron.currents[0], next(iter(neuron.input_defaults))
    steps = max(1, min(_STEPS, round(_DURATION / neuron.dt)))
    try:
        with np.errstate(all="ignore"):
            run = neuron.spec.make().run(np.full(steps, current), progress=False)
    except Exception:  # its update() fails: that is for run() to say, not for a picture
        return shown
    held = _amount(current, neuron.units[source])
    return shown + trace(
        {"": run.states[name]}, steps * neuron.dt, f"{name} {unit} at {source} = {held}"
    )


def fixed_text(fixed: FixedNeuron) -> str:
    """An integer model in a line."""
    words = (f"{n} {r.word}+{r.guard}" for n, r in fixed.lowered.registers.items())
    return f"<{fixed.name} in integers: {', '.join(words)}>"


def fixed_html(fixed: FixedNeuron) -> str:
    """Its registers."""
    lowered = fixed.lowered
    rows = [
        (
            name,
            r.unit,
            r.word,
            r.guard,
            r.width,
            f"{r.to_real(r.low):.6g} to {r.to_real(r.high):.6g}",
            lowered.bounds[name] / r.word.lsb,
        )
        for name, r in lowered.registers.items()
    ]
    head = ("state", "unit", "word", "guard bits", "bits", "reaches", "a step is off by, LSB")
    return table(f"{fixed.name} in integers", rows, head)
