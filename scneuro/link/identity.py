"""What a chip says of itself."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from ..errors import ScneuroError
from .messages import IDENTITY_WORDS, PROTOCOL

__all__ = ["Identity"]

_MOST_NAME = 64


@dataclass(frozen=True)
class Identity:
    """What a chip says of itself.

    Attributes
    ----------
    digest : str
        Of what it computes, as :attr:`scneuro.network.FixedNetwork.digest`.
    name : str
    board : str
    clock_hz, baud : int
    dt : float
        In ms.
    lanes : int
        Weights that are added in a clock.
    loaded : bool
        Whether a host has to write the weights first.
    results : int
        Words of results that it keeps; positions are modulo twice as many.
    target : dict or None
        What makes the neuron or the population again, where that is known and short.
    scneuro : int
        The version of the protocol.
    """

    digest: str
    name: str
    board: str
    clock_hz: int
    baud: int
    dt: float
    lanes: int
    loaded: bool
    results: int
    target: dict[str, Any] | None = field(default=None, compare=False)
    scneuro: int = PROTOCOL

    def to_bytes(self) -> bytes:
        """As JSON, short enough for the memory that it lies in."""
        said = asdict(self) | {"name": self.name[:_MOST_NAME]}
        whole = _compact(said)
        if len(whole) > 2 * IDENTITY_WORDS:
            whole = _compact(said | {"target": None})
        return whole

    @classmethod
    def from_bytes(cls, whole: bytes) -> Identity:
        """What :meth:`to_bytes` made.

        Raises
        ------
        ScneuroError
            It is something else, or of another version of the protocol.
        """
        try:
            said = json.loads(whole.rstrip(b"\0"))
            version = said["scneuro"]
            known = {f.name for f in fields(cls)}
            found = cls(**{name: value for name, value in said.items() if name in known})
        except (ValueError, TypeError, KeyError):
            raise ScneuroError(
                "the chip's identity makes no sense", "is it programmed with a scneuro design?"
            ) from None
        if version != PROTOCOL:
            raise ScneuroError(
                f"the chip speaks version {version} of the link, and this is version {PROTOCOL}",
                "build and load its design again",
            )
        return found


def _compact(said: dict[str, Any]) -> bytes:
    return json.dumps(said, separators=(",", ":")).encode()
