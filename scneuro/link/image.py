"""The weights of a network as a board's flash has them, and what a chip says of that.

A header, the rows of weights, and a check. The header is :data:`MAGIC`, the bytes of the rows as a
number of 32 bits, and a digest of the rows: the first eight bytes of their SHA-256. Rows are those
of the region ``weights`` in order, in words of 16 bits, and numbers and words have their low byte
first. The check is CRC-32/MPEG-2 of all before it, the high byte first, so that the check of the
whole is 0: bits go into it in the order in which a flash gives them, the highest one of a byte
first.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zlib import crc32

from ..network.plan import loads_of

if TYPE_CHECKING:
    from ..network.plan import Plan

__all__ = [
    "DAMAGED",
    "DIFFERS",
    "LOADED",
    "MAGIC",
    "NOT_READ",
    "OFFSET",
    "Image",
    "image_of",
    "in_words",
    "said_of",
]

#: What an image begins with; its last byte is the version of the format.
MAGIC = b"scneuro\x01"
#: Where it lies in the flash: behind the bitstream, also behind four of them.
OFFSET = 1 << 20
_DIGEST = 8  # bytes
_REVERSED = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))
#: What the register ``flash`` says besides: from the last one on, which word of the header differs.
NOT_READ, LOADED, DAMAGED, DIFFERS = range(4)


@dataclass(frozen=True)
class Image:
    """The weights of a network as a flash has them.

    Attributes
    ----------
    count : int
        Rows.
    rows : bytes
    """

    count: int
    rows: bytes

    @property
    def header(self) -> bytes:
        digest = hashlib.sha256(self.rows).digest()[:_DIGEST]
        return MAGIC + len(self.rows).to_bytes(4, "little") + digest

    def to_bytes(self) -> bytes:
        """The whole."""
        whole = self.header + self.rows
        return whole + _check(whole).to_bytes(4, "big")


def image_of(made: Plan) -> Image:
    """The weights of a network, as its plan has them."""
    return Image(len(made.weights), loads_of(made)[:, 2:].astype("<u2").tobytes())


def in_words(content: bytes) -> list[int]:
    """Words of 16 bits, the low byte first."""
    return [int.from_bytes(content[k : k + 2], "little") for k in range(0, len(content), 2)]


def _check(content: bytes) -> int:
    """CRC-32/MPEG-2: as the usual one, of bits in the other order, and not inverted in the end."""
    found = crc32(content.translate(_REVERSED)) ^ 0xFFFFFFFF
    return int(f"{found:032b}"[::-1], 2)


def said_of(word: int) -> str:
    """What the register ``flash`` says, in words."""
    if word >= DIFFERS:
        empty = word - DIFFERS < len(MAGIC) // 2
        return "no weights" if empty else "other weights"
    return {NOT_READ: "not read", LOADED: "loaded", DAMAGED: "damaged weights"}[word]
