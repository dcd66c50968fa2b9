"""``scneuro run``: a neuron, a population or a network on a board, or on a simulated one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from . import complete
from .network import run_network_on
from .options import (
    Commands,
    add_baud,
    add_clock,
    add_command,
    add_inputs,
    add_population,
    add_start,
    add_steps,
    chosen_baud,
    chosen_board,
    chosen_network,
)
from .simulate import driven, tell

if TYPE_CHECKING:
    from ..boards import Chip
    from ..network import Network
    from ..neuron import Neuron
    from ..population import Population

__all__ = ["add", "run"]

_SIMULATED = "simulated"


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "run", run, "Run a neuron or a network on a board.", network=True
    )
    parser.add_argument(
        "--port",
        required=True,
        metavar="PORT",
        help="a serial port, socket://HOST:PORT, or `simulated`: the board's design here",
    )
    board = parser.add_argument(
        "--board", help="such as icebreaker; which one is simulated, or which it must be"
    )
    complete.offer(board, complete.boards)
    add_clock(parser)
    add_baud(parser)
    add_population(parser)
    add_inputs(parser)
    add_steps(parser)
    add_start(parser)
    parser.add_argument(
        "--spikes",
        action="store_true",
        help="record the spikes that leave, and no states: as fast as the line carries them",
    )
    parser.add_argument("--plot", metavar="FILE", help="draw it: .png, .svg or .pdf")
    parser.add_argument("-o", "--output", metavar="FILE.npz", help="save the traces")


def run(options: argparse.Namespace) -> int:
    """Run it; print, save or draw what it did."""
    if options.port == _SIMULATED and options.board is None:
        raise ValueError("--port simulated: say which board, with --board; `scneuro list` has them")
    network = chosen_network(options)
    if network is not None:
        return run_network_on(options, network, lambda made: _chip(options, made))
    target, values = driven(options)
    with _chip(options, target) as chip:
        recording: Any = chip.run(**values, record=() if options.spikes else None)
        more = {"board": chip.identity.board, "counters": chip.counters}
    tell(options, target, chip.identity.board, recording, **more)
    return 0


@contextmanager
def _chip(options: argparse.Namespace, target: Neuron | Population | Network) -> Iterator[Chip]:
    """The chip that holds it."""
    from ..boards import LinkError, Port, connect

    port: str | Port = options.port
    if options.port == _SIMULATED:
        from ..network import Network
        from ..sim import SimulatedPort, simulated_board

        lanes = options.lanes if isinstance(target, Network) else None
        board = chosen_board(options)
        made = simulated_board(target, board, baud=chosen_baud(options), lanes=lanes, flat_out=True)
        port = SimulatedPort(made)
    with connect(port, target, baud=chosen_baud(options)) as chip:
        if options.board not in (None, chip.identity.board):
            raise LinkError(
                f"{options.port}: this is {chip.identity.board}, not {options.board}",
                "name the port of the other one, or leave out --board",
            )
        yield chip
