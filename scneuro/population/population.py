"""A population: ``count`` neurons of one kind that share a datapath, in float and in integers."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..compiler.pipeline.form import LONGEST
from ..fixed import FixedNeuron
from ..given import whole
from ..neuron import Neuron, need_neuron
from ..runner import Recording, numbers
from .parameters import checked, initial_of_each, with_parameters

__all__ = ["FixedPopulation", "Population", "need_population"]


_MOST = 10_000_000


class _Many:
    """What both fidelities have in common: a runner of ``count`` neurons, and where they start.

    Attributes
    ----------
    one : Neuron or FixedNeuron
        What runs them.
    """

    one: Neuron | FixedNeuron
    count: int
    start: dict[str, np.ndarray]

    @property
    def name(self) -> str:
        return self.one.name

    @property
    def dt(self) -> float:
        return self.one.dt

    @property
    def input_defaults(self) -> Mapping[str, float]:
        return self.one.input_defaults

    def __len__(self) -> int:
        return self.count

    def __setattr__(self, name: str, value: Any) -> None:
        one = self.__dict__.get("one")
        if one is None or name.startswith("_"):
            super().__setattr__(name, value)
        elif name in self.state_names:
            self.write(name, value)
        elif name == "seed":
            one.seed = value
        elif self.__dict__.get("_made"):
            raise AttributeError(
                f"{self.name}: {name} cannot be set: the states are {', '.join(self.state_names)}; "
                "anything else takes a new Population(...)"
            )
        else:
            super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        one = self.__dict__.get("one")
        if one is not None and name in one.state_names:
            return one.read(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def reset(self) -> None:
        """Return every neuron to its initial states, and the noise to its seed."""
        self.one.reset()
        for name, values in self.start.items():
            self.one.write(name, values)

    def read(self, name: str) -> np.ndarray:
        """A state of every neuron, in its unit, shape (count,)."""
        values: np.ndarray = self.one.read(name)
        return values

    def write(self, name: str, values: Any) -> None:
        """Set a state: one number, or an array of shape (count,)."""
        if name not in self.state_names and name not in self.start:
            raise ValueError(
                f"{self.name} has no state {name!r}; it has {', '.join(self.state_names)}"
            )
        array = _for_each(values, f"{self.name}: {name}", self.count)
        self.one.write(name, array)

    def step(self, *args: Any, **inputs: Any) -> tuple[np.ndarray, np.ndarray]:
        """Advance every neuron by one time step.

        Parameters
        ----------
        *args, **inputs : float or array of shape (count,)
            By position or by name, in the inputs' units.

        Returns
        -------
        spike : ndarray of int, shape (count,)
        v : ndarray, shape (count,)
            The first declared state.
        """
        self._check_positional(args, inputs, time=False)
        return self.one.step(*args, **inputs)

    def run(
        self,
        *args: Any,
        progress: bool = True,
        engine: str = "auto",
        record: Sequence[str] | None = None,
        file: Path | str | None = None,
        reset: bool = True,
        **inputs: Any,
    ) -> Recording:
        """Reset, then run over arrays of inputs.

        Parameters
        ----------
        *args, **inputs : array of shape (T,) or (T, count)
            By position or by name; a (T,) is the same for all neurons.
        progress, engine, record, file, reset
            As :meth:`scneuro.Neuron.run`.

        Returns
        -------
        Recording
            Spikes and states of shape (T, count).
        """
        self._check_positional(args, inputs, time=True)
        if reset:
            self.reset()
        if record is None:
            record = self.state_names
        return self.one.run(
            *args, progress=progress, engine=engine, record=record, file=file, reset=False, **inputs
        )

    @property
    def state_names(self) -> tuple[str, ...]:
        raise NotImplementedError

    def _check_positional(
        self, args: tuple[Any, ...], inputs: Mapping[str, Any], *, time: bool
    ) -> None:
        given = dict(zip(self.input_defaults, args, strict=False)) | dict(inputs)
        self.check_inputs(given, time=time)

    def check_inputs(self, inputs: Mapping[str, Any], *, time: bool) -> None:
        """Refuse inputs for another number of neurons.

        Raises
        ------
        ValueError
        """
        for name, values in inputs.items():
            shape = np.shape(values)
            if len(shape) == 1 + time and shape[-1] != self.count:
                wanted = f"(T,) or (T, {self.count})" if time else f"a number or ({self.count},)"
                raise ValueError(
                    f"{self.name}: {name} has shape {shape}, and there are {self.count} neurons: "
                    f"give {wanted}"
                )


class Population(_Many):
    """``count`` neurons of one kind.

    In hardware they share one datapath, or ``lanes`` of them: their states lie in memories, and a
    neuron enters every ``interval`` clocks.

    Parameters
    ----------
    neuron : Neuron
    count : int
    lanes : int
        Datapaths side by side, a power of two; neuron n is in lane n modulo ``lanes``.
    interval : int
        Clocks from one neuron to the next, 1 to 16: a longer one takes less logic.
    init : mapping of str to array, optional
        Where states start, each one number or of shape (count,); else as the neuron's.
    parameters : mapping of str to array, optional
        Parameters that differ from neuron to neuron, of shape (count,). They must be ones that
        ``update()`` itself uses.

    Attributes
    ----------
    neuron : Neuron
        As it was given.
    one : Neuron
        What runs: the neuron, with those parameters as further states.

    Raises
    ------
    TypeError, ValueError
        A count, lanes or interval that make no sense, an unknown state or parameter, arrays of
        another shape.
    ScneuroError
        A parameter that ``update()`` does not use.

    Examples
    --------
    >>> from scneuro import LIF, Population
    >>> spikes = Population(LIF(), 3).run(I=np.full((200, 3), [0.0, 20.0, 40.0])).spikes
    """

    one: Neuron

    def __init__(
        self,
        neuron: Neuron,
        count: int,
        *,
        lanes: int = 1,
        interval: int = 1,
        init: Mapping[str, Any] | None = None,
        parameters: Mapping[str, Any] | None = None,
    ) -> None:
        need_neuron(neuron, "Population()")
        self.neuron = copy.copy(neuron)
        self.count = whole("neurons", count)
        self.lanes, self.interval = whole("lanes", lanes), whole("interval", interval)
        if self.count > _MOST:
            raise ValueError(f"{self.count:,} neurons are more than the {_MOST:,} there may be")
        if self.lanes & (self.lanes - 1):
            raise ValueError(f"lanes must be a power of two, not {lanes}")
        if self.lanes > self.count:
            raise ValueError(f"{lanes} lanes for {count} neurons: some would stay empty")
        if self.interval > LONGEST:
            raise ValueError(f"interval must be 1 to {LONGEST} clocks, not {interval}")
        self.parameters = checked(neuron, parameters or {}, self.count)
        if init is not None and not isinstance(init, Mapping):
            raise TypeError(f"{neuron.name}: init must be a mapping from names, not {init!r}"[:160])
        self.init: dict[str, np.ndarray] = {}
        for name, values in (init or {}).items():
            if name not in neuron.state_names:
                raise TypeError(
                    f"{neuron.name} has no state {name!r}; it has {', '.join(neuron.state_names)}"
                )
            self.init[name] = _for_each(values, f"{neuron.name}: init {name}", self.count)
        self.one = with_parameters(self.neuron, self.parameters)
        usual = initial_of_each(self.one)
        started = {n: np.broadcast_to(x, (self.count,)).astype(float) for n, x in usual.items()}
        self.start = {**started, **self.init, **self.parameters}
        spans = {n: (float(x.min()), float(x.max())) for n, x in self.start.items()}
        spans = {n: x for n, x in spans.items() if x[0] < x[1]}
        for made_without in ("program", "graph"):
            self.one.__dict__.pop(made_without, None)
        self.one.__dict__["_spans"] = spans
        self.reset()
        self._made = True

    def __repr__(self) -> str:
        varied = f", {', '.join(self.parameters)} differ" if self.parameters else ""
        lanes = f", {self.lanes} lanes" if self.lanes > 1 else ""
        every = f", every {self.interval} clocks" if self.interval > 1 else ""
        return f"<population of {self.count} {self.name}{lanes}{every}{varied}>"

    def __reduce__(self) -> tuple[Any, ...]:
        return _again, (
            self.neuron,
            self.count,
            self.lanes,
            self.interval,
            self.init,
            self.parameters,
        )

    @property
    def state_names(self) -> tuple[str, ...]:
        return self.neuron.state_names

    @property
    def currents(self) -> tuple[float, ...]:
        """The neuron's."""
        return self.neuron.currents

    @property
    def spread_currents(self) -> np.ndarray:
        """From half the first typical current to half as much again, another for each neuron."""
        currents: np.ndarray = self.currents[0] * np.linspace(0.5, 1.5, self.count)
        return np.round(currents * 256) / 256

    def fixed(self, **options: Any) -> FixedPopulation:
        """The integers of all neurons, with the same surface.

        Parameters
        ----------
        **options
            As :meth:`scneuro.Neuron.fixed`.

        Raises
        ------
        LoweringError
            As there, or an initial state that its register does not hold.
        """
        made = FixedPopulation(self, self.one.fixed(**options))
        made.__dict__["_options"] = options
        return made


