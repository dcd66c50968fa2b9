"""What a board holds, as a host drives it: the surface of the integer models."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from types import TracebackType
from typing import Any

import numpy as np

from ...compiler.pipeline.form import Form
from ...errors import UnknownName, did_you_mean
from ...given import whole
from ...link.identity import Identity
from ...link.image import said_of
from ...link.messages import NO_END, Control
from ...link.regions import Memories
from ...network import FixedNetwork, Network, NetworkRecording
from ...network.counts import where_of
from ...network.fixed import Synapses
from ...network.network import Projection
from ...network.plan import RESTART, Plan, frames_of, most_clocks, unpacked
from ...network.run import single_inputs
from ...neuron import Neuron
from ...population import Population
from ...runner import Recording, numbers, recorded
from ...tools.progress import progress as bar
from ...words import rounded
from .memory import Chipped, Settings
from .played import Played
from .port import LinkError
from .requests import Requests
from .stepping import Stepping

__all__ = ["Chip", "NeuronChip"]

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
        self.weights = _Weights(self._memory, fixed)
        self.counts: Mapping[str, np.ndarray] = _Counts(self._memory, plan.counted)

    def _states_of(self, fixed: FixedNetwork) -> _States:
        return _States(self._memory, fixed)

    def __setattr__(self, name: str, value: Any) -> None:
        if name.startswith("_") or (name in _OWN and name not in self.__dict__):
            super().__setattr__(name, value)
            return
        raise UnknownName(f"{self.name}: {name} cannot be set on a chip", self._settable)

    @property
    def _settable(self) -> str:
        """What can be set, in words."""
        said = [
            f"{of}[...] of {_listed(there)}"
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
        if not reset and any(p.delay for p in played.into):
            states = {n: [*self.network.layers[n].population.state_names] for n in played.summed}
            raise ValueError(
                f"{self.name}: what an input is given is not known where spikes are on their way "
                f"from before: reset, or leave it out, such as record={states} or record=()"
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


class NeuronChip(Chip):
    """A neuron or a population on a board.

    Attributes
    ----------
    target : Neuron or Population
        As it was built.
    states : mapping of str to ndarray
        ``chip.states["V"]``, or ``chip.V``: a state in its unit, of a population (N,).
    """

    def __init__(
        self,
        requests: Requests,
        identity: Identity,
        target: Neuron | Population,
        fixed: FixedNetwork,
        plan: Plan,
    ) -> None:
        self.target = target
        ((self._there, population),) = fixed.populations.items()
        self._one = population.one
        super().__init__(requests, identity, fixed.network, fixed, plan)

    def _states_of(self, fixed: FixedNetwork) -> _States:
        return _States(self._memory, fixed, self._there, single=self._is_single)

    def __getattr__(self, name: str) -> Any:
        states = self.__dict__.get("states", ())
        if name in states:
            return states[name]
        raise UnknownName(
            f"{type(self).__name__} has no attribute {name!r}", f"its states are {_listed(states)}"
        )

    @property
    def _settable(self) -> str:
        there = [*self.states.settable]
        return f"what can be set is {_listed(there)}" if there else "nothing on it can be set"

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("states", ()):
            self.states[name] = value
        else:
            super().__setattr__(name, value)

    def run(  # type: ignore[override]
        self,
        *args: Any,
        progress: bool = True,
        record: Sequence[str] | None = None,
        reset: bool = True,
        **inputs: Any,
    ) -> Recording:
        """Reset, then run over arrays of inputs; as the integers' ``run``, bit for bit.

        Parameters
        ----------
        *args, **inputs : array of shape (T,) or (T, N)
            By position or by name. Scalars are held throughout.
        progress, reset : bool
            As of :meth:`Chip.run`.
        record : sequence of str, optional
            The states to record, by default all; each is read after every step. With ``()``,
            spikes alone leave as fast as the line carries them.

        Returns
        -------
        Recording
            ``saturated`` has the inputs alone.

        Raises
        ------
        ValueError, TypeError, LinkError
            As the integers' ``run``, and as :meth:`Chip.run`.
        """
        one = self._one
        chosen = self._recorded(record)
        inputs = one._named(args, inputs)
        self._check(inputs, time=True)
        words = one._prepare(inputs, ndim=1)
        steps = next(len(w) for w in words.values() if w.ndim)
        played = Played(self._fixed, {self._there: chosen}, self._memory)
        given = {n: self._of_each(n, w, (steps,)) for n, w in words.items()}

        def recording(found: NetworkRecording) -> Recording:
            count = len(found.spike[self._there])
            shape = (count,) if self._is_single else (count, self.network.layers[self._there].count)
            units = one._in_units({n: _first(x, count) for n, x in inputs.items()}, shape)
            states = {
                n: played.words(self._there, n).astype(np.int16).reshape(shape) for n in chosen
            }
            beyond = {n: k for n, k in one._beyond(units).items() if k}
            spike = found.spike[self._there].reshape(shape)
            return Recording(self.dt, spike, one._as_states(states), units, beyond)

        try:
            self._play(given, played, self._fixed, reset=reset, progress=progress)
        except (LinkError, KeyboardInterrupt) as error:
            error.recording = recording(error.recording)  # type: ignore[union-attr]
            raise
        return recording(played.recording(self._fixed, given))

    def step(self, *args: Any, **inputs: Any) -> tuple[Any, Any]:  # type: ignore[override]
        """Advance one time step.

        Parameters
        ----------
        *args, **inputs : float or array of shape (N,)
            By position or by name, in the inputs' units.

        Returns
        -------
        spike : int, or array of int of shape (N,)
        v : float, or array of shape (N,)
            The first declared state.
        """
        (row,) = self._made(self._given(self._one._named(args, inputs)))
        spike = self._spikes(row)[self._there].astype(int)
        return int(spike[0]) if self._is_single else spike, self.states[self._one.state_names[0]]

    def hold(self, *args: Any, **inputs: Any) -> None:
        """Say what every step is made of while it is started, from the next one on.

        Parameters
        ----------
        *args, **inputs : float or array of shape (N,)
        """
        super().hold(**self._one._named(args, inputs))

    def collect(self) -> Recording:  # type: ignore[override]
        """The spikes of the steps since the last time."""
        spike = super().collect().spike[self._there]
        return Recording(self.dt, spike[:, 0] if self._is_single else spike, {}, {})

    def _recorded(self, record: Any) -> tuple[str, ...]:
        """The states to record: no parameters that differ from neuron to neuron."""
        own = self.target.state_names
        return own if record is None else recorded(record, self.name, own)

    @property
    def _is_single(self) -> bool:
        return not isinstance(self.target, Population)

    def _check(self, inputs: Mapping[str, Any], *, time: bool) -> None:
        if isinstance(self.target, Population):
            self.target.check_inputs(inputs, time=time)
            return
        for name, values in inputs.items():
            if np.ndim(values) > time:
                wanted = "(T,)" if time else "a number"
                raise ValueError(
                    f"{self.name}: {name} has shape {np.shape(values)}, and there is one neuron: "
                    f"give {wanted}"
                )

    def _of_each(self, name: str, words: np.ndarray, lead: tuple[int, ...]) -> np.ndarray:
        """An input's words as numbers for each neuron."""
        lsb = self._one.lowered.input_words[name].lsb
        each = words[..., None] if words.ndim <= len(lead) else words
        return np.broadcast_to(each * lsb, (*lead, self.network.layers[self._there].count))

    def _given(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        self._check(inputs, time=False)
        words = self._one._prepare(dict(inputs), ndim=0)
        return {n: self._of_each(n, w[None], (1,)) for n, w in words.items()}


def _first(values: Any, count: int) -> Any:
    """An input up to the step that was complete last."""
    return values[:count] if np.ndim(values) else values


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


class _States(MutableMapping[str, Any]):
    """The states of neurons, by ``POPULATION.STATE``, or by their own names in one population."""

    def __init__(
        self, memory: Chipped, fixed: FixedNetwork, within: str = "", *, single: bool = False
    ) -> None:
        self._memory, self._fixed, self._single = memory, fixed, single
        self._names = {
            f"{name}.{state}" if not within else state: (name, state)
            for name, population in fixed.populations.items()
            for state in population.lowered.registers
        }

    def _where(self, name: str) -> tuple[str, str]:
        if name not in self._names:
            near = did_you_mean(str(name), self._names)
            raise UnknownName(f"no state {name!r}; there are {_listed(self._names)}", near)
        return self._names[name]

    def __getitem__(self, name: str) -> Any:
        population, state = self._where(name)
        own, where = self._fixed.populations[population], f"{population}.{state}"
        r = own.lowered.registers[state]
        if where in self._memory:
            registers = self._memory.memories.registers(where, self._memory.read(where))
        else:  # no update reads it: it is as it was
            registers = np.array(own.initial[state])
        values = r.to_word(registers) * r.word.lsb
        values.setflags(write=False)  # they are what was read: to set one, set_one()
        return float(values[0]) if self._single else values

    def __setitem__(self, name: str, values: Any) -> None:
        where = self._settable(name)
        self._memory.write(where, self._memory.memories.of_values(where, values))

    def set_one(self, name: str, neuron: int, value: float) -> None:
        """Set the state of a neuron alone; whatever the others do meanwhile."""
        where, memories = self._settable(name), self._memory.memories
        row = memories.row_of(where, neuron)
        table = memories.of_values(where, np.asarray(value))
        self._memory.write(where, table[row : row + 1], row)

    @property
    def settable(self) -> Iterator[str]:
        """The names of those that can be set."""
        return (name for name, where in self._names.items() if ".".join(where) in self._memory)

    def _settable(self, name: str) -> str:
        where = ".".join(self._where(name))
        if where not in self._memory:
            raise ValueError(f"{where} cannot be set on the chip: no update reads it")
        return where

    def __delitem__(self, name: str) -> None:
        raise TypeError("a chip's states stay")

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return f"<states {', '.join(self._names)}>"


class _Counts(Mapping[str, np.ndarray]):
    """The counts of outputs, by their names."""

    def __init__(self, memory: Chipped, names: Sequence[str]) -> None:
        self._memory, self._names = memory, names

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._names:
            hint = did_you_mean(str(name), self._names)
            if not self._names:
                hint = 'build a Network with output(..., sends="counts")'
            raise UnknownName(f"no counts {name!r}; there are {_listed(self._names)}", hint)
        return self._memory.memories.counts(name, self._memory.read(where_of(name)))

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __setitem__(self, name: str, value: object) -> None:
        raise TypeError("counts are not set: a reset begins them anew")

    def __repr__(self) -> str:
        return f"<counts {_listed(self._names)}>"


class _Weights(MutableMapping[str, np.ndarray]):
    """The weights of projections, by ``SOURCE > TARGET``, or with ``.INPUT`` where several are."""

    def __init__(self, memory: Chipped, fixed: FixedNetwork) -> None:
        self._memory, self._fixed = memory, fixed
        projections = fixed.network.projections
        spiking = {k: p for k, p in enumerate(projections) if not fixed.is_current(p)}
        plain = [str(p) for p in spiking.values()]
        self._numbers: dict[str, int] = {}
        for k, p in spiking.items():
            name = str(p) if plain.count(str(p)) == 1 else f"{p}.{p.to}"
            if name in self._numbers:
                name += f" {k}"
            self._numbers[name] = k
        self._known: dict[int, np.ndarray] = {}

    def number(self, projection: Projection) -> int | None:
        """Of a projection in the network; None for one of numbers, which has no weights here."""
        k = self._fixed.network.projections.index(projection)
        return k if k in self._numbers.values() else None

    def read(self, number: int) -> np.ndarray:
        """A projection's integers, as they were read or written last here."""
        if number not in self._known:
            rows = self._memory.memories.rows_of(number)
            read = self._memory.read("weights", rows)
            self._known[number] = self._memory.memories.weights(number, read)
        return self._known[number]

    def load(self) -> None:
        """Write all that the network has: where it is not in the bitstream."""
        for number in self._numbers.values():
            self._write(number, self._synapses(number).weights)

    def _write(self, number: int, integers: np.ndarray) -> None:
        rows = self._memory.memories.of_weights(number, integers)
        self._known.pop(number, None)
        self._memory.write("weights", rows, self._memory.memories.rows_of(number).start)
        self._known[number] = np.array(integers)

    def _synapses(self, number: int) -> Synapses:
        p = self._fixed.network.projections[number]
        return next(s for s in self._fixed.totals[p.target, p.to].synapses if s.projection is p)

    def _number(self, name: str) -> int:
        if name not in self._numbers:
            near = did_you_mean(str(name), self._numbers)
            raise UnknownName(f"no weights {name!r}; there are {_listed(self._numbers)}", near)
        return self._numbers[name]

    def __getitem__(self, name: str) -> np.ndarray:
        number = self._number(name)
        values: np.ndarray = np.ldexp(
            self.read(number).astype(float), -self._synapses(number).point
        )
        return values

    def __setitem__(self, name: str, values: Any) -> None:
        number, where = self._number(name), f"{self._fixed.name}: {name}"
        own = self._synapses(number)
        array = numbers(values, where)
        if array.shape != own.weights.shape:
            raise ValueError(
                f"{where}: weights have shape {own.weights.shape}, and these {array.shape}"
            )
        integers = rounded(array, own.point)
        most = 1 << (own.projection.bits - 1)
        outside = (integers < -most) | (integers >= most)
        if outside.any():
            at = tuple(map(int, np.argwhere(outside)[0]))
            low, high = np.ldexp([-most, most - 1], -own.point)
            raise ValueError(
                f"{where}: the weight at {list(at)} is {array[at]:g}, and the chip's are {low:g} "
                f"to {high:g}, in steps of {2.0**-own.point:g}"
            )
        self._write(number, integers.astype(np.int64))

    def __delitem__(self, name: str) -> None:
        raise TypeError("a chip's weights stay")

    def __iter__(self) -> Iterator[str]:
        return iter(self._numbers)

    def __len__(self) -> int:
        return len(self._numbers)

    def __repr__(self) -> str:
        return f"<weights {', '.join(self._numbers)}>"
