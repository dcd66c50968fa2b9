"""Q8.8 against float over 48 held currents, for every neuron and preset, at several budgets.

    python benchmarks/sweep.py [--area DEVICE] [NEURON ...]

One second (100 ms of HodgkinHuxley) at each of 48 currents up to 1.5 times the largest of the
neuron's own; float gets the same words. For each budget: the share of currents with an equal number
of spikes, the largest difference, and the mean coincidence factor (2 ms). For comparison, the share
that float keeps when its own states are rounded to the registers after every step: what it loses
there, no integers of that width can be asked to keep. With ``--area``, the cells of a neuron alone.
"""

from __future__ import annotations

import argparse
from typing import Any

import numpy as np

from scneuro.boards.area import DEVICES, measure_area
from scneuro.neurons import builtin, builtins
from scneuro.sim.explore.fidelity import CURRENTS, Sweep

BUDGETS = (None, 1.0, 1 / 4, 1 / 16)


def neurons(names: list[str]) -> list[tuple[str, Any]]:
    found = []
    for name in names:
        kind = builtin(name)
        found.append((kind.__name__, kind()))
        found += [(f"{kind.__name__} {preset}", kind.preset(preset)) for preset in kind.presets]
    return found


def rounded(neuron: Any, fixed: Any, words: np.ndarray) -> np.ndarray:
    """Float's spike counts with its states rounded to the registers after every step."""
    registers = fixed.lowered.registers
    (first, *_) = neuron.input_defaults
    neuron.reset()
    count = np.zeros(words.shape[1], dtype=int)
    for row in words:
        spike, _ = neuron.step(**{first: row})
        count += spike
        for name, r in registers.items():
            value = np.floor(np.ldexp(neuron.read(name), r.fraction) + 0.5)
            neuron.write(name, np.ldexp(value, -r.fraction))
    return count


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("neurons", nargs="*", default=list(builtins()))
    parser.add_argument("--area", choices=DEVICES)
    options = parser.parse_args()
    print("| neuron | budget, LSB | counts equal | largest difference | coincidence | area |")
    print("|---|---|---|---|---|---|")
    equal = total = 0
    for title, neuron in neurons(options.neurons):
        sweep = Sweep(neuron, steps=round((100 if title == "HodgkinHuxley" else 1000) / neuron.dt))
        for budget in BUDGETS:
            fixed = neuron.fixed(budget=budget)
            found = sweep.against(fixed)
            if budget is None:
                equal, total = equal + found.equal, total + CURRENTS
                kept = int(np.sum(rounded(neuron, fixed, sweep.words) == found.float_spikes))
                print(f"| {title} | float, rounded | {kept} of {CURRENTS} | | | |", flush=True)
            area = ""
            if options.area:
                neuron.budget = budget
                used = measure_area(neuron, options.area)["used"]
                neuron.budget = None
                area = ", ".join(f"{count} {cell}" for cell, count in used.items())
            print(
                f"| {title} | {'default' if budget is None else f'{budget:g}'} "
                f"| {found.equal} of {CURRENTS} | {found.largest_difference} "
                f"| {found.coincidence:.3f} | {area} |",
                flush=True,
            )
    print(f"\n{equal} of {total} counts equal ({equal / total:.1%}) at the default budget")


if __name__ == "__main__":
    main()
