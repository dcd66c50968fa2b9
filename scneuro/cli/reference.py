"""``scneuro reference``: a neuron beside its differential equations."""

from __future__ import annotations

import argparse

from .options import (
    Commands,
    add_command,
    add_inputs,
    add_start,
    answer,
    chosen_inputs,
    chosen_neuron,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "reference", run, "Compare a neuron with its differential equations."
    )
    add_inputs(parser)
    add_start(parser)
    parser.add_argument(
        "--duration", type=float, default=1000.0, metavar="MS", help="(default: 1000 ms)"
    )
    parser.add_argument("--brian", metavar="PYTHON", help="one with Brian2, to ask it too")
    parser.add_argument(
        "--spikes",
        metavar="FILE",
        help="spike times in ms of another simulator to compare with, a number per line or .npy",
    )


def run(options: argparse.Namespace) -> int:
    """Print how much of the error is the time step's, and how much is the integers'."""
    from ..reference import compare
    from ..signals.spikes import load

    neuron = chosen_neuron(options)
    given = chosen_inputs(options, neuron)
    result = compare(
        neuron,
        inputs=given,
        duration=options.duration,
        brian=options.brian,
        spikes=None if options.spikes is None else load(options.spikes),
    )
    answer(options, result.figures(), result)
    return 0
