"""How well the integers of a network do what its float model does, over a stimulus."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from ....network import FixedNetwork, Network, NetworkRecording
from ....network.run import given_inputs
from ....network.train import classes
from ...compare.many.network import random_spikes

__all__ = ["Fidelity", "PopulationFidelity", "Stimulus", "compared"]

STEPS = 200


@dataclass(frozen=True)
class PopulationFidelity:
    """What was found of a population.

    Attributes
    ----------
    name : str
    neurons : int
    output : bool
        Its spikes leave.
    float_spikes, spikes : int
        Of float, and of the integers, in all.
    unlike_spike_bits : float
        The share of its spike bits, of each neuron in each step, that differ between them.
    unlike_counts : float
        The share of its neurons, in each run, that fire another number of spikes.
    """

    name: str
    neurons: int
    output: bool
    float_spikes: int
    spikes: int
    unlike_spike_bits: float
    unlike_counts: float


@dataclass(frozen=True)
class Fidelity:
    """What was found of a network.

    Attributes
    ----------
    steps, runs : int
    unlike_spike_bits : float
        The share of all spike bits that differ between integers and float.
    unlike_output_counts : float
        The share of the outputs' spike counts, of each neuron in each run, that differ.
    float_accuracy, accuracy : float or None
        The share of runs whose class float, and the integers, tell right: that of the output's
        neuron that fires most.
    populations : tuple of PopulationFidelity
    saturated : dict of str to int
        Of the integers, as :attr:`NetworkRecording.saturated`.
    """

    steps: int
    runs: int
    unlike_spike_bits: float
    unlike_output_counts: float
    float_accuracy: float | None
    accuracy: float | None
    populations: tuple[PopulationFidelity, ...]
    saturated: dict[str, int]

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON."""
        return {**asdict(self), "populations": [asdict(p) for p in self.populations]}


class Stimulus:
    """What a network is given, and the class of each run.

    Parameters
    ----------
    network : Network
    given : array or mapping of str to array, (T, *shape) or (T, B, *shape), optional
        By the inputs' names; by default random spikes, as parity has them.
    labels : array of int, shape (B,), optional
        The neuron of the output that should fire most.
    steps : int, optional
        The first ones of what is given, or how many random ones; by default 200.

    Attributes
    ----------
    given : dict of str to ndarray, shape (T, *shape) or (T, B, *shape)
    labels : ndarray of int or None

    Raises
    ------
    ValueError, TypeError
        As of :meth:`Network.run`; labels that are no classes of the runs.
    """

    def __init__(
        self, network: Network, given: Any = None, labels: Any = None, steps: int | None = None
    ) -> None:
        if steps is not None and (isinstance(steps, bool) or steps < 1):
            raise ValueError(f"steps must be at least 1, not {steps}")
        if given is None:
            given = random_spikes(network, steps or STEPS)
        if not isinstance(given, Mapping):
            if len(network.inputs) != 1:
                raise TypeError(f"{network.name}: give a mapping from inputs to arrays")
            given = {next(iter(network.inputs)): given}
        arrays = {name: np.asarray(values)[:steps] for name, values in given.items()}
        batched, several = given_inputs(network, arrays)
        with np.errstate(all="ignore"):  # what cannot run at all is refused here
            network.run(progress=False, record=(), **{n: a[:1] for n, a in arrays.items()})
        whole = {n: a if several else a[:, 0] for n, a in batched.items()}
        self.given = {n: _small(a) for n, a in whole.items()}
        self.steps, self.runs = next(iter(batched.values())).shape[:2]
        self.labels = None if labels is None else self._classes(network, labels, several)

    def _classes(self, network: Network, labels: Any, several: bool) -> np.ndarray:
        array, outputs = np.asarray(labels), network.outputs
        if not several:
            raise ValueError(f"{network.name}: labels are of several runs: give (T, B, N)")
        if len(outputs) != 1:
            raise ValueError(
                f"{network.name}: labels are of one output, and there are {', '.join(outputs)}"
            )
        count = network.layers[outputs[0]].count
        if array.shape != (self.runs,):
            raise ValueError(
                f"{network.name}: labels must have shape ({self.runs},), a class for each run, not "
                f"{array.shape}"
            )
        if array.dtype.kind not in "iuf" or np.any(array != np.floor(array)):
            raise ValueError(f"{network.name}: labels must be whole numbers")
        if array.min() < 0 or array.max() >= count:
            raise ValueError(
                f"{network.name}: labels must be 0 to {count - 1}, the neurons of {outputs[0]}, "
                f"and are {array.min():g} to {array.max():g}"
            )
        return array.astype(np.int64)


def _small(values: np.ndarray) -> np.ndarray:
    """Spikes in a byte each: they travel to every worker."""
    with np.errstate(invalid="ignore"):
        small = values.astype(np.uint8)
    return small if np.array_equal(small, values) else values


def compared(network: Network, fixed: FixedNetwork, stimulus: Stimulus) -> Fidelity:
    """How integers do over a stimulus, next to float."""
    with np.errstate(all="ignore"):
        ours = network.run(progress=False, record=(), **stimulus.given)
    got = fixed.run(progress=False, record=(), **stimulus.given)
    outputs = network.outputs
    unlike = {n: ours.spike[n] != got.spike[n] for n in network.layers}
    counts = {n: ours.spikes[n] != got.spikes[n] for n in network.layers}

    def accuracy(run: NetworkRecording) -> float | None:
        if stimulus.labels is None:
            return None
        return float(np.mean(classes(run, outputs[0]) == stimulus.labels))

    return Fidelity(
        stimulus.steps,
        stimulus.runs,
        _share([unlike[n] for n in network.layers]),
        _share([counts[n] for n in outputs]),
        accuracy(ours),
        accuracy(got),
        tuple(
            PopulationFidelity(
                name,
                layer.count,
                name in outputs,
                int(ours.spike[name].sum()),
                int(got.spike[name].sum()),
                float(unlike[name].mean()),
                float(counts[name].mean()),
            )
            for name, layer in network.layers.items()
        ),
        dict(got.saturated),
    )


def _share(differs: list[np.ndarray]) -> float:
    """Of all of them."""
    return float(sum(d.sum() for d in differs) / sum(d.size for d in differs))
