"""Parity of a network: every population's gates, integers and float, at every step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from ....compiler.pipeline.form import Form
from ....given import whole
from ....hdl.network import Network as Gates
from ....history import History
from ....network import FixedNetwork, Network, NetworkRecording, need_network
from ....network.network import Projection
from ....network.plan import LANES
from ....network.run import FloatNetwork, given_inputs, run
from ....tools.notebook import table
from ...contracts.network import Exact, NetworkContract, in_turn
from ...contracts.population import LEAVES
from ...engines.drive import need_engine
from ..bits import compare_bits
from ..figures import step_figures, within
from ..report import bit_line, level_line, step_lines
from ..rounded import finest
from ..verdict import Criteria, Criterion
from .population import steps_compared

__all__ = ["NetworkParity", "PopulationFigures", "network_parity", "random_spikes"]

_RUNS = 3  # of float with states and weights rounded
_FINE = 8  # bits of a weight: projections that have fewer excuse nothing
_WHAT = "registers, spikes and sums"
_ROOM = "calibrate() over what it is given, or set_words() of a neuron, leaves it room"
_SHARE = 0.002  # of spike bits that may differ where rounding changes none


@dataclass(frozen=True)
class PopulationFigures:
    """What was found of a population.

    Attributes
    ----------
    neurons : int
    step_error : dict of str to (float, float)
        Level 2: the largest error of a step of each state, and its bound, in LSB.
    budgets : dict of str to float
    decisions : tuple of (int, int)
    spikes : tuple of (int, int)
        Of float and of the integers.
    unlike : float
        Level 3: the share of spike bits that differ between these.
    criteria : tuple of Criterion
    """

    neurons: int
    step_error: dict[str, tuple[float, float]]
    budgets: dict[str, float]
    decisions: tuple[int, int]
    spikes: tuple[int, int]
    unlike: float
    criteria: tuple[Criterion, ...]

    @property
    def within_bound(self) -> bool:
        """Level 2: no error above its bound, no bound above its budget, no decision gone astray."""
        return within(self.step_error, self.budgets, self.decisions)


@dataclass(frozen=True)
class NetworkParity:
    """What a comparison of a network found.

    Attributes
    ----------
    network : str
    steps : int
    differing : int
        Level 1: registers, spike flags, sums and counts, of any neuron in any step, that differ
        between the gates and the integers, and spikes that did not leave as they should.
    compared : int
        How many were compared.
    first : dict or None
        The first of them: ``step``, ``population``, ``neuron``, ``what``, ``model``, ``hardware``.
    layers : dict of str to PopulationFigures
    float_run, fixed_run : NetworkRecording
    sent : dict of str to ndarray of bool, shape (T, N)
        The spikes as they left the gates.
    saturated : dict of str to int
        Sums that were beyond their word and states that were stopped, by ``population.name``.
    clocks : int
        Of the gates, in all.
    worst_clocks : int
        The most that a step takes, whatever fires.
    """

    network: str
    steps: int
    differing: int
    compared: int
    first: dict[str, Any] | None
    layers: dict[str, PopulationFigures]
    float_run: NetworkRecording = field(repr=False)
    fixed_run: NetworkRecording = field(repr=False)
    sent: dict[str, np.ndarray] = field(repr=False)
    saturated: dict[str, int]
    clocks: int
    worst_clocks: int

    @property
    def bit_exact(self) -> bool:
        return not self.differing

    @property
    def within_bound(self) -> bool:
        return all(layer.within_bound for layer in self.layers.values())

    @property
    def traces_agree(self) -> bool:
        return all(c.ok is not False for layer in self.layers.values() for c in layer.criteria)

    @property
    def ok(self) -> bool:
        return self.bit_exact and self.within_bound and self.traces_agree

    def figures(self) -> dict[str, Any]:
        """Everything as plain numbers, for JSON."""
        return {
            "network": self.network,
            "steps": self.steps,
            "ok": self.ok,
            "bit_exact": self.bit_exact,
            "differing": self.differing,
            "compared": self.compared,
            "first_mismatch": self.first,
            "populations": {
                name: {
                    "neurons": layer.neurons,
                    "step_error_lsb": step_figures(layer.step_error, layer.budgets)["states"],
                    "decisions": {
                        "near_ties": layer.decisions[0],
                        "beyond_bound": layer.decisions[1],
                    },
                    "spikes": {"float": layer.spikes[0], "fixed": layer.spikes[1]},
                    "unlike_spike_bits": layer.unlike,
                    "verdict": [vars(c) for c in layer.criteria],
                }
                for name, layer in self.layers.items()
            },
            "saturated": self.saturated,
            "clocks": self.clocks,
            "clocks_per_step": self.clocks / self.steps,
            "worst_clocks_per_step": self.worst_clocks,
        }

    def __str__(self) -> str:
        lines = [f"{self.network}: {self.steps:,} steps"]
        what = "registers, spikes, sums and counts" if self.fixed_run.counts else _WHAT
        same = f"gates = integer model, {self.compared:,} {what}"
        lines.append(bit_line(self.differing, self.first, same))
        for name, layer in self.layers.items():
            lines += step_lines(layer.step_error, layer.budgets, f"{name}.")
            near, beyond = layer.decisions
            if near:
                said = f"{name}: {near:,} decisions unlike float's, {beyond:,} of them no near ties"
                lines.append(level_line("step", not beyond, said))
        for name, layer in self.layers.items():
            counts = f"float {layer.spikes[0]:,}, integers {layer.spikes[1]:,}"
            said = f"{name}: spikes {counts}; {layer.unlike:.3%} of the spike bits differ"
            lines.append(level_line("trace", all(c.ok for c in layer.criteria), said))
            lines += [
                f"                 {c.what}: {c.figure:.4g}, limit {c.limit:.4g}"
                for c in layer.criteria
                if c.ok is False
            ]
        for what, count in self.saturated.items():
            lines.append(f"                 {what} was at its limit {count:,} times")
        if self.saturated and not self.ok:
            lines.append(f"                 {_ROOM}")
        lines.append(
            f"  clocks         {self.clocks / self.steps:.1f} a step, {self.worst_clocks:,} at most"
        )
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        title, *rows = str(self).splitlines()
        return table(title, (row.split(maxsplit=1) for row in rows))


def random_spikes(
    network: Network, steps: int, *, rate: float = 0.1, seed: int = 1
) -> dict[str, np.ndarray]:
    """Something for every input: spikes at random, or currents that change at random.

    Parameters
    ----------
    network : Network
    steps : int
    rate : float
        Spikes of a source a step.
    seed : int

    Returns
    -------
    dict of str to ndarray, shape (steps, *shape)
    """
    rng = np.random.default_rng(seed)
    found = {}
    for name, source in network.inputs.items():
        if source.kind == "current":
            found[name] = np.round(rng.normal(0, 1, (steps, *source.shape)) * 256) / 256
        else:
            found[name] = rng.binomial(source.most, rate, (steps, *source.shape)).astype(float)
    return found


def network_parity(
    network: Network,
    stimulus: Mapping[str, Any] | None = None,
    *,
    steps: int = 100,
    fixed: FixedNetwork | None = None,
    gates: Gates | None = None,
    lanes: int = LANES,
    form: Form | None = None,
    engine: str = "cxxrtl",
    stall: int = 0,
    loaded: bool = False,
    library: Path | None = None,
    progress: bool = True,
) -> NetworkParity:
    """Compare a network's float model, integer model and gates.

    Parameters
    ----------
    network : Network
    stimulus : mapping of str to array (T, *shape) or (T, B, *shape), optional
        By the inputs' names; by default :func:`random_spikes`. Of B runs, the gates do one after
        the other, each from the initial states.
    steps : int
        Length where no stimulus is given.
    fixed : FixedNetwork, optional
        The integers, if not ``network.fixed()``.
    gates : scneuro.hdl.network.Network, optional
        The hardware, if not ours.
    lanes : int
        Weights that ours adds in a clock.
    form : Form, optional
        Of its datapaths.
    engine : {"cxxrtl", "amaranth"}
    stall : int
        Seed of the clocks in which words do not come or leave; they always do where it is 0.
    loaded : bool
        Whether the weights of ours are loaded at the start.
    library : path, optional
        The gates compiled, if not from the source, as from their netlist.
    progress : bool

    Raises
    ------
    ValueError, TypeError
        As :meth:`Network.run`.
    ScneuroError
        Gates that stop answering.
    ToolError
        The compiled engine without a C++ compiler.
    """
    need_network(network, "network_parity()")
    need_engine(engine)
    if stimulus is None:
        stimulus = random_spikes(network, whole("steps", steps))
    if not isinstance(stimulus, Mapping):
        if len(network.inputs) != 1:
            raise TypeError(f"{network.name}: give a mapping from inputs to arrays")
        stimulus = {next(iter(network.inputs)): stimulus}
    fixed = fixed or network.fixed()
    _check_same(network, fixed)
    gates = gates or Gates(fixed, lanes, form, loaded=loaded)
    given, several = given_inputs(network, stimulus)
    steps = len(next(iter(given.values())))
    joined = {n: a.swapaxes(0, 1).reshape(-1, *a.shape[2:]) for n, a in given.items()}
    contract = NetworkContract(gates, fixed, steps)
    options: dict[str, Any] = {} if library is None else {"library": library}
    found = compare_bits(
        contract, joined, engine=engine, keep=True, progress=progress, stall=stall, **options
    )
    integers, exact = found.integers.run
    with np.errstate(all="ignore"):
        float_run = in_turn(network.run(progress=progress, **stimulus), several)
        rounded = [
            in_turn(_Rounding(network, fixed, k).run(stimulus, progress), several)
            for k in range(_RUNS)
        ]
    fixed_run = fixed.recorded(
        integers.spike, integers.states, integers.sums, integers.saturated, integers.counts
    )
    layers = {
        name: _layer(fixed, name, steps, integers, exact, float_run, rounded)
        for name in network.layers
    }
    return NetworkParity(
        network.name,
        len(next(iter(joined.values()))),
        found.differing,
        found.compared,
        found.figures(),
        layers,
        float_run,
        fixed_run,
        {name: found.shown[f"{name}.{LEAVES}"] for name in gates.plan.outputs},
        fixed_run.saturated,
        found.clocks,
        gates.worst_clocks,
    )


def _check_same(network: Network, fixed: FixedNetwork) -> None:
    """Refuse integers of a network of another shape."""

    def shape(of: Network) -> Any:
        nodes = {name: node.shape for name, node in of.nodes.items()}
        return nodes, [(p.source, p.target, p.to) for p in of.projections]

    if shape(network) != shape(fixed.network):
        raise ValueError(f"fixed are the integers of {fixed.network!r}, not of {network!r}")


class _Rounding(FloatNetwork):
    """Float with states, sums and weights rounded, each as finely as its bits allow.

    The first is rounded to nearest, the others after an error of their own.
    """

    def __init__(self, network: Network, fixed: FixedNetwork, number: int) -> None:
        super().__init__(network)
        self._rng = np.random.default_rng(number)
        self._plain = number == 0
        self._lsb = {
            n: finest(layer.population.state_names, fixed.populations[n].lowered.registers)
            for n, layer in network.layers.items()
        }
        self._word = {key: 2.0**-total.fraction for key, total in fixed.totals.items()}
        # of the network itself: what the integers were made of must not excuse them
        self._weights: dict[Projection, np.ndarray] = {}
        pairs = zip(fixed.network.projections, network.projections, strict=True)
        own = dict(pairs)
        for total in fixed.totals.values():
            for s in total.synapses:
                if s.amount is not None:
                    continue  # its weights are words in float, too
                lsb = 2.0 ** -(s.point + max(0, _FINE - s.projection.bits))
                mine = own[s.projection]
                self._weights[mine] = self._rounded(mine.map.weights, lsb)
        self._first = {
            n: next(iter(layer.population.input_defaults))
            for n, layer in self.network.layers.items()
        }

    def run(self, stimulus: Mapping[str, Any], progress: bool) -> NetworkRecording:
        return run(self.network, self, stimulus, record=(), progress=progress)

    def _rounded(self, values: np.ndarray, lsb: float) -> np.ndarray:
        by = 0.5 if self._plain else self._rng.random(np.shape(values))
        found: np.ndarray = np.floor(values / lsb + by) * lsb
        return found

    def given(
        self, name: str, to: str, arrived: list[tuple[Projection, np.ndarray]], step: int
    ) -> np.ndarray:
        if to == self._first[name]:
            one = self.network.layers[name].population.one
            for state, lsb in self._lsb[name].items():
                one._values[state] = self._rounded(one._values[state], lsb)
        total = self._base[name, to]
        for p, spikes in arrived:
            weights = self._weights.get(p)
            total = total + p.map.at(step).apply(spikes, weights).reshape(len(spikes), -1)
        return self._rounded(total, self._word[name, to])


def _layer(
    fixed: FixedNetwork,
    name: str,
    steps: int,
    integers: NetworkRecording,
    exact: Exact,
    float_run: NetworkRecording,
    rounded: list[NetworkRecording],
) -> PopulationFigures:
    """Levels 2 and 3 of a population."""
    population = fixed.populations[name]
    one = population.one
    initial = {n: population.initial[n][None] for n in one.state_names}
    registers = {
        n: integers.states[name].get(n, np.broadcast_to(initial[n], integers.spike[name].shape))
        for n in one.state_names
    }
    before = {n: np.concatenate([initial[n], r[:-1]]) for n, r in registers.items()}
    for n, values in before.items():
        values[::steps] = initial[n]  # where a run begins
    history = History(
        before,
        registers,
        {n: np.stack([row[n] for row in exact.noise[name]]) for n in population.lowered.noise},
        integers.spike[name],
    )
    words = {n: v.astype(np.int64) for n, v in integers.sums[name].items()}
    errors, decisions, _ = steps_compared(population, words, history)
    own = population.state_names
    budgets = {
        n: population.lowered.budgets[n] / population.lowered.registers[n].word.lsb for n in own
    }
    float_spikes, fixed_spikes = float_run.spike[name], integers.spike[name]
    counts = int(float_spikes.sum()), int(fixed_spikes.sum())
    unlike = float(np.mean(float_spikes != fixed_spikes))
    near = [r.spike[name] for r in rounded]
    most = Criteria().tolerance(counts[0]) + max(abs(int(s.sum()) - counts[0]) for s in near)
    moved = max(float(np.mean(s != float_spikes)) for s in near)
    share = _SHARE + 2 * moved + 2 / float_spikes.size  # a spike may come a step later
    apart = abs(counts[1] - counts[0])
    criteria = (
        Criterion("trace", "difference in spikes", apart, most, apart <= most),
        Criterion("trace", "share of spike bits that differ", unlike, share, unlike <= share),
    )
    kept = {n: e for n, e in errors.items() if n in own}
    return PopulationFigures(population.count, kept, budgets, decisions, counts, unlike, criteria)
