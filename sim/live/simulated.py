"""The simulated board of a neuron, a population or a network."""

from __future__ import annotations

from ...boards.design import design, linked_top
from ...boards.table import Board
from ...hdl.top import BAUD
from ...network import Network
from ...neuron import Neuron
from ...population import Population
from .board import SimulatedBoard

__all__ = ["simulated_board"]


def simulated_board(
    target: Neuron | Population | Network,
    board: Board,
    *,
    baud: int = BAUD,
    lanes: int | None = None,
    flat_out: bool = False,
) -> SimulatedBoard:
    """The design of a board, compiled and ready to run: what the board itself would hold.

    Parameters
    ----------
    target : Neuron, Population or Network
    board : Board
    baud : int
    lanes : int, optional
        Weights that a network adds in a clock.
    flat_out : bool
        Whether paced steps come as fast as they can, and not in real time.

    Raises
    ------
    LoweringError, DoesNotFit
        As for :func:`scneuro.boards.build_bitstream`.
    ToolError
        There is no C++ compiler.
    """
    network = target if isinstance(target, Network) else Network.of(target)
    fixed = network.fixed()
    hardware, rates = design(network, fixed, board, flat_out=flat_out, lanes=lanes, baud=baud)
    top = linked_top(fixed, hardware, rates, board)
    return SimulatedBoard(top, clock_hz=rates.clock_hz, baud=rates.baud)
