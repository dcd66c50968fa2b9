"""Neurons on devices, in every form: cells, frequency, updates a second; and what devices could do.

python benchmarks/hardware.py [--neurons lif adex] [--devices up5k] [--seeds 3] [--count 256]
                              [--lanes 1] [-o DIR]  # hardware.json, hardware.md; two hours for all

A row that is in DIR's hardware.json already is not measured again, so that it can be interrupted.
"""

import argparse
import json
import statistics
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

from scneuro import Neuron, Population
from scneuro.boards.area import DEVICES, limits, measure_area, measure_population
from scneuro.boards.memory import stored, stored_form
from scneuro.compiler.pipeline.cells import pipeline
from scneuro.errors import ScneuroError
from scneuro.hdl import Form, latency
from scneuro.load import make_neuron
from scneuro.tools.files import write_whole

NEURONS = ("lif", "izhikevich", "adex", "hodgkin_huxley")
MEASURED = ("hx8k", "up5k", "ecp5-85k")
INTERVALS = (1, 4, 8, 16)
COUNT = 256
COUNTS = {"hodgkin_huxley": 64}
#: LSB a step; with the default, the tables alone of Hodgkin and Huxley's neuron take 69 block RAMs.
BUDGETS = {"hodgkin_huxley": 1.2}
HEADER = (
    "| neuron | device | form | logic | FF | DSP | RAM | MHz best | MHz median | latency "
    "| updates/s | updates/s per LC | slowest path |\n" + "|---" * 13 + "|"
)


def made(name: str) -> Neuron:
    neuron = make_neuron(name)
    if name in BUDGETS:
        neuron.budget = BUDGETS[name]
    return neuron


def single_forms(device: str) -> dict[str, Form]:
    """The forms of a single neuron: as on a board, with one multiplier, and as a program."""
    part = DEVICES[device]
    return {
        "single": part.form,
        "single, folded": Form(held=True, interval=16, multipliers=min(1, part.dsps)),
        "single, program": replace(part, microcode=True).form,
    }


def single(name: str, device: str, what: str) -> dict:
    """One neuron, held."""
    neuron, form = made(name), single_forms(device)[what]
    found = measure_area(neuron, device, form=form)
    clocks = latency(neuron.fixed(), form)
    rate = found["fmax_mhz"] * 1e6 / clocks
    return row(name, device, what, found["used"], [found["fmax_mhz"]], clocks, rate, "")


def population(
    name: str, device: str, interval: int, seeds: list[int], count: int, lanes: int
) -> dict:
    """Many neurons, one in each lane every ``interval`` clocks."""
    many = Population(made(name), count, lanes=lanes, interval=interval)
    found = measure_population(many, device, seeds=seeds)
    fixed = many.fixed()
    pipe = pipeline(fixed.lowered, stored_form(fixed, DEVICES[device]))
    rate = found.best * 1e6 * lanes / interval
    form = in_words(count, interval, lanes)
    made_row = row(
        name, device, form, found.used, found.fmax_mhz, pipe.latency + 1, rate, found.path
    )
    return {**made_row, "memory_bits": sum(memory.bits for memory in stored(fixed, pipe))}


def in_words(count: int, interval: int, lanes: int) -> str:
    return f"{count} neurons,{f' {lanes} lanes,' * (lanes > 1)} interval {interval}"


def row(name, device, form, used, fmax, latency, rate, path) -> dict:
    return {
        "neuron": name,
        "device": device,
        "form": form,
        "used": used,
        "fmax_mhz": list(fmax),
        "latency": latency,
        "updates_per_second": round(rate),
        "updates_per_second_per_logic": round(rate / used["logic"]),
        "slowest_path": path,
    }


def line(row: dict) -> str:
    """A row of the table."""
    if "refused" in row:
        return f"| {row['neuron']} | {row['device']} | {row['form']} | {row['refused']} |" + "|" * 9
    used, fmax = row["used"], row["fmax_mhz"]
    cells = [used.get(kind, "-") for kind in ("logic", "flip_flops", "dsp", "ram")]
    figures = [
        row["neuron"],
        row["device"],
        row["form"],
        *cells,
        f"{max(fmax):.1f}",
        f"{statistics.median(fmax):.1f}",
        row["latency"],
        f"{row['updates_per_second']:,}",
        f"{row['updates_per_second_per_logic']:,}",
        row["slowest_path"],
    ]
    return "| " + " | ".join(map(str, figures)) + " |"


def table(rows: list[dict]) -> str:
    return "\n".join([HEADER, *map(line, rows)]) + "\n"


Wanted = tuple[str, str, str, Callable[[], dict]]
"""The neuron, the device and the form of a row, and what measures it."""


def wanted(options: argparse.Namespace) -> Iterator[Wanted]:
    """The rows of the table, in order."""
    seeds = list(range(1, options.seeds + 1))
    for device in options.devices:
        for name in options.neurons:
            for what in () if options.no_singles else single_forms(device):
                yield name, device, what, partial(single, name, device, what)
            count = options.count or COUNTS.get(name, COUNT)
            for k in options.intervals:
                measure = partial(population, name, device, k, seeds, count, options.lanes)
                yield name, device, in_words(count, k, options.lanes), measure


def main(arguments: list[str] | None = None) -> list[dict]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurons", nargs="+", default=NEURONS)
    parser.add_argument("--devices", nargs="+", default=MEASURED, choices=DEVICES)
    parser.add_argument("--intervals", nargs="*", type=int, default=INTERVALS)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--count", type=int, help=f"neurons (default {COUNT})")
    parser.add_argument("--lanes", type=int, default=1, help="datapaths side by side (default 1)")
    parser.add_argument("--no-limits", action="store_true", help="leave out the bare parts")
    parser.add_argument("--no-singles", action="store_true", help="leave out single neurons")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args(arguments)
    rows: list[dict] = []
    stored_rows = options.output / "hardware.json" if options.output else None
    if stored_rows and stored_rows.is_file():
        rows = json.loads(stored_rows.read_text())
    known = {(row["neuron"], row["device"], row["form"]) for row in rows}
    print(HEADER, flush=True)

    def add(made_row: dict) -> None:
        rows.append(made_row)
        print(line(made_row), flush=True)
        if stored_rows:
            write_whole(stored_rows, (json.dumps(rows, indent=1) + "\n").encode())
            write_whole(stored_rows.with_suffix(".md"), table(rows).encode())

    for device in () if options.no_limits else options.devices:
        if ("-", device, "bare adder") not in known:
            for what, area in limits(device, seeds=range(1, options.seeds + 1)).items():
                add(row("-", device, f"bare {what}", area.used, area.fmax_mhz, 1, 0, area.path))
    for name, device, form, measure in wanted(options):
        if (name, device, form) in known:
            continue
        try:
            add(measure())
        except ScneuroError as error:
            said = str(error).splitlines()
            why = next((text for text in said if "ERROR" in text), said[0])
            add({"neuron": name, "device": device, "form": form, "refused": why[:120]})
    return rows


if __name__ == "__main__":
    main()
