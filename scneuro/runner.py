"""What every fidelity of a neuron has in common: the surface users drive.

A float neuron, its Q8.8 twin, the simulated hardware and a board all are a :class:`Runner`:
``step``, ``reset``, ``run`` and states readable as attributes behave alike.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .engine.choice import ENGINES, is_worth
from .engine.traces import Traces, collapsed
from .engine.whole import run_whole
from .errors import ScneuroError
from .tools.notebook import recording_html, recording_text
from .tools.progress import progress as bar

if TYPE_CHECKING:
    from .engine.emit import Body
    from .stochastic import NoiseSource

__all__ = [
    "Recording",
    "Runner",
    "as_recorded",
    "filled",
    "named",
    "numbers",
    "prepared",
    "recorded",
]

_SHORT = 500_000  # steps times neurons and a thousand: nobody waits for NumPy
_AT_ONCE = 2**16  # samples of a state, step by step


@dataclass
class Recording:
    """What a run produced.

    Attributes
    ----------
    dt : float
        Time step in ms.
    spike : ndarray of bool, shape (T,) or (T, N)
    states : mapping of str to ndarray, shape (T,) or (T, N)
        Every recorded state after each step; also readable as attributes and by name
        (``recording.V``, ``recording["V"]``). An integer model keeps 16-bit words
        (:attr:`words`), and makes numbers of them when asked.
    inputs : dict of str to ndarray, shape (T,) or (T, N)
    saturated : dict of str to int
        Of an integer model: the steps that a state or an input spent at its limit, where it did.
    """

    dt: float
    spike: np.ndarray
    states: Mapping[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    saturated: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> np.ndarray:
        for table in (self.__dict__.get("states", {}), self.__dict__.get("inputs", {})):
            if name in table:
                values: np.ndarray = table[name]
                return values
        raise AttributeError(f"no state or input {name!r} was recorded")

    def __getitem__(self, name: str) -> np.ndarray:
        """A state or an input by its name, or ``t`` or ``spike``.

        Raises
        ------
        KeyError
            If it was not recorded.
        """
        names = ["t", "spike", *self.states, *self.inputs]
        if name not in names:
            raise KeyError(f"no {name!r} was recorded; there are {', '.join(names)}")
        values: np.ndarray = getattr(self, name)
        return values

    def to_dict(self) -> dict[str, list[Any]]:
        """Plain lists by name: ``t`` in ms, ``spike``, every state, every input.

        JSON takes it, and so does ``pandas.DataFrame`` for a single neuron.
        """
        names = ("t", "spike", *self.states, *self.inputs)
        return {name: self[name].tolist() for name in names}

    def __repr__(self) -> str:
        return recording_text(self)

    def _repr_html_(self) -> str:
        return recording_html(self)

    @property
    def words(self) -> dict[str, np.ndarray]:
        """The recorded states of an integer model as int16, in LSB of their words; else none."""
        return dict(getattr(self.states, "words", {}))

    @property
    def t(self) -> np.ndarray:
        """Time in ms at the end of each step, shape (T,)."""
        times: np.ndarray = self.dt * (1 + np.arange(len(self.spike)))
        return times

    @property
    def spike_steps(self) -> np.ndarray:
        """The steps (from 0) at which a single neuron spiked."""
        if self.spike.ndim != 1:
            raise ValueError("spike_steps needs the recording of a single neuron")
        return np.flatnonzero(self.spike)

    @property
    def spike_times(self) -> np.ndarray:
        """When a single neuron spiked, in ms: the ends of these steps, as in :attr:`t`."""
        times: np.ndarray = self.t[self.spike_steps]
        return times

    @property
    def spikes(self) -> Any:
        """Number of spikes: an int, or an array (N,)."""
        return self.spike.sum(axis=0)


class Runner:
    """A neuron that can be stepped, at some fidelity.

    A subclass sets ``state_names``, ``input_defaults`` and ``dt``, and provides ``reset``,
    ``read``, ``write``, ``_convert`` and ``_advance``.

    Attributes
    ----------
    seed : int
        Of its noise, from the next ``reset`` on.
    budget : float or None
        What one step of a state may be off by in integers, in LSB of its word; None is 1.
    """

    name: str
    dt: float
    seed: int = 1
    budget: float | None = None
    state_names: tuple[str, ...]
    input_defaults: Mapping[str, float]
    _shape: tuple[int, ...] = ()

    # -- what a fidelity provides ------------------------------------------------------------
    def reset(self) -> None:
        """Return every state to its initial value (one neuron)."""
        raise NotImplementedError

    def read(self, name: str) -> Any:
        """The value of a state, in its unit: a float, or an array (N,)."""
        raise NotImplementedError

    def write(self, name: str, value: Any) -> None:
        """Set a state."""
        raise NotImplementedError

    def _convert(self, name: str, values: np.ndarray) -> np.ndarray:
        """An input in its unit as what ``_advance`` takes; ValueError if it does not fit."""
        raise NotImplementedError

    def _resize(self, count: int) -> None:
        """Turn the state of one neuron into that of ``count`` equal ones."""
        raise NotImplementedError

    def _advance(self, inputs: dict[str, Any]) -> Any:
        """One step on converted inputs; returns the spike flag or flags."""
        raise NotImplementedError

    def __getattr__(self, name: str) -> Any:
        if name in self.__dict__.get("state_names", ()):
            return self.read(name)
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        if name in self.__dict__.get("state_names", ()):
            self.write(name, value)
        else:
            super().__setattr__(name, value)

    # -- what users call ---------------------------------------------------------------------
    def step(self, *args: Any, **inputs: Any) -> tuple[Any, Any]:
        """Advance one time step.

        Parameters
        ----------
        *args, **inputs : float or array of shape (N,)
            Values in the inputs' units, by position or by name; one left out has its default.

        Returns
        -------
        spike : int, or array of int of shape (N,)
        v : float, or array of shape (N,)
            The first declared state.

        Raises
        ------
        ValueError
            NaN, infinity, the wrong shape or a value that does not fit.
        TypeError
            An unknown input, or a value that is no number.
        """
        arrays = prepared(self, named(self, args, inputs), time=False)
        spike = self._advance({name: a[()] for name, a in arrays.items()})
        flag = np.asarray(spike).astype(int)
        return flag[()] if flag.ndim else int(flag), self.read(self.state_names[0])

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
        *args, **inputs : array of shape (T,) or (T, N)
            By position or by name. Scalars are held throughout.
        progress : bool
            Show a bar on a terminal when it takes longer than two seconds.
        engine : {"auto", "numpy", "compiled"}
            NumPy goes step by step; the compiled engine (``pip install "scneuro[fast]"``) runs the
            same graph as one function, over a thousand times faster. ``auto`` takes it where it
            pays: where NumPy would take two seconds, or has taken as long in earlier runs; 0.4 s
            are enough if the function is in the cache. Integers are the same, bit for bit, and so
            is float that only adds, multiplies, divides and compares. The last bits of ``exp`` and
            the like may differ, so there the size of the run alone decides, and the same run is
            the same each time.
        record : sequence of str, optional
            The states to record, by default all; ``()`` records spikes alone.
        file : path, optional
            A ``.npy`` file to write the spikes and states to as it goes, for what memory does not
            hold: one row a step, a field for each. An integer model's states are its 16-bit words
            there. The recording then reads from it.
        reset : bool
            Otherwise the run goes on from the states as they are, or as they were set.

        Returns
        -------
        Recording

        Raises
        ------
        ValueError, TypeError
            As for :meth:`step`; all inputs are checked before the first step. An unknown engine or
            state.
        ScneuroError
            What is to be recorded is larger than memory, or the compiled engine is asked for and
            numba is missing or the neuron has no compiled form.
        FileTrouble
            If the file cannot be written; it is written whole or not at all.
        """
        if engine not in ENGINES:
            raise ValueError(f"engine must be one of {', '.join(ENGINES)}, not {engine!r}")
        recorded = self._recorded(record)
        inputs = named(self, args, inputs)
        arrays = prepared(self, inputs, time=True)
        if reset:
            self.reset()
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        if self._shape and len(shape) == 1:  # what goes on has its number of neurons
            shape = (*shape, *self._shape)
            arrays = {n: a[:, None] if a.ndim == 1 else a for n, a in arrays.items()}
        arrays = {name: np.broadcast_to(a, shape) for name, a in arrays.items()}
        if len(shape) == 2:
            self._fit(shape[1:])
        body = self._chosen(engine, shape)
        fields = {"spike": bool, **dict.fromkeys(recorded, self._kept)}
        with Traces(self.name, shape, fields, file) as traces:
            if body is None:
                saturated = self._run_steps(arrays, traces, recorded, progress)
            else:
                saturated = run_whole(
                    body,
                    self._table(),
                    self._drawing(),
                    arrays,
                    traces,
                    recorded,
                    steps=shape[0],
                    name=self.name,
                    progress=progress,
                    done=self._set_table,
                )
        states = {name: traces[name] for name in recorded}
        return as_recorded(self, traces["spike"], states, inputs, saturated)

    def _in_units(self, inputs: Mapping[str, Any], shape: tuple[int, ...]) -> dict[str, np.ndarray]:
        """What each input was given, as it was given, of a run's shape."""
        units = {}
        for name, default in self.input_defaults.items():
            given = collapsed(np.asarray(inputs.get(name, default))).astype(float, copy=False)
            given = np.broadcast_to(given, np.shape(inputs.get(name, default)))
            across = len(shape) == 2 and given.ndim == 1
            units[name] = np.broadcast_to(given[:, None] if across else given, shape)
        return units

    # -- a run, by either engine -------------------------------------------------------------
    _stops: dict[str, int]  # the steps at which each state was stopped by its limits
    _kept: Any = np.float64  # what a state is recorded as

    def _body(self) -> Body:
        """One step as the compiled engine takes it; ScneuroError where there is no such form."""
        raise ScneuroError(
            f"{self.name}: hardware is simulated step by step",
            'leave out engine="compiled"; the models of the neuron have it',
        )

    def _table(self) -> np.ndarray:
        """The states as the compiled engine takes them, shape (states, N)."""
        raise NotImplementedError

    def _set_table(self, states: np.ndarray, steps: int) -> None:
        """Take the states back, and let the noise go on by as many steps as the run has done."""
        raise NotImplementedError

    def _drawing(self) -> tuple[NoiseSource, ...]:
        """The sources of noise as they are, in the order of the body's draws."""
        return ()

    def _sample(self, name: str) -> Any:
        """What is recorded of a state."""
        return self.read(name)

    def _as_states(self, recorded: dict[str, np.ndarray]) -> Mapping[str, np.ndarray]:
        """What was recorded, by name, as numbers in the states' units."""
        return recorded

    def _beyond(self, inputs: Mapping[str, np.ndarray]) -> dict[str, int]:
        """How many values of each input are beyond what it can be."""
        return {}

    def _recorded(self, record: Sequence[str] | None) -> tuple[str, ...]:
        if record is None:
            return self.state_names
        return recorded(record, self.name, self.state_names)

    def _chosen(self, engine: str, shape: tuple[int, ...]) -> Body | None:
        """The body to compile, or None for NumPy."""
        steps, neurons = shape[0], shape[1] if len(shape) > 1 else 1
        if engine == "numpy" or (engine == "auto" and steps * (1000 + neurons) < _SHORT):
            return None
        try:
            body = self._body()
        except ScneuroError:
            if engine == "auto":
                return None
            raise
        return body if engine == "compiled" or is_worth(body, steps, neurons) else None

    def _run_steps(
        self,
        arrays: dict[str, np.ndarray],
        traces: Traces,
        recorded: tuple[str, ...],
        progress: bool,
    ) -> dict[str, int]:
        """Step by step, each state sampled after each; how often each was stopped by its limits."""
        shape = next(iter(arrays.values())).shape
        stretch = max(1, _AT_ONCE // max(1, shape[1] if len(shape) > 1 else 1))
        samples: dict[str, np.ndarray] = {}
        self._stops = dict.fromkeys(self.state_names, 0)
        begin = end = 0
        for t in bar(range(shape[0]), self.name, unit="step", wanted=progress):
            if t == end:
                begin, end = t, min(t + stretch, shape[0])
                filled = traces.stretch(begin, end)
                samples = {name: filled[name] for name in recorded}
            filled["spike"][t - begin] = self._advance({name: a[t] for name, a in arrays.items()})
            for name, values in samples.items():
                values[t - begin] = self._sample(name)
            if t + 1 == end:
                traces.keep(filled)
        return self._stops

    # -- checks ------------------------------------------------------------------------------
    def _fit(self, shape: tuple[int, ...]) -> None:
        if len(shape) != 1:
            raise ValueError(f"{self.name}: expected a number or shape (N,), not shape {shape}")
        if self._shape == ():
            self._resize(shape[0])
            self._shape = shape
        elif shape != self._shape:
            raise ValueError(
                f"{self.name} runs {self._shape[0]} neurons, but the input is for {shape[0]}; "
                "reset() first to change the number"
            )


def named(runner: Runner, args: tuple[Any, ...], inputs: dict[str, Any]) -> dict[str, Any]:
    """The inputs by name, those given by position first.

    Raises
    ------
    TypeError
        There are too many, or one is given twice.
    """
    names = list(runner.input_defaults)
    if len(args) > len(names):
        raise TypeError(
            f"{runner.name} has {len(names)} input{'s' * (len(names) != 1)} "
            f"({', '.join(names)}), not {len(args)}"
        )
    for name in names[: len(args)]:
        if name in inputs:
            raise TypeError(f"{runner.name}: {name} is given twice")
    return {**dict(zip(names, args, strict=False)), **inputs}


def prepared(runner: Runner, inputs: Mapping[str, Any], *, time: bool) -> dict[str, np.ndarray]:
    """Inputs as a runner takes them, checked: for a step, or for a run, where time is first.

    Raises
    ------
    ValueError, TypeError
        As :meth:`Runner.step`.
    """
    for name in inputs:
        if name not in runner.input_defaults:
            raise TypeError(
                f"{runner.name} has no input {name!r}; it has "
                f"{', '.join(runner.input_defaults) or 'none'}"
            )
    arrays = {}
    for name, default in runner.input_defaults.items():
        array = numbers(inputs.get(name, default), f"{runner.name}: {name}")
        if array.ndim > time + 1:
            expected = "a number or an array (N,)" if not time else "(T,) or (T, N)"
            raise ValueError(f"{runner.name}: {name} has shape {array.shape}, not {expected}")
        converted = runner._convert(name, collapsed(array))
        arrays[name] = np.broadcast_to(converted, array.shape)
    if time and all(a.ndim == 0 for a in arrays.values()):
        raise ValueError(f"{runner.name}: run() needs an array of shape (T,) or (T, N)")
    if any(a.ndim == time + 1 for a in arrays.values()):  # the same for all neurons
        arrays = {n: a[:, None] if time and a.ndim == 1 else a for n, a in arrays.items()}
    try:
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{n} {a.shape}" for n, a in arrays.items())
        raise ValueError(f"{runner.name}: the inputs' shapes differ: {shapes}") from None
    if not time and shape:
        runner._fit(shape)
    return arrays


def as_recorded(
    runner: Runner,
    spike: np.ndarray,
    states: dict[str, np.ndarray],
    inputs: Mapping[str, Any],
    saturated: Mapping[str, int] | None = None,
) -> Recording:
    """What a runner's recording is of a run in which its states were sampled as ``states``.

    Parameters
    ----------
    runner : Runner
    spike : ndarray of bool, shape (T,) or (T, N)
    states : dict of str to ndarray
        As it keeps them: of integers, words.
    inputs : mapping of str to array
        As they were given.
    saturated : mapping of str to int, optional
        How often each state was stopped.
    """
    units = runner._in_units(inputs, spike.shape)
    stopped = {**(saturated or {}), **runner._beyond(units)}
    return Recording(
        runner.dt,
        spike,
        runner._as_states(states),
        units,
        {name: count for name, count in stopped.items() if count},
    )


def recorded(record: Any, name: str, there: Sequence[str]) -> tuple[str, ...]:
    """The states to record, of those that there are.

    Raises
    ------
    TypeError, ValueError
        It names none, or one that is not there.
    """
    if not isinstance(record, Iterable):
        raise TypeError(f"{name}: record is the names of states, not {record!r}")
    names = (record,) if isinstance(record, str) else tuple(record)
    for asked in names:
        if asked not in there:
            raise ValueError(f"{name} has no state {asked!r} to record; it has {', '.join(there)}")
    return tuple(own for own in there if own in names)


def filled(value: Any, shape: tuple[int, ...]) -> Any:
    """``value`` for every neuron; most are of the shape already."""
    return value if getattr(value, "shape", ()) == shape else np.broadcast_to(value, shape)


def numbers(values: Any, what: str) -> np.ndarray:
    """``values`` as float64, or an error that says what is wrong with them."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{what} must be numbers: {error}") from None
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{what} must be numbers, not {values!r}"[:160])
    once = collapsed(array).astype(np.float64, copy=False)
    if not np.all(np.isfinite(once)):
        where = np.argwhere(~np.isfinite(once))[0]
        place = f" at index {tuple(map(int, where))}" if array.ndim else ""
        raise ValueError(f"{what} is {once[tuple(where)]}{place}; it must be finite")
    return once if once.shape == array.shape else np.broadcast_to(once, array.shape)
