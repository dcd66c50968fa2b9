"""A projection by stochastic computing: weights are streams, products gates, and sums counts."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..given import whole
from ..runner import numbers
from ..words import WORD_BITS
from .bitstreams import bits_for, kind_of
from .sources import Source, sources_for
from .streams import bits_of, meant, ones_of, popcounts, words_of

__all__ = ["Stochastic"]

_FINER = 8  # bits of a product's share of the current below the word
_LONGEST = 1 << 24
_MOST = 1 << 12  # inputs
_TOGETHER = 16


class Stochastic:
    """Weights that multiply the streams of inputs, bit by bit, onto any population.

    In step t of a neuron, every product of an input's bit and a weight's bit is a gate, and as many
    of them as are 1 is the neuron's input current: ``gain`` if all are. It is an integer in all
    fidelities, the one that the gates of :class:`scneuro.hdl.stochastic.Synapses` make.

    Parameters
    ----------
    weights : array of shape (neurons, inputs)
        In [0, 1], or in [-1, 1] if ``bipolar``; each is rounded to a word of its source.
    length : int
        Bits of a stream.
    bipolar : bool
        A stream stands for -1 to 1; the gates are XNOR instead of AND, and the current ``gain``
        times the mean of what products stand for.
    gain : float
        The current of products that are all 1, in the unit of the neuron's input.
    source : {"lfsr", "low_discrepancy"}
        Or the tutorial's names of them, ``bernoulli`` and ``sobol``.
    bits : int, optional
        Of the sources, 4 to 32; by default as many as make their period the length, up to 16.
    sources : int, optional
        How many different ones there are: inputs take them in turn. By default as many as there are
        inputs, up to 16, if there are as many that do not correlate.
    per_step : int
        Bits of a stream that a neuron's step takes, in one clock: 1, 2, 4, 8 or 16. The bits are
        the same, their counts add up, and there are so many fewer steps.
    seed : int
        Moves the sources on.

    Attributes
    ----------
    n_neurons, n_inputs, length, steps : int
    words : ndarray of int64, shape (neurons, inputs)
        Of the weights.
    levels : int
        What a word is part of.
    sources : list of Source
        Of each input; the weights have their mirrors.
    scale : int
        The current of a product that is 1, in 2**-8 LSB of Q8.8; bipolar, of a step in value of 1.
        It is refused where Q8.8 does not hold ``gain``; in a network, the word of the neurons'
        input is asked.

    Raises
    ------
    TypeError, ValueError
    """

    def __init__(
        self,
        weights: Any,
        length: int = 256,
        *,
        bipolar: bool = False,
        gain: float = 1.0,
        source: str = "lfsr",
        bits: int | None = None,
        sources: int | None = None,
        per_step: int = 1,
        seed: int = 0,
    ) -> None:
        table = numbers(weights, "weights")
        if table.ndim != 2 or 0 in table.shape:
            raise ValueError(f"weights must have shape (neurons, inputs), not {table.shape}")
        self.n_neurons = int(table.shape[0])
        self.n_inputs = whole("the number of inputs", table.shape[1], 1, _MOST)
        self.length = whole("length", length, 1, _LONGEST)
        self.per_step = whole("per_step", per_step, 1, _TOGETHER)
        if self.per_step & (self.per_step - 1):
            raise ValueError(f"per_step must be 1, 2, 4, 8 or 16, not {per_step}")
        if self.length % self.per_step:
            raise ValueError(
                f"length must be a multiple of the {per_step} bits of a step, not {length}"
            )
        self.bipolar, self.seed = bool(bipolar), whole("seed", seed, 0)
        count = bits_for(self.length) if bits is None else bits
        if sources is not None:
            sources = whole("sources", sources)
        self.sources = sources_for(
            self.n_inputs, count, kind_of(source, "source"), self.seed, sources
        )
        self.levels = self.sources[0].levels
        self.words = words_of(table, self.levels, "weights", bipolar=self.bipolar)
        value = numbers(gain, "gain")
        if value.ndim:
            raise ValueError(f"gain must be one number, not {value.size} of shape {value.shape}")
        self.gain = float(value)

    @property
    def scale(self) -> int:
        gain, most = self.gain, self.n_inputs * self.per_step
        scale = int(np.floor(gain * 2.0 ** (8 + _FINER) / most + 0.5))
        if abs(scale * most) >> _FINER >= 1 << (WORD_BITS - 1):
            raise ValueError(f"gain = {gain:g} does not fit Q8.8, which holds -128 to 127.996")
        if gain and not scale:
            raise ValueError(f"gain = {gain:g} over {most} products is less than a word can add up")
        return scale

    def __repr__(self) -> str:
        kind = "bipolar" if self.bipolar else "unipolar"
        return (
            f"<stochastic projection of {self.n_inputs} inputs onto {self.n_neurons} neurons, "
            f"{kind}, {self.length} bits, {self.different} {self.kind} of {self.bits} bits>"
        )

    @property
    def steps(self) -> int:
        """Of a neuron, in a stream."""
        return self.length // self.per_step

    @property
    def bits(self) -> int:
        """Of the sources."""
        return self.sources[0].bits

    @property
    def kind(self) -> str:
        """Of the sources."""
        return self.sources[0].kind

    @property
    def different(self) -> int:
        """How many sources there are."""
        return len(set(self.sources))

    @property
    def weights(self) -> np.ndarray:
        """The weights that the words stand for, shape (neurons, inputs)."""
        return meant(self.words, self.levels, bipolar=self.bipolar)

    def input_words(self, x: Any) -> np.ndarray:
        """The words of inputs, int64 of shape (inputs,).

        Raises
        ------
        TypeError, ValueError
            What is no number, not finite, out of [0, 1] or [-1, 1], or of another shape.
        """
        words = words_of(x, self.levels, "x", bipolar=self.bipolar)
        if words.shape != (self.n_inputs,):
            raise ValueError(f"x must have shape ({self.n_inputs},), not {words.shape}")
        return words

    def streams(self, words: np.ndarray, start: int = 0, steps: int | None = None) -> np.ndarray:
        """The inputs' streams from step ``start`` on, bool of shape (steps, per_step, inputs)."""
        return bits_of(words, self._draws(self.sources, start, self._steps(steps)))

    def counts(self, words: np.ndarray, start: int = 0, steps: int | None = None) -> np.ndarray:
        """How many products of inputs of these words are 1, int64 of shape (steps, neurons)."""
        return self._counted(self.streams(words, start, steps), start)

    def counts_of(self, spikes: Any, start: int = 0) -> np.ndarray:
        """The same where the inputs' streams are spikes: (steps, inputs), of zeros and ones.

        A spike is 1 in all bits of its step.

        Raises
        ------
        TypeError, ValueError
        """
        ones = ones_of(spikes, "spikes")
        if ones.ndim != 2 or ones.shape[1] != self.n_inputs:
            raise ValueError(f"spikes must have shape (steps, {self.n_inputs}), not {ones.shape}")
        return self._counted(np.repeat(ones[:, None], self.per_step, axis=1), start)

    def currents(self, counts: np.ndarray) -> np.ndarray:
        """The words, in LSB of Q8.8, that counts add to the neurons' input, int64."""
        most = self.n_inputs * self.per_step
        whole_ones = 2 * counts - most if self.bipolar else counts
        words: np.ndarray = (whole_ones * self.scale + (1 << (_FINER - 1))) >> _FINER
        return words

    def draws(self, start: int, steps: int) -> np.ndarray:
        """What the sources draw from a step on, int64 of shape (steps, per_step, inputs)."""
        return self._draws(self.sources, start, steps)

    def _counted(self, bits: np.ndarray, start: int) -> np.ndarray:
        draws = self._draws([s.mirror for s in self.sources], start, len(bits))
        return popcounts(bits, self.words, draws, bipolar=self.bipolar)

    def _draws(self, made: list[Source], start: int, steps: int) -> np.ndarray:
        """Shape (steps, per_step, inputs)."""
        each = {
            source: source.draws(start * self.per_step, steps * self.per_step)
            for source in set(made)
        }
        table = np.stack([each[source] for source in made], axis=1)
        return table.reshape(steps, self.per_step, self.n_inputs)

    def _steps(self, steps: int | None) -> int:
        return self.steps if steps is None else whole("steps", steps, 0)
