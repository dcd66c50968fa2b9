"""Lowering: from a traced ``update`` to the integer datapath, every format chosen and stated.

The passes, in order: canonical terms, ranges, registers, what no longer matters, precision,
assembly. First they run with the 16-bit rules, over all that the states' words hold; these are
enough for most neurons. Where a state could then be off by more than its budget, the neuron is
limited to where its float model works, and the budget is divided among all that a state is made of;
every width follows from its share.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from ..declare import Input, State
from ..errors import LoweringError
from ..words import Word, fitting, nearest
from .algebra.canonical import Canonical
from .algebra.terms import Condition, Lookup, Product, Sum, Term, Value, Variable, behind
from .assemble import Assembled, Plan, assemble
from .bounds.precision import Working, allot
from .bounds.ranges import Interval, Ranges, reach
from .bounds.registers import MOST_GUARD, Register
from .bounds.relevance import Relevant, relevant
from .functions import Functions
from .lowered import Lowered
from .program import Program
from .table import MOST_ROWS

__all__ = ["ROUNDINGS", "lower"]

ROUNDINGS = ("nearest", "floor", "stochastic")
_SHOWN = 64  # characters of a term in a message
_MOST_ALLOWED = 1000.0  # LSB that it makes sense to allow
_DEEP = 100_000  # frames; they are on the heap
# What of its budget a state's update is made for, and the rows its tables may have. One step may be
# off by an LSB, but what is off in the same direction at every step adds up: the smallest share
# that can be had is taken. A budget that was asked for is taken at its word.
_SHARES = (
    (1 / 128, MOST_ROWS),
    (1 / 32, MOST_ROWS),
    (1 / 8, MOST_ROWS),
    (1 / 8, 4 * MOST_ROWS),
    (3 / 4, 4 * MOST_ROWS),
)
_ASKED_FOR = ((3 / 4, MOST_ROWS), (3 / 4, 4 * MOST_ROWS), (1 / 4, 4 * MOST_ROWS))

Measure: TypeAlias = Callable[[], Working]


@dataclass(frozen=True)
class Source:
    """What is lowered: a program in canonical terms, and the options."""

    program: Program
    rounding: str
    guard: int | None
    table_error: float | None
    budget: float | None
    canonical: Canonical
    updates: dict[str, Sum]
    spike: Condition | bool

    @property
    def lsb(self) -> dict[str, float]:
        return {name: state.format.lsb for name, state in self.program.states.items()}

    @property
    def budgets(self) -> dict[str, float]:
        """What a step of each state may be off by, in its unit."""
        found = {}
        for name, state in self.program.states.items():
            own = state.budget if state.budget is not None else self.budget
            found[name] = (1.0 if own is None else own) * self.lsb[name]
        return found

    @property
    def terms(self) -> list[Term]:
        return [*self.updates.values(), *([] if isinstance(self.spike, bool) else [self.spike])]


def lower(
    program: Program,
    *,
    rounding: str = "nearest",
    guard: int | None = None,
    table_error: float | None = None,
    budget: float | None = None,
    measure: Measure | None = None,
) -> Lowered:
    """The integer form of a program.

    Parameters
    ----------
    program : Program
    rounding : {"nearest", "floor", "stochastic"}
    guard : int, optional
        Guard bits of every state that does not state its own.
    table_error : float, optional
        The error budget of every table, in the units of its value.
    budget : float, optional
        What a step of every state that does not state its own may be off by, in LSB of its word;
        by default 1.
    measure : callable, optional
        Returns where and how the float model works. Asked only where a budget cannot be met
        without.

    Raises
    ------
    LoweringError
        If something cannot be represented, or a budget cannot be met; the message has the numbers.
    ValueError
        If an option is out of range.
    """
    if rounding not in ROUNDINGS:
        raise ValueError(f"rounding must be one of {', '.join(ROUNDINGS)}, not {rounding!r}")
    if guard is not None and not 0 <= guard <= MOST_GUARD:
        raise ValueError(f"guard must be 0 to {MOST_GUARD} bits, not {guard!r}")
    if table_error is not None and not table_error > 0:
        raise ValueError(f"table_error must be positive, not {table_error!r}")
    if budget is not None and not budget > 0:
        raise ValueError(f"budget must be positive, in LSB, not {budget!r}")
    with _deep_recursion():
        canonical = Canonical(program.roots)
        updates = {name: canonical.sum(expr) for name, expr in program.following.items()}
        spike = canonical.condition(program.spike)
        source = Source(program, rounding, guard, table_error, budget, canonical, updates, spike)
        return _within_budget(source, measure)


@contextmanager
def _deep_recursion() -> Iterator[None]:
    """Room for terms as deep as people unroll sub-steps."""
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(max(before, _DEEP))
    try:
        yield
    finally:
        sys.setrecursionlimit(before)


def _within_budget(source: Source, measure: Measure | None) -> Lowered:
    """The first of the attempts in which every state keeps its budget.

    A budget below an LSB that was asked for holds for what adds up over many steps, too; that is
    measured. A larger one asks for less hardware.
    """
    best: Lowered | None = None
    trouble: LoweringError | None = None
    measured = cache(measure or Working)
    for share, rows in _attempts(source):
        working = measured() if share is not None else Working()
        try:
            lowered = _attempt(source, share, rows, working)
        except LoweringError as error:
            trouble = error
            continue
        if _excess(lowered) <= 1 and (
            share is not None or not _fine(source) or _adds_up_to(lowered, measured()) <= 1
        ):
            return lowered
        if best is None or _excess(lowered) < _excess(best):
            best = lowered
    if best is None:
        assert trouble is not None
        raise trouble
    raise _beyond_budget(source, best, trouble)


def _attempts(source: Source) -> Iterator[tuple[float | None, int]]:
    """The share of the budgets that an update is made for, and the most rows of a table."""
    yield None, MOST_ROWS
    yield from _ASKED_FOR if _asked(source) else _SHARES


def _asked(source: Source) -> bool:
    """Whether a budget was given."""
    program = source.program
    return source.budget is not None or any(s.budget is not None for s in program.states.values())


def _fine(source: Source) -> bool:
    """Whether a budget below an LSB was given."""
    return any(source.budgets[n] < source.lsb[n] for n in source.program.states)


def _adds_up_to(lowered: Lowered, measured: Working) -> float:
    """What the bound of a state becomes over many steps, in units of what its budget allows."""
    return max(lowered.bounds[n] / measured.asked(n, lowered.budgets) for n in lowered.registers)


def _excess(lowered: Lowered) -> float:
    """The largest bound, in units of its budget."""
    return max(lowered.bounds[n] / lowered.budgets[n] for n in lowered.registers)


def _beyond_budget(source: Source, best: Lowered, trouble: LoweringError | None) -> LoweringError:
    """The refusal: which state, which term, and what would help."""
    state = max(best.registers, key=lambda n: best.bounds[n] / best.budgets[n])
    lsb = source.lsb[state]
    costs = best.costs[state]
    of = costs[0].of if costs else ""
    terms = [t for t in behind(source.terms) if of.endswith(t.key)]
    term = max(terms, key=lambda t: len(t.key), default=None) if of else None
    origin = None if term is None else source.canonical.origin(term)
    if origin is not None and term is not None:
        of = of.removesuffix(term.key) + str(origin)
    of = of if len(of) <= _SHOWN else f"{of[: _SHOWN - 3]}..."
    most = f"; most of it, {costs[0].error / lsb:.3g} LSB, is {of}" if costs else ""
    more = f"; to be more exact, {trouble.message}" if trouble is not None else ""
    if trouble is not None and trouble.line:
        more = ""
    ranges = ", ".join(f"{n} in {a:.3g} to {b:.3g}" for n, (a, b) in best.working.items())
    where = f" even with {ranges}, where the float model works" if ranges else ""
    error = LoweringError(
        f"{source.program.name}: a step of {state} may be off by {best.bounds[state] / lsb:.3g} LSB"
        f"{where}, and its budget is {best.budgets[state] / lsb:.3g}{most}{more}",
        _within_reach(source, best, state, term),
    )
    line = origin.line if origin is not None else trouble.line if trouble is not None else ""
    return error.at(line or source.program.roots[1 + list(source.program.states).index(state)].line)


def _within_reach(source: Source, best: Lowered, state: str, term: Term | None) -> str:
    """What would help a state whose bound is beyond its budget."""
    program = source.program
    bound = best.bounds[state] / source.lsb[state]
    made_of = behind([] if term is None else [term])
    names = sorted(t.name for t in made_of if isinstance(t, Variable))
    wide = [n for n in names if n in program.states and program.states[n].range is None]
    cures = [f"narrow {' and '.join(wide)} with State(range=(low, high))"] if wide else []
    if bound <= _MOST_ALLOWED:
        cures.append(f"allow it: State(budget={math.ceil(1.1 * bound)})")
    elif any(isinstance(t, Lookup) for t in made_of):
        cures.append("keep what the function is of from where it is steep, with np.maximum")
    else:
        cures.append("scale their units, so that what is multiplied stays small")
    return ", ".join(cures[:-1]) + (", or " if cures[:-1] else "") + cures[-1]


def _attempt(source: Source, share: float | None, rows: int, measured: Working) -> Lowered:
    program = source.program
    working = measured.ranges
    limits = {n: _limits(source, s, working.get(n)) for n, s in program.states.items()}
    nonlinear = _nonlinear(source)
    working = {n: ends for n, ends in working.items() if n in program.states or n in nonlinear}
    inputs = {
        n: _to_words(i.range or working.get(n, _ends(i.format)), i, program.name)
        for n, i in program.inputs.items()
    }
    words = {n: i.format for n, i in program.inputs.items()}
    limited = {
        n: (words[n], round(low / words[n].lsb), round(high / words[n].lsb))
        for n, (low, high) in inputs.items()
    }
    free = inputs | {n: (0.0, float(len(noise.draws))) for n, noise in program.noises.items()}
    initial = {n: min(max(v, limits[n][0]), limits[n][1]) for n, v in program.initial.items()}
    starts = {n: program.starts.get(n, (x, x)) for n, x in program.initial.items()}
    starts = {n: _within(ends, limits[n]) for n, ends in starts.items()}
    reached = reach(starts, limits, free, source.updates)
    terms = source.terms
    finer: dict[str, int] = {}
    while True:
        before = Ranges(free | reached, terms)
        registers = {
            s.name: Register.plan(
                program.name,
                s,
                source.updates[s.name],
                initial[s.name],
                guard=source.guard,
                reach=reached[s.name],
                limits=limits[s.name],
                ranges=before,
                budget=source.budgets[s.name],
                fraction=finer.get(s.name, 0),
            )
            for s in program.states.values()
        }
        intervals = {
            r.name: (float(r.to_real(r.low)), float(r.to_real(r.high))) for r in registers.values()
        }
        budgets = {n: math.ldexp(b, -registers[n].slow) for n, b in source.budgets.items()}
        everywhere = Ranges(free | intervals, terms)
        matter = relevant(
            source.canonical, source.updates, source.spike, everywhere, limits, source.lsb
        )
        if share is None:  # the 16-bit rules limit tables alone
            tables: dict[Term, Interval] = {
                t: ends for t, ends in matter.values.items() if isinstance(t, Lookup)
            }
            matter = Relevant(tables, matter.domains)
        ranges = Ranges(free | intervals, terms, matter.values, matter.domains)
        functions = Functions(matter.values)
        allowed: dict[Term, float] = {}
        if share is not None:
            lost = {n: _lost(source, r) for n, r in registers.items()}
            targets = {n: share * max(b - lost[n], b / 4) for n, b in budgets.items()}
            asked = {n: measured.asked(n, targets) for n in targets}
            wanted = {n: math.ceil(-math.log2(a)) for n, a in asked.items() if a < math.inf}
            if any(bits > finer.get(n, registers[n].fraction) for n, bits in wanted.items()):
                finer = wanted
                continue
            targets = {n: min(t, max(asked[n] - lost[n], asked[n] / 4)) for n, t in targets.items()}
            allowed = allot(
                source.updates, source.spike, ranges, targets, source.lsb, functions.__getitem__
            )
        made = assemble(
            Plan(
                program.name,
                source.canonical,
                source.updates,
                source.spike,
                registers,
                limited,
                program.noises,
                source.rounding,
                ranges,
                functions,
                matter.values,
                allowed,
                source.table_error,
                rows,
            )
        )
        if not made.beyond:
            return _result(source, registers, limited, budgets, made, share, working)
        # rounding carries a state further than its real interval: allow it all of its range
        for state, side in made.beyond:
            low, high = reached[state]
            reached[state] = (limits[state][0], high) if side < 0 else (low, limits[state][1])


def _within(ends: Interval, limits: Interval) -> Interval:
    low, high = (min(max(x, limits[0]), limits[1]) for x in ends)
    return low, high


def _lost(source: Source, register: Register) -> float:
    """What rounding the register costs."""
    lsb = math.ldexp(1.0, -register.fraction)
    return lsb / 2 if source.rounding == "nearest" else lsb


def _result(
    source: Source,
    registers: dict[str, Register],
    inputs: Mapping[str, tuple[Word, int, int]],
    budgets: dict[str, float],
    made: Assembled,
    share: float | None,
    working: dict[str, Interval],
) -> Lowered:
    return Lowered(
        path=made.path,
        rounding=source.rounding,
        registers=registers,
        inputs={n: i.unit for n, i in source.program.inputs.items()},
        input_limits={n: (least, most) for n, (_, least, most) in inputs.items()},
        input_words={n: word for n, (word, *_) in inputs.items()},
        noises=dict(source.program.noises),
        updates=source.updates,
        spike=source.spike,
        roots=source.program.roots,
        words=made.words,
        tables=made.tables,
        coefficients=made.coefficients,
        decisions=made.decisions,
        bounds=made.bounds,
        budgets=budgets,
        costs=made.costs,
        share=share,
        working=working,
        notes=made.notes,
    )


def _limits(source: Source, state: State, working: Interval | None) -> Interval:
    """At which a state saturates: its range, or where the float model works, or all of its word."""
    program = source.program
    word, initial = state.format, program.initial[state.name]
    if not word.least <= initial <= word.greatest:
        working = None  # it starts where no word is, wherever it works
    low, high = state.range or working or (word.least, word.greatest)
    if state.range is None and working is not None:  # what it is set to is where it works, too
        for leaf in source.updates[state.name].leaves:
            if not leaf.terms and word.least <= leaf.constant <= word.greatest:
                low, high = min(low, leaf.constant), max(high, leaf.constant)
    if word.greatest < high <= word.greatest + word.lsb:  # [0, 1] in Q1.15 ends one LSB below 1
        initial, high = min(initial, word.greatest), word.greatest
    if not word.least <= low < high <= word.greatest:
        raise LoweringError(
            f"{program.name}: the range of {state.name}, {low:g} to {high:g}, does not fit {word}, "
            f"which holds {word.least:g} to {word.greatest:g}",
            _word_for(state.name, low, high),
        )
    if not low <= initial <= high:
        if state.range is None:
            low, high = word.least, word.greatest
        raise LoweringError(
            f"{program.name}: {state.name} starts at {initial:g}, outside its range {low:g} to "
            f"{high:g}",
            _word_for(state.name, min(low, initial), max(high, initial))
            if state.range is None
            else f"{state.name} = State(range=({min(low, initial):g}, {max(high, initial):g}))",
        )
    return low, high


def _word_for(name: str, low: float, high: float) -> str:
    """The declaration of a state that lives between two values."""
    word = fitting(low, high)
    if word is None or not low < high:
        return "no 16-bit word holds that: choose another unit"
    return f'{name} = State(word="{word}") holds it, and so does another unit'


def _ends(word: Word) -> Interval:
    return word.least, word.greatest


def _to_words(interval: Interval, given: Input, neuron: str) -> Interval:
    """The interval of an input, in whole words."""
    word = given.format
    low, high = (nearest(end, word.fraction) * word.lsb for end in interval)
    if not word.least <= low < high <= word.greatest:
        raise LoweringError(
            f"{neuron}: the range of {given.name}, {interval[0]:g} to {interval[1]:g}, does not "
            f"fit {word}, which holds {word.least:g} to {word.greatest:g}"
        )
    return low, high


def _nonlinear(source: Source) -> set[str]:
    """The variables that are multiplied, or that a table is addressed with."""
    found: set[str] = set()
    for term in behind(source.terms):
        if isinstance(term, Product | Lookup | Value):
            found |= {t.name for t in behind([term]) if isinstance(t, Variable)}
    return found
