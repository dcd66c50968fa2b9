"""What a board holds, as a host drives it: the surface of the integer models."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ...errors import ScneuroError, did_you_mean
from ...link.identity import Identity
from ...link.messages import NO_END, REGISTERS, Control
from ...link.regions import Memories
from ...network import FixedNetwork, Network, NetworkRecording
from ...network.plan import RESTART, Plan, frames_of, unpacked
from ...network.run import given_inputs
from ...neuron import Neuron
from ...population import FixedPopulation, Population
from ...runner import Recording
from ...tools.progress import progress as bar
from .memory import Chipped, Settings
from .played import Played, recorded
from .port import LinkError, Port
from .requests import Requests
from .stepping import Stepping

__all__ = ["Chip", "NeuronChip"]

_COUNTERS = ("steps", "late", "saturated", "dropped")
_MOST_LEFT = NO_END - 1


class Chip:
    """A network on a board.

    Made by :func:`~scneuro.boards.link.connect`. It is a context manager, which lets go of the port.

    Attributes
    ----------
    identity : Identity
    network : Network
        As it was built.
    states : mapping of str to ndarray
        ``chip.states["out.V"]``: a state of every neuron, in its unit, shape (N,); also to be set.
    weights : mapping of str to ndarray
        ``chip.weights["x > out"]``: the weights of a projection, in the form of its map's; also to
        be set: each becomes the nearest that the chip can have.
    """

    def __init__(
        self, requests: Requests, identity: Identity, network: Network, fixed: FixedNetwork, plan: Plan
    ) -> None:
        self.identity, self.network, self._fixed, self._plan = identity, network, fixed, plan
        self._requests = requests
        self._settings = Settings(requests)
        self._memory = Chipped(requests, Memories(fixed, plan))
        self._stepping = Stepping(
            requests,
            frame_words=plan.frame_words,
            output_words=plan.output_words,
            kept=identity.results,
        )
        self._anew = False  # the next step begins anew
        self.states: MutableMapping[str, Any] = _States(self._memory, fixed)
        self.weights: MutableMapping[str, np.ndarray] = _Weights(self._memory, fixed)

    # -- what it is --------------------------------------------------------------------------
    @property
    def name(self) -> str:
        return self.network.name

    @property
    def dt(self) -> float:
        """Time step in ms."""
        return self.network.dt

    @property
    def counters(self) -> dict[str, int]:
        """Steps that it has made, and of them those that began late; words that were limited.

        ``dropped`` is always 0, and ``repeated`` are this program's requests that were sent again.
        """
        found = {name: self._settings[name] for name in _COUNTERS}
        return found | {"repeated": self._requests.repeated}

    def __repr__(self) -> str:
        board, port = self.identity.board, self._requests.port.name
        return f"<{self.name} on {board}, at {port}>"

    def __enter__(self) -> Chip:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the port; the board goes on with what it does."""
        self._requests.port.close()

    # -- steps -------------------------------------------------------------------------------
    def reset(self) -> None:
        """Stop it, and give all neurons their initial states; no spike is on its way."""
        self._quiet()
        self._settings["restart"] = 1

    def run(
        self,
        *,
        progress: bool = True,
        record: Mapping[str, Sequence[str]] | Sequence[str] | None = None,
        reset: bool = True,
        **inputs: Any,
    ) -> NetworkRecording:
        """Reset, then run over arrays of inputs; as :meth:`FixedNetwork.run`, bit for bit.

        Parameters
        ----------
        progress : bool
            Show a bar on a terminal when it takes longer than two seconds.
        record : mapping of str to sequence of str, or sequence of str, optional
            The states and inputs to record, by population, or the populations of which to record
            all; by default all of them. With ``()``, the spikes of the outputs leave the chip as
            fast as the line carries them; states, and spikes of other populations, are read after
            each step.
        reset : bool
            Otherwise it goes on from the states as they are.
        **inputs : array of shape (T, *shape)

        Returns
        -------
        NetworkRecording
            Spikes of the outputs and of the populations that are recorded. ``saturated`` has what
            was limited on its way to a recorded input.

        Raises
        ------
        ValueError, TypeError
            As :meth:`FixedNetwork.run`, or several runs at once.
        LinkError
            The link fails: the message says how many steps were done, and ``error.recording`` has
            what was recorded of them.
        """
        given, several = given_inputs(self.network, inputs)
        if several:
            raise ValueError(f"{self.name}: a board does one run at a time: arrays (T, ...)")
        single = {name: array[:, 0] for name, array in given.items()}
        played = Played(self._fixed, record)
        if played.sums:
            self._learn(played.sums)
            played.fixed = self._fixed
        self._record(single, played, reset=reset, progress=progress)
        return played.recording(single)

    def _record(
        self, given: dict[str, np.ndarray], played: Played, *, reset: bool, progress: bool
    ) -> None:
        """Make steps, and keep what is asked for; an error has what came before it."""
        steps = len(next(iter(given.values())))
        self._quiet()
        frames = self._frames(given, anew=reset)
        at_once = 1 if played.read else None
        done = self._stepping.run(frames, at_once=at_once)
        try:
            for row in bar(done, self.name, unit="step", wanted=progress, total=steps):
                spikes = self._spikes(row)
                states = {}
                for region in played.read:
                    population, slash, _ = region.partition("/")
                    rows = self._memory.read(region)
                    if slash:
                        spikes[population] = self._memory.memories.spikes(population, rows)
                    else:
                        states[region] = self._memory.memories.registers(region, rows)
                played.add(spikes, states)
        except (LinkError, KeyboardInterrupt) as error:
            complete = played.steps
            error.recording = played.recording(  # type: ignore[union-attr]
                {name: values[:complete] for name, values in given.items()}
            )
            if isinstance(error, LinkError):
                error.message += f"; {complete:,} of {steps:,} steps were complete"
            raise

    def step(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Advance one time step.

        Parameters
        ----------
        **inputs : array of an input's shape

        Returns
        -------
        dict of str to ndarray of bool, shape (N,)
            The spikes of the outputs.

        Raises
        ------
        ValueError, TypeError, LinkError
            As :meth:`run`.
        """
        self._quiet()
        given = self._given(inputs)
        (row,) = self._stepping.run(self._frames(given, anew=False), at_once=1)
        return self._spikes(row)

    def hold(self, **inputs: Any) -> None:
        """Say what every step is made of while it is started, from the next one on.

        Parameters
        ----------
        **inputs : array of an input's shape
        """
        (frame,) = frames_of(self._fixed, self._plan, self._given(inputs)).tolist()
        control = self._settings["control"]
        if control & Control.HELD:  # no step is made of half of the old and half of the new one
            self._settings["control"] = control & ~Control.HELD
        self._settings.hold(frame)
        if control & Control.HELD:
            self._settings["control"] = control

    def start(self, steps: int | None = None, *, paced: bool = True) -> None:
        """Make steps of what is held.

        They leave the spikes of the outputs, which :meth:`collect` takes: where there is no room
        for more, the board waits.

        Parameters
        ----------
        steps : int, optional
            So many; else until :meth:`pause`.
        paced : bool
            In real time; else as fast as it can.
        """
        if steps is not None and not 1 <= steps <= _MOST_LEFT:
            raise ValueError(f"{self.name}: steps must be 1 to {_MOST_LEFT:,}, not {steps}")
        self._quiet()
        self._settings["left"] = NO_END if steps is None else steps
        self._settings["control"] = Control.HELD | (Control.PACED if paced else 0)

    def pause(self) -> None:
        """Make no more steps; what is under way is finished. :meth:`start` goes on."""
        self._settings["control"] = 0

    def collect(self) -> NetworkRecording:
        """The spikes of the outputs that steps have left since the last time."""
        rows = self._stepping.taken()
        return self._recording_of(rows)

    def _recording_of(self, rows: np.ndarray) -> NetworkRecording:
        return NetworkRecording(self.dt, self._decoded(rows))

    # -- within ------------------------------------------------------------------------------
    def _quiet(self) -> None:
        """Stop what it does, bring to its end what was interrupted, and free what it left."""
        self._requests.finish()
        self._settings["control"] = 0
        self._stepping.finish()
        while True:  # until nothing is done between two looks at it
            before = self._settings["steps"]
            left = self._stepping.forget()
            if self._settings["steps"] == before and not left:
                return

    def _given(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The inputs of one step as arrays (1, *shape)."""
        given, several = given_inputs(
            self.network, {name: np.asarray(values)[None] for name, values in inputs.items()}
        )
        if several:
            raise ValueError(f"{self.name}: a step takes one value for each of an input")
        return {name: array[:, 0] for name, array in given.items()}

    def _frames(self, given: dict[str, np.ndarray], *, anew: bool) -> np.ndarray:
        frames = frames_of(self._fixed, self._plan, given)
        if anew:
            frames[0, 0] |= RESTART
        return frames

    def _decoded(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The spikes of the outputs in results (T, words)."""
        found, place = {}, 0
        for name in self._plan.outputs:
            cells, order = self._plan.spikes[name], self._plan.places[name].order
            spikes = unpacked(rows[:, place : place + cells.words], len(order))
            found[name] = np.empty_like(spikes)
            found[name][:, order] = spikes
            place += cells.words
        return found

    def _spikes(self, row: np.ndarray) -> dict[str, np.ndarray]:
        return {name: spikes[0] for name, spikes in self._decoded(row[None]).items()}

    def _learn(self, inputs: Sequence[tuple[str, str]]) -> None:
        """Know the weights that the chip has, of what leads to some inputs."""
