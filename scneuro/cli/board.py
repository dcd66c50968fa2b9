"""``scneuro board``: a board that is simulated, behind a port for other programs."""

from __future__ import annotations

import argparse
import json
import sys

from .network import ready
from .options import (
    Commands,
    add_baud,
    add_board,
    add_clock,
    add_command,
    add_population,
    add_weights,
    chosen_baud,
    chosen_board,
    chosen_network,
    chosen_target,
)

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "board", run, "Simulate a board, behind a port for other programs.", network=True
    )
    add_board(parser)
    add_clock(parser)
    add_baud(parser)
    add_weights(parser)
    add_population(parser)
    line = parser.add_mutually_exclusive_group()
    line.add_argument(
        "--pty", action="store_true", help="behind a pseudo-terminal, a serial port (the default)"
    )
    line.add_argument(
        "--tcp", type=int, metavar="PORT", help="behind a socket of this machine; 0 is any"
    )
    parser.add_argument(
        "--flat-out", action="store_true", help="steps as fast as it can, not in real time"
    )
    parser.add_argument(
        "--real-time", action="store_true", help="run its clock no faster than the board's"
    )


def run(options: argparse.Namespace) -> int:
    """Serve the board until it is interrupted."""
    from ..network import Network
    from ..sim import simulated_board
    from ..sim.live.serve import PseudoTerminal, Served, Socket, serve

    target = chosen_network(options) or chosen_target(options)
    network = isinstance(target, Network)
    if isinstance(target, Network):
        ready(options, target)
    board = chosen_board(options)
    line = PseudoTerminal() if options.tcp is None else Socket(options.tcp)
    try:
        made = simulated_board(
            target,
            board,
            baud=chosen_baud(options),
            lanes=options.lanes if network else None,
            flat_out=options.flat_out,
            weights=options.weights,
        )
        figures = {
            "target": target.name,
            "board": board.name,
            "port": line.port,
            "clock_hz": made.clock_hz,
            "baud": made.baud,
        }
        text = (
            f"{target.name} on {board.name}, simulated: {line.port}\n"
            f"  {made.clock_hz / 1e6:g} MHz, {made.baud:,} baud; Ctrl-C ends it"
        )
        print(json.dumps(figures) if options.json else text, flush=True)
        whole = Served(made)
        shown = sys.stderr.isatty()

        def tell(speed: Served) -> None:
            if shown:
                print(f"\r  {speed}   ", end="", file=sys.stderr, flush=True)

        try:
            serve(made, line, real_time=options.real_time, tell=tell)
        except KeyboardInterrupt:
            print(("\n" if shown else "") + f"  {whole}", file=sys.stderr)
    finally:
        line.close()
    return 0
