"""``scneuro run``: a neuron, a population or a network on a board, or on a simulated one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ScneuroError, did_you_mean
from ..tools.files import check_writable
from . import complete
from .network import network_stimulus, npz, ready, tell_network
from .options import (
    Commands,
    add_baud,
    add_clock,
    add_command,
    add_files,
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
    add_files(parser)


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
    """Run it; print, save or draw what it did, also where it did not come to its end."""
    from ..population import Population

    network = chosen_network(options)
    if network is not None:
        return _run_network(options, network)
    target, values = driven(options)
    neuron = target.neuron if isinstance(target, Population) else target
    for name, given in values.items():  # before a board is made
        neuron.carried(name, given)
    with connector(options, target)() as chip:
        recording, more, trouble = _played(options, chip, values)
    tell(options, target, more["board"], recording, **more)
    if trouble is not None:
        raise trouble
    return 0


def _run_network(options: argparse.Namespace, network: Network) -> int:
    if options.output is not None:
        check_writable(npz(options.output))
    from ..network.run import single_inputs

    values, said = network_stimulus(options, network)
    single_inputs(network, values)  # before a board is made
    chosen = ready(options, network)
    with connector(options, network)() as chip:
        recording, more, trouble = _played(options, chip, values)
    made = {name: given[: len(recording.t)] for name, given in values.items()}
    tell_network(options, network, more["board"], made, said, chosen, recording, **more)
    if trouble is not None:
        raise trouble
    return 0


def _played(
    options: argparse.Namespace, chip: Chip, values: Mapping[str, Any]
) -> tuple[Any, dict[str, Any], BaseException | None]:
    """What a chip did, what more there is to say of it, and what ended it before its end."""
    more: dict[str, Any] = {"board": chip.identity.board}
    try:
        recording: Any = chip.run(**values, record=() if options.spikes else None)
    except (KeyboardInterrupt, ScneuroError) as error:
        recording = getattr(error, "recording", None)
        if recording is None or not len(recording.t):
            raise
        wanted = max(len(given) for given in values.values())
        return recording, more | {"part": {"steps": len(recording.t), "of": wanted}}, error
    return recording, more | {"counters": chip.counters}, None


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
    from ..boards import board as named
    from ..tools.toolchain import say

    port: str | Port = options.port
    if options.port != SIMULATED and did_you_mean(options.port, [SIMULATED]):
        raise ScneuroError(
            f"--port {options.port} is no port", f"--port {SIMULATED} simulates the board here"
        )
    baud = chosen_baud(options)
    if options.board is not None:
        named(options.board)
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
        if found.identity.loaded and found.flash not in ("not read", "loaded"):
            say(f"  the board's flash has {found.flash}: they were written from here")
        return found

    return chip
