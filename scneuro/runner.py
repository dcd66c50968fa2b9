"""What every fidelity of a neuron has in common: the surface users drive.

A float neuron, its Q8.8 twin, the simulated hardware and a board all are a :class:`Runner`:
``step``, ``reset``, ``run`` and states readable as attributes behave alike.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .tools.progress import progress as bar

__all__ = ["Recording", "Runner", "numbers"]


@dataclass
class Recording:
    """What a run produced.

    Attributes
    ----------
    dt : float
        Time step in ms.
    spike : ndarray of bool, shape (T,) or (T, N)
    states : dict of str to ndarray, shape (T,) or (T, N)
        Every state after each step; also readable as attributes (``recording.V``).
    inputs : dict of str to ndarray, shape (T,) or (T, N)
    saturated : dict of str to int
        Of an integer model: the steps that a state or an input spent at its limit, where it did.
    """

    dt: float
    spike: np.ndarray
    states: dict[str, np.ndarray]
    inputs: dict[str, np.ndarray]
    saturated: dict[str, int] = field(default_factory=dict)

    def __getattr__(self, name: str) -> np.ndarray:
        for table in (self.__dict__.get("states", {}), self.__dict__.get("inputs", {})):
            if name in table:
                values: np.ndarray = table[name]
                return values
        raise AttributeError(f"no state or input {name!r} was recorded")

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
        arrays = self._prepare(self._named(args, inputs), ndim=0)
        spike = self._advance({name: a[()] for name, a in arrays.items()})
        flag = np.asarray(spike).astype(int)
        return flag[()] if flag.ndim else int(flag), self.read(self.state_names[0])

    def run(self, *args: Any, progress: bool = True, **inputs: Any) -> Recording:
        """Reset, then run over arrays of inputs.

        Parameters
        ----------
        *args, **inputs : array of shape (T,) or (T, N)
            By position or by name. Scalars are held throughout.
        progress : bool
            Show a bar on a terminal when it takes longer than two seconds.

        Returns
        -------
        Recording

        Raises
        ------
        ValueError, TypeError
            As for :meth:`step`; all inputs are checked before the first step.
        """
        inputs = self._named(args, inputs)
        arrays = self._prepare(inputs, ndim=1)
        self.reset()
        shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        arrays = {name: np.broadcast_to(a, shape) for name, a in arrays.items()}
        if len(shape) == 2:
            self._fit(shape[1:])
        spike = np.zeros(shape, dtype=bool)
        states = {name: np.zeros(shape) for name in self.state_names}
        for t in bar(range(shape[0]), self.name, unit="step", wanted=progress):
            spike[t] = self._advance({name: a[t] for name, a in arrays.items()})
            for name, values in states.items():
                values[t] = self.read(name)
        units = {}
        for name, default in self.input_defaults.items():
            given = np.asarray(inputs.get(name, default), dtype=float)
            across = len(shape) == 2 and given.ndim == 1
            units[name] = np.broadcast_to(given[:, None] if across else given, shape)
        return Recording(self.dt, spike, states, units)

    # -- checks ------------------------------------------------------------------------------
    def _named(self, args: tuple[Any, ...], inputs: dict[str, Any]) -> dict[str, Any]:
        """The inputs by name, those given by position first."""
        names = list(self.input_defaults)
        if len(args) > len(names):
            raise TypeError(
                f"{self.name} has {len(names)} input{'s' * (len(names) != 1)} "
                f"({', '.join(names)}), not {len(args)}"
            )
        for name in names[: len(args)]:
            if name in inputs:
                raise TypeError(f"{self.name}: {name} is given twice")
        return {**dict(zip(names, args, strict=False)), **inputs}

    def _prepare(self, inputs: Mapping[str, Any], ndim: int) -> dict[str, np.ndarray]:
        """Check and convert inputs: ``ndim`` 0 for one step, 1 for a run (time first)."""
        for name in inputs:
            if name not in self.input_defaults:
                raise TypeError(
                    f"{self.name} has no input {name!r}; it has "
                    f"{', '.join(self.input_defaults) or 'none'}"
                )
        arrays = {}
        for name, default in self.input_defaults.items():
            array = numbers(inputs.get(name, default), f"{self.name}: {name}")
            if array.ndim > ndim + 1:
                expected = "a number or an array (N,)" if ndim == 0 else "(T,) or (T, N)"
                raise ValueError(f"{self.name}: {name} has shape {array.shape}, not {expected}")
            arrays[name] = self._convert(name, array)
        if ndim == 1 and all(a.ndim == 0 for a in arrays.values()):
            raise ValueError(f"{self.name}: run() needs an array of shape (T,) or (T, N)")
        if any(a.ndim == ndim + 1 for a in arrays.values()):  # the same for all neurons
            arrays = {n: a[:, None] if ndim and a.ndim == 1 else a for n, a in arrays.items()}
        try:
            shape = np.broadcast_shapes(*(a.shape for a in arrays.values()))
        except ValueError:
            shapes = ", ".join(f"{n} {a.shape}" for n, a in arrays.items())
            raise ValueError(f"{self.name}: the inputs' shapes differ: {shapes}") from None
        if ndim == 0 and shape:
            self._fit(shape)
        return arrays

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


def numbers(values: Any, what: str) -> np.ndarray:
    """``values`` as float64, or an error that says what is wrong with them."""
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise TypeError(f"{what} must be numbers: {error}") from None
    if array.dtype.kind not in "iufb":
        raise TypeError(f"{what} must be numbers, not {values!r}"[:160])
    array = array.astype(np.float64)
    if not np.all(np.isfinite(array)):
        where = np.argwhere(~np.isfinite(array))[0]
        place = f" at index {tuple(map(int, where))}" if array.ndim else ""
        raise ValueError(f"{what} is {array[tuple(where)]}{place}; it must be finite")
    return array
