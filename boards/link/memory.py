"""A chip's regions as arrays, and its settings by name."""

from __future__ import annotations

import numpy as np

from ...link.messages import FIRST_MEMORY, HELD, MOST_WORDS, REGISTERS, Region
from ...link.regions import Memories
from .requests import Requests

__all__ = ["Chipped", "Settings"]


class Chipped:
    """The rows of a network's memories on a chip.

    Parameters
    ----------
    requests : Requests
    memories : Memories
    """

    def __init__(self, requests: Requests, memories: Memories) -> None:
        self._requests, self.memories = requests, memories

    def __contains__(self, name: object) -> bool:
        """Whether there is a region of that name."""
        return any(region.name == name for region in self.memories.regions)

    def read(self, name: str, rows: range | None = None) -> np.ndarray:
        """Rows of a region, by default all: int64 of shape (rows, words), 0 to 65,535."""
        region = self.memories.region(name)
        rows = range(region.rows) if rows is None else rows
        number, at_once = FIRST_MEMORY + self.memories.number(name), MOST_WORDS // region.words
        found: list[int] = []
        for first in range(rows.start, rows.stop, at_once):
            count = min(at_once, rows.stop - first)
            found += self._requests.read(number, first, count * region.words)
        return np.array(found, dtype=np.int64).reshape(-1, region.words)

    def write(self, name: str, table: np.ndarray, first: int = 0) -> None:
        """Write rows (rows, words) of a region, from a row on."""
        region = self.memories.region(name)
        number, at_once = FIRST_MEMORY + self.memories.number(name), MOST_WORDS // region.words
        for begin in range(0, len(table), at_once):
            some = table[begin : begin + at_once]
            self._requests.write(number, first + begin, some.reshape(-1).tolist())


class Settings:
    """A chip's registers, and the words of the held step."""

    def __init__(self, requests: Requests) -> None:
        self._requests = requests

    def __getitem__(self, name: str) -> int:
        """A register of one row."""
        assert REGISTERS[name].bits == 16
        return self.words(name)[0]

    def words(self, *names: str) -> list[int]:
        """The rows from one register to another, in turn: a step may be done between them."""
        first, last = REGISTERS[names[0]], REGISTERS[names[-1]]
        count = last.row + last.bits // 16 - first.row
        return self._requests.read(Region.SETTINGS, first.row, count)

    def counted(self, *names: str) -> dict[str, int]:
        """Registers that lie side by side, and may go on while they are read."""
        places = {n: REGISTERS[n].row - REGISTERS[names[0]].row for n in names}
        high = [places[n] + 1 for n in names if REGISTERS[n].bits > 16]
        before, found = self.words(*names), self.words(*names)
        while any(found[k] != before[k] for k in high):  # low ones have begun anew between them
            before, found = found, self.words(*names)
        return {
            n: found[k] + (found[k + 1] << 16 if k + 1 in high else 0) for n, k in places.items()
        }

    def __setitem__(self, name: str, value: int) -> None:
        register = REGISTERS[name]
        words = [value >> place & 0xFFFF for place in range(0, register.bits, 16)]
        self._requests.write(Region.SETTINGS, register.row, words)

    def control(self, bits: int, *, left: int) -> None:
        """Have steps be made of what is held, so many, as the bits of ``control`` say."""
        self._requests.write(Region.SETTINGS, REGISTERS["control"].row, [bits, left])

    def hold(self, words: list[int]) -> None:
        """The words of the held step."""
        for begin in range(0, len(words), MOST_WORDS):
            some = words[begin : begin + MOST_WORDS]
            self._requests.write(Region.SETTINGS, HELD + begin, some)