class FixedPopulation(_Many):
    """The integers of a population, bit for bit what its hardware computes.

    Parameters
    ----------
    population : Population
    one : FixedNeuron
        The integer model of its ``one``.
    """

    one: FixedNeuron

    def __init__(self, population: Population, one: FixedNeuron) -> None:
        self.population, self.one, self.count = population, one, population.count
        self.start = population.start
        self.reset()
        self.initial = {n: np.broadcast_to(v, (self.count,)) for n, v in one.registers.items()}
        self._made = True

    def __reduce__(self) -> tuple[Any, ...]:
        return _integers, (self.population, self.__dict__.get("_options", {}))

    def __repr__(self) -> str:
        return f"<integers of {self.population!r}>"

    @property
    def lowered(self) -> Any:
        return self.one.lowered

    @property
    def state_names(self) -> tuple[str, ...]:
        return self.population.state_names

    @property
    def apart(self) -> list[str]:
        """The states in which neurons start differently."""
        return [n for n in self.state_names if np.any(self.initial[n] != self.initial[n][0])]

    @property
    def is_uniform(self) -> bool:
        """Whether all neurons start alike, but for parameters."""
        return not self.apart

    @property
    def words(self) -> dict[str, np.ndarray]:
        """The states of all neurons as 16-bit words, int64 of shape (count,)."""
        return self.one.words

    @property
    def registers(self) -> dict[str, np.ndarray]:
        """The registers of all neurons, guard bits included, int64 of shape (count,)."""
        return self.one.registers


def _again(neuron: Neuron, count: int, lanes: int, interval: int, init: Any, varied: Any) -> Any:
    return Population(neuron, count, lanes=lanes, interval=interval, init=init, parameters=varied)


def _integers(population: Population, options: Mapping[str, Any]) -> FixedPopulation:
    return population.fixed(**options)


def _for_each(values: Any, what: str, count: int) -> np.ndarray:
    array = numbers(values, what)
    if array.shape not in ((), (count,)):
        raise ValueError(f"{what} has shape {array.shape}, and there are {count} neurons")
    return np.broadcast_to(array, (count,)).astype(float)


def need_population(population: Any, caller: str) -> None:
    """Refuse what is no population.

    Raises
    ------
    TypeError
    """
    if not isinstance(population, Population):
        raise TypeError(f"{caller} takes a population, not {type(population).__name__}")
