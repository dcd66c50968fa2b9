"""From a port to the chip behind it."""

from __future__ import annotations

import os

from ...errors import ScneuroError
from ...given import whole
from ...hdl.top import BAUD
from ...link.identity import Identity, in_words, made_again
from ...link.messages import IDENTITY_WORDS, MOST_WORDS, Region
from ...network import Network, network_of
from ...network.plan import plan
from ...neuron import Neuron
from ...population import Population
from .chip import Chip
from .neuron import NeuronChip
from .port import LinkError, Port, open_port
from .requests import Requests

__all__ = ["connect"]

_TIMEOUT = 2.0  # s


def connect(
    port: str | os.PathLike[str] | Port,
    target: Neuron | Population | Network | None = None,
    *,
    baud: int = BAUD,
    timeout: float = _TIMEOUT,
) -> Chip:
    """The chip on a board, as it is: it goes on from where whoever talked to it last left it.

    Parameters
    ----------
    port : str or Port
        A serial port, a URL of pyserial (``socket://localhost:4000``), or a port that is open, such
        as that of a simulated board.
    target : Neuron, Population or Network, optional
        What the board was built from. A built-in neuron's board says it itself.
    baud : int
        As the board was built with.
    timeout : float
        Seconds after which a board that does not answer is given up.

    Returns
    -------
    Chip
        Of a network; a :class:`NeuronChip` of a neuron or a population.

    Raises
    ------
    LinkError
        The port cannot be opened, nothing answers, or the board holds another design.
    ScneuroError
        The board does not say what it holds, and ``target`` does not either.
    TypeError, ValueError
        A port, a target, a baud rate or a timeout that is none.
    """
    whole("baud", baud)
    if isinstance(timeout, bool) or not isinstance(timeout, int | float) or not timeout > 0:
        raise ValueError(f"timeout must be a number of seconds above 0, not {timeout!r}")
    if target is not None:
        network_of(target, "connect()")
    opened = open_port(port, baud)
    try:
        requests = Requests(opened, timeout=timeout)
        identity = Identity.from_bytes(_identity(requests))
        return _chip(requests, identity, target)
    except BaseException:
        opened.close()
        raise


def _identity(requests: Requests) -> bytes:
    words: list[int] = []
    while len(words) < IDENTITY_WORDS and (not words or words[-1]):
        count = min(MOST_WORDS, IDENTITY_WORDS - len(words))
        words += requests.read(Region.IDENTITY, len(words), count)
    return b"".join(word.to_bytes(2, "little") for word in words)


def _chip(
    requests: Requests, identity: Identity, target: Neuron | Population | Network | None
) -> Chip:
    where = requests.port.name
    if target is None:
        if identity.target is None:
            raise ScneuroError(
                f"{where}: the board holds {identity.name}, and does not say what that is made of",
                "say what it was built from: connect(port, network)",
            )
        target = made_again(identity.target)
    network = network_of(target, "connect()")
    fixed = network.fixed()
    if fixed.digest != identity.digest:
        hint = "build and load this one, or connect with what the board was built from"
        if identity.target is not None:
            hint += f", {in_words(identity.target)}"
        elif identity.name == network.name:
            hint += ": the same dt, weights and words, and outputs that send the same"
        raise LinkError(
            f"{where}: the board holds {identity.name} ({identity.digest}), not {network.name} "
            f"({fixed.digest})",
            hint,
        )
    made = plan(fixed, identity.lanes)
    chip: Chip
    if isinstance(target, Network):
        chip = Chip(requests, identity, network, fixed, made)
    else:
        chip = NeuronChip(requests, identity, target, fixed, made)
    if identity.loaded and not chip.is_loaded:
        chip.load()
    return chip
