"""Frames and bytes: COBS between zeros, with a CRC-16."""

from __future__ import annotations

from binascii import crc_hqx
from collections.abc import Mapping
from dataclasses import dataclass

from ...errors import ScneuroError
from ...link.messages import FRAME_BYTES, REPLY, REQUEST

try:
    from cobs import cobs
except ImportError:
    cobs = None

__all__ = ["Message", "Reader", "reply_bytes", "request_bytes"]

_BEGIN = 0xFFFF  # of the check
_LONGEST = FRAME_BYTES + 1  # bytes between two zeros


@dataclass(frozen=True)
class Message:
    """A request or a reply.

    Attributes
    ----------
    header : dict of str to int
        The fields of ``REQUEST`` or ``REPLY``.
    words : tuple of int
        0 to 65,535 each.
    """

    header: dict[str, int]
    words: tuple[int, ...] = ()

    def __getitem__(self, name: str) -> int:
        return self.header[name]


def request_bytes(message: Message) -> bytes:
    """A request as it goes over the line: a zero before it, so that it is found after anything."""
    return b"\0" + _framed(message, REQUEST)


def reply_bytes(message: Message) -> bytes:
    """A reply as it goes over the line."""
    return _framed(message, REPLY)


def _framed(message: Message, layout: Mapping[str, int]) -> bytes:
    body = _packed(message.header, layout) + b"".join(
        word.to_bytes(2, "little") for word in message.words
    )
    body += crc_hqx(body, _BEGIN).to_bytes(2, "big")
    stuffed: bytes = cobs.encode(body)
    return stuffed + b"\0"


def _packed(fields: Mapping[str, int], layout: Mapping[str, int]) -> bytes:
    whole = place = 0
    for name, bits in layout.items():
        whole |= (fields[name] & ((1 << bits) - 1)) << place
        place += bits
    return whole.to_bytes(place // 8, "little")


def _unpacked(header: bytes, layout: Mapping[str, int]) -> dict[str, int]:
    whole = int.from_bytes(header, "little")
    fields = {}
    for name, bits in layout.items():
        fields[name] = whole & ((1 << bits) - 1)
        whole >>= bits
    return fields


class Reader:
    """Finds messages in bytes that may begin anywhere, and be damaged.

    Parameters
    ----------
    layout : mapping of str to int
        Of the headers.

    Raises
    ------
    ScneuroError
        The package cobs is missing.

    Attributes
    ----------
    rejected : int
        Frames that were none, by their COBS, their check or their length.
    """

    def __init__(self, layout: Mapping[str, int] = REPLY) -> None:
        if cobs is None:
            raise ScneuroError("the link needs the package cobs", 'pip install "scneuro[board]"')
        self._layout, self._size = layout, sum(layout.values()) // 8
        self._kept = b""
        self.rejected = 0
        self.rejected = 0

    def feed(self, received: bytes) -> list[Message]:
        """The messages that ``received``, after all that came before it, completes."""
        *frames, rest = (self._kept + received).split(b"\0")
        self._kept = rest[-_LONGEST:]  # of what is longer, nothing comes
        found = [self._message(frame) for frame in frames if frame]
        self.rejected += found.count(None)
        return [message for message in found if message is not None]

    def _message(self, frame: bytes) -> Message | None:
        try:
            body: bytes = cobs.decode(frame)
        except cobs.DecodeError:
            return None
        words = body[self._size : -2]
        if len(body) < self._size + 2 or len(words) % 2 or crc_hqx(body, _BEGIN):
            return None
        return Message(
            _unpacked(body[: self._size], self._layout),
            tuple(int.from_bytes(words[k : k + 2], "little") for k in range(0, len(words), 2)),
        )
