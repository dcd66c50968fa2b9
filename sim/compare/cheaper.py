"""Which words and ranges would be cheaper, and by how much: by lowering the neuron with each."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass

from ...compiler.pipeline.cells import pipeline
from ...compiler.pipeline.form import Form
from ...errors import LoweringError
from ...fixed import FixedNeuron
from ...neuron import Neuron
from ...tools.progress import progress as bar
from ...words import Word
from ...working import working

__all__ = ["Bits", "Cheaper", "bits_of", "cheaper"]

_COARSER = (1, 2, 4)  # fraction bits less
_LEAST = 0.03  # of its bits: a word that saves less is not named


@dataclass(frozen=True)
class Bits:
    """What a neuron takes with a new update every clock, before any synthesis.

    Attributes
    ----------
    registers : int
        Bits of its registers.
    tables : int
        Bits of its tables.
    products : int
        Bits of one factor times bits of the other, of all multiplications of two values.
    """

    registers: int
    tables: int
    products: int

    def less(self, other: Bits) -> dict[str, float]:
        """The share by which this is less than another, of every kind that that has."""
        mine, theirs = vars(self), vars(other)
        return {n: 1 - mine[n] / had for n, had in theirs.items() if had}


@dataclass(frozen=True)
class Cheaper:
    """A word or a range that is cheaper.

    Attributes
    ----------
    name, word : str
        Of the state or the input, and what it may have, or has.
    range : (float, float) or None
        What a state may be limited to; None where it is another word that is cheaper.
    lsb : float
        What it is rounded to then.
    bits : Bits
    saves : dict of str to float
        By kind of bits, the share that it takes less; below 0 where it takes more.
    """

    name: str
    word: str
    lsb: float
    bits: Bits
    saves: dict[str, float]
    range: tuple[float, float] | None = None

    def __str__(self) -> str:
        saves = [f"{share:.0%} of {n}" for n, share in self.saves.items() if share >= _LEAST]
        more = [f"{-share:.0%} of {n}" for n, share in self.saves.items() if share <= -_LEAST]
        what, why = f'word="{self.word}"', f"its LSB is {self.lsb:g}"
        if self.range is not None:
            what = "range=({:g}, {:g})".format(*self.range)
            why = "that is what float visits under its currents, and half as much again"
        return (
            f"cheaper  {self.name}: {what} saves {', '.join(saves)}"
            + f", and takes {', '.join(more)} more" * bool(more)
            + f"; {why}"
        )


def bits_of(fixed: FixedNeuron) -> Bits:
    """What a neuron's integers take."""
    made, path = pipeline(fixed.lowered, Form()), fixed.lowered.path
    factors = [node.args for node in path.reachable() if node.op == "mul"]
    return Bits(
        sum(cell.node.width for cell in made.registers),
        sum(node.width * len(node.meta) for node in made.memories.values()),
        sum(a.width * b.width for a, b in factors),
    )


def cheaper(neuron: Neuron, fixed: FixedNeuron, *, progress: bool = True) -> list[Cheaper]:
    """The coarser words, and the ranges, with which a neuron takes fewer bits of a kind.

    A coarser word holds more and is rounded more coarsely: its budget is in its own LSB. Of each
    state and input the words of 1, 2 and 4 fraction bits less are tried, each alone; and of each
    state without a range the one in which the float model works, if it is not limited to it yet.

    Parameters
    ----------
    neuron : Neuron
    fixed : FixedNeuron
        Its integers as it is.
    progress : bool
    """
    base, found = bits_of(fixed), []
    tried = [*_coarser(fixed), *_narrower(neuron, fixed)]
    for name, word, limits in bar(tried, f"{neuron.name}: words", unit="word", wanted=progress):
        other = copy.copy(neuron)
        if limits is None:
            other.set_words(**{name: str(word)})
        else:
            other.set_ranges(**{name: limits})
        try:
            bits = bits_of(other.fixed())
        except LoweringError:  # a word so coarse makes it another neuron
            continue
        saves = bits.less(base)
        if max(saves.values()) >= _LEAST:
            found.append(Cheaper(name, str(word), word.lsb, bits, saves, limits))
    return found


_Trial = tuple[str, Word, tuple[float, float] | None]
"""A state or an input, its word, and its range, if that is what is tried."""


def _coarser(fixed: FixedNeuron) -> Iterator[_Trial]:
    own = {r.name: r.word for r in fixed.lowered.registers.values()}
    for name, word in {**own, **fixed.lowered.input_words}.items():
        for k in _COARSER:
            if word.fraction >= k:
                yield name, Word(word.fraction - k), None


def _narrower(neuron: Neuron, fixed: FixedNeuron) -> Iterator[_Trial]:
    """Where the float model works, of the states that are not limited to it."""
    for name, limits in working(neuron).ranges.items():
        register = fixed.lowered.registers.get(name)
        if register is not None and name not in fixed.lowered.working:
            yield name, register.word, limits
