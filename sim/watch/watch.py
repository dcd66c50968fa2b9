"""A chip that is watched: it makes steps, is seen, and does what is wished meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from ...boards.link.port import LinkError
from ...errors import ScneuroError, did_you_mean
from ...network import Network
from ...tools.files import check_writable
from .history import History, View
from .tape import Tape

__all__ = ["MOST_NEURONS", "MOST_STATES", "PACES", "Choice", "Status", "Watch", "Watchable"]

#: States that can be seen at once, and of how many neurons.
MOST_STATES, MOST_NEURONS = 3, 8
#: How steps are made: each is read before the next, or on the board's own clock.
PACES = ("every step", "real time")

_BURST = 0.08  # s that the chip is left to itself
_MOST_STEPS = 2_000  # in a burst
_LOOKS, _AGAIN = 0.5, 1.0  # s between looks at counters; between attempts to connect
_IDLE = 0.02  # s
_SPEED = 2.0  # s over which it is measured


class Watchable(Protocol):
    """What is used of a :class:`~scneuro.boards.link.chip.Chip` of a network."""

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
class Choice:
    """What is looked at.

    Attributes
    ----------
    populations : tuple of str
        Whose spikes are seen, besides those that leave the chip anyway.
    states : tuple of str
        ``POPULATION.STATE``, at most :data:`MOST_STATES`.
    neurons : tuple of int
        Whose states they are, at most :data:`MOST_NEURONS`, of the populations that have them.
    """

    populations: tuple[str, ...]
    states: tuple[str, ...]
    neurons: tuple[int, ...]


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
    read_only : bool
        Nothing is changed: not by wishes, whoever has them.
    folder : path
        Where recordings go.

    Attributes
    ----------
    network : Network
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
        read_only: bool = False,
        folder: Path = Path(),
    ) -> None:
        self._connect, self._folder = connect, folder
        self._chip: Watchable | None = connect()
        network: Network = self._chip.network
        self.network, self.read_only = network, read_only
        self.trouble: BaseException | None = None
        self._lock = threading.RLock()
        self._wishes: dict[Any, Callable[[], None]] = {}
        self._wished = threading.Event()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        counts = {name: layer.count for name, layer in network.layers.items()}
        self._history = History(counts, network.dt)
        self._held = {name: np.zeros(source.shape) for name, source in network.inputs.items()}
        for name, values in (given or {}).items():
            self._held[name] = self._checked(name, values)
        self._random = np.random.default_rng(1)
        self._choice = Choice((), (), ())
        self._states = tuple(self._chip.states)
        self._choose(self._usual() if choice is None else self._possible(choice))
        self.settable = self._spans(self._chip)
        self._tape: Tape | None = None
        self._status = Status(True, False, PACES[0], 0.0, 0.0, {}, "", "", "", 0)
        self._now = 0  # steps, that were seen or missed
        self._origin = 0  # the chip's steps when this began
        self._burst, self._started = 1, False
        self._speeds: deque[tuple[float, int]] = deque()
        self._look_at, self._again_at = 0.0, 0.0
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

    def view(self, window: float) -> View:
        """The last ``window`` ms."""
        with self._lock:
            return self._history.view(window)

    def input(self, name: str, neuron: int | None = None) -> float:
        """What an input is: of a neuron, or on average."""
        with self._lock:
            values = self._held[name]
            return float(values.mean() if neuron is None else values.reshape(-1)[neuron])

    def unit(self, name: str) -> str:
        """Of an input, of ``POPULATION.STATE``; of an input that takes spikes, Hz."""
        source = self.network.inputs.get(name)
        if source is not None and source.kind == "spikes":
            return "Hz"
        if source is not None:
            into = [p for p in self.network.projections if p.source == name]
            units = {self._units(p.target).get(p.to, "") for p in into}
            return units.pop() if len(units) == 1 else ""
        population, state = name.rsplit(".", 1)
        return self._units(population).get(state, "")

    def _units(self, population: str) -> dict[str, str]:
        return self.network.layers[population].population.neuron.units

    def span(self, name: str) -> tuple[float, float]:
        """From where to where an input is worth trying."""
        source = self.network.inputs[name]
        if source.kind == "spikes":
            return 0.0, source.most * 1000 / self.network.dt
        values = [float(x) for x in self._held[name].reshape(-1)]
        for p in self.network.projections:
            if p.source == name:
                neuron = self.network.layers[p.target].population.neuron
                first = next(iter(neuron.input_defaults))
                values += neuron.currents if p.to == first else [neuron.input_defaults[p.to], 1.0]
        most = 2 * max(abs(x) for x in values) or 1.0
        return (-most if min(values) < 0 else 0.0), most

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
        values = np.full_like(self._checked(name, 0.0), np.nan)
        self._place(values, neuron, name)
        self._checked(name, value)

        def work() -> None:
            now = self._held[name].copy()
            self._place(now, neuron, name, value)
            self._held[name] = now
            if self._tape is not None:
                self._tape.set(self._now, name, now)
            if self._started:
                self._the_chip.hold(**self._held)

        self._wish(("input", name, neuron), work)

    def set_state(self, name: str, value: float, neuron: int | None = None) -> None:
        """Give a state, or a parameter that neurons have of their own, a value.

        Raises
        ------
        ValueError
            No such state, or neuron.
        """
        self._allowed()
        self._known(name, self._states, "state")
        population = name.rsplit(".", 1)[0]
        self._place(np.zeros(self.network.layers[population].count), neuron, name)
        value = float(value)

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
        choice = self._possible(choice)

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
        self._known(pace, PACES, "pace")
        if pace == PACES[1] and self._spiking:
            raise ValueError(
                f"{', '.join(self._spiking)}: random spikes are given step by step; in real time "
                "a board makes all steps of the same input"
            )

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
            self._advance()
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
    def _advance(self) -> None:
        """Some steps, each of which is read."""
        begin, steps = time.monotonic(), self._burst
        given = {name: self._driven(name, steps) for name in self._held}
        record: dict[str, tuple[str, ...]] = {name: () for name in self._choice.populations}
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
        self._rest(steps * self.network.dt / 1000 - took)  # no faster than real time

    def _keep(self, found: Any) -> None:
        """What a run was."""
        spikes = {name: table for name, table in found.spike.items() if len(table)}
        steps = len(next(iter(spikes.values()))) if spikes else 0
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
            chip.hold(**self._held)
            chip.start(paced=True)
            self._started = True
        states = {
            name: np.asarray(chip.states[name])[None, list(self._neurons[name])]
            for name in self._choice.states
        }
        steps = self._take()
        if not steps:
            self._rest(_IDLE / 4)
        elif states:
            self._add({}, np.array([self._now - 1]), states, 0)

    def _take(self) -> int:
        """The spikes that were left; of how many steps."""
        spikes = self._the_chip.collect().spike
        steps = len(next(iter(spikes.values())))
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

    def _driven(self, name: str, steps: int) -> np.ndarray:
        """What an input is in steps to come."""
        values, source = self._held[name], self.network.inputs[name]
        if source.kind == "current":
            return np.broadcast_to(values, (steps, *values.shape))
        chance = values * self.network.dt / 1000 / source.most
        drawn: np.ndarray = self._random.binomial(
            source.most, np.clip(chance, 0, 1), (steps, *values.shape)
        )
        return drawn.astype(float)

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
        for name, values in self._held.items():
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
    @property
    def _spiking(self) -> list[str]:
        return [name for name, source in self.network.inputs.items() if source.kind == "spikes"]

    def _usual(self) -> Choice:
        output = self.network.outputs[0]
        states = [name for name in self._states if name.rpartition(".")[0] == output][:1]
        return self._possible(Choice(tuple(self.network.layers), tuple(states), (0, 1, 2)))

    def _possible(self, choice: Choice) -> Choice:
        for name in choice.populations:
            self._known(name, tuple(self.network.layers), "population")
        for name in choice.states:
            self._known(name, self._states, "state")
        if len(choice.states) > MOST_STATES or len(choice.neurons) > MOST_NEURONS:
            raise ValueError(
                f"at most {MOST_STATES} states of {MOST_NEURONS} neurons can be looked at"
            )
        neurons = tuple(dict.fromkeys(choice.neurons))
        if any(n < 0 for n in neurons):
            raise ValueError(f"neurons are counted from 0: there is no {min(neurons)}")
        most = max(layer.count for layer in self.network.layers.values())
        return replace(choice, neurons=tuple(n for n in neurons if n < most))

    def _choose(self, choice: Choice) -> None:
        with self._lock:
            self._choice = choice
            self._neurons = {
                name: tuple(
                    n
                    for n in choice.neurons
                    if n < self.network.layers[name.rsplit(".", 1)[0]].count
                )
                for name in choice.states
            }
            self._history.choose(self._neurons)

    def _spans(self, chip: Watchable) -> dict[str, tuple[float, float]]:
        found = {}
        for name in self._states:
            population, state = name.rsplit(".", 1)
            if state not in self.network.layers[population].population.state_names:
                values = np.asarray(chip.states[name])
                found[name] = float(values.min()), float(values.max())
        return found

    def _known(self, name: str, there: Sequence[str], what: str) -> None:
        if name not in there:
            near = did_you_mean(str(name), there)
            raise ValueError(f"no {what} {name!r}; there are {', '.join(there)}. {near}".strip())

    def _checked(self, name: str, values: Any) -> np.ndarray:
        """What an input is given, in its shape."""
        self._known(name, tuple(self.network.inputs), "input")
        source = self.network.inputs[name]
        array = np.asarray(values, dtype=float)
        if array.ndim and array.size != source.count:
            raise ValueError(f"{name} has shape {array.shape}, and takes {source.shape}")
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be numbers, not {values}")
        most = source.most * 1000 / self.network.dt
        if source.kind == "spikes" and (array.min() < 0 or array.max() > most):
            raise ValueError(
                f"{name}: in a step of {self.network.dt:g} ms there may be 0 to {most:g} Hz"
            )
        shaped = np.broadcast_to(array, source.shape) if not array.ndim else array
        return shaped.reshape(source.shape).copy()

    @staticmethod
    def _place(
        values: np.ndarray, neuron: int | None, name: str, value: float | None = None
    ) -> None:
        """Put a value where a neuron, or every one, is."""
        if neuron is not None and neuron not in range(values.size):
            raise ValueError(f"{name} is of neurons 0 to {values.size - 1}, not {neuron}")
        if value is None:
            return
        if neuron is None:
            values[...] = value
        else:
            values.reshape(-1)[neuron] = value
