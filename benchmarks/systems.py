"""Random neurons that nobody thought of: refused, within their bounds, proved, and as float runs.

    python benchmarks/systems.py [--count 500] [--first 0] [--proofs 0]

Of ``--count`` random systems (tests/systems.py) that stay finite in float: how many are refused,
how long lowering takes, whether one step from 3,000 arbitrary states ever exceeds its bound;
whether the gates of the first ``--bits`` differ from the integers, from arbitrary states, and the
first ``--proofs`` are proved equal; and how many free runs of 2,000 steps stay within an LSB of
float, where float itself does when it is rounded to the registers.
"""

from __future__ import annotations

import argparse
import importlib
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

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
    options = parser.parse_args()
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


if __name__ == "__main__":
    main()
