"""A chip that is watched: it makes steps, is seen, and does what is wished meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...boards.link.port import LinkError
from ...errors import ScneuroError
from ...network import Network
from ...tools.files import check_writable
from ...tools.progress import progress as bar
from .choice import Choice, checked, known, usual
from .history import KEPT_MS, History, View
from .inputs import Inputs
from .tape import Tape

__all__ = ["PACES", "Status", "Watch", "Watchable"]

#: How steps are made: each is read before the next, or on the board's own clock.
PACES = ("every step", "board's clock")

_BURST = 0.08  # s that the chip is left to itself
_MOST_STEPS = 2_000  # in a burst
_LOOKS, _AGAIN = 0.5, 1.0  # s between looks at counters; between attempts to connect
_IDLE = 0.02  # s
_SPEED = 2.0  # s over which it is measured


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


class Watch:
    """Lets a chip make steps, keeps the last of them to look at, and does what is wished.

    A thread of its own has the chip; every method here may be called by any other. A link that
    fails is tried again until it works.

    Parameters
    ----------
    connect : callable
        Returns the chip of a network, :meth:`Network.of` where it is a neuron. Called at once, and
        again whenever the link has failed.
    given : mapping of str to array, optional
        What inputs are at first: currents, one or of ``shape``, and of inputs that take spikes the
        rate of random ones, in Hz.
    choice : Choice, optional
        By default all populations, and the first state of the first neurons of an output.
    pace : str, optional
        One of :data:`PACES`; by default the board's clock, where all inputs are currents.
    read_only : bool
        Nothing is changed: not by wishes, whoever has them.
    folder : path
        Where recordings go.

    Attributes
    ----------
    network : Network
    board : str
        The name of the board that the chip is on.
    inputs : Inputs
    settable : dict of str to (float, float)
        The parameters that are in the chip's memories, ``POPULATION.NAME``: the least and the
        greatest that neurons have.
    trouble : BaseException or None
        What ended it, if anything but :meth:`stop` did.

    Raises
    ------
    LinkError, ScneuroError
        The first connection fails.
    ValueError, TypeError
        Inputs or a choice that cannot be.
    """

    def __init__(
        self,
        connect: Callable[[], Watchable],
        *,
        given: Mapping[str, Any] | None = None,
        choice: Choice | None = None,
        pace: str | None = None,
        read_only: bool = False,
        folder: Path = Path(),
    ) -> None:
        self._connect, self._folder = connect, folder
        self._chip: Watchable | None = connect()
        network: Network = self._chip.network
        self.network, self.read_only = network, read_only
        self.board: str = self._chip.identity.board
        self.trouble: BaseException | None = None
        self._lock = threading.RLock()
        self._wishes: dict[Any, Callable[[], None]] = {}
        self._wished = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        counts = {name: layer.count for name, layer in network.layers.items()}
        self._history = History(counts, network.dt)
        self.inputs = Inputs(network, given or {})
        self._states = tuple(self._chip.states)
        self.settable = self._spans(self._chip)
        self._choose(checked(choice or usual(network, self.states), network, self._states))
        self._tape: Tape | None = None
        if pace is None:
            pace = PACES[0] if self.inputs.spiking else PACES[1]
        self._check_pace(pace)
        self._status = Status(True, False, pace, 0.0, 0.0, {}, "", "", "", 0)
        self._now = 0  # steps, that were seen or missed
        self._origin = 0  # the chip's steps when this began
        self._burst, self._started = 1, False
        self._speeds: deque[tuple[float, int]] = deque()
        self._look_at = self._again_at = self._sample_at = 0.0
        self._base(self._chip)

    # -- what there is to see --------------------------------------------------------------------
    @property
    def status(self) -> Status:
        with self._lock:
            return self._status

    @property
    def choice(self) -> Choice:
        with self._lock:
            return self._choice

    @property
    def states(self) -> tuple[str, ...]:
        """All that can be looked at, ``POPULATION.STATE``."""
        parameters = self.settable
        return tuple(name for name in self._states if name not in parameters)

    @property
    def now(self) -> float:
        """How long it has been watched, in ms of the chip's steps."""
        with self._lock:
            return self._now * self.network.dt

    def view(self, window: float) -> View:
        """The last ``window`` ms."""
        with self._lock:
            return self._history.view(window)

    def unit(self, name: str) -> str:
        """Of ``POPULATION.STATE``."""
        population, state = name.rsplit(".", 1)
        return self.network.layers[population].population.neuron.units.get(state, "")

    # -- wishes ----------------------------------------------------------------------------------
    def set_input(self, name: str, value: float, neuron: int | None = None) -> None:
        """Give an input a value from now on: a current, or the rate of random spikes in Hz.

        Raises
        ------
        ScneuroError
            This, as any other wish, where it is read-only.
        ValueError
            No such input, or neuron of it; a rate that cannot be.
        """
        self._allowed()
        self.inputs.changed(name, value, neuron)

        def work() -> None:
            self.inputs.held[name] = now = self.inputs.changed(name, value, neuron)
            if self._tape is not None:
                self._tape.set(self._now, name, now)
            if self._started:
                self._the_chip.hold(**self.inputs.held)

        self._wish(("input", name, neuron), work)

    def set_state(self, name: str, value: float, neuron: int | None = None) -> None:
        """Give a state, or a parameter that neurons have of their own, a value.

        Raises
        ------
        ValueError
            No such state, or neuron.
        """
        self._allowed()
        known(name, self._states, "state")
        count, value = self.network.layers[name.rsplit(".", 1)[0]].count, float(value)
        if neuron is not None and neuron not in range(count):
            raise ValueError(f"{name} is of neurons 0 to {count - 1}, not {neuron}")

        def work() -> None:
            if neuron is None:
                self._the_chip.states[name] = value
            else:
                self._the_chip.states.set_one(name, neuron, value)
            of = "" if neuron is None else f" of neuron {neuron}"
            self._note(f"{name}{of} = {value:g}")

        self._wish(("state", name, neuron), work)

    def choose(self, choice: Choice) -> None:
        """Look at something else.

        Raises
        ------
        ValueError
            What there is not, or more than can be seen.
        """
        self._allowed()
        choice = checked(choice, self.network, self._states)

        def work() -> None:
            if self._tape is not None and choice != self._choice:
                raise ValueError("what is recorded stays chosen: stop the recording first")
            self._choose(choice)

        self._wish("choose", work)

    def pause(self, paused: bool = True) -> None:
        """Make no more steps, or go on."""
        self._allowed()

        def work() -> None:
            self._halt()
            self._tell(paused=paused)

        self._wish("pause", work)

    def set_pace(self, pace: str) -> None:
        """One of :data:`PACES`.

        Raises
        ------
        ValueError
            There is none of that name, or it cannot be.
        """
        self._allowed()
        self._check_pace(pace)

        def work() -> None:
            self._halt()
            self._tell(pace=pace)

        self._wish("pace", work)

    def reset(self) -> None:
        """Give all neurons their initial states. Time goes on, and so do parameters."""
        self._allowed()

        def work() -> None:
            self._halt()
            self._the_chip.reset()
            self._note("reset")

        self._wish("reset", work)

    def record(self, on: bool = True) -> None:
        """Record what is seen, or stop and write the file."""
        self._allowed()
        self._wish("record", self._begin_tape if on else self._end_tape)

    def _check_pace(self, pace: str) -> None:
        known(pace, PACES, "pace")
        if pace == PACES[1] and self.inputs.spiking:
            raise ValueError(
                f"{', '.join(self.inputs.spiking)}: random spikes are given step by step; by its "
                "own clock a board makes all steps of the same input"
            )

    def _allowed(self) -> None:
        if self.read_only:
            raise ScneuroError("this is read-only", "start it without --read-only")

    def _wish(self, key: Any, work: Callable[[], None]) -> None:
        """Have it done; a later one of the same key takes its place."""
        with self._lock:
            self._wishes.pop(key, None)
            self._wishes[key] = work
        self._wished.set()

    # -- from begin to end -----------------------------------------------------------------------
    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make no more steps, write what was recorded, and let go of the chip."""
        self._ended.set()
        self._wished.set()
        if self._thread.ident is None:
            self._leave()
        else:
            self._thread.join()

    def make(self, steps: int) -> None:
        """Make so many steps here and now, instead of :meth:`start`.

        Raises
        ------
        ValueError
            More than can be looked back to.
        LinkError
        """
        if steps * self.network.dt > KEPT_MS:
            raise ValueError(
                f"{steps:,} steps are more than the {KEPT_MS:g} ms that can be looked back to"
            )
        for _ in bar(self._made(steps), self.network.name, unit="step", total=steps):
            pass

    def _made(self, steps: int) -> Iterator[int]:
        while self._now < steps:
            begin = self._now
            self._advance(steps - begin)
            yield from range(begin, self._now)

    def __enter__(self) -> Watch:
        self.start()
        return self

    def __exit__(self, *_: Any) -> None:
        self.stop()

    @property
    def ended(self) -> bool:
        """Whether it makes steps no more, whatever ended it."""
        return self._thread.ident is not None and not self._thread.is_alive()

    def _work(self) -> None:
        try:
            while not self._ended.is_set():
                try:
                    self._once()
                except LinkError as error:
                    self._lost(error)
        except BaseException as error:
            self.trouble = error
        finally:
            self._leave()

    def _once(self) -> None:
        """A burst of steps, and what is to be done between it and the next."""
        if self._chip is None:
            self._rest(self._again_at - time.monotonic())
            if time.monotonic() < self._again_at:
                return
            self._found(self._connect())
        self._serve()
        if self.status.paused:
            self._rest(_IDLE)
        elif self.status.pace == PACES[0]:
            self._rest(self._advance())  # no faster than real time
        else:
            self._follow()
        if self._tape is not None and self._tape.is_full:
            self._end_tape()
            self._tell(message="the recording was as long as one may be, and is written")
        if time.monotonic() >= self._look_at:
            self._tell(counters=dict(self._the_chip.counters))
            self._look_at = time.monotonic() + _LOOKS
        self._measure()

    def _serve(self) -> None:
        while True:
            with self._lock:
                self._wished.clear()
                if not self._wishes:
                    return
                key = next(iter(self._wishes))
                work = self._wishes.pop(key)
            try:
                work()
                self._tell(message="")
            except LinkError:
                with self._lock:  # not done: unless there is another wish for it by now
                    self._wishes = {key: work} | self._wishes
                raise
            except (ValueError, TypeError, KeyError, ScneuroError) as error:
                self._tell(message=str(error.args[0] if isinstance(error, KeyError) else error))

    def _leave(self) -> None:
        try:
            if self._tape is not None:
                self._end_tape()
        except ScneuroError as error:
            self.trouble = self.trouble or error
        chip, self._chip = self._chip, None
        if chip is None:
            return
        try:
            if self._started:
                chip.pause()
        except LinkError:
            pass
        finally:
            chip.close()

    # -- steps -----------------------------------------------------------------------------------
    def _advance(self, most: int = _MOST_STEPS) -> float:
        """Some steps, each of which is read; how far they are ahead of real time, in s."""
        begin, steps = time.monotonic(), min(self._burst, most)
        given = self.inputs.steps(steps)
        record: dict[str, tuple[str, ...]] = dict.fromkeys(self._choice.populations, ())
        for name in self._choice.states:
            population, state = name.rsplit(".", 1)
            record[population] = (*record.get(population, ()), state)
        try:
            found = self._the_chip.run(progress=False, record=record, reset=False, **given)
        except LinkError as error:
            if (rest := getattr(error, "recording", None)) is not None:
                self._keep(rest)
            raise
        self._keep(found)
        took = max(time.monotonic() - begin, 1e-6)
        self._burst = int(np.clip(steps * _BURST / took, 1, min(2 * steps + 1, _MOST_STEPS)))
        return steps * self.network.dt / 1000 - took

    def _keep(self, found: Any) -> None:
        """What a run was."""
        spikes = {name: table for name, table in found.spike.items() if len(table)}
        steps = len(found.t)
        states = {
            name: found.states[population][state][:steps, list(self._neurons[name])]
            for name in self._choice.states
            for population, state in [name.rsplit(".", 1)]
            if state in found.states.get(population, {})
        }
        self._add(spikes, self._now + np.arange(steps), states, steps)

    def _follow(self) -> None:
        """What steps have left that a board makes by itself, and where some states are by then."""
        chip = self._the_chip
        if not self._started:
            chip.hold(**self.inputs.held)
            chip.start(paced=True)
            self._started = True
        begin, states = time.monotonic(), {}
        if begin >= self._sample_at:
            states = {
                name: np.asarray(chip.states[name])[None, list(self._neurons[name])]
                for name in self._choice.states
            }
            end = time.monotonic()
            self._sample_at = 2 * end - begin  # half of the time, at most
        steps = self._take()
        if not steps:
            self._rest(_IDLE / 4)
        elif states:
            self._add({}, np.array([self._now - 1]), states, 0)

    def _take(self) -> int:
        """The spikes that were left; of how many steps."""
        found, spikes = self._the_chip.collect(), {}
        if found.spike:
            spikes, steps = found.spike, len(found.t)
        else:  # where none leave, the chip has counted its steps
            steps = self._the_chip.counters["steps"] - self._origin - self._now
        self._add(spikes, np.zeros(0, dtype=int), {}, steps)
        return steps

    def _add(
        self,
        spikes: dict[str, np.ndarray],
        when: np.ndarray,
        states: dict[str, np.ndarray],
        steps: int,
    ) -> None:
        with self._lock:
            for kept in (self._history, self._tape):
                if kept is not None:
                    kept.add_spikes(self._now, spikes)
                    kept.add_states(when, states)
            self._now += steps

    def _halt(self) -> None:
        """Bring to its end what the board does by itself."""
        if self._started:
            self._the_chip.pause()
            self._take()
            self._started = False
        self._speeds.clear()

    def _measure(self) -> None:
        now = time.monotonic()
        self._speeds.append((now, self._now))
        while len(self._speeds) > 2 and self._speeds[1][0] < now - _SPEED:
            self._speeds.popleft()
        (begin, first), (end, last) = self._speeds[0], self._speeds[-1]
        rate = (last - first) / (end - begin) if end > begin else 0.0
        self._tell(steps_per_s=rate, speed=rate * self.network.dt / 1000)

    # -- the link --------------------------------------------------------------------------------
    @property
    def _the_chip(self) -> Watchable:
        assert self._chip is not None
        return self._chip

    def _lost(self, error: LinkError) -> None:
        chip, self._chip = self._chip, None
        self._started = False
        self._again_at = time.monotonic() + _AGAIN
        self._speeds.clear()
        self._tell(connected=False, steps_per_s=0.0, speed=0.0, message=str(error))
        if chip is not None:
            chip.close()

    def _found(self, chip: Watchable) -> None:
        self._chip = chip
        chip.pause()
        missed = chip.counters["steps"] - self._origin - self._now
        if missed < 0:
            self._note("the board began anew")
            message = "the board has begun anew: was it switched off?"
        else:
            message = ""
            with self._lock:
                self._now += missed
            self._tell(unread=self.status.unread + missed)
        self._base(chip)
        self._tell(connected=True, message=message)

    def _base(self, chip: Watchable) -> None:
        """Count from where the chip is."""
        counters = dict(chip.counters)
        self._origin = counters["steps"] - self._now
        self._tell(counters=counters)

    def _rest(self, seconds: float) -> None:
        """Wait, unless there is something to be done."""
        if seconds > 0:
            self._wished.wait(seconds)

    def _tell(self, **changes: Any) -> None:
        with self._lock:
            self._status = replace(self._status, **changes)

    # -- recordings ------------------------------------------------------------------------------
    def _begin_tape(self) -> None:
        if self._tape is not None:
            return
        name = re.sub(r"[^\w.-]+", "_", self.network.name) or "network"
        path = self._folder / f"{name}-{datetime.now():%Y%m%d-%H%M%S-%f}.npz"
        check_writable(path)
        tape = Tape(path, self.network.dt, self._now, self._neurons)
        for name, values in self.inputs.held.items():
            tape.set(self._now, name, values)
        self._tape = tape
        self._tell(recording=str(path))

    def _end_tape(self) -> None:
        tape, self._tape = self._tape, None
        if tape is None:
            return
        if self._started:
            self._take()
        self._tell(recording="")
        tape.write()
        self._tell(recorded=str(tape.path))

    def _note(self, event: str) -> None:
        if self._tape is not None:
            self._tape.note(self._now, event)

    # -- what can be chosen ----------------------------------------------------------------------
    def _choose(self, choice: Choice) -> None:
        with self._lock:
            self._choice = choice
            self._neurons = choice.of(self.network)
            self._history.choose(self._neurons)

    def _spans(self, chip: Watchable) -> dict[str, tuple[float, float]]:
        found = {}
        for name in self._states:
            population, state = name.rsplit(".", 1)
            if state not in self.network.layers[population].population.state_names:
                values = np.asarray(chip.states[name])
                found[name] = float(values.min()), float(values.max())
        return found
