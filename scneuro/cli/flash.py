"""``scneuro flash``: a bitstream to a board."""

from __future__ import annotations

import argparse

from . import complete
from .options import Commands, add_command, answer

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(commands, "flash", run, "Give a bitstream to a board.", neuron=False)
    parser.add_argument("bitstream", metavar="FILE", help="as `scneuro build` wrote it")
    board = parser.add_argument("--board", help="where no report beside the file says it")
    complete.offer(board, complete.boards)


def run(options: argparse.Namespace) -> int:
    """Check the bitstream, find the board's programmer and run it."""
    from dataclasses import asdict

    from ..boards import flash

    done = flash(options.bitstream, options.board)
    answer(options, asdict(done), done)
    return 0
