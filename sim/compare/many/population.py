"""Parity of a population: every neuron's gates, integers and float, at every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ....given import whole
from ....hdl import Form
from ....hdl.population import Population as Gates
from ....history import History
from ....population import FixedPopulation, Population, need_population
from ....runner import Recording, prepared
from ....signals.spikes import alike
from ....stochastic import totals
from ....tools.notebook import table
from ....words import quantize
from ...contracts.population import PopulationContract
from ...engines.drive import need_engine
from ..bits import compare_bits
from ..figures import COINCIDENCE_MS, step_figures, within
from ..parity import float_step, saturated, step_errors
from ..report import bit_line, level_line, step_lines
from ..rounded import rounded_spikes
from ..verdict import FEWEST, Criteria, Criterion

__all__ = ["PopulationParity", "population_parity", "steps_compared"]

_AT_ONCE = 1 << 20  # steps of a neuron that level 2 looks at together


@dataclass(frozen=True)
class PopulationParity:
    """What a comparison of a population found.

    Attributes
    ----------
    neuron : str
    neurons, lanes, interval, steps : int
    differing : int
        Level 1: registers and spike flags, of any neuron after any step, that differ between the
        gates and the integers; and spikes that did not leave the gates as they should.
    first : dict or None
        The first of them: ``step``, ``neuron``, ``what``, ``model``, ``hardware``.
    step_error : dict of str to (float, float)
        Level 2: as of :class:`~scneuro.sim.Parity`, over all neurons.
    budgets : dict of str to float
    decisions : tuple of (int, int)
    float_run, fixed_run : Recording
        Level 3: of shape (T, count).
    worst : tuple of Criterion
        Of the free run, what was judged, and of which neuron it is furthest from its limit.
    unlike : int
        Neurons that do not pass level 3.
    saturated : dict of str to int
        Steps of a neuron that a state or an input spent at its limit, where it did.
    clocks : int
        Of the gates, in all.
    latency : int
        Clocks from a neuron's entering to its last write.
    """

    neuron: str
    neurons: int
    lanes: int
    interval: int
    steps: int
    differing: int
    first: dict[str, Any] | None
    step_error: dict[str, tuple[float, float]]
    budgets: dict[str, float]
    decisions: tuple[int, int]
    float_run: Recording = field(repr=False)
    fixed_run: Recording = field(repr=False)
    worst: tuple[Criterion, ...]
    unlike: int
    saturated: dict[str, int]
    clocks: int
    latency: int

    @property
    def bit_exact(self) -> bool:
        return not self.differing

    @property
    def within_bound(self) -> bool:
        """Level 2: no error above its bound, no bound above its budget, no decision gone astray."""
        return within(self.step_error, self.budgets, self.decisions)

    @property
    def traces_agree(self) -> bool:
        """Level 3: every neuron's spikes."""
        return not self.unlike and all(c.ok is not False for c in self.worst)

    @property
    def ok(self) -> bool:
        return self.bit_exact and self.within_bound and self.traces_agree

    @property
    def spikes(self) -> dict[str, int]:
        """Of all neurons."""
        return {
            "float": int(self.float_run.spike.sum()),
            "fixed": int(self.fixed_run.spike.sum()),
        }

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON."""
        counts = self.fixed_run.spikes - self.float_run.spikes
        return {
            "neuron": self.neuron,
            "neurons": self.neurons,
            "lanes": self.lanes,
            "interval": self.interval,
            "steps": self.steps,
            "ok": self.ok,
            "bit_exact": self.bit_exact,
            "differing": self.differing,
            "first_mismatch": self.first,
            "step_error_lsb": step_figures(self.step_error, self.budgets),
            "decisions": {"near_ties": self.decisions[0], "beyond_bound": self.decisions[1]},
            "spikes": self.spikes,
            "neurons_with_float's_count": int(np.sum(counts == 0)),
            "largest_difference_in_count": int(np.max(np.abs(counts), initial=0)),
            "unlike_neurons": self.unlike,
            "verdict": [vars(c) for c in self.worst],
            "saturated": self.saturated,
            "clocks": self.clocks,
            "clocks_per_step": self.clocks / self.steps,
            "latency": self.latency,
        }

    def __str__(self) -> str:
        lanes = f", {self.lanes} lanes" if self.lanes > 1 else ""
        every = f", a row every {self.interval} clocks" if self.interval > 1 else ""
        lines = [f"{self.neurons:,} {self.neuron}{lanes}{every}: {self.steps:,} steps"]
        same = "gates = integer model, every register and spike of every neuron"
        lines.append(bit_line(self.differing, self.first, same))
        lines += step_lines(self.step_error, self.budgets)
        near, beyond = self.decisions
        said = f"{near:,} decisions unlike float's, {beyond:,} of them no near ties"
        lines.append(level_line("step", not beyond, said))
        counts = self.fixed_run.spikes - self.float_run.spikes
        spikes = self.spikes
        said = (
            f"spikes: float {spikes['float']:,}, integers {spikes['fixed']:,}; "
            f"{np.sum(counts == 0):,} of {self.neurons:,} neurons have float's count, the furthest "
            f"is off by {np.max(np.abs(counts), initial=0)}"
        )
        lines.append(level_line("trace", self.traces_agree, said))
        for c in self.worst:
            shown = f"{c.what}: {c.figure:.4g}, limit {c.limit:.4g}" if c.limit is not None else ""
            if shown:
                lines.append(f"                 {shown}{' (' + c.note + ')' if c.note else ''}")
            elif c.note:
                lines.append(f"                 {c.what}: not judged, {c.note}")
        for name, count in self.saturated.items():
            lines.append(
                f"                 {name} was at its limit in {count:,} of "
                f"{self.steps * self.neurons:,} steps"
            )
        lines.append(
            f"  clocks         {self.clocks / self.steps:.1f} a step, "
            f"{self.neurons * self.steps / self.clocks:.3f} updates a clock, "
            f"latency {self.latency}"
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title, *rows = str(self).splitlines()
        return table(title, (row.split(maxsplit=1) for row in rows))


def population_parity(
    population: Population,
    stimulus: Any = None,
    *,
    steps: int = 1_000,
    fixed: FixedPopulation | None = None,
    gates: Gates | None = None,
    form: Form | None = None,
    engine: str = "cxxrtl",
    stall: int = 0,
    progress: bool = True,
) -> PopulationParity:
    """Compare a population's float model, integer model and gates.

    Parameters
    ----------
    population : Population
    stimulus : array of shape (T,) or (T, count), or mapping of input name to such, optional
        The first input, or all; by default currents held from half the neuron's first typical one
        to half as much again, another for each neuron. Every fidelity is given the Q8.8 words
        nearest to it.
    steps : int
        Length where no stimulus is given.
    fixed : FixedPopulation, optional
        The integers, if not ``population.fixed()``.
    gates : scneuro.hdl.Population, optional
        The hardware, if not ours.
    form : Form, optional
        Of ours.
    engine : {"cxxrtl", "amaranth"}
        What simulates the gates: a compiled program, or Amaranth's simulator.
    stall : int
        Seed of the clocks in which spikes are not taken; they always are where it is 0.
    progress : bool

    Raises
    ------
    ValueError, TypeError
        A stimulus of the wrong shape, or that does not fit Q8.8.
    ScneuroError
        Gates that stop answering.
    ToolError
        The compiled engine without a C++ compiler.
    """
    need_population(population, "population_parity()")
    need_engine(engine)
    if stimulus is None:
        steps = whole("steps", steps)
    fixed = fixed or population.fixed()
    if fixed.count != population.count or fixed.name != population.name:
        raise ValueError(
            f"fixed are the integers of {fixed.count} {fixed.name}, not {population!r}"
        )
    gates = gates or Gates(fixed, form)
    inputs = input_values(population, stimulus, steps)
    steps = len(next(iter(inputs.values())))
    words = {n: quantize(v, n, fixed.lowered.input_words[n]).astype(int) for n, v in inputs.items()}
    contract = PopulationContract(gates, fixed)
    found = compare_bits(contract, words, engine=engine, stall=stall, progress=progress)
    history: History = found.integers.run
    errors, decisions, stops = steps_compared(fixed, words, history)
    lowered = fixed.lowered
    own = population.one.seed
    population.one.seed = fixed.one.seed
    try:
        with np.errstate(all="ignore"):
            population.reset()
            for name in population.parameters:  # what the gates have, not what was asked for
                r = lowered.registers[name]
                population.write(name, r.to_real(fixed.initial[name]))
            float_run = population.run(*inputs.values(), progress=progress, reset=False)
    finally:
        population.one.seed = own
    states = population.state_names
    fixed_run = Recording(
        population.dt,
        history.spikes,
        {
            n: lowered.registers[n].to_word(history.after[n]) * lowered.registers[n].word.lsb
            for n in states
        },
        dict(inputs),
    )
    worst, unlike = _free(population, fixed, float_run, fixed_run, history, progress)
    budgets = {n: lowered.budgets[n] / r.word.lsb for n, r in lowered.registers.items()}
    return PopulationParity(
        population.name,
        population.count,
        population.lanes,
        gates.form.interval,
        steps,
        found.differing,
        found.figures(),
        {n: e for n, e in errors.items() if n in states},
        budgets,
        decisions,
        float_run,
        fixed_run,
        worst,
        unlike,
        stops,
        found.clocks,
        gates.latency,
    )


def input_values(population: Population, stimulus: Any, steps: int) -> dict[str, np.ndarray]:
    """Every input as the values its port carries, (T, count)."""
    names = list(population.input_defaults)
    if stimulus is None:
        stimulus = np.broadcast_to(population.spread_currents, (steps, population.count))
    if not isinstance(stimulus, Mapping):
        stimulus = {names[0]: stimulus}
    population.check_inputs(stimulus, time=True)
    arrays = prepared(population.one, stimulus, time=True)
    steps = max(a.shape[0] for a in arrays.values() if a.ndim)
    found = {}
    for name, array in arrays.items():
        array = array[:, None] if array.ndim == 1 else array
        spread = np.broadcast_to(array, (steps, population.count))
        found[name] = population.one.carried(name, spread)
    return found


def steps_compared(
    fixed: FixedPopulation, words: Mapping[str, np.ndarray], history: History
) -> tuple[dict[str, tuple[float, float]], tuple[int, int], dict[str, int]]:
    """Level 2, over all neurons and steps as so many steps of one; and what saturates."""
    stops: dict[str, int] = {}
    total = history.spikes.size
    near = beyond = 0
    worst: dict[str, tuple[float, float]] = {}

    def part(table: Mapping[str, np.ndarray], at: slice) -> dict[str, np.ndarray]:
        return {n: v.reshape(-1)[at] for n, v in table.items()}

    for begin in range(0, total, _AT_ONCE):
        at = slice(begin, begin + _AT_ONCE)
        some = History(
            part(history.before, at),
            part(history.after, at),
            part(history.noise, at),
            history.spikes.reshape(-1)[at],
        )
        expected, decisions = float_step(fixed.one, part(words, at), some)
        near, beyond = near + decisions[0], beyond + decisions[1]
        for name, (error, bound) in step_errors(fixed.one, some, expected).items():
            worst[name] = max(error, worst.get(name, (0.0, bound))[0]), bound
        for name, count in saturated(fixed.one, part(words, at), expected).items():
            stops[name] = stops.get(name, 0) + count
    return worst, (near, beyond), stops


def _free(
    population: Population,
    fixed: FixedPopulation,
    float_run: Recording,
    fixed_run: Recording,
    history: History,
    progress: bool,
) -> tuple[tuple[Criterion, ...], int]:
    """Level 3: each neuron's spikes against float's, by what rounding alone does to float's."""
    criteria, steps = Criteria(), len(float_run.spike)
    drawn = totals(population.one.noises, history.noise)
    runs = rounded_spikes(population, fixed.lowered.registers, float_run, drawn, progress)
    window = max(1, round(COINCIDENCE_MS / population.dt))
    finite = all(np.isfinite(v).all() for v in float_run.states.values())
    rows: dict[str, tuple[float, Criterion]] = {}
    unlike = judged = 0
    for k in range(population.count):
        reference, other = (np.flatnonzero(r.spike[:, k]) for r in (float_run, fixed_run))
        mine = alike(reference, other, steps=steps, window=window)
        near = [alike(reference, r[k], steps=steps, window=window) for r in runs]
        most = criteria.tolerance(len(reference)) + max(abs(a.count) for a in near)
        own = [("difference in spikes", float(abs(mine.count)), float(most))]
        if len(reference) >= FEWEST and mine.window:
            judged += 1
            least = min([1.0, *(a.coincidence for a in near)]) - (1 - criteria.coincidence)
            own.append(("spikes that do not coincide", 1 - mine.coincidence, 1 - least))
        good = True
        for what, figure, limit in own:
            good &= figure <= limit
            if what not in rows or figure - limit > rows[what][0]:
                note = f"neuron {k}, the furthest"
                found = Criterion("trace", what, figure, limit, figure <= limit, note)
                rows[what] = figure - limit, found
        unlike += not good
    worst = [criterion for _, criterion in rows.values()]
    if not judged:
        note = f"no neuron has {FEWEST} spikes"
        worst.append(Criterion("trace", "spikes that do not coincide", None, None, None, note))
    if not finite:
        worst.append(Criterion("trace", "float stays finite", 0.0, 1.0, False, "it does not"))
    return tuple(worst), unlike
