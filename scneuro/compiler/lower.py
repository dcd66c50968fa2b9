"""Lowering: from a traced ``update`` to the integer datapath, every format chosen and stated."""

from __future__ import annotations

from collections.abc import Mapping

from ..declare import State
from ..errors import LoweringError
from ..stochastic import Noise
from ..words import Q8_8
from .assemble import assemble
from .canonical import Canonical
from .datapath import Datapath
from .graph import Expr, Graph
from .lowered import Lowered
from .ranges import Interval, Ranges
from .registers import MOST_GUARD, Register

__all__ = ["ROUNDINGS", "lower"]

ROUNDINGS = ("nearest", "floor", "stochastic")


def lower(
    name: str,
    roots: tuple[Expr, ...],
    states: Mapping[str, State],
    initial: Mapping[str, float],
    inputs: Mapping[str, str],
    noises: Mapping[str, Noise],
    *,
    rounding: str = "nearest",
    guard: int | None = None,
    table_error: float | None = None,
) -> Lowered:
    """The integer form of a traced ``update``.

    Parameters
    ----------
    name : str
        The neuron's, for messages.
    roots : tuple of Expr
        Spike flag, then the next value of every state.
    states : mapping of str to State
    initial : mapping of str to float
    inputs : mapping of str to str
        The inputs' units by name.
    noises : mapping of str to Noise
    rounding : {"nearest", "floor", "stochastic"}
    guard : int, optional
        Guard bits of every state that does not state its own.
    table_error : float, optional
        The error budget of every table, in the units of its value.

    Raises
    ------
    LoweringError
        If something cannot be represented; the message has the numbers.
    ValueError
        If an option is out of range.
    """
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}, not {rounding!r}")
    if guard is not None and not 0 <= guard <= MOST_GUARD:
        raise ValueError(f"guard must be 0 to {MOST_GUARD} bits, not {guard!r}")
    if table_error is not None and not table_error > 0:
        raise ValueError(f"table_error must be positive, not {table_error!r}")
    canonical = Canonical(Graph())
    updates = dict(zip(states, map(canonical.sum, roots[1:]), strict=True))
    spike = canonical.condition(roots[0])
    limits = {s.name: _limits(name, s, initial[s.name]) for s in states.values()}
    ranges = Ranges(
        dict.fromkeys(inputs, (Q8_8.least, Q8_8.greatest))
        | {name: (0.0, float(len(noise.draws))) for name, noise in noises.items()}
    )
    ranges.reach(initial, limits, updates)
    reach = {s: ranges.variables[s] for s in states}
    while True:
        registers = {
            s.name: Register.plan(
                name,
                s,
                updates[s.name],
                initial[s.name],
                guard=guard,
                reach=reach[s.name],
                limits=limits[s.name],
                ranges=ranges,
            )
            for s in states.values()
        }
        ranges.variables.update(
            {
                r.name: (float(r.to_real(r.low)), float(r.to_real(r.high)))
                for r in registers.values()
            }
        )
        out = Lowered(
            Datapath(), rounding, registers, dict(inputs), dict(noises), updates, spike, roots
        )
        beyond = assemble(name, canonical, ranges, table_error, out)
        if not beyond:
            return out
        # rounding carries a state further than its real interval: allow it all of its range
        for state, side in beyond:
            low, high = reach[state]
            reach[state] = (limits[state][0], high) if side < 0 else (low, limits[state][1])


def _limits(name: str, state: State, initial: float) -> Interval:
    word = state.format
    low, high = state.range or (word.least, word.greatest)
    if word.greatest < high <= word.greatest + word.lsb:  # [0, 1] in Q1.15 ends one LSB below 1
        initial, high = min(initial, word.greatest), word.greatest
    if not word.least <= low < high <= word.greatest:
        raise LoweringError(
            f"{name}: the range of {state.name}, {low:g} to {high:g}, does not fit {word}, which "
            f"holds {word.least:g} to {word.greatest:g}"
        )
    if not low <= initial <= high:
        raise LoweringError(
            f"{name}: {state.name} starts at {initial:g}, outside its range {low:g} to {high:g}",
            f"choose a unit in which it fits {word}",
        )
    return low, high
