"""A network on a board, as a host drives it: the surface of the integer models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ...compiler.pipeline.form import Form
from ...errors import UnknownName
from ...given import whole
from ...link.identity import Identity
from ...link.image import said_of
from ...link.messages import NO_END, Control
from ...link.regions import Memories
from ...network import FixedNetwork, Network, NetworkRecording
from ...network.maps import Drawn
from ...network.network import Projection
from ...network.plan import RESTART, Plan, frames_of, most_clocks, unpacked
from ...network.run import single_inputs
from ...runner import numbers
from ...tools.progress import progress as bar
from .memory import Chipped, Settings
from .played import Played
from .port import LinkError
from .requests import Requests
from .stepping import Stepping
from .values import Counts, States, Weights, listed

__all__ = ["Chip"]

_OWN = ("identity", "network", "states", "target", "weights", "counts")  # which are set once
_COUNTERS = ("dropped", "steps", "late", "saturated")  # as they lie


class Chip:
    """A network on a board.

    Made by :func:`~scneuro.boards.link.connect`. As a context manager it lets go of the port.

    Attributes
    ----------
    identity : Identity
    network : Network
        As it was built.
    states : mapping of str to ndarray
        ``chip.states["out.V"]``: a state of every neuron, in its unit, shape (N,); also to be set.
        So are parameters that differ from neuron to neuron.
    weights : mapping of str to ndarray
        ``chip.weights["x > out"]``: the weights of a projection, in the form of its map's; also to
        be set: each becomes the nearest that the chip can have.
    counts : mapping of str to ndarray
        ``chip.counts["out"]``: how many spikes every neuron of an output fired since the last
        reset, where the network counts them, int64 of shape (N,), 65,535 at most. They are read
        between steps, as states are: pause it where all are to be of one step.
    """

    def __init__(
        self,
        requests: Requests,
        identity: Identity,
        network: Network,
        fixed: FixedNetwork,
        plan: Plan,
    ) -> None:
        self.identity, self.network, self._fixed, self._plan = identity, network, fixed, plan
        self._requests = requests
        self._settings = Settings(requests)
        self._memory = Chipped(requests, Memories(fixed, plan))
        self._stepping = Stepping(
            requests,
            self._settings,
            output_words=plan.output_words,
            kept=identity.results,
            longest=sum(most_clocks(fixed, plan, Form(stored=True)).values()) / identity.clock_hz,
        )
        self._held: list[int] = []
        self.states = self._states_of(fixed)
        self.weights = Weights(self._memory, fixed)
        self.counts: Mapping[str, np.ndarray] = Counts(self._memory, plan.counted)

    def _states_of(self, fixed: FixedNetwork) -> States:
        return States(self._memory, fixed)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or (name in _OWN and name not in self.__dict__):
            super().__setattr__(name, value)
            return
        raise UnknownName(f"{self.name}: {name} cannot be set on a chip", self._settable)

    @property
    def _settable(self) -> str:
        """What can be set, in words."""
        said = [
            f"{of}[...] of {listed(there)}"
            for of, there in (("states", [*self.states.settable]), ("weights", [*self.weights]))
            if there
        ]
        return f"what can be set is {' and '.join(said)}" if said else "nothing on it can be set"

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
        found = self._settings.counted(*_COUNTERS)
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

    @property
    def is_loaded(self) -> bool:
        """Whether the weights were written since the board was switched on.

        By a host, or by the chip itself, from the board's flash.
        """
        return bool(self._settings["loaded"])

    @property
    def flash(self) -> str:
        """What came of weights in the board's flash.

        ``loaded``; ``not read``, where the board was not built for that; or why they were not
        loaded: it has ``no weights``, ``other weights``, or ``damaged weights``.
        """
        return said_of(self._settings["flash"])

    def load(self) -> None:
        """Write the weights that the network has, as it was built."""
        self._quiet()
        self.weights.load()
        self._settings["loaded"] = 1

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
            The states and inputs to record, by population, ``{"out": ["V", "I"]}``; or the
            populations of which to record all, ``["out"]``; by default all of them. With ``()``,
            the spikes of the outputs leave the chip as fast as the line carries them, or none where
            they are only counted; states, and spikes of other populations, are read after each
            step.
        reset : bool
            Otherwise it goes on from the states as they are.
        **inputs : array of shape (T, *shape)

        Returns
        -------
        NetworkRecording
            Spikes of the outputs and of the populations that are recorded, and counts as they are
            in the end. By name it has ``t``, ``"out/spike"``, ``"out/V"``, ``"out/I"`` and
            ``"out/counts"``. ``saturated`` has what was limited on its way to a recorded input.

        Raises
        ------
        ValueError, TypeError
            As :meth:`FixedNetwork.run`, or several runs at once.
        LinkError
            The link fails: the message says how many steps were done, and ``error.recording`` has
            what was recorded of them.
        """
        single = single_inputs(self.network, inputs)
        played = Played(self._fixed, record, self._memory)
        if not reset and any(p.delay or isinstance(p.map, Drawn) for p in played.into):
            states = {n: [*self.network.layers[n].population.state_names] for n in played.summed}
            raise ValueError(
                f"{self.name}: what an input is given is not known where spikes are on their way "
                "from before, or weights are drawn for: reset, or leave it out, such as "
                f"record={states} or record=()"
            )
        fixed = self._as_it_is(played.into)
        self._play(single, played, fixed, reset=reset, progress=progress)
        return played.recording(fixed, single)

    def _play(
        self,
        given: dict[str, np.ndarray],
        played: Played,
        fixed: FixedNetwork,
        *,
        reset: bool,
        progress: bool,
    ) -> None:
        """Make steps, and keep what is asked for; an error has what came before it."""
        steps, memories = len(next(iter(given.values()))), self._memory.memories
        try:
            self._quiet()
            if not steps:
                if reset:
                    self.reset()
                return
            frames = frames_of(self._fixed, self._plan, given)
            frames[0, 0] |= RESTART if reset else 0
            rows = self._stepping.run(frames, at_once=1 if played.reads else None)
            for row in bar(rows, self.name, unit="step", wanted=progress, total=steps):
                spikes, registers = self._spikes(row), {}
                for name in played.reads:
                    read = self._memory.read(name)
                    population, slash, _ = name.partition("/")
                    if slash:
                        spikes[population] = memories.spikes(population, read)
                    else:
                        registers[name] = memories.registers(name, read)
                played.add(spikes, registers)
            played.counts = dict(self.counts)
        except (LinkError, KeyboardInterrupt) as error:
            if reset:
                played.count()
            error.recording = played.recording(fixed, given)  # type: ignore[union-attr]
            if isinstance(error, LinkError):
                error.message += f"; {played.steps:,} of {steps:,} steps were complete"
            raise

    def step(self, **inputs: Any) -> dict[str, np.ndarray]:
        """Advance one time step.

        Parameters
        ----------
        **inputs : array of an input's shape

        Returns
        -------
        dict of str to ndarray of bool, shape (N,)
            The spikes of the outputs; not of those of which only counts leave.

        Raises
        ------
        ValueError, TypeError, LinkError
            As :meth:`run`.
        """
        (row,) = self._made(self._given(inputs))
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
        self._held = frame
        if control & Control.HELD:
            self._settings["control"] = control

    def start(self, steps: int | None = None, *, paced: bool = True) -> None:
        """Make steps of what is held.

        They leave the spikes of the outputs, which :meth:`collect` takes: where there is no room
        for more, the board waits. What :meth:`run`, :meth:`step` and :meth:`reset` find there, they
        forget.

        Parameters
        ----------
        steps : int, optional
            So many; else until :meth:`pause`.
        paced : bool
            In real time; else as fast as it can.
        """
        left = NO_END if steps is None else whole(f"{self.name}: steps", steps, 1, NO_END - 1)
        self._settings["control"] = 0
        if self._held:  # a run may have written others there
            self._settings.hold(self._held)
        bits = Control.HELD | (Control.PACED if paced else 0)
        self._settings.control(bits, left=left)

    def pause(self) -> None:
        """Make no more steps; what is under way is finished. :meth:`start` goes on."""
        self._settings["control"] = 0

    def collect(self) -> NetworkRecording:
        """The spikes of the outputs that steps have left since the last time; no counts."""
        rows = self._stepping.taken()
        empty: dict[str, dict[str, np.ndarray]] = {name: {} for name in self.network.layers}
        found = NetworkRecording(self.dt, self._decoded(rows), empty, dict(empty))
        self._stepping.drop(len(rows))  # until here, an interruption loses none
        return found

    # -- within ------------------------------------------------------------------------------
    def _quiet(self) -> None:
        """Stop what it does, and free what it left."""
        self._settings["control"] = 0
        while True:  # until nothing is done between two looks at it
            before = self._settings.words("steps")
            left = self._stepping.forget()
            if self._settings.words("steps") == before and not left:
                return

    def _given(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """The inputs of one step as arrays (1, *shape)."""
        arrays = {name: numbers(values, f"{self.name}: {name}") for name, values in inputs.items()}
        for name in arrays.keys() & self.network.inputs.keys():
            shape, source = arrays[name].shape, self.network.inputs[name]
            if shape not in (source.shape, (source.count,)):
                raise ValueError(
                    f"{self.name}: {name} has shape {source.shape} in a step, not {shape}"
                )
        return single_inputs(self.network, {name: array[None] for name, array in arrays.items()})

    def _made(self, given: dict[str, np.ndarray]) -> list[np.ndarray]:
        """What the outputs do in steps from here on."""
        self._quiet()
        return list(self._stepping.run(frames_of(self._fixed, self._plan, given), at_once=1))

    def _decoded(self, rows: np.ndarray) -> dict[str, np.ndarray]:
        """The spikes of the outputs in results (T, words)."""
        found, place = {}, 0
        for name in self._plan.outputs:
            cells, order = self._plan.spikes[name], self._plan.places[name].order
            own = rows[:, place : place + cells.words]
            spikes = unpacked(own, len(order)) if len(own) else np.zeros((0, len(order)), bool)
            found[name] = np.empty_like(spikes)
            found[name][:, order] = spikes
            place += cells.words
        return found

    def _spikes(self, row: np.ndarray) -> dict[str, np.ndarray]:
        return {name: spikes[0] for name, spikes in self._decoded(row[None]).items()}

    def _as_it_is(self, projections: Sequence[Projection]) -> FixedNetwork:
        """The integers with the weights that the chip has, of some projections."""
        return self._fixed.with_weights(
            {
                k: self.weights.read(k)
                for p in projections
                if (k := self.weights.number(p)) is not None
            }
        )
