"""The simulated board of a neuron, a population or a network."""

from __future__ import annotations

from ...boards.design import design, linked_top
from ...boards.table import Board
from ...boards.table import board as named
from ...hdl.top import BAUD
from ...hdl.uart import divisor
from ...network import Network, network_of
from ...neuron import Neuron
from ...population import Population
from .board import SimulatedBoard

__all__ = ["simulated_board"]


def simulated_board(
    target: Neuron | Population | Network,
    board: Board | str,
    *,
    baud: int = BAUD,
    lanes: int | None = None,
    flat_out: bool = False,
) -> SimulatedBoard:
    """The design of a board, compiled and ready to run: what the board itself would hold.

    Parameters
    ----------
    target : Neuron, Population or Network
    board : Board or str
        Or its name, such as ``"icebreaker"``.
    baud : int
    lanes : int, optional
        Weights that a network adds in a clock.
    flat_out : bool
        Whether paced steps come as fast as they can, and not in real time.

    Raises
    ------
    TypeError, ValueError
        No such target or board, or a baud rate that its clock cannot make.
    LoweringError, DoesNotFit
        As for :func:`scneuro.boards.build_bitstream`.
    ToolError
        There is no C++ compiler.
    """
    made = named(board)
    divisor(made.clock_hz, baud)  # before what takes longer
    network = network_of(target, "simulated_board()")
    fixed = network.fixed()
    hardware, rates = design(network, fixed, made, flat_out=flat_out, lanes=lanes, baud=baud)
    top = linked_top(fixed, hardware, rates, made)
    return SimulatedBoard(top, clock_hz=rates.clock_hz, baud=rates.baud)
