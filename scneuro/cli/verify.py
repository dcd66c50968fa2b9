"""``scneuro verify``: the whole ladder, from float to the bitstream."""

from __future__ import annotations

import argparse

from .options import (
    Commands,
    add_board,
    add_command,
    add_inputs,
    add_start,
    answer,
    chosen_inputs,
    chosen_neuron,
    chosen_steps,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "verify", run, "Check a neuron all the way from float to the bitstream."
    )
    add_board(parser)
    add_inputs(parser)
    add_start(parser)
    parser.add_argument(
        "--steps", type=int, default=10_000, metavar="N", help="of the compiled simulations"
    )


def run(options: argparse.Namespace) -> int:
    """Print every rung as soon as it is tried; 1 if one fails, 2 if one could not be tried."""
    from ..boards import board
    from ..sim.ladder import climb, lacking
    from ..tools.toolchain import say

    neuron, target = chosen_neuron(options), board(options.board)
    steps, given = chosen_steps(options), chosen_inputs(options, neuron)
    assert steps is not None
    if not options.json:
        print(f"{neuron.name} on {target.title} ({target.device})", flush=True)
    for text in lacking(target):
        say(f"  {text}")
    rungs = []
    for rung in climb(neuron, target, steps=steps, stimulus=given):
        rungs.append(rung)
        if not options.json:
            print(rung, flush=True)
    if options.json:
        answer(options, [rung.as_dict() for rung in rungs], "")
    if any(rung.ok is False for rung in rungs):
        return 1
    return 2 if any(rung.ok is None for rung in rungs) else 0
