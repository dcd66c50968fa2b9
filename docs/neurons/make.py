"""Write a page for every built-in neuron, all of whose figures are measured here.

python docs/neurons/make.py            # about two minutes: accuracy, parity, formats, latency
python docs/neurons/make.py --area     # places and routes them first; about ten minutes more
"""

import argparse
import inspect
import json
import re
import runpy
import textwrap
from pathlib import Path
from typing import Any

from scneuro import Neuron
from scneuro.boards.area import measure_area
from scneuro.errors import ToolError
from scneuro.neurons import builtin, builtins
from scneuro.report import describe, latency_clocks
from scneuro.signals.patterns import PATTERNS
from scneuro.signals.stimulus import adversarial
from scneuro.sim import parity
from scneuro.tools.files import write_whole

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
AREA = HERE / "area.json"
BENCHMARK = runpy.run_path(str(ROOT / "benchmarks" / "accuracy.py"))
STEPS = 300
DEVICE_NAMES = {"up5k": "iCE40 UP5K", "hx8k": "iCE40 HX8K", "ecp5-85k": "ECP5 85F"}
CELLS = {"logic": "logic", "flip_flops": "flip-flops", "dsp": "DSP", "ram": "RAM"}


# -- the page -------------------------------------------------------------------------------------
def page(name: str) -> str:
    """The whole page of a neuron."""
    return facts(name) + "\n" + measured(name) + "\n" + area(name)


def facts(name: str) -> str:
    """What the neuron is, and what was chosen for it: all that takes no run."""
    kind = builtin(name)
    neuron = kind()
    fixed = neuron.fixed()
    latency = latency_clocks(fixed)
    figures = describe(neuron, fixed, latency)
    parts = [f"# `{name}`: {neuron.name}", *_description(neuron), *_picture(name, neuron)]
    if kind.presets:
        parts += ["## Presets", _presets(kind)]
    parts += ["## Formats", _formats(figures)]
    worst = max((abs(c["relative_error"]) for c in figures["coefficients"]), default=0.0)
    count = len(figures["coefficients"])
    parts.append(
        f"{count} coefficient{'s' * (count != 1)}, each off by {worst:.1e} of its value at most; "
        f"`scneuro show {name}` lists {'it' if count == 1 else 'them'}."
    )
    if figures["tables"]:
        parts += ["## Tables", _tables(figures)]
    parts += [
        "## Latency",
        f"{latency['pipelined']} clocks through the pipeline, with a new update every clock; a "
        f"single neuron takes a step every {latency['single']} clocks.",
    ]
    return "\n\n".join(parts) + "\n"


def measured(name: str) -> str:
    """Accuracy over a second, and one adversarial run through the gates."""
    kind = builtin(name)
    neuron = kind()
    unit = neuron.units[next(iter(neuron.input_defaults))]
    currents = sorted(neuron.currents)
    found = BENCHMARK["accuracy"](neuron, BENCHMARK["held"](neuron, currents))
    rows = [(f"{c} {unit}".strip(), f) for c, f in zip(currents, found, strict=True)]
    for preset in kind.presets:
        special = kind.preset(preset)
        (figures,) = BENCHMARK["accuracy"](
            special, BENCHMARK["held"](special, special.currents[:1])
        )
        rows.append((f"{preset}, {special.currents[0]} {unit}".strip(), figures))
    result = parity(neuron, adversarial(STEPS), progress=False)
    return "\n\n".join(
        [
            "## Accuracy",
            "The integers against float on the same words, over one second:",
            _table(
                ("input", "spikes float", "spikes integers", "worst, ms", "mean, ms"),
                [(what, a, b, f"{w:.2f}", f"{m:.3f}") for what, (a, b, w, m) in rows],
            ),
            f"Over {STEPS} steps of adversarial input the gates "
            + ("equal the integers in every bit" if result.bit_exact else "DIFFER")
            + ". The largest error of one step from the same state, in LSB of the word, and its "
            "bound:",
            _table(
                ("state", "largest", "bound"),
                [(n, f"{e:.4f}", f"{b:.4f}") for n, (e, b) in result.step_error.items()],
            ),
        ]
    ) + "\n"  # fmt: skip


def area(name: str) -> str:
    """What ``area.json`` holds of the neuron."""
    stored = json.loads(AREA.read_text())
    rows = []
    for device, title in DEVICE_NAMES.items():
        found = stored.get(name, {}).get(device, "not measured")
        if isinstance(found, str):
            rows.append((title, found, ""))
            continue
        cells = [f"{found['used'][c]} {text}" for c, text in CELLS.items() if found["used"].get(c)]
        rows.append((title, ", ".join(cells), f"{found['fmax_mhz']} MHz"))
    return "\n\n".join(
        [
            "## Area",
            "The neuron alone, its streams on pins, placed for 100 MHz: nextpnr's logic cells on "
            "iCE40, LUTs on ECP5.",
            _table(("device", "cells", "reaches"), rows),
        ]
    ) + "\n"  # fmt: skip


def index() -> str:
    """The list of all pages."""
    rows = []
    for name in builtins():
        neuron = builtin(name)()
        summary = inspect.getdoc(type(neuron)).splitlines()[0]
        states = ", ".join(neuron.state_names)
        rows.append((f"[`{name}`]({name}.md)", _prose(summary), states))
    return "\n\n".join(
        [
            "# The built-in neurons",
            "A page each: equations, parameters, formats, tables, accuracy, area. "
            "`python docs/neurons/make.py` measures and writes them.",
            _table(("neuron", "is", "states"), rows),
        ]
    ) + "\n"  # fmt: skip


