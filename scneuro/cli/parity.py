"""``scneuro parity``: gates, integers and float, compared."""

from __future__ import annotations

import argparse

from .network import parity_network
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
    chosen_stimulus,
    chosen_target,
    population_stimulus,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "parity",
        run,
        "Compare a neuron's gates, integers and float model.",
        network=True,
    )
    add_population(parser)
    add_microcode(parser)
    add_inputs(parser)
    add_steps(parser)
    add_start(parser)
    parser.add_argument("--vcd", metavar="FILE", help="waveform, if the gates fail")
    parser.add_argument(
        "--engine",
        choices=("amaranth", "cxxrtl"),
        help="what simulates the gates: amaranth, or cxxrtl, compiled, which a population has",
    )


def run(options: argparse.Namespace) -> int:
    """Print the three levels of parity; 1 if any fails."""
    from ..hdl import build
    from ..population import Population
    from ..sim import parity, population_parity
    from ..tools.files import check_writable

    if (network := chosen_network(options)) is not None:
        return parity_network(options, network)
    target = chosen_target(options)
    if isinstance(target, Population):
        if options.vcd is not None:
            raise ValueError("--vcd is of a single neuron")
        found = population_parity(
            target,
            population_stimulus(options, target),
            engine=options.engine or "cxxrtl",
        )
        answer(options, found.figures(), found)
        return 0 if found.ok else 1
    neuron = target
    if options.vcd is not None:
        check_writable(options.vcd)
    values = chosen_stimulus(options, neuron)
    fixed, form = neuron.fixed(), chosen_form(options)
    result = parity(
        neuron,
        values,
        fixed=fixed,
        make=lambda: build(neuron, fixed, form),
        vcd=options.vcd,
        engine=options.engine or "amaranth",
    )
    answer(options, result.figures(), result)
    return 0 if result.ok else 1
