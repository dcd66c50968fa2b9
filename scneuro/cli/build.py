"""``scneuro build``: a bitstream."""

from __future__ import annotations

import argparse

from .options import Commands, add_board, add_command, answer, chosen_neuron

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(commands, "build", run, "Build a bitstream.")
    add_board(parser)
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of placement")
    parser.add_argument("-o", "--output", required=True, metavar="DIR")


def run(options: argparse.Namespace) -> int:
    """Build a bitstream and print what it takes; 1 if it is slower than the board's clock."""
    from dataclasses import asdict

    from ..boards import board, build_bitstream
    from ..sim.compare.advice import cautions
    from ..tools.toolchain import say

    neuron, target = chosen_neuron(options), board(options.board)
    for line in cautions(neuron, neuron.fixed()):
        say(f"  caution: {line}")
    report = build_bitstream(neuron, target, options.output, seed=options.seed)
    answer(options, asdict(report), report)
    if not options.json:
        print(f"  load it    scneuro flash {report.bitstream} (runs {target.program})")
    return 0 if report.fmax_mhz >= report.clock_mhz else 1
