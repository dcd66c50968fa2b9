"""How things are with a chip that is watched."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass

__all__ = ["PACES", "Speed", "Status"]

#: How steps are made: each is read before the next, or on the board's own clock.
PACES = ("every step", "board's clock")

_SPEED = 2.0  # s over which it is measured


@dataclass(frozen=True)
class Status:
    """How things are.

    Attributes
    ----------
    connected, paused : bool
    pace : str
        One of :data:`PACES`.
    steps_per_s, speed : float
        Steps a second, and how many times real time that is.
    counters : dict of str to int
        As the chip has them.
    message : str
        What went wrong last, and the way out; empty where nothing did.
    recording : str
        The file that is being recorded to; empty where none is.
    recorded : str
        The file that was written last.
    unread : int
        Steps that are known to be made, and were not seen: while the link was down.
    """

    connected: bool
    paused: bool
    pace: str
    steps_per_s: float
    speed: float
    counters: dict[str, int]
    message: str
    recording: str
    recorded: str
    unread: int


class Speed:
    """How fast steps are made, by how many there were in the last two seconds."""

    def __init__(self) -> None:
        self._seen: deque[tuple[float, int]] = deque()

    def clear(self) -> None:
        """Begin anew."""
        self._seen.clear()

    def at(self, steps: int) -> float:
        """Steps a second, now that there are so many."""
        now = time.monotonic()
        self._seen.append((now, steps))
        while len(self._seen) > 2 and self._seen[1][0] < now - _SPEED:
            self._seen.popleft()
        (begin, first), (end, last) = self._seen[0], self._seen[-1]
        return (last - first) / (end - begin) if end > begin else 0.0
