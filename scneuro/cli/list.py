"""``scneuro list``: what there is to work with."""

from __future__ import annotations

import argparse

from .options import Commands, add_command, answer

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    add_command(commands, "list", run, "List the neurons and boards.", neuron=False)


def run(options: argparse.Namespace) -> int:
    """Print every built-in neuron and every board, a line each."""
    from ..boards import BOARDS
    from ..neurons import summaries

    neurons = summaries()
    boards = {b.name: f"{b.title}, {b.device}, {b.clock_hz / 1e6:g} MHz" for b in BOARDS.values()}
    rows = [
        "neurons",
        *(f"  {n:18s}{text}" for n, text in neurons.items()),
        "boards",
        *(f"  {n:18s}{text}" for n, text in boards.items()),
    ]
    answer(options, {"neurons": neurons, "boards": boards}, "\n".join(rows))
    return 0
