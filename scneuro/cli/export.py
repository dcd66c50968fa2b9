"""``scneuro export``: plain Verilog, for other tools and devices."""

from __future__ import annotations

import argparse
from typing import Any

from .network import export_network
from .options import (
    Commands,
    add_command,
    add_inputs,
    add_microcode,
    add_population,
    add_start,
    add_steps,
    answer,
    chosen_form,
    chosen_network,
    chosen_steps,
    chosen_stimulus,
    chosen_target,
    population_stimulus,
)

__all__ = ["add", "run"]

_STEPS = 100


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "export",
        run,
        "Write plain Verilog, its memory files, its ports and a testbench with vectors.",
        network=True,
    )
    parser.add_argument(
        "--verilog", required=True, metavar="DIR", help="the folder that gets the files"
    )
    add_population(parser)
    add_microcode(parser)
    add_inputs(parser)
    add_steps(parser, f"{_STEPS}, of the vectors")
    add_start(parser)


def run(options: argparse.Namespace) -> int:
    """Write the files, and print what they are."""
    from ..population import Population
    from ..sim import export_verilog

    if (network := chosen_network(options)) is not None:
        return export_network(options, network)
    target = chosen_target(options)
    steps = chosen_steps(options) or _STEPS
    stimulus: Any = None
    if isinstance(target, Population):
        stimulus = population_stimulus(options, target, _STEPS)
    elif options.current is not None or options.stimulus is not None or options.inputs:
        stimulus = chosen_stimulus(options, target, _STEPS)
    made = export_verilog(
        target, options.verilog, stimulus=stimulus, steps=steps, form=chosen_form(options)
    )
    answer(options, made.figures(), made)
    return 0
