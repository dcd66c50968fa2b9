"""Neurons on devices, in every form: cells, frequency, updates a second; and what devices could do.

python benchmarks/hardware.py [--neurons lif adex] [--devices up5k] [--seeds 3] [--count 256]
                              [-o DIR]      # hardware.json and hardware.md; an hour for all
"""

import argparse
import json
from pathlib import Path

from scneuro import Population
from scneuro.boards.area import DEVICES, limits, measure_area, measure_population
from scneuro.boards.memory import stored, stored_form
from scneuro.compiler.pipeline.cells import pipeline
from scneuro.compiler.pipeline.schedule import schedule
from scneuro.errors import ScneuroError
from scneuro.load import make_neuron

NEURONS = ("lif", "izhikevich", "adex", "hodgkin_huxley")
INTERVALS = (1, 4, 16)
COUNT = 256
COUNTS = {"hodgkin_huxley": 64}
HEADER = (
    "| neuron | device | form | logic | FF | DSP | RAM | MHz best | MHz median | latency "
    "| updates/s | updates/s per LC | slowest path |\n" + "|---" * 13 + "|"
)


def single(name: str, device: str) -> dict:
    """One neuron, held, as on a board."""
    neuron = make_neuron(name)
    found = measure_area(neuron, device)
    latency = schedule(neuron.fixed().lowered, DEVICES[device].form).latency + 1
    rate = found["fmax_mhz"] * 1e6 / latency
    return row(name, device, "single", found["used"], [found["fmax_mhz"]], latency, rate, "")


def population(name: str, device: str, interval: int, seeds: list[int], count: int) -> dict:
    """Many neurons, one every ``interval`` clocks."""
    many = Population(make_neuron(name), count, interval=interval)
    found = measure_population(many, device, seeds=seeds)
    fixed = many.fixed()
    pipe = pipeline(fixed.lowered, stored_form(fixed, DEVICES[device]))
    rate = found.best * 1e6 / interval
    form = f"{count} neurons, interval {interval}"
    made = row(name, device, form, found.used, found.fmax_mhz, pipe.latency + 1, rate, found.path)
    return {**made, "memory_bits": sum(memory.bits for memory in stored(fixed, pipe))}


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
    used, fmax = row["used"], sorted(row["fmax_mhz"])
    cells = [used.get(kind, "-") for kind in ("logic", "flip_flops", "dsp", "ram")]
    figures = [
        row["neuron"],
        row["device"],
        row["form"],
        *cells,
        f"{fmax[-1]:.1f}",
        f"{fmax[len(fmax) // 2]:.1f}",
        row["latency"],
        f"{row['updates_per_second']:,}",
        f"{row['updates_per_second_per_logic']:,}",
        row["slowest_path"],
    ]
    return "| " + " | ".join(map(str, figures)) + " |"


def main(arguments: list[str] | None = None) -> list[dict]:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--neurons", nargs="+", default=NEURONS)
    parser.add_argument("--devices", nargs="+", default=list(DEVICES))
    parser.add_argument("--intervals", nargs="+", type=int, default=INTERVALS)
    parser.add_argument("--seeds", type=int, default=3, help="how many")
    parser.add_argument("--count", type=int, help=f"neurons (default {COUNT})")
    parser.add_argument("-o", "--output", type=Path)
    options = parser.parse_args(arguments)
    seeds = list(range(1, options.seeds + 1))
    rows: list[dict] = []
    print(HEADER, flush=True)
    for device in options.devices:
        for what, area in limits(device, seeds=seeds).items():
            rows.append(row("-", device, f"bare {what}", area.used, area.fmax_mhz, 1, 0, area.path))
            print(line(rows[-1]), flush=True)
        for name in options.neurons:
            makes = [lambda name=name, device=device: single(name, device)]
            count = options.count or COUNTS.get(name, COUNT)
            makes += [
                lambda name=name, device=device, k=k, n=count: population(name, device, k, seeds, n)
                for k in options.intervals
            ]
            for make in makes:
                try:
                    rows.append(make())
                except ScneuroError as error:
                    print(f"| {name} | {device} | {str(error).splitlines()[0]} |", flush=True)
                    continue
                print(line(rows[-1]), flush=True)
    if options.output:
        options.output.mkdir(parents=True, exist_ok=True)
        (options.output / "hardware.json").write_text(json.dumps(rows, indent=2) + "\n")
        text = "\n".join([HEADER, *map(line, rows)])
        (options.output / "hardware.md").write_text(text + "\n")
    return rows


if __name__ == "__main__":
    main()
