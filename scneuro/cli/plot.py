"""``scneuro plot``: figures as papers have them."""

from __future__ import annotations

import argparse

from .options import (
    Commands,
    add_command,
    add_inputs,
    add_start,
    add_steps,
    answer,
    chosen_currents,
    chosen_inputs,
    chosen_neuron,
    chosen_steps,
    chosen_stimulus,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "plot", run, "Draw a neuron in float and integers, as papers do."
    )
    parser.add_argument(
        "--kind",
        choices=("trace", "fi", "phase"),
        default="trace",
        help="trace: of all variables in time (default); fi: firing rate over current; "
        "phase: phase plane",
    )
    add_inputs(parser)
    add_steps(parser, "200 ms; fi: 10000")
    add_start(parser)
    parser.add_argument(
        "--currents",
        type=float,
        nargs=2,
        metavar=("LOW", "HIGH"),
        help="fi: the first and the last current",
    )
    parser.add_argument(
        "--variables", nargs=2, metavar=("X", "Y"), help="phase: the states on its axes"
    )
    parser.add_argument("-o", "--output", required=True, metavar="FILE", help=".png, .svg or .pdf")


def run(options: argparse.Namespace) -> int:
    """Draw a figure of the kind asked for."""
    from .. import plot

    plot.require(options.output)
    neuron, steps = chosen_neuron(options), chosen_steps(options)
    if options.kind != "trace" and options.stimulus is not None:
        raise ValueError(f"--kind {options.kind} holds its inputs; leave out --stimulus")
    given = chosen_inputs(options, neuron)
    first = next(iter(neuron.input_defaults))
    drawn = {"neuron": neuron.name, "kind": options.kind, "plot": options.output}
    for name, kind in (("currents", "fi"), ("variables", "phase")):
        if getattr(options, name) and options.kind != kind:
            raise ValueError(f"--{name} is for --kind {kind}, not {options.kind}")
    if options.kind != "trace" and not all(isinstance(v, float) for v in given.values()):
        raise ValueError(f"--kind {options.kind} holds its inputs; --input takes a number here")
    if options.kind == "fi":
        if first in given:
            raise ValueError(
                f"--kind fi goes through many values of {first}; leave out --current, or name "
                "their range: --currents LOW HIGH"
            )
        currents = chosen_currents(options, plot.curve.CURRENTS)
        plot.plot_fi(neuron, options.output, currents, steps=steps, inputs=given)
    elif options.kind == "phase":
        current = given.pop(first, None)
        plot.plot_phase(
            neuron,
            options.output,
            current,
            steps=steps,
            variables=options.variables,
            inputs=given,
        )
    else:
        if all(isinstance(values, float) for values in given.values()):
            shown = {first: None, **given}
        else:
            shown = chosen_stimulus(options, neuron)
        plot.plot_trace(neuron, options.output, shown, steps=steps)
    answer(options, drawn, f"{neuron.name}: {options.kind} drawn to {options.output}")
    return 0
