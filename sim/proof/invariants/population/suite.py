"""All that holds for ever of a population's hardware, outside its datapath."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TypeAlias

import numpy as np

from .....compiler.pipeline.form import DEEPEST
from .....hdl import Form
from .....hdl.population import Population as Gates
from .....population import FixedPopulation, Population, need_population
from ..harness import Harness
from ..solver import Invariant, Make, prove_claims
from .inputs import inputs
from .reset import reset
from .rows import rows
from .spikes import progress as goes_on
from .spikes import spikes

__all__ = ["prove_population", "small"]

Part: TypeAlias = Callable[[Gates, FixedPopulation], Harness]

#: Neurons, lanes, interval, and what is proved of so many. Where there are no neurons given, so
#: many that a step begins before the one before is over.
_Size: TypeAlias = tuple[int | None, int, int, tuple[Part, ...]]
_SIZES: tuple[_Size, ...] = (
    (1, 1, 1, (rows, inputs)),
    (2, 1, 1, (rows, inputs, spikes)),
    (3, 2, 1, (rows, inputs, spikes, goes_on)),
    (5, 2, 3, (rows, inputs, reset)),
    (None, 1, 3, (rows, inputs, spikes, goes_on)),
)
#: The same where states lie in memories of one port, which only neurons that start alike have.
_SINGLE: tuple[_Size, ...] = ((3, 1, 2, (rows, inputs)), (None, 1, 2, (rows, reset)))
#: The same where clocks are short, and a register is behind every memory.
_SHORT: tuple[_Size, ...] = (
    (3, 2, 1, (rows, inputs, spikes, goes_on)),
    (5, 2, 3, (rows, inputs, reset)),
    (None, 1, 3, (rows, inputs)),
)


def small(population: Population, count: int | None, lanes: int, interval: int) -> FixedPopulation:
    """The integers of a few neurons of the same kind; of so many that steps overlap, if None.

    Where lanes must be full, they are filled.
    """

    def of(count: int) -> FixedPopulation:
        given = [
            {name: np.resize(values, count) for name, values in arrays.items()}
            for arrays in (population.init, population.parameters)
        ]
        return Population(
            population.neuron,
            count,
            lanes=lanes,
            interval=interval,
            init=given[0],
            parameters=given[1],
        ).fixed()

    if count is None:  # where states lie in memories of one port it may take a row more
        count = lanes * (-(-(Gates(of(lanes)).latency + 2) // interval) + 1)
    fixed = of(count)
    return of(count + -count % lanes) if fixed.lowered.noise else fixed


def form_of(fixed: FixedPopulation, *, single: bool = False, short: bool = False) -> Form:
    """The form that the claims are of."""
    interval = fixed.population.interval
    return Form(interval=interval, stored=True, single=single, deep=0 if short else DEEPEST)


def prove_population(population: Population, *, progress: bool = True) -> list[Invariant]:
    """Prove what holds for ever of a population's hardware, outside its datapath.

    By induction, of a few neurons of its kind, in one lane and in two, that enter every clock and
    every three: nothing is known of the datapath's results and of what is on the ports. The forms
    are one for a long clock, and one for a short one, where there is a register behind every
    memory.

    Parameters
    ----------
    population : Population
    progress : bool

    Raises
    ------
    TypeError
        If it is no population.
    ScneuroError
        If its neuron brings its own hardware.
    ToolError
        If yosys, yosys-smtbmc or z3 is missing, or fails.
    """
    need_population(population, "prove_population()")
    wanted: list[Make] = []
    for sizes in (_SIZES, _SINGLE, _SHORT):
        single = sizes is _SINGLE
        for count, lanes, interval, parts in sizes:
            fixed = small(population, count, lanes, interval)
            form = form_of(fixed, single=single, short=sizes is _SHORT)
            if not single or fixed.is_uniform:
                wanted += [partial(_claimed, part, fixed, form) for part in parts]
    return prove_claims(population.name, wanted, progress=progress)


def _claimed(part: Part, fixed: FixedPopulation, form: Form) -> Harness:
    return part(Gates(fixed, form), fixed)
