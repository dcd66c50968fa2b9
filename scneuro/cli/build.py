"""``scneuro build``: a bitstream."""

from __future__ import annotations

import argparse

from .network import build_network, tell_built
from .options import (
    Commands,
    add_board,
    add_clock,
    add_command,
    add_microcode,
    add_population,
    add_weights,
    chosen_board,
    chosen_network,
    chosen_target,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(commands, "build", run, "Build a bitstream.", network=True)
    add_board(parser)
    add_population(parser)
    add_microcode(parser)
    parser.add_argument(
        "--flat-out", action="store_true", help="step as fast as it can, not in real time"
    )
    add_clock(parser)
    add_weights(parser)
    parser.add_argument(
        "--link", action="store_true", help="let a host run and read it; networks always do"
    )
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of placement")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")


def run(options: argparse.Namespace) -> int:
    """Build a bitstream and print what it takes; 1 if it is slower than the board's clock."""
    from ..boards import build_bitstream
    from ..boards.memory import in_blocks
    from ..network import Network
    from ..population import Population
    from ..sim.compare.advice import cautions
    from ..tools.toolchain import say

    network = chosen_network(options)
    target = chosen_board(options)
    if network is not None:
        return build_network(options, network, target)
    chosen = chosen_target(options)
    if options.microcode and options.link:
        raise ValueError("--link is of hardware that keeps its states apart: leave out --microcode")
    neuron = chosen.neuron if isinstance(chosen, Population) else chosen
    for line in cautions(neuron, neuron.fixed()):
        say(f"  caution: {line}")
    if isinstance(chosen, Population):
        say(f"  memory: {in_blocks(chosen.fixed(), target)}")
    report = build_bitstream(
        Network.of(chosen) if options.link else chosen,
        target,
        options.output,
        seed=options.seed,
        flat_out=options.flat_out,
        weights=options.weights,
    )
    return tell_built(options, report, target)
