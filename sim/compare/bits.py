"""Level 1: what gates show against what the integers do, bit by bit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...tools.progress import progress as bar
from ..contracts.contract import Contract, Integers, Tables
from ..engines.drive import Driven, Stretch, joined

__all__ = ["Bits", "Difference", "compare_bits"]


@dataclass(frozen=True)
class Difference:
    """A value that is another one in the gates.

    Attributes
    ----------
    key : str
        What it is, in a network ``population.what``.
    step : int
    neuron : int or None
        None where there is one neuron.
    model, hardware : int
    shown : dict of str to ndarray
        All that the gates show after that step.
    """

    key: str
    step: int
    neuron: int | None
    model: int
    hardware: int
    shown: Tables

    def figures(self) -> dict[str, Any]:
        """Plain numbers, for JSON."""
        of, _, what = self.key.rpartition(".")
        population = {"population": of} if of else {}
        neuron = {} if self.neuron is None else {"neuron": self.neuron}
        values = {"what": what, "model": self.model, "hardware": self.hardware}
        return {"step": self.step, **population, **neuron, **values}


@dataclass(frozen=True)
class Bits:
    """What a comparison of gates with integers found.

    Attributes
    ----------
    integers : Integers
    differing, compared : int
        Values: registers, flags, words.
    first : Difference or None
        Of the earliest step; of these, the one that the others come from.
    clocks : int
        Of the gates.
    shown : dict of str to ndarray
        All that they showed, if it was to be kept.
    """

    integers: Integers
    differing: int = 0
    compared: int = 0
    first: Difference | None = None
    clocks: int = 0
    shown: Tables = field(default_factory=dict, repr=False)

    def figures(self) -> dict[str, Any] | None:
        """The first difference, if there is one."""
        return None if self.first is None else self.first.figures()


def compare_bits(
    contract: Contract,
    given: Mapping[str, np.ndarray],
    *,
    engine: str = "cxxrtl",
    to_the_end: bool = True,
    keep: bool = False,
    progress: bool = False,
    **options: Any,
) -> Bits:
    """Drive gates from power-on, and compare all that they show with what the integers do.

    Parameters
    ----------
    contract : Contract
    given : mapping of str to ndarray, shape (T, ...)
    engine : {"cxxrtl", "amaranth"}
    to_the_end : bool
        Otherwise the gates do not go on behind the first difference.
    keep : bool
        Whether all that they show is kept.
    progress : bool
    **options
        ``stall`` and ``library``, as of :class:`~scneuro.sim.engines.drive.Driven`.

    Raises
    ------
    ScneuroError
        The gates stop answering, or show what makes no sense.
    """
    driven = Driven(contract, engine, **options)
    integers = contract.compute(given, progress=progress)
    expected, frames = integers.tables, len(next(iter(given.values())))
    steps = max(len(table) for table in expected.values())
    differing = compared = clocks = begin = 0
    first: Difference | None = None
    kept: list[Stretch] = []
    stretches = bar(
        driven.stretches(given),
        f"{contract.name}: gates",
        unit="step",
        wanted=progress,
        scale=driven.at_once,
        total=-(-frames // driven.at_once),
    )
    for stretch in stretches:
        for key, found in stretch.tables.items():
            rows = len(expected[key]) // frames
            model = expected[key][begin * rows : (begin + stretch.frames) * rows]
            differs = model != found
            compared += differs.size
            if not differs.any():
                continue
            differing += int(differs.sum())
            row, *neuron = at = tuple(map(int, np.argwhere(differs)[0]))
            step = (begin * rows + row + 1) * steps // (frames * rows) - 1
            if first is None or step < first.step:
                same = {k: t for k, t in stretch.tables.items() if len(t) == len(found)}
                shown = {k: table[row] for k, table in same.items()}
                of = neuron[0] if neuron else None
                first = Difference(key, step, of, int(model[at]), int(found[at]), shown)
        clocks += stretch.clocks
        begin += stretch.frames
        if keep:
            kept.append(stretch)
        if first is not None and not to_the_end:
            break
    shown = joined(kept).tables if kept else {}
    return Bits(integers, differing, compared, first, clocks, shown)