# -- its parts ------------------------------------------------------------------------------------
def _table(head: tuple[str, ...], rows: list[tuple[Any, ...]]) -> str:
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    lines += ["| " + " | ".join(str(c).replace("|", "\\|") for c in row) + " |" for row in rows]
    return "\n".join(lines)


def _prose(text: str) -> str:
    """A docstring's markup as Markdown's."""
    text = re.sub(r":\w+:`~?(?:[\w.]+\.)?(\w+)`", r"`\1`", text)
    return text.replace("``", "`")


def _description(neuron: Neuron) -> list[str]:
    """The docstring: its paragraphs, the equations as text, the parameters as a table."""
    body, *sections = re.split(r"\n\n(\w+)\n-+\n", inspect.getdoc(type(neuron)))
    parts = []
    for paragraph in body.split("\n\n"):
        equations = re.match(r"[\w ]*d\w+(/dt)? =", paragraph)
        parts.append(f"```text\n{paragraph}\n```" if equations else _prose(paragraph))
    listed = dict(zip(sections[::2], sections[1::2], strict=True)).get("Parameters", "")
    rows = []
    for item in re.findall(r"^(\w.*?) : .*\n((?:    .*(?:\n|$))+)", listed, re.M):
        given = [neuron.parameters[n] for n in item[0].split(", ") if n in neuron.parameters]
        text = " ".join(textwrap.dedent(item[1]).split())
        rows.append((item[0], ", ".join(f"{v:g}" for v in given), _prose(text)))
    parts += ["## Parameters", _table(("parameter", "default", "meaning"), rows)]
    return parts


def _picture(name: str, neuron: Neuron) -> list[str]:
    if not (ROOT / "docs" / "gallery" / f"{name}-trace.png").exists():
        return []
    return [f"![{neuron.name} in float and Q8.8](../gallery/{name}-trace.png)"]


def _presets(kind: type[Neuron]) -> str:
    rows = []
    for preset, values in kind.presets.items():
        given = ", ".join(f"{n} = {v:g}" for n, v in values.items() if n != "currents")
        criterion = PATTERNS[preset].criterion if preset in PATTERNS else ""
        rows.append((f"`{preset}`", given, f"{kind.preset(preset).currents[0]:g}", criterion))
    if any(row[3] for row in rows):
        return _table(("preset", "parameters", "input", "is recognised by"), rows)
    return _table(("preset", "parameters", "input"), [row[:3] for row in rows])


def _formats(figures: dict[str, Any]) -> str:
    rows = []
    for s in figures["states"]:
        low, high = s["range"]
        reaches = f"{low:.6g} to {high:.6g}"
        bound = f"{s['step_error_bound_lsb']:.4f} LSB"
        rows.append((s["name"], s["unit"], s["word"], s["guard_bits"], s["bits"], reaches, bound))
    rows += [(i["name"], i["unit"], i["word"], "", 16, "", "") for i in figures["inputs"]]
    head = ("name", "unit", "word", "guard bits", "bits", "reaches", "error of a step at most")
    notes = [f"{s['name']}: {s['note']}" for s in figures["states"] if s["note"]]
    return "\n\n".join([_table(head, rows), *notes, *figures["notes"]])


def _short(function: str, most: int = 60) -> str:
    """A function's text, or the beginning of a long one."""
    return f"`{function}`" if len(function) <= most else f"`{function[:most]}` ..."


def _tables(figures: dict[str, Any]) -> str:
    rows = [
        (
            f"{t['name']} = {_short(t['function'])}",
            f"{t['segments']} of {t['words_per_segment']} words",
            f"{t['inputs_checked']:,}",
            f"{t['max_error']:.3g}",
            f"{t['budget']:.3g}",
        )
        for t in figures["tables"]
    ]
    return _table(("function", "segments", "inputs checked", "largest error", "budget"), rows)


# -- writing --------------------------------------------------------------------------------------
def refresh_area() -> None:
    """Place and route every neuron on every device; each result is kept as soon as it is there."""
    stored = json.loads(AREA.read_text()) if AREA.exists() else {}
    for name in builtins():
        for device in DEVICE_NAMES:
            print(f"{name} on {device} ...", flush=True)
            try:
                stored.setdefault(name, {})[device] = measure_area(builtin(name)(), device)
            except ToolError as error:
                stored[name][device] = _why_not(error)
            write_whole(AREA, (json.dumps(stored, indent=1, sort_keys=True) + "\n").encode())


def _why_not(error: ToolError) -> str:
    """What keeps a neuron from a device; any other failure is raised again."""
    if "sb_io" in error.message:
        return "not measured alone: its streams need more pins than the package has"
    if cells := re.search(r"(\d+) ICESTORM_LCs", error.message):
        return f"does not fit: {int(cells[1]):,} logic cells"
    raise error


def main() -> None:
    parser = argparse.ArgumentParser(description="Write a page for every built-in neuron.")
    parser.add_argument("--area", action="store_true", help="measure the areas again, too")
    options = parser.parse_args()
    if options.area:
        refresh_area()
    for name in builtins():
        print(f"{name} ...", flush=True)
        write_whole(HERE / f"{name}.md", page(name).encode())
    write_whole(HERE / "README.md", index().encode())


if __name__ == "__main__":
    main()
