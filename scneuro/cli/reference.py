"""``scneuro reference``: a neuron beside its differential equations."""

from __future__ import annotations

import argparse

from .options import Commands, add_command, add_inputs, answer, chosen_neuron

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "reference", run, "Compare a neuron with its differential equations."
    )
    add_inputs(parser)
    parser.add_argument(
        "--duration", type=float, default=1000.0, metavar="MS", help="(default: 1000 ms)"
    )
    parser.add_argument("--brian", metavar="PYTHON", help="one with Brian2, to ask it too")


def run(options: argparse.Namespace) -> int:
    """Print how much of the error is the time step's, and how much is the integers'."""
    from ..reference import compare

    result = compare(
        chosen_neuron(options),
        current=options.current,
        duration=options.duration,
        brian=options.brian,
    )
    answer(options, result.figures(), result)
    return 0
