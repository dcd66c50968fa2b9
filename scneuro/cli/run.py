"""``scneuro run``: a neuron, a population or a network on a board, or on a simulated one."""

from __future__ import annotations

import argparse
from collections.abc import Callable
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

__all__ = ["SIMULATED", "add", "add_port", "connector", "run"]

#: Instead of a port.
SIMULATED = "simulated"


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands, "run", run, "Run a neuron or a network on a board.", network=True
    )
    add_port(parser)
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


def add_port(parser: argparse.ArgumentParser) -> None:
    """``--port`` and ``--board``."""
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


def run(options: argparse.Namespace) -> int:
    """Run it; print, save or draw what it did."""
    network = chosen_network(options)
    if network is not None:
        return run_network_on(options, network, lambda made: connector(options, made)())
    target, values = driven(options)
    with connector(options, target)() as chip:
        recording: Any = chip.run(**values, record=() if options.spikes else None)
        more = {"board": chip.identity.board, "counters": chip.counters}
    tell(options, target, chip.identity.board, recording, **more)
    return 0


def connector(
    options: argparse.Namespace, target: Neuron | Population | Network, *, flat_out: bool = True
) -> Callable[[], Chip]:
    """What connects to the chip that holds it, on a board that is there or is simulated here.

    Raises
    ------
    ValueError, ScneuroError
        No such board, or it cannot be simulated.
    """
    from ..boards import LinkError, Port, connect

    port: str | Port = options.port
    baud = chosen_baud(options)
    if options.port == SIMULATED:
        from ..network import Network
        from ..sim import SimulatedPort, simulated_board

        if options.board is None:
            raise ValueError(
                "--port simulated: say which board, with --board; `scneuro list` has them"
            )
        lanes = options.lanes if isinstance(target, Network) else None
        board = chosen_board(options)
        port = SimulatedPort(
            simulated_board(target, board, baud=baud, lanes=lanes, flat_out=flat_out)
        )

    def chip() -> Chip:
        found = connect(port, target, baud=baud)
        if options.board not in (None, found.identity.board):
            found.close()
            raise LinkError(
                f"{options.port}: this is {found.identity.board}, not {options.board}",
                "name the port of the other one, or leave out --board",
            )
        return found

    return chip
