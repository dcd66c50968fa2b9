"""What is wished, by whoever, until the thread that has the chip does it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import TypeAlias

__all__ = ["Wish", "Wishes"]

#: What it is about, and what does it.
Wish: TypeAlias = tuple[Hashable, Callable[[], None]]


class Wishes:
    """Wishes in turn; every method may be called by any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._works: dict[Hashable, Callable[[], None]] = {}
        self._there = threading.Event()

    def __len__(self) -> int:
        return len(self._works)

    def add(self, key: Hashable, work: Callable[[], None]) -> None:
        """Have it done; a later one of the same key takes its place."""
        with self._lock:
            self._works.pop(key, None)
            self._works[key] = work
        self.wake()

    def take(self) -> Wish | None:
        """The first, which is nobody's any more; None if there is none."""
        with self._lock:
            self._there.clear()
            if not self._works:
                return None
            key = next(iter(self._works))
            return key, self._works.pop(key)

    def put_back(self, key: Hashable, work: Callable[[], None]) -> None:
        """It was not done: unless there is another wish for it by now, it is the first again."""
        with self._lock:
            self._works = {key: work} | self._works

    def wake(self) -> None:
        """There is something to be done."""
        self._there.set()

    def wait(self, seconds: float) -> None:
        """Wait, unless there is something to be done."""
        if seconds > 0:
            self._there.wait(seconds)
