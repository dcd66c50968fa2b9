"""A chip that is watched: it makes steps, is seen, and does what is wished meanwhile."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from ...boards.link.port import LinkError
from ...errors import ScneuroError
from ...network import Network
from ...tools.files import check_writable
from ...tools.progress import progress as bar
from .choice import Choice, checked, known, usual
from .history import KEPT_MS, History, View
from .inputs import Inputs
from .status import PACES, Speed, Status
from .steps import Seen, Steps, Watchable
from .tape import Tape
from .wishes import Wishes

__all__ = ["PACES", "Status", "Watch", "Watchable"]

_LOOKS, _AGAIN = 0.5, 1.0  # s between looks at counters; between attempts to connect
_IDLE = 0.02  # s


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
        chip = connect()
        network: Network = chip.network
        self.network, self.read_only = network, read_only
        self.board: str = chip.identity.board
        self.trouble: BaseException | None = None
        self._lock = threading.RLock()
        self._wishes = Wishes()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="watch", daemon=True)
        counts = {name: layer.count for name, layer in network.layers.items()}
        self._history = History(counts, network.dt)
        self.inputs = Inputs(network, given or {})
        self._states = tuple(chip.states)
        self.settable = self._spans(chip)
        self._choose(checked(choice or usual(network, self.states), network, self._states))
        self._tape: Tape | None = None
        if pace is None:
            pace = PACES[0] if self.inputs.spiking else PACES[1]
        self._check_pace(pace)
        self._now = 0  # steps, that were seen or missed
        self._speed = Speed()
        self._look_at = self._again_at = 0.0
        counters = dict(chip.counters)
        self._steps = Steps(chip, self.inputs, counters["steps"])
        self._status = Status(True, False, pace, 0.0, 0.0, counters, "", "", "", 0)

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
            self._steps.held()

        self._wishes.add(("input", name, neuron), work)

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
                self._steps.chip.states[name] = value
            else:
                self._steps.chip.states.set_one(name, neuron, value)
            of = "" if neuron is None else f" of neuron {neuron}"
            self._note(f"{name}{of} = {value:g}")

        self._wishes.add(("state", name, neuron), work)

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

        self._wishes.add("choose", work)

    def pause(self, paused: bool = True) -> None:
        """Make no more steps, or go on."""
        self._allowed()

        def work() -> None:
            self._halt()
            self._tell(paused=paused)

        self._wishes.add("pause", work)

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

        self._wishes.add("pace", work)

    def reset(self) -> None:
        """Give all neurons their initial states. Time goes on, and so do parameters."""
        self._allowed()

        def work() -> None:
            self._halt()
            self._steps.chip.reset()
            self._note("reset")

        self._wishes.add("reset", work)

    def record(self, on: bool = True) -> None:
        """Record what is seen, or stop and write the file."""
        self._allowed()
        self._wishes.add("record", self._begin_tape if on else self._end_tape)

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

    # -- from begin to end -----------------------------------------------------------------------
    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """Make no more steps, write what was recorded, and let go of the chip."""
        self._ended.set()
        self._wishes.wake()
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
        if not self._steps.connected:
            self._wishes.wait(self._again_at - time.monotonic())
            if time.monotonic() < self._again_at:
                return
            self._found(self._connect())
        self._serve()
        if self.status.paused:
            self._wishes.wait(_IDLE)
        elif self.status.pace == PACES[0]:
            self._wishes.wait(self._advance())  # no faster than real time
        else:
            self._follow()
        if self._tape is not None and self._tape.is_full:
            self._end_tape()
            self._tell(message="the recording was as long as one may be, and is written")
        if time.monotonic() >= self._look_at:
            self._tell(counters=dict(self._steps.chip.counters))
            self._look_at = time.monotonic() + _LOOKS
        rate = self._speed.at(self._now)
        self._tell(steps_per_s=rate, speed=rate * self.network.dt / 1000)

    def _serve(self) -> None:
        while (wish := self._wishes.take()) is not None:
            _, work = wish
            try:
                work()
                self._tell(message="")
            except LinkError:
                self._wishes.put_back(*wish)
                raise
            except (ValueError, TypeError, KeyError, ScneuroError) as error:
                self._tell(message=str(error.args[0] if isinstance(error, KeyError) else error))

    def _leave(self) -> None:
        try:
            if self._tape is not None:
                self._end_tape()
        except ScneuroError as error:
            self.trouble = self.trouble or error
        alone, chip = self._steps.alone, self._steps.let_go()
        if chip is None:
            return
        try:
            if alone:
                chip.pause()
        except LinkError:
            pass
        finally:
            chip.close()

    # -- steps -----------------------------------------------------------------------------------
    def _advance(self, *most: int) -> float:
        """Some steps, each of which is read; how far they are ahead of real time, in s."""
        try:
            seen, ahead = self._steps.advance(self._choice.populations, self._neurons, *most)
        except LinkError as error:
            if (rest := getattr(error, "recording", None)) is not None:
                self._add(self._steps.seen(rest, self._neurons))
            raise
        self._add(seen)
        return ahead

    def _follow(self) -> None:
        """What steps have left that a board makes by itself, and where some states are by then."""
        seen = self._steps.follow(self._neurons)
        self._add(seen)
        if not seen.steps:
            self._wishes.wait(_IDLE / 4)

    def _halt(self) -> None:
        """Bring to its end what the board does by itself."""
        seen = self._steps.halt()
        if seen is not None:
            self._add(seen)
        self._speed.clear()

    def _add(self, seen: Seen) -> None:
        with self._lock:
            for kept in (self._history, self._tape):
                if kept is not None:
                    kept.add_spikes(self._now, seen.spikes)
                    kept.add_states(self._now + seen.when, seen.states)
            self._now += seen.steps

    # -- the link --------------------------------------------------------------------------------
    def _lost(self, error: LinkError) -> None:
        chip = self._steps.let_go()
        self._again_at = time.monotonic() + _AGAIN
        self._speed.clear()
        self._tell(connected=False, steps_per_s=0.0, speed=0.0, message=str(error))
        if chip is not None:
            chip.close()

    def _found(self, chip: Watchable) -> None:
        missed = self._steps.go_on(chip)
        if missed < 0:
            self._note("the board began anew")
            message = "the board has begun anew: was it switched off?"
        else:
            message = ""
            with self._lock:
                self._now += missed
            self._tell(unread=self.status.unread + missed)
        self._tell(connected=True, counters=dict(chip.counters), message=message)

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
        if self._steps.alone:
            self._add(self._steps.taken())
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
