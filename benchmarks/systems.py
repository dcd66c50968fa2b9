"""Random neurons that nobody thought of: refused, within their bounds, proved, and as float runs.

    python benchmarks/systems.py [--count 500] [--first 0] [--proofs 0]
    python benchmarks/systems.py --verdicts 200

Of ``--count`` random systems (tests/systems.py) that stay finite in float: how many are refused,
how long lowering takes, whether one step from 3,000 arbitrary states ever exceeds its bound;
whether the gates of the first ``--bits`` differ from the integers, from arbitrary states, and the
first ``--proofs`` are proved equal; and how many free runs of 2,000 steps stay within an LSB of
float, where float itself does when it is rounded to the registers.

``--verdicts`` compares what `scneuro parity` says of two such runs of each system, on a noisy and
on a held current, with the runs themselves, without the gates. So that there is garbage to be
found, the same is done for integers that are coarse on purpose, of every fourth system: without
guard bits, and for a budget of 64 LSB a step. A run is

* *stable* if float stays within an LSB at every step when its states are rounded to the registers
  of the default;
* *kept* if every state of the integers is within 1 LSB of float, rms;
* *lost* if one is off by more than 2 LSB rms, and by more than a tenth of the standard deviation
  of float's own, between spikes that are at the same step in both (over all steps, if there are
  none). What is neither kept nor lost, as where a spike is late by a step, may pass or fail.

The verdict is wrong if it passes a stable run that is lost (garbage passed), in range or not, or
if it fails a run in range that is stable and kept, or that is not stable and off by no more than an
LSB, or twice what rounding alone makes of float (sound failed).
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np

from scneuro.errors import ScneuroError
from scneuro.sim import vector_parity

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
systems = importlib.import_module("systems")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=500)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--proofs", type=int, default=0)
    parser.add_argument("--bits", type=int, default=0, help="systems whose gates are simulated")
    parser.add_argument("--verdicts", type=int, default=0, help="of so many systems, and no more")
    options = parser.parse_args()
    if options.verdicts:
        compare_verdicts(options.verdicts, options.first)
        return
    found: Counter[str] = Counter()
    slowest = 0.0
    for seed, neuron in systems.finite_systems(options.count, options.first):
        found["systems"] += 1
        begin = time.monotonic()
        try:
            fixed = neuron.fixed()
        except ScneuroError as error:
            found["refused"] += 1
            print(f"{seed}: refused: {error.message[:160]}", flush=True)
            continue
        except Exception as error:
            found["raw errors"] += 1
            print(f"{seed}: {type(error).__name__}: {error}", flush=True)
            continue
        finally:
            slowest = max(slowest, time.monotonic() - begin)
        for what, count in judged(neuron, fixed, seed).items():
            found[what] += count
        if found["gates"] < options.bits:
            found["gates"] += 1
            result = vector_parity(fixed, 200, progress=False)
            found["gates that differ"] += not result.ok
        if found["proofs"] < options.proofs:
            from scneuro.sim.proof import prove

            found["proofs"] += 1
            proof = prove(fixed, held=bool(seed % 2), dsp=bool(seed % 4 < 2), progress=False)
            found["not proved"] += not proof.ok
            if not proof.ok:
                print(f"{seed}: {proof}", flush=True)
    for what, count in found.items():
        print(f"{what:44s}{count:8,}")
    print(f"{'slowest lowering, s':44s}{slowest:8.1f}")


def judged(neuron: Any, fixed: Any, seed: int) -> dict[str, int]:
    """What one system adds to the figures."""
    result = {"accepted": 1}
    lowered = fixed.lowered
    over = [n for n in lowered.bounds if lowered.bounds[n] > lowered.budgets[n]]
    result["bounds over their budget"] = len(over)
    result["steps beyond their bound"] = systems.violations(neuron, fixed)
    stable, close = systems.free_run(neuron, fixed)
    result["free runs in range and stable in float"] = stable
    result["of these within an LSB rms"] = close
    if close < stable:
        print(f"{seed}: {stable - close} of {stable} free runs stray by more than an LSB")
    return result


_INTEGERS: dict[str, dict[str, Any]] = {
    "the default": {},
    "without guard bits": {"guard": 0},
    "64 LSB a step": {"budget": 64.0},
}


_JUDGED = (1, 2)  # of the runs of a system
_COARSE = 4  # systems, of which one is made coarse as well


def compare_verdicts(count: int, first: int) -> None:
    """Print what `scneuro parity` says of the runs of so many systems, by what they are."""
    found: dict[str, Counter[str]] = {integers: Counter() for integers in _INTEGERS}
    for index, (seed, neuron) in enumerate(systems.finite_systems(count, first)):
        finest = None
        for integers, options in _INTEGERS.items():
            if options and index % _COARSE:
                continue
            try:
                fixed = neuron.fixed(**options)
            except ScneuroError:
                found[integers]["refused"] += 1
                continue
            with np.errstate(all="ignore"):
                runs = systems.free_runs(neuron, fixed, finest)
            finest = finest or fixed.lowered.registers
            for k in _JUDGED:
                run = runs[k]
                result = systems.verdict(neuron, fixed, run.inputs)
                what = kind(run)
                garbage = result.ok and run.stable and run.lost
                sound = (
                    not result.ok and run.in_range and (run.kept if run.stable else run.as_rounded)
                )
                found[integers][f"{what}: {'passed' if result.ok else 'failed'}"] += 1
                found[integers]["of all runs, with spikes"] += max(result.spikes.values()) > 0
                found[integers]["verdict wrong: garbage passed"] += garbage
                found[integers]["verdict wrong: sound failed"] += sound
                if garbage or sound:
                    print(f"{seed}, {integers}, run {k}: {what}, {run.off}\n{result}", flush=True)
    print(f"\n| {count} systems; integers: | {' | '.join(_INTEGERS)} |\n|---|---|---|---|")
    for what in sorted({w for counts in found.values() for w in counts}):
        print(f"| {what} | {' | '.join(str(counts[what]) for counts in found.values())} |")


def kind(run: Any) -> str:
    """What a run is, in words."""
    where = "in range" if run.in_range else "out of range"
    if run.stable:
        return f"{where}, {'kept' if run.kept else 'lost' if run.lost else 'neither'}"
    return f"{where}, unstable, {'as rounded' if run.as_rounded else 'further'}"


if __name__ == "__main__":
    main()
