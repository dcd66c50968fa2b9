"""A neuron or a population on a board: a network of one, with the surface of its integers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from ...errors import UnknownName
from ...link.identity import Identity
from ...network import FixedNetwork, NetworkRecording
from ...network.plan import Plan
from ...neuron import Neuron
from ...population import Population
from ...runner import Recording, as_recorded, named, prepared, recorded
from .chip import Chip
from .played import Played
from .port import LinkError
from .requests import Requests
from .values import States, listed

__all__ = ["NeuronChip"]


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

    def _states_of(self, fixed: FixedNetwork) -> States:
        return States(self._memory, fixed, self._there, single=self._is_single)

    def __getattr__(self, name: str) -> Any:
        states = self.__dict__.get("states", ())
        if name in states:
            return states[name]
        raise UnknownName(
            f"{type(self).__name__} has no attribute {name!r}", f"its states are {listed(states)}"
        )

    @property
    def _settable(self) -> str:
        there = [*self.states.settable]
        return f"what can be set is {listed(there)}" if there else "nothing on it can be set"

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
        inputs = named(one, args, inputs)
        self._check(inputs, time=True)
        words = prepared(one, inputs, time=True)
        steps = next(len(w) for w in words.values() if w.ndim)
        played = Played(self._fixed, {self._there: chosen}, self._memory)
        given = {n: self._of_each(n, w, (steps,)) for n, w in words.items()}

        def recording(found: NetworkRecording) -> Recording:
            count = len(found.spike[self._there])
            shape = (count,) if self._is_single else (count, self.network.layers[self._there].count)
            states = {
                n: played.words(self._there, n).astype(np.int16).reshape(shape) for n in chosen
            }
            spike = found.spike[self._there].reshape(shape)
            return as_recorded(one, spike, states, {n: _first(x, count) for n, x in inputs.items()})

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
        (row,) = self._made(self._given(named(self._one, args, inputs)))
        spike = self._spikes(row)[self._there].astype(int)
        return int(spike[0]) if self._is_single else spike, self.states[self._one.state_names[0]]

    def hold(self, *args: Any, **inputs: Any) -> None:
        """Say what every step is made of while it is started, from the next one on.

        Parameters
        ----------
        *args, **inputs : float or array of shape (N,)
        """
        super().hold(**named(self._one, args, inputs))

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
        words = prepared(self._one, inputs, time=False)
        return {n: self._of_each(n, w[None], (1,)) for n, w in words.items()}


def _first(values: Any, count: int) -> Any:
    """An input up to the step that was complete last."""
    return values[:count] if np.ndim(values) else values
