"""The simulated board of a neuron, a population or a network."""

from __future__ import annotations

from typing import Any

from ...boards.design import check_weights, design, flash_image, linked_top
from ...boards.table import Board
from ...boards.table import board as named
from ...hdl.top import BAUD
from ...hdl.uart import divisor
from ...network import Network, network_of
from ...neuron import Neuron
from ...population import Population
from .board import SimulatedBoard
from .flash import FlashChip, WithFlash

__all__ = ["simulated_board"]


def simulated_board(
    target: Neuron | Population | Network,
    board: Board | str,
    *,
    baud: int = BAUD,
    lanes: int | None = None,
    flat_out: bool = False,
    weights: str = "host",
    flash: bytes | None = None,
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
    weights : str
        Who brings the weights that the bitstream does not: the ``host``, or the board's ``flash``.
    flash : bytes, optional
        What the flash has where weights are to be; by default what ``build`` writes for it.

    Raises
    ------
    TypeError, ValueError
        No such target or board, or a baud rate that its clock cannot make.
    LoweringError, DoesNotFit
        As for :func:`scneuro.boards.build_bitstream`.
    ScneuroError
        The board has no flash for weights.
    ToolError
        There is no C++ compiler.
    """
    made = named(board)
    check_weights(weights, made, target)
    divisor(made.clock_hz, baud)  # before what takes longer
    network = network_of(target, "simulated_board()")
    fixed = network.fixed()
    hardware, rates = design(network, fixed, made, flat_out=flat_out, lanes=lanes, baud=baud)
    image = flash_image(hardware, weights)
    top: Any = linked_top(fixed, hardware, rates, made, image)
    if image is not None:
        content = image.to_bytes() if flash is None else flash
        top = WithFlash(top, FlashChip(content, clock_hz=rates.clock_hz))
    return SimulatedBoard(top, clock_hz=rates.clock_hz, baud=rates.baud)
