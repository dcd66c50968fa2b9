"""``scneuro verify``: the whole ladder, from float to the bitstream."""

from __future__ import annotations

import argparse

from .network import rungs_of
from .options import (
    POPULATION_STEPS,
    STEPS,
    Commands,
    add_board,
    add_command,
    add_inputs,
    add_microcode,
    add_population,
    add_start,
    answer,
    chosen_board,
    chosen_inputs,
    chosen_network,
    chosen_steps,
    chosen_target,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "verify",
        run,
        "Check a neuron all the way from float to the bitstream.",
        network=True,
    )
    add_board(parser)
    add_population(parser)
    add_microcode(parser)
    add_inputs(parser)
    add_start(parser)
    parser.add_argument(
        "--steps",
        type=int,
        metavar="N",
        help="of the compiled simulations (default 10,000; population 1,000; network 100)",
    )


def run(options: argparse.Namespace) -> int:
    """Print every rung as soon as it is tried; 1 if one fails, 2 if one could not be tried."""
    from ..network import Network
    from ..population import Population
    from ..sim.ladder import climb, climb_population, lacking
    from ..tools.toolchain import say

    chosen = chosen_network(options) or chosen_target(options)
    target = chosen_board(options)
    steps = chosen_steps(options)
    if isinstance(chosen, Network):
        named, climbed = chosen.name, rungs_of(options, chosen, target)
    elif isinstance(chosen, Population):
        if options.current is not None or options.stimulus is not None or options.inputs:
            raise ValueError("a population is verified at its own currents: leave out the inputs")
        named = f"{chosen.count:,} {chosen.name}"
        climbed = climb_population(chosen, target, steps=steps or POPULATION_STEPS)
    else:
        named, given = chosen.name, chosen_inputs(options, chosen)
        climbed = climb(chosen, target, steps=steps or STEPS, stimulus=given)
    if not options.json:
        print(f"{named} on {target.title} ({target.device})", flush=True)
    for text in lacking(target, population=isinstance(chosen, Network | Population)):
        say(f"  {text}")
    rungs = []
    for rung in climbed:
        rungs.append(rung)
        if not options.json:
            print(rung, flush=True)
    if options.json:
        answer(options, [rung.as_dict() for rung in rungs], "")
    if any(rung.ok is False for rung in rungs):
        return 1
    return 2 if any(rung.ok is None for rung in rungs) else 0
