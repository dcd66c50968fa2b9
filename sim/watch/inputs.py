"""What the inputs of a network are given while it is watched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ...network import Network
from .choice import known

__all__ = ["Inputs"]


class Inputs:
    """Currents that are held, and rates of random spikes.

    Parameters
    ----------
    network : Network
    given : mapping of str to array
        Currents, one or of ``shape``; of inputs that take spikes their rates, in Hz. By default 0.

    Attributes
    ----------
    held : dict of str to ndarray, each of its input's shape

    Raises
    ------
    ValueError
        As :meth:`checked`.
    """

    def __init__(self, network: Network, given: Mapping[str, Any]) -> None:
        self._network = network
        self._random = np.random.default_rng(1)
        self.held = {name: np.zeros(source.shape) for name, source in network.inputs.items()}
        for name, values in given.items():
            self.held[name] = self.checked(name, values)

    @property
    def spiking(self) -> list[str]:
        """Those that take spikes."""
        return [name for name, s in self._network.inputs.items() if s.kind == "spikes"]

    def of(self, name: str, neuron: int | None = None) -> float:
        """What an input is: of a neuron, or on average."""
        values = self.held[name]
        return float(values.mean() if neuron is None else values.reshape(-1)[neuron])

    def changed(self, name: str, value: float, neuron: int | None = None) -> np.ndarray:
        """What an input would be, if a neuron, or all, had a value.

        Raises
        ------
        ValueError
            As :meth:`checked`, or there is no such neuron.
        """
        single = self.checked(name, value)
        if neuron is None:
            return single
        values = self.held[name].copy()
        if neuron not in range(values.size):
            raise ValueError(f"{name} is of neurons 0 to {values.size - 1}, not {neuron}")
        values.reshape(-1)[neuron] = value
        return values

    def steps(self, count: int) -> dict[str, np.ndarray]:
        """What all are in steps to come, (count, *shape); spikes are drawn anew."""
        return {name: self._steps(name, values, count) for name, values in self.held.items()}

    def _steps(self, name: str, values: np.ndarray, count: int) -> np.ndarray:
        source = self._network.inputs[name]
        if source.kind == "current":
            return np.broadcast_to(values, (count, *values.shape))
        chance = np.clip(values * self._network.dt / 1000 / source.most, 0, 1)
        drawn: np.ndarray = self._random.binomial(source.most, chance, (count, *values.shape))
        return drawn.astype(float)

    def unit(self, name: str) -> str:
        """Of a current, as the neurons that take it say; Hz of spikes."""
        if self._network.inputs[name].kind == "spikes":
            return "Hz"
        into = [p for p in self._network.projections if p.source == name]
        units = {self._network.layers[p.target].population.neuron.units.get(p.to, "") for p in into}
        return units.pop() if len(units) == 1 else ""

    def span(self, name: str) -> tuple[float, float]:
        """From where to where an input is worth trying: twice what is usual."""
        source = self._network.inputs[name]
        if source.kind == "spikes":
            return 0.0, self._most(name)
        values = [float(x) for x in self.held[name].reshape(-1)]
        for p in self._network.projections:
            if p.source == name:
                neuron = self._network.layers[p.target].population.neuron
                first = next(iter(neuron.input_defaults))
                values += neuron.currents if p.to == first else (neuron.input_defaults[p.to], 1.0)
        most = 2 * max(abs(x) for x in values)
        return (-most if min(values) < 0 else 0.0), most

    def checked(self, name: str, values: Any) -> np.ndarray:
        """What an input is given, in its shape.

        Raises
        ------
        ValueError
            There is no such input, it has another shape, or a rate cannot be.
        """
        known(name, tuple(self._network.inputs), "input")
        source, array = self._network.inputs[name], np.asarray(values, dtype=float)
        if array.ndim and array.size != source.count:
            raise ValueError(f"{name} takes {source.count} numbers, not {array.size}")
        if not np.all(np.isfinite(array)):
            raise ValueError(f"{name} must be finite numbers, not {values}")
        if source.kind == "spikes" and not np.all((array >= 0) & (array <= self._most(name))):
            raise ValueError(
                f"{name}: in steps of {self._network.dt:g} ms there may be 0 to "
                f"{self._most(name):g} Hz, not {values}"
            )
        shaped = array.reshape(source.shape) if array.ndim else np.broadcast_to(array, source.shape)
        return np.array(shaped)

    def _most(self, name: str) -> float:
        return self._network.inputs[name].most * 1000 / self._network.dt
