"""Make ``stored.json``: ``python -m scneuro.reference.make --brian PYTHON``."""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

import numpy as np
from tqdm import tqdm

from ..errors import ScneuroError
from ..neuron import Neuron
from ..neurons import builtin
from ..tools.files import write_whole
from . import adaptive
from .compare import STORED, brian_times
from .equations import EQUATIONS

__all__ = ["duration", "main", "make", "standard"]

# chaotic: two references part within a few spikes, whatever their accuracy
_CHAOTIC = {"adex": ("irregular",)}


def standard(name: str) -> list[tuple[Neuron, float]]:
    """The standard runs of a built-in neuron: its currents, and its presets at their first.

    Returns
    -------
    list of (Neuron, float)
        With the current, a Q8.8 word.
    """
    cls = builtin(name)
    presets = [cls.preset(p) for p in cls.presets if p not in _CHAOTIC.get(name, ())]
    runs = [(cls(), current) for current in cls.currents]
    known = [cls().parameters]
    runs += [(p, p.currents[0]) for p in presets if p.parameters not in known]
    return [
        (neuron, float(neuron.carried(next(iter(neuron.input_words)), current)))
        for neuron, current in runs
    ]


def duration(name: str) -> float:
    """How long the standard runs of a neuron are, ms."""
    return 100.0 if name == "hodgkin_huxley" else 1000.0


def make(python: str) -> dict[str, Any]:
    """What ``stored.json`` holds; ``python`` is one that has Brian2."""
    runs: list[dict[str, Any]] = []
    versions: dict[str, str] = {}
    for name in tqdm(EQUATIONS, unit="neuron"):
        neurons, currents = zip(*standard(name), strict=True)
        trains, versions = brian_times(python, neurons, currents, duration(name))
        for neuron, current, train in zip(neurons, currents, trains, strict=True):
            runs.append(
                {
                    "neuron": name,
                    "parameters": {p: v for p, v in neuron.parameters.items() if p != "dt"},
                    "current": current,
                    "duration": duration(name),
                    "solve_ivp": _rounded(adaptive.spike_times(neuron, current, duration(name))),
                    "brian2": _rounded(train),
                }
            )
    return {
        "solve_ivp": adaptive.versions(),
        "brian2": versions,
        "runs": runs,
    }


def _rounded(times: np.ndarray) -> list[float]:
    rounded: list[float] = np.round(times, 6).tolist()
    return rounded


def main(arguments: list[str] | None = None) -> int:
    """The command; 0 is good, 2 trouble."""
    parser = argparse.ArgumentParser(description="Rewrite the stored references, whole.")
    parser.add_argument("--brian", required=True, metavar="PYTHON", help="one that has Brian2")
    try:
        content = make(parser.parse_args(arguments).brian)
    except ScneuroError as error:
        print(f"scneuro: {error}", file=sys.stderr)
        return 2
    head = {key: value for key, value in content.items() if key != "runs"}
    lines = ",\n".join(json.dumps(run) for run in content["runs"])  # a run to a line
    write_whole(STORED, f'{json.dumps(head)[:-1]},\n"runs": [\n{lines}\n]}}\n'.encode())
    return 0


if __name__ == "__main__":
    sys.exit(main())
