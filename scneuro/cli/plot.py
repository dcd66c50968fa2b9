"""``scneuro plot``: figures as papers have them."""

from __future__ import annotations

import argparse

from .options import (
    Commands,
    add_command,
    add_stimulus,
    answer,
    chosen_neuron,
    chosen_steps,
    chosen_stimulus,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(commands, "plot", run, "Draw a neuron in float and Q8.8, as papers do.")
    parser.add_argument(
        "--kind",
        choices=("trace", "fi", "phase"),
        default="trace",
        help="trace: of all variables in time (default); fi: firing rate over current; "
        "phase: phase plane",
    )
    add_stimulus(parser, "200 ms; fi: 10000")
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".png or .svg")


def run(options: argparse.Namespace) -> int:
    """Draw a figure of the kind asked for."""
    from .. import plot

    plot.require(options.output)
    neuron, steps = chosen_neuron(options), chosen_steps(options)
    drawn = {"neuron": neuron.name, "kind": options.kind, "plot": options.output}
    if options.kind != "trace" and options.stimulus is not None:
        raise ValueError(f"--kind {options.kind} holds its currents; leave out --stimulus")
    if options.kind == "fi":
        if options.current is not None:
            raise ValueError("--kind fi goes through many currents; leave out --current")
        plot.plot_fi(neuron, options.output, steps=steps)
    elif options.kind == "phase":
        plot.plot_phase(neuron, options.output, options.current, steps=steps)
    else:
        given = options.current if options.stimulus is None else chosen_stimulus(options, neuron)
        plot.plot_trace(neuron, options.output, given, steps=steps)
    answer(options, drawn, f"{neuron.name}: {options.kind} drawn to {options.output}")
    return 0
