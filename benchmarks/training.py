"""How well trained networks do in float and in integers: the figures of docs/training.md.

    python benchmarks/training.py [--seeds N] [--json FILE]

Trains the networks of examples/digits.py, for digits and MNIST, from several random starts, and
that of examples/sequence.py, and compares their integers with float over the whole test split.
"""

import argparse
import json
import runpy
import sys
from pathlib import Path

import numpy as np

from scneuro.network.train import accuracy

EXAMPLES = Path(__file__).parent.parent / "examples"


def read(example, name, seeds):
    """By training, the accuracies of float and integers from each start."""
    _, unseen = example["split"](name)
    found = {}
    for seed in range(1, seeds + 1):
        for kind, network in example["trained"](name, seed).items():
            shares = accuracy(network, *unseen), accuracy(network.fixed(), *unseen)
            found.setdefault(kind, []).append(shares)
    return found


def main(arguments):
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args(arguments)
    example = runpy.run_path(str(EXAMPLES / "digits.py"))
    figures = {}
    for name in ("digits", "mnist"):
        figures[name] = read(example, name, options.seeds)
        print(f"{name}, {options.seeds} random starts: mean, least and greatest share told right")
        for kind, shares in figures[name].items():
            for label, column in zip(("float", "integers"), np.transpose(shares), strict=True):
                text = f"{column.mean():.2%} ({column.min():.2%} to {column.max():.2%})"
                print(f"  trained in {kind:6s}  {label:8s}  {text}")
            apart = np.abs(np.subtract(*np.transpose(shares)))
            print(f"  trained in {kind:6s}  apart at most {apart.max():.2%}")
    figures["sequence"] = runpy.run_path(str(EXAMPLES / "sequence.py"))["main"]()
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
