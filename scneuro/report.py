"""What was chosen for a neuron, in words: equations, formats, coefficients, tables, latency."""

from __future__ import annotations

import inspect
from typing import Any

from .compiler.algebra.text import Equations
from .compiler.pipeline.form import Form
from .compiler.pipeline.schedule import schedule
from .fixed import FixedNeuron
from .neuron import Neuron

__all__ = ["describe", "latency_clocks", "show"]


_COSTS = 4  # of a state's error that are named
_WIDE = 48
_LINE = 100  # letters of a formula


def describe(neuron: Neuron, fixed: FixedNeuron, latency: dict[str, int]) -> dict[str, Any]:
    """Every choice of the lowering, as plain data.

    Parameters
    ----------
    neuron, fixed
    latency : dict of str to int
        Clocks of the forms of the hardware.
    """
    lowered = fixed.lowered
    equations = Equations(lowered.updates, lowered.spike)
    tables = {text: name for name, text in equations.tables.items()}
    states = [
        {
            "name": r.name,
            "unit": r.unit,
            "word": str(r.word),
            "guard_bits": r.guard,
            "bits": r.width,
            "lsb": r.word.lsb,
            "range": [float(r.to_real(r.low)), float(r.to_real(r.high))],
            "step_error_bound_lsb": lowered.bounds[r.name] / r.word.lsb,
            "step_error_budget_lsb": lowered.budgets[r.name] / r.word.lsb,
            "step_error_costs_lsb": [
                {"of": c.of, "lsb": c.error / r.word.lsb} for c in lowered.costs[r.name]
            ],
            "note": r.note,
        }
        for r in lowered.registers.values()
    ]
    return {
        "neuron": neuron.name,
        "parameters": neuron.parameters,
        "presets": list(neuron.presets),
        "sums": equations.sums,
        "updates": equations.updates,
        "spike": equations.spike,
        "states": states,
        "inputs": [
            {
                "name": n,
                "unit": unit,
                "word": str(lowered.input_words[n]),
                "range": [end * lowered.input_words[n].lsb for end in lowered.input_limits[n]],
            }
            for n, unit in lowered.inputs.items()
        ],
        "working_range": {n: list(ends) for n, ends in lowered.working.items()},
        "budget_share": lowered.share,
        "coefficients": [
            {"of": c.of, "exact": c.exact, "used": c.used, "relative_error": c.used / c.exact - 1}
            for c in lowered.coefficients
        ],
        "tables": [
            {
                "name": tables.get(t.text, ""),
                "function": t.text,
                "segments": t.segments,
                "words_per_segment": 1 << t.shift,
                "rows": len(t.rows),
                "inputs_checked": t.words,
                "budget": t.budget,
                "max_error": t.error,
            }
            for t in lowered.tables
        ],
        "notes": list(lowered.notes),
        "latency_clocks": latency,
    }


def show(neuron: Neuron, figures: dict[str, Any]) -> str:
    """The same as text."""
    said = vars(type(neuron)).get("__doc__")  # its own: what it inherits is of another neuron
    lines = [f"{neuron.name}: {inspect.cleandoc(said)}" if said else neuron.name, ""]
    given = ", ".join(f"{n} = {v:g}" for n, v in figures["parameters"].items())
    lines += [f"parameters  {given}"]
    if figures["presets"]:
        lines.append(f"presets     {', '.join(figures['presets'])}")
    lines += ["", "one step, as it was understood (f#1, f#2, ... are the tables below)"]
    formulas = [f"  {name} = {text}" for name, text in figures["sums"].items()]
    formulas += [f"  spike if {figures['spike']}"]
    formulas += [f"  {name} <- {text}" for name, text in figures["updates"].items()]
    lines += [_cut(formula, _LINE) for formula in formulas]
    if any(len(formula) > _LINE for formula in formulas):
        lines.append("  (... is cut; --json has the whole formulas)")
    lines += [
        "",
        f"  {'state':8s}{'unit':8s}{'word':7s}{'guard':>6s}{'bits':>6s}  "
        f"{'reaches':24s}{'one-step error'}",
    ]
    for s in figures["states"]:
        low, high = s["range"]
        lines.append(
            f"  {s['name']:8s}{s['unit']:8s}{s['word']:7s}{s['guard_bits']:6d}"
            f"{s['bits']:6d}  {f'{low:.6g} to {high:.6g}':24s}"
            f"<= {s['step_error_bound_lsb']:.4f} LSB"
        )
        if s["note"]:
            lines.append(f"          {s['note']}")
    for i in figures["inputs"]:
        low, high = i["range"]
        lines.append(
            f"  {i['name']:8s}{i['unit']:8s}{i['word']:7s}{'':6s}{16:6d}  {low:.6g} to {high:.6g}"
        )
    lines += ["", *_budget_lines(figures)]
    lines += ["", f"  {'coefficient of':44s}{'exact':>14s}{'used':>14s}{'relative error':>16s}"]
    for c in figures["coefficients"]:
        of = _cut(c["of"], 42)
        lines.append(f"  {of:44s}{c['exact']:14.8g}{c['used']:14.8g}{c['relative_error']:16.1e}")
    for t in figures["tables"]:
        lines += [
            "",
            _cut(f"table {t['name']} = {t['function']}", _LINE),
            f"  {t['segments']} segments of {t['words_per_segment']} words; error over all "
            f"{t['inputs_checked']:,} words it can be given: {t['max_error']:.3g} at most "
            f"(budget {t['budget']:.3g})",
        ]
    lines += [f"\nnote: {note}" for note in figures["notes"]]
    latency = figures["latency_clocks"]
    lines += [
        "",
        f"latency  {latency['pipelined']} clocks, with a new update every clock; "
        f"a single neuron takes a step every {latency['single']} clocks",
    ]
    return "\n".join(lines)


def _budget_lines(figures: dict[str, Any]) -> list[str]:
    """Where each state's error of one step comes from, and what limits the states."""
    lines = []
    for s in figures["states"]:
        budget = s["step_error_budget_lsb"]
        costs = [c for c in s["step_error_costs_lsb"] if c["lsb"] > 1e-5][:_COSTS]
        spent = ", ".join(f"{c['lsb']:.2g} {_cut(c['of'])}" for c in costs) or "nothing"
        lines.append(f"budget  {s['name']}: {budget:.3g} LSB a step, of which {spent}")
    working = figures["working_range"]
    if working:
        where = ", ".join(f"{n} {low:.4g} to {high:.4g}" for n, (low, high) in working.items())
        lines += [
            f"limits  where the float model works under its currents, and a margin: {where};",
            "        State(range=(low, high)) and Input(range=(low, high)) say otherwise, and a "
            "narrower one is cheaper",
        ]
    return lines


def _cut(text: str, width: int = _WIDE) -> str:
    return text if len(text) <= width else f"{text[: width - 3]}..."


def latency_clocks(fixed: FixedNeuron) -> dict[str, int]:
    """Clocks of a step with DSPs to multiply in: ``pipelined``, and of a ``single`` neuron."""
    clocks = schedule(fixed.lowered, Form()).latency
    return {"pipelined": clocks, "single": clocks + 1}
