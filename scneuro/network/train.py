"""Training a network on spikes: surrogate gradients through time, in NumPy alone.

What is trained is what runs: a :class:`Network` of :class:`Leaky` neurons, or of NIR's ``NIRLIF``,
and :class:`Dense` projections, with any delays and loops. The forward pass calls their ``update()``
and computes what :meth:`Network.run` does, spike for spike.

Backwards, a spike is taken for a smooth function of how far the membrane is above its threshold,
as Zenke and Ganguli (2018) do: its slope is 1 / (1 + STEEP |v - threshold|)**2, and the reset is
taken for a constant. The loss is the cross-entropy of the classes, each the likelier the more its
neuron fires.

All that knows the neurons is :func:`_slopes`: to train others, copy this file.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..errors import ScneuroError
from ..neuron import Neuron
from ..tools.progress import progress as bar
from ..words import rounded
from .fixed import point_of
from .maps import Dense
from .network import Network, need_network
from .nir.neurons import NIRLIF
from .recording import NetworkRecording

__all__ = ["Leaky", "accuracy", "classes", "train"]

_STEEP = 5.0
_SHARP = 8.0  # of the likelihood of a class, by spikes a step of its neuron


class Leaky(Neuron):
    """A leaky neuron without units: v <- decay v + I; where v > threshold: spike, v <- 0.

    This is a leaky integrate-and-fire neuron by explicit Euler, with decay = 1 - dt / tau and
    R = tau / dt. A decay such as 0.875 or 0.9375 takes no multiplier.

    Parameters
    ----------
    decay : float
        What is left of v after a step.
    threshold : float
    dt : float
        Time step, ms.
    """

    decay: float = 0.875
    threshold: float = 1.0
    dt: float = 1.0
    constraints: ClassVar[tuple[str, ...]] = ("0 <= decay", "decay < 1", "threshold > 0")
    currents: ClassVar[tuple[float, ...]] = (0.25, 0.15, 0.5)

    v = State(word="Q4.12")
    I = Input(word="Q4.12")  # noqa: E741 - the field's symbol

    def membrane(self, v: Any, I: Any) -> Any:  # noqa: E741 - the field's symbol
        """The potential after a step, before it fires."""
        return self.decay * v + I

    def update(self, v: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741 - the field's symbol
        v = self.membrane(v, I)
        spike = v > self.threshold
        return spike, np.where(spike, 0.0, v)


def train(
    network: Network,
    inputs: Any,
    labels: Any,
    *,
    epochs: int = 20,
    batch: int = 64,
    rate: float = 0.02,
    drop: float = 0.0,
    quantised: bool = False,
    seed: int = 1,
    progress: bool = True,
) -> Network:
    """Train the weights and biases of a network that tells classes apart.

    Parameters
    ----------
    network : Network
        Of one input and one output. Its weights are where training starts.
    inputs : array of shape (T, items, sources)
        Spikes.
    labels : array of int, shape (items,)
        The neuron of the output that should fire most.
    epochs, batch : int
        How often each item is seen, and how many at once.
    rate : float
        Of Adam, at the start; it falls to 0 along half a cosine.
    drop : float
        The share of input spikes that are left out at random, so that none is relied upon.
    quantised : bool
        Compute with weights and biases as the integers have them, of each projection's ``bits``,
        and let gradients through as if nothing was rounded.
    seed : int
        Of the order of the items and of what is dropped.
    progress : bool

    Returns
    -------
    Network
        The same with other weights, those that are rounded if it was trained with them.

    Raises
    ------
    ScneuroError
        What it cannot train.
    ValueError, TypeError
        Inputs or labels that do not fit the network or each other.
    """
    spikes, labels = _checked(network, inputs, labels)
    random = np.random.default_rng(seed)
    weights = [np.array(w) for p in network.projections for w in _weights(p.map)]
    adam = _Adam(weights)
    total = epochs * -(-len(labels) // batch)
    done = iter(bar(range(total), "training", unit="batch", wanted=progress))
    with _one_thread():
        for _ in range(epochs):
            order = random.permutation(len(labels))
            for begin in range(0, len(labels), batch):
                some = order[begin : begin + batch]
                kept = random.random((len(spikes), len(some), spikes.shape[2])) >= drop
                now = _with(network, weights, quantised)
                gradients = _gradients(now, spikes[:, some] * kept, labels[some])
                adam.step(weights, gradients, rate * (1 + np.cos(np.pi * next(done) / total)) / 2)
    return _with(network, weights, quantised)


def classes(recording: NetworkRecording, name: str) -> np.ndarray:
    """The neuron of a population that fired most, the first of equals, in each run: (B,)."""
    found: np.ndarray = recording.spikes[name].argmax(axis=-1)
    return found


def accuracy(network: Any, inputs: Any, labels: Any) -> float:
    """The share of items whose class a network, or its integers, tells right.

    Parameters
    ----------
    network : Network or FixedNetwork
        Of one input and one output.
    inputs, labels
        As of :func:`train`.
    """
    described = getattr(network, "network", network)
    (name,), (out,) = described.inputs, described.outputs
    found = network.run(**{name: inputs}, record=(), progress=False)
    return float(np.mean(classes(found, out) == labels))


# -- one batch ------------------------------------------------------------------------------------
Arrays = dict[str, np.ndarray]


def _forward(network: Network, given: np.ndarray) -> tuple[Arrays, Arrays]:
    """Spikes of every node, and membranes of every population before the reset, (T, B, N)."""
    shape = given.shape[:2]
    order, (name,) = network.order, network.inputs
    counts = {n: layer.count for n, layer in network.layers.items()}
    fired = {n: np.zeros((*shape, count)) for n, count in counts.items()} | {name: given}
    above = {n: np.zeros((*shape, count)) for n, count in counts.items()}
    neurons: dict[str, Any] = {n: network.layers[n].population.neuron for n in order}
    v = {n: np.full((shape[1], counts[n]), neurons[n].initial["v"]) for n in order}
    base = {n: network.base(n, "I") for n in order}
    into = {n: network.into(n) for n in order}
    for t in range(shape[0]):
        for name in order:
            total = base[name]
            for p in into[name]:
                if t >= p.delay:
                    total = total + fired[p.source][t - p.delay] @ p.map.weights.T
            above[name][t] = neurons[name].membrane(v[name], total)
            fired[name][t], v[name] = neurons[name].update(v[name], total)
    return fired, above


def _gradients(network: Network, given: np.ndarray, labels: np.ndarray) -> list[np.ndarray]:
    """Of the loss, by each weight and bias."""
    fired, above = _forward(network, given)
    order, (out,) = network.order, network.outputs
    into = {n: network.into(n) for n in order}
    likely = np.exp(_SHARP * fired[out].mean(axis=0))
    error = likely / likely.sum(axis=1, keepdims=True)
    error[np.arange(len(labels)), labels] -= 1
    by_spike = {n: np.zeros_like(a) for n, a in fired.items()}
    by_spike[out] += _SHARP / (len(labels) * len(given)) * error
    by_sum = {n: np.zeros_like(a) for n, a in above.items()}
    slopes = {n: _slopes(network.layers[n].population.neuron) for n in order}
    later = {n: np.zeros_like(a[0]) for n, a in above.items()}
    for t in reversed(range(len(given))):
        for name in reversed(order):
            threshold, decay, gain, kept = slopes[name]
            slope = (1 + _STEEP * np.abs(above[name][t] - threshold)) ** -2
            now = by_spike[name][t] * slope + later[name] * (1 - (1 - kept) * fired[name][t])
            by_sum[name][t], later[name] = gain * now, decay * now
            for p in into[name]:
                if t >= p.delay and p.source in network.layers:
                    by_spike[p.source][t - p.delay] += by_sum[name][t] @ p.map.weights
    found = []
    for p in network.projections:
        before, after = fired[p.source], by_sum[p.target][p.delay :]
        found.append(np.tensordot(after, before[: len(after)], axes=((0, 1), (0, 1))))
        if p.map.bias is not None:
            found.append(by_sum[p.target].sum(axis=(0, 1)))
    return found


def _slopes(neuron: Any) -> tuple[float, float, float, float]:
    """The threshold; what is left of v after a step, what comes of I, what a spike leaves of v."""
    if isinstance(neuron, Leaky):
        return neuron.threshold, neuron.decay, 1.0, 0.0
    return neuron.v_threshold, 1 - neuron.alpha, neuron.alpha * neuron.r, float(neuron.subtract)


class _Adam:
    """Kingma and Ba (2015)."""

    def __init__(self, weights: list[np.ndarray]) -> None:
        self._means, self._squares = ([np.zeros_like(w) for w in weights] for _ in range(2))
        self._times = 0

    def step(self, weights: list[np.ndarray], gradients: list[np.ndarray], rate: float) -> None:
        """Change the weights, in place."""
        self._times += 1
        bias, square_bias = 1 - 0.9**self._times, 1 - 0.999**self._times
        for w, g, m, s in zip(weights, gradients, self._means, self._squares, strict=True):
            m += 0.1 * (g - m)
            s += 0.001 * (g * g - s)
            w -= rate * (m / bias) / (np.sqrt(s / square_bias) + 1e-8)


def _one_thread() -> AbstractContextManager[Any]:
    """Small matrix products wait for other threads longer than they take."""
    try:
        from threadpoolctl import threadpool_limits
    except ImportError:
        return nullcontext()
    limits: AbstractContextManager[Any] = threadpool_limits(1, "blas")
    return limits


# -- the network's weights ------------------------------------------------------------------------
def _weights(dense: Any) -> Iterator[np.ndarray]:
    yield dense.weights
    if dense.bias is not None:
        yield dense.bias


def _with(network: Network, weights: list[np.ndarray], quantised: bool) -> Network:
    """The network with other weights and biases."""
    left = iter(weights)
    made = []
    for p in network.projections:
        values, bias = next(left), None if p.map.bias is None else next(left)
        if quantised:
            point, most = point_of(replace(p, map=Dense(values))), 2 ** (p.bits - 1)
            values = np.clip(rounded(values, point), -most, most - 1) * 2.0**-point
            word = network.layers[p.target].population.neuron.input_words[p.to]
            bias = None if bias is None else rounded(bias, word.fraction) * word.lsb
        made.append(replace(p, map=Dense(values, bias)))
    return replace(
        network,
        inputs=dict(network.inputs),
        layers=dict(network.layers),
        projections=made,
        _outputs=dict(network._outputs),
    )


def _checked(network: Network, inputs: Any, labels: Any) -> tuple[np.ndarray, np.ndarray]:
    need_network(network, "train()")
    for kind, names in (("input", list(network.inputs)), ("output", network.outputs)):
        if len(names) != 1:
            raise ScneuroError(
                f"{network.name} has {len(names)} {kind}s: {', '.join(names)}",
                f"train() takes a network of one {kind}",
            )
    for name, layer in network.layers.items():
        population = layer.population
        known = type(population.neuron) in (Leaky, NIRLIF)
        if not known or population.parameters or population.init or population.neuron._start:
            raise ScneuroError(
                f"{network.name}: train() cannot train {name}, which is {population!r}",
                "it takes Leaky or NIRLIF neurons, all alike; for others, copy network/train.py",
            )
    for p in network.projections:
        if type(p.map) is not Dense:
            raise ScneuroError(
                f"{network.name}: train() cannot train {p}, which is {p.map!r}",
                "it takes projections that are Dense(weights)",
            )
    (source,), (out,) = network.inputs.values(), network.outputs
    spikes, named = np.asarray(inputs, dtype=float), np.asarray(labels)
    if spikes.ndim < 3 or spikes[0, 0].size != source.count or not spikes.size:
        raise ValueError(
            f"{network.name}: inputs must have shape (T, items, {source.count}), not {spikes.shape}"
        )
    if named.shape != spikes.shape[1:2] or named.dtype.kind not in "iu":
        raise ValueError(
            f"{network.name}: labels must be {spikes.shape[1]} whole numbers, one for each item"
        )
    if named.min() < 0 or named.max() >= network.layers[out].count:
        raise ValueError(
            f"{network.name}: labels must be 0 to {network.layers[out].count - 1}, the neurons of "
            f"{out}, and are {named.min()} to {named.max()}"
        )
    return spikes.reshape(*spikes.shape[:2], -1), named
