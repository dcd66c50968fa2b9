"""The messages of the link, described once: gates, the host's codec and the docs follow from it.

A frame is a header, words and a check, in consistent overhead byte stuffing (Cheshire and Baker,
IEEE/ACM Transactions on Networking 7, 1999), and a byte of 0 behind it. Words are of 16 bits, the
low byte first. The check is CRC-16/IBM-3740 of all before it, the high byte first, so that the
check of the whole is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum

__all__ = [
    "FIRST_MEMORY",
    "FRAME_BYTES",
    "HELD",
    "IDENTITY_WORDS",
    "MOST_WORDS",
    "NO_END",
    "PROTOCOL",
    "REGISTERS",
    "REPLY",
    "REQUEST",
    "Control",
    "Kind",
    "Region",
    "Register",
    "Status",
]

#: The version of all this, which a chip's identity has.
PROTOCOL = 1
#: Words in a frame, at most: then its bytes need no more than one code.
MOST_WORDS = 120
#: Of the identity: bytes of JSON, two a word, zeros behind them.
IDENTITY_WORDS = 256
#: Held steps to go that never end.
NO_END = 0xFFFF

#: Headers: fields in order, with their bits.
REQUEST = {"kind": 8, "region": 8, "sequence": 8, "count": 8, "row": 16}
REPLY = {"kind": 4, "status": 4, "sequence": 8, "position": 16}
#: Bytes of the longest request, with its check, before it is stuffed.
FRAME_BYTES = sum(REQUEST.values()) // 8 + 2 * MOST_WORDS + 2


class Kind(IntEnum):
    """What is asked for.

    ``WRITE``, ``FEED`` and ``TAKE`` come in order: their ``sequence`` is one more than that of the
    last of them, modulo 256. One that has the last one's is a repetition: it is answered, and
    nothing is done again. A ``READ`` may have any.

    Positions of results count words modulo twice the words that are kept, which the identity says.
    """

    READ = 1  #: ``count`` words of a region from ``row`` on
    WRITE = 2  #: ``count`` words to a region, whole rows from ``row`` on
    FEED = 3  #: ``count`` words of the steps to come; ``position`` says how many of them were taken
    TAKE = 4  #: frees results before ``row``, a position; up to ``count`` words from there on


class Status(IntEnum):
    """What became of a request.

    Of ``TAKE``, ``position`` is that of the next result, whatever became of it.
    """

    OK = 0
    UNKNOWN = 1  #: no such kind
    OUTSIDE = 2  #: no such region, row or count; rows before it were written
    ORDER = 3  #: another ``sequence`` is due; ``position`` is that of the last one


class Region(IntEnum):
    """Where rows are; those of the network's memories follow."""

    SETTINGS = 0  #: registers, and from ``HELD`` on the words of the held step
    IDENTITY = 1


#: The row of the settings where the held step begins.
HELD = 16
#: The first region of the network's memories.
FIRST_MEMORY = 8


class Control(IntEnum):
    """Bits of the register ``control``."""

    HELD = 1  #: steps are made of the held words, ``left`` of them
    PACED = 2  #: a step begins when its time has come, else as soon as it may


@dataclass(frozen=True)
class Register:
    """A register among the settings.

    Attributes
    ----------
    name : str
    row : int
    bits : int
        16, or 32 in two rows, the low ones first.
    says : str
    """

    name: str
    row: int
    bits: int
    says: str


#: By name. What the chip counts, it counts as a step ends; a host may write all of them.
REGISTERS = {
    r.name: r
    for r in (
        Register("control", 0, 16, "bit 0: held, bit 1: paced"),
        Register("left", 1, 16, f"held steps to go; {NO_END} for no end"),
        Register("restart", 2, 16, "written 1: all neurons begin anew, when no step is under way"),
        Register("dropped", 3, 16, "always 0: what there is no room for waits"),
        Register("steps", 4, 32, "that are done"),
        Register("late", 6, 32, "of them that did not begin in their time"),
        Register("saturated", 8, 32, "words of inputs that were beyond their limits"),
        Register(
            "loaded", 10, 16, "written 1 by who has written all weights: a host, or the flash"
        ),
        Register("taken", 11, 16, "position of the first result that is not freed"),
        Register(
            "flash",
            12,
            16,
            "of the weights in a flash: 0 it has none to bring, 1 loaded, 2 damaged; from 3 on, "
            "which word of the header is another",
        ),
    )
}
