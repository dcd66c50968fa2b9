"""``scneuro show``: what was made of a neuron or a network."""

from __future__ import annotations

import argparse

from .network import show_network
from .options import Commands, add_command, answer, chosen_network, chosen_neuron

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "show",
        run,
        "Show a neuron's equations, formats, tables and latency, or what a network is made of.",
        network=True,
    )
    parser.add_argument("--board", help="also the cells it takes there, by synthesis alone")
    parser.add_argument(
        "--cheaper",
        action="store_true",
        help="also which coarser words and which ranges take less: it is lowered with each",
    )


def run(options: argparse.Namespace) -> int:
    """Print equations, formats, coefficients, tables and latency."""
    network = chosen_network(options)
    if network is not None:
        if options.cheaper:
            raise ValueError("--cheaper is of a neuron; explore tries fewer bits of a network")
        return show_network(options, network)
    from ..report import describe, latency_clocks, show
    from ..sim.compare.advice import cautions

    neuron = chosen_neuron(options)
    if options.board is not None:
        from ..boards import board, estimate
        from ..boards.fit import in_words, too_many

        target = board(options.board)
    fixed = neuron.fixed()
    figures = describe(neuron, fixed, latency_clocks(fixed))
    figures["cautions"] = list(cautions(neuron, fixed))
    text = [show(neuron, figures), *(f"caution  {line}" for line in figures["cautions"])]
    if options.cheaper:
        from dataclasses import asdict

        from ..sim.compare.cheaper import bits_of, cheaper

        found = cheaper(neuron, fixed)
        figures["bits"] = asdict(bits_of(fixed))
        figures["cheaper"] = [asdict(each) for each in found]
        text.append(
            "\n".join(map(str, found)) or "cheaper  no coarser word and no range takes less"
        )
    if options.board is not None:
        takes = estimate(neuron, target)
        figures["board"] = {"name": target.name, "fits": not too_many(takes), "at_least": takes}
        fits = "does not fit" if too_many(takes) else "may fit"
        text.append(
            f"board    {fits} {target.title}: at least {in_words(takes)}, with UART and timer"
        )
    answer(options, figures, "\n".join(text))
    return 0
