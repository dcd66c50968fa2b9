"""Plant all faults and print what became of them."""

import argparse
import dataclasses
import json
import os
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

from .fault import GATES, LOWERING, NEURONS, Verdict
from .trial import faults_of, try_fault


def summary(verdicts: list[Verdict]) -> str:
    """Tables in Markdown: the faults of each operator, and how many each rung catches."""
    lines = []
    for title, rungs in (("lowering", LOWERING), ("gates", GATES)):
        chosen = [v for v in verdicts if v.fault.in_lowering == (title == "lowering")]
        kinds: dict[str, list[Verdict]] = {}
        for v in chosen:
            kinds.setdefault(f"{v.fault.layer}: {v.fault.operator}", []).append(v)
        heads = [f"first: {r}" for r in rungs] if title == "lowering" else list(rungs)
        if title == "lowering":
            heads.append("proof too")
        columns = [f"fault in the {title}", "faults", *heads, "equivalent", "caught"]
        lines += [f"| {' | '.join(columns)} |", "|---" * len(columns) + "|"]
        for label, some in [*kinds.items(), ("**all**", chosen)]:
            cells = [sum(v.caught.get(r, False) for v in some) for r in rungs]
            if title == "lowering":
                first = Counter(v.first for v in some)
                cells = [*(first[r] for r in rungs), cells[-1]]
            equal = sum(bool(v.equivalent) for v in some)
            caught, real = sum(bool(v.first) for v in some), len(some) - equal
            share = f"{100 * caught / real:.0f} %" if real else "-"
            row = [label, len(some), *cells, equal, share]
            lines.append(f"| {' | '.join(map(str, row))} |")
        lines.append("")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--neuron", choices=NEURONS, action="append")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1))
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    faults = [f for name in options.neuron or NEURONS for f in faults_of(name, options.seed)]
    begin, verdicts = time.monotonic(), []
    with ProcessPoolExecutor(options.jobs) as pool:
        for verdict in pool.map(try_fault, faults):
            verdicts.append(verdict)
            if not options.json:
                print(verdict, flush=True)
    seconds = time.monotonic() - begin
    holes = [v for v in verdicts if not v.ok]
    if options.json:
        rows = [{**dataclasses.asdict(v), "first": v.first, "ok": v.ok} for v in verdicts]
        print(json.dumps({"seconds": seconds, "holes": len(holes), "faults": rows}, indent=1))
    else:
        print(f"\n{len(verdicts)} faults in {seconds:.0f} s, {len(holes)} not caught\n")
        print(summary(verdicts))
    return 1 if holes else 0


if __name__ == "__main__":
    sys.exit(main())
