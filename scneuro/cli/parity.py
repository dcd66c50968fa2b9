"""``scneuro parity``: gates, integers and float, compared."""

from __future__ import annotations

import argparse

from .options import (
    Commands,
    add_command,
    add_inputs,
    add_start,
    add_steps,
    answer,
    chosen_neuron,
    chosen_stimulus,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "parity", run, "Compare a neuron's gates, integers and float model."
    )
    add_inputs(parser)
    add_steps(parser)
    add_start(parser)
    parser.add_argument("--vcd", metavar="FILE", help="waveform, if the gates fail")
    parser.add_argument(
        "--engine", choices=("amaranth", "cxxrtl"), default="amaranth", help="cxxrtl: compiled"
    )


def run(options: argparse.Namespace) -> int:
    """Print the three levels of parity; 1 if any fails."""
    from ..sim import parity
    from ..tools.files import check_writable

    neuron = chosen_neuron(options)
    if options.vcd is not None:
        check_writable(options.vcd)
    values = chosen_stimulus(options, neuron)
    result = parity(neuron, values, vcd=options.vcd, engine=options.engine)
    answer(options, result.figures(), result)
    return 0 if result.ok else 1
