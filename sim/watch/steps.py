"""The steps of a chip that is watched: each is read, or the board makes them on its own clock."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from .inputs import Inputs

__all__ = ["Seen", "Steps", "Watchable"]

_BURST = 0.08  # s that the chip is left to itself
_MOST_STEPS = 2_000  # in a burst


class Watchable(Protocol):
    """What is used of a :class:`~scneuro.boards.link.chip.Chip` of a network."""

    identity: Any
    network: Any
    states: Any

    @property
    def counters(self) -> dict[str, int]: ...
    def reset(self) -> None: ...
    def run(self, *, progress: bool, record: Any, reset: bool, **inputs: Any) -> Any: ...
    def hold(self, **inputs: Any) -> None: ...
    def start(self, steps: int | None = None, *, paced: bool = True) -> None: ...
    def pause(self) -> None: ...
    def collect(self) -> Any: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Seen:
    """What was seen of some steps.

    Attributes
    ----------
    steps : int
    spikes : dict of str to ndarray of bool, shape (steps, N)
        By population.
    when : ndarray of int
        The steps after which there are states, from 0 on.
    states : dict of str to ndarray, shape (len(when), neurons)
        By ``POPULATION.STATE``.
    """

    steps: int
    spikes: dict[str, np.ndarray]
    when: np.ndarray
    states: dict[str, np.ndarray]


class Steps:
    """Has a chip make steps, of what its inputs are meanwhile.

    Parameters
    ----------
    chip : Watchable
    inputs : Inputs
    made : int
        The steps that the chip has made by now.

    Attributes
    ----------
    alone : bool
        Whether the board makes steps by itself.
    """

    def __init__(self, chip: Watchable, inputs: Inputs, made: int) -> None:
        self._chip: Watchable | None = chip
        self._inputs = inputs
        self._made = made  # as the chip counts, that were seen or missed
        self._burst, self._sample_at = 1, 0.0
        self.alone = False

    # -- the chip ----------------------------------------------------------------------------
    @property
    def chip(self) -> Watchable:
        assert self._chip is not None
        return self._chip

    @property
    def connected(self) -> bool:
        return self._chip is not None

    def let_go(self) -> Watchable | None:
        """There is no chip any more; the one that there was."""
        chip, self._chip, self.alone = self._chip, None, False
        return chip

    def go_on(self, chip: Watchable) -> int:
        """There is one again; how many steps were missed, below 0 if the board has begun anew."""
        self._chip = chip
        chip.pause()
        before, self._made = self._made, chip.counters["steps"]
        return self._made - before

    # -- steps -------------------------------------------------------------------------------
    def advance(
        self,
        populations: Iterable[str],
        neurons: Mapping[str, tuple[int, ...]],
        most: int = _MOST_STEPS,
    ) -> tuple[Seen, float]:
        """Some steps, each of which is read; and how far they are ahead of real time, in s.

        Parameters
        ----------
        populations : iterable of str
            Whose spikes are read.
        neurons : mapping of str to tuple of int
            Whose states are, by ``POPULATION.STATE``.
        most : int

        Raises
        ------
        LinkError
            Its ``recording`` has what came before, for :meth:`seen`.
        """
        begin, steps = time.monotonic(), min(self._burst, most)
        given = self._inputs.steps(steps)
        record: dict[str, tuple[str, ...]] = dict.fromkeys(populations, ())
        for name in neurons:
            population, state = name.rsplit(".", 1)
            record[population] = (*record.get(population, ()), state)
        found = self.chip.run(progress=False, record=record, reset=False, **given)
        seen = self.seen(found, neurons)
        took = max(time.monotonic() - begin, 1e-6)
        self._burst = int(np.clip(steps * _BURST / took, 1, min(2 * steps + 1, _MOST_STEPS)))
        return seen, steps * self.chip.network.dt / 1000 - took

    def seen(self, found: Any, neurons: Mapping[str, tuple[int, ...]]) -> Seen:
        """What a run was."""
        spikes = {name: table for name, table in found.spike.items() if len(table)}
        steps = len(found.t)
        states = {
            name: found.states[population][state][:steps, list(own)]
            for name, own in neurons.items()
            for population, state in [name.rsplit(".", 1)]
            if state in found.states.get(population, {})
        }
        self._made += steps
        return Seen(steps, spikes, np.arange(steps), states)

    def follow(self, neurons: Mapping[str, tuple[int, ...]]) -> Seen:
        """What steps have left that the board makes by itself, and some states by then."""
        if not self.alone:
            self.chip.hold(**self._inputs.held)
            self.chip.start(paced=True)
            self.alone = True
        begin, states = time.monotonic(), {}
        if begin >= self._sample_at:
            states = {
                name: np.asarray(self.chip.states[name])[None, list(own)]
                for name, own in neurons.items()
            }
            end = time.monotonic()
            self._sample_at = 2 * end - begin  # half of the time, at most
        seen = self.taken()
        last = np.array([seen.steps - 1])
        return Seen(seen.steps, seen.spikes, last, states if seen.steps else {})

    def taken(self) -> Seen:
        """The spikes that steps have left which the board made by itself."""
        found = self.chip.collect()
        if found.spike:
            spikes, steps = found.spike, len(found.t)
        else:  # where none leave, the chip has counted its steps
            spikes, steps = {}, self.chip.counters["steps"] - self._made
        self._made += steps
        return Seen(steps, spikes, np.zeros(0, dtype=int), {})

    def held(self) -> None:
        """Its inputs have changed."""
        if self.alone:
            self.chip.hold(**self._inputs.held)

    def halt(self) -> Seen | None:
        """Bring to its end what the board does by itself."""
        if not self.alone:
            return None
        self.chip.pause()
        seen = self.taken()
        self.alone = False
        return seen
