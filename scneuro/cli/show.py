"""``scneuro show``: what was made of a neuron."""

from __future__ import annotations

import argparse

from .options import Commands, add_command, answer, chosen_neuron

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    add_command(commands, "show", run, "Show a neuron's equations, formats, tables and latency.")


def run(options: argparse.Namespace) -> int:
    """Print equations, formats, coefficients, tables and latency."""
    from ..report import describe, latency_clocks, show

    neuron = chosen_neuron(options)
    fixed = neuron.fixed()
    figures = describe(neuron, fixed, latency_clocks(fixed))
    answer(options, figures, show(neuron, figures))
    return 0
