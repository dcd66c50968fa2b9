"""Layers of stochastic computing: inputs and weights as streams, counts of products, neurons."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import whole
from ..neuron import Neuron, need_neuron
from ..neurons.lif import LIF
from ..neurons.sc_adex import SCAdExNeuron
from ..population import FixedPopulation, Population
from ..runner import Recording
from ..words import Q8_8
from .lfsr import LFSR
from .projection import Stochastic

__all__ = ["AdExLayer", "FixedSCDenseLayer", "SCDenseLayer"]

_USUAL = 4.0  # the gain is so many typical currents: inputs and weights of 1/2 make one
_MOST = 1 << 20  # weights


class _Layer:
    """A projection onto a population, at some fidelity.

    Attributes
    ----------
    projection : Stochastic
    population : Population or FixedPopulation
    input : str
        The neurons' input that the currents go to.
    step : int
        Steps since the last reset.
    recording : Recording or None
        Of the last call of :meth:`forward`.
    counts : ndarray of int64, shape (steps, neurons), or None
        Products that were 1 in it.
    """

    projection: Stochastic
    population: Population | FixedPopulation
    input: str

    def reset(self) -> None:
        """Return the sources and all neurons to their beginning."""
        self.population.reset()
        self.step = 0
        self.recording: Recording | None = None
        self.counts: np.ndarray | None = None

    def forward(self, x: Any) -> np.ndarray:
        """Run all bits of the streams of ``x``, from where the last call ended.

        Parameters
        ----------
        x : array of shape (inputs,)
            In [0, 1], or in [-1, 1] if the layer is bipolar.

        Returns
        -------
        ndarray of float, shape (neurons,)
            Spikes per step.

        Raises
        ------
        TypeError, ValueError
            As :meth:`Stochastic.input_words`; nothing has happened then.
        """
        projection = self.projection
        words = projection.input_words(x)
        self.counts = projection.counts(words, self.step)
        default = self.population.input_defaults[self.input]
        currents = default + projection.currents(self.counts) * Q8_8.lsb
        given: dict[str, Any] = {self.input: np.clip(currents, Q8_8.least, Q8_8.greatest)}
        self.recording = self.population.run(reset=False, progress=False, **given)
        self.step += projection.steps
        rates: np.ndarray = np.asarray(self.recording.spikes) / projection.steps
        return rates

    @property
    def n_inputs(self) -> int:
        return self.projection.n_inputs

    @property
    def n_neurons(self) -> int:
        return self.projection.n_neurons

    @property
    def length(self) -> int:
        return self.projection.length

    @property
    def weights(self) -> np.ndarray:
        """As the words have them, shape (neurons, inputs)."""
        return self.projection.weights


class SCDenseLayer(_Layer):
    """Every input to every neuron, by streams of bits.

    Parameters
    ----------
    n_inputs, n_neurons : int
    length : int
        Bits of a stream.
    weights : array of shape (n_neurons, n_inputs), optional
        By default drawn from [0, 1), or [-1, 1) if bipolar, by ``seed``.
    neuron : Neuron, optional
        By default a :class:`~scneuro.LIF`.
    gain : float, optional
        The current of products that are all 1. By default four times the neuron's first typical
        one, so that inputs and weights of 1/2 make that.
    input : str, optional
        The neuron's input, by default its first.
    lanes, interval : int
        Of the population, as :class:`~scneuro.Population`.
    bipolar, source, bits, sources, per_step, seed
        As :class:`Stochastic`.

    Raises
    ------
    TypeError, ValueError
    """

    def __init__(
        self,
        n_inputs: int,
        n_neurons: int,
        length: int = 256,
        *,
        weights: Any = None,
        neuron: Neuron | None = None,
        gain: float | None = None,
        input: str | None = None,  # noqa: A002 - what it is of a neuron
        lanes: int = 1,
        interval: int = 1,
        seed: int = 0,
        **options: Any,
    ) -> None:
        shape = whole("n_neurons", n_neurons), whole("n_inputs", n_inputs)
        whole("the number of weights", shape[0] * shape[1], 1, _MOST)
        neuron = LIF() if neuron is None else neuron
        need_neuron(neuron, f"{type(self).__name__}()")
        if weights is None:
            low = -1.0 if options.get("bipolar") else 0.0
            weights = _drawn(shape, whole("seed", seed, 0), low)
        elif np.shape(weights) != shape:
            raise ValueError(f"weights must have shape {shape}, not {np.shape(weights)}")
        gain = _USUAL * neuron.currents[0] if gain is None else gain
        self.projection = Stochastic(weights, length, gain=gain, seed=seed, **options)
        _ = self.projection.scale  # refused at once
        self.input = _input_of(neuron, input)
        self.population: Population = Population(neuron, shape[0], lanes=lanes, interval=interval)
        self.reset()

    def __repr__(self) -> str:
        return f"<{self.n_inputs} x {self.n_neurons} {self.population.name}, {self.length} bits>"

    def fixed(self, **options: Any) -> FixedSCDenseLayer:
        """The same on the integers of its neurons, with the same surface: bit for bit the gates.

        Parameters
        ----------
        **options
            As :meth:`scneuro.Neuron.fixed`.

        Raises
        ------
        LoweringError
        """
        return FixedSCDenseLayer(self, self.population.fixed(**options))


class FixedSCDenseLayer(_Layer):
    """A layer whose neurons are integers; :meth:`SCDenseLayer.fixed` makes it."""

    def __init__(self, layer: SCDenseLayer, population: FixedPopulation) -> None:
        self.projection, self.input = layer.projection, layer.input
        self.population: FixedPopulation = population
        self.reset()

    def __repr__(self) -> str:
        return (
            f"<integers of {self.n_inputs} x {self.n_neurons} {self.population.name}, "
            f"{self.length} bits>"
        )


class AdExLayer(SCDenseLayer):
    """The tutorial's layer: every input to every adaptive exponential neuron, by streams of bits.

    Parameters
    ----------
    n_inputs, n_neurons, length, **options
        As :class:`SCDenseLayer`; the neurons are :class:`~scneuro.SCAdExNeuron` unless another is
        given.
    """

    def __init__(self, n_inputs: int, n_neurons: int, length: int = 256, **options: Any) -> None:
        options.setdefault("neuron", SCAdExNeuron())
        super().__init__(n_inputs, n_neurons, length, **options)


def _drawn(shape: tuple[int, int], seed: int, low: float) -> np.ndarray:
    """Weights from ``low`` to 1, the same on every machine."""
    draws = np.array(LFSR(1 + seed % (2**31 - 2)).draws(4 + shape[0] * shape[1])[4:])
    return low + (1 - low) * draws.reshape(shape) / (1 << LFSR.DRAW)


def _input_of(neuron: Neuron, name: str | None) -> str:
    names = list(neuron.input_defaults)
    if name is None:
        if not names:
            raise ValueError(f"{neuron.name} has no input")
        name = names[0]
    if name not in names:
        raise ValueError(f"{neuron.name} has no input {name!r}; it has {', '.join(names)}")
    if (word := neuron.input_words.get(name, Q8_8)) != Q8_8:
        raise ValueError(
            f"{neuron.name}.{name} is {word}, and streams add up in Q8.8: give the neuron an input "
            f'of that word, as by neuron.set_words({name}="Q8.8")'
        )
    return name
