"""What several test files check of a neuron."""

import numpy as np
import pytest

from scneuro.compiler.datapath import ARRAYS
from scneuro.compiler.graph import Graph
from scneuro.engine.emit import source
from scneuro.signals.stimulus import adversarial
from scneuro.sim.compare.bits import Bits
from scneuro.sim.compare.vectors import random_vectors
from scneuro.stochastic import totals


def without_gates(contract, given, **_):
    """What parity compares where gates are not what is tested: nothing."""
    return Bits(contract.compute(given))


def nightly(values, kept):
    """The values of a slow test's parameters, those that CI leaves out marked."""
    cases = []
    for value in values:
        given = value if isinstance(value, tuple) else (value,)
        cases.append(pytest.param(*given, marks=() if kept(value) else pytest.mark.nightly))
    return cases


def few(values, kept, night=lambda value: False):
    """The values of a test's parameters: those that are kept for every run, the others slow.

    And nightly tests' where others show the same in CI.
    """
    cases = []
    for value in values:
        given = value if isinstance(value, tuple) else (value,)
        marks = [] if kept(value) else [pytest.mark.slow]
        marks += [pytest.mark.nightly] * bool(marks and night(value))
        cases.append(pytest.param(*given, marks=marks))
    return cases


def more_at_night(few, many):
    """How many ``examples`` hypothesis makes: a few in every run, many in the night."""
    late = pytest.param(many, marks=[pytest.mark.slow, pytest.mark.nightly])
    return pytest.mark.parametrize("examples", [few, late])


def faults(given, quick, late=(), kept=None):
    """Planted faults: the quick ones for every run, of the others every other one for the night.

    And those whose piece of the source is ``late``. If only some quick ones are ``kept`` for every
    run, CI has the others.
    """
    rest = [fault for fault in given if not quick(fault)]
    marks = {
        fault: (
            pytest.mark.slow,
            *[pytest.mark.nightly] * (k % 2 or any(part in late for part in fault)),
        )
        for k, fault in enumerate(rest)
    }
    if kept is not None:
        marks |= {f: pytest.mark.slow for f in given if quick(f) and not kept(f)}
    return [pytest.param(*fault, marks=marks.get(fault, ())) for fault in given]


def one_step_errors(neuron, fixed, vectors):
    """One step of the integer model against ``update()``, from any registers.

    Where the integers decide a comparison otherwise, its sides must be within its bound; there the
    vector is left out. Returns which were compared, and for each state the errors in units of its
    bound (0 where left out).
    """
    lowered = fixed.lowered
    count = len(next(iter(vectors.values())))
    names = [*lowered.registers, *lowered.inputs]
    real = lowered.real(vectors)
    real |= totals(lowered.noises, vectors)
    nodes = {str(k): d.node for k, d in enumerate(lowered.decisions)}
    decided = lowered.path.evaluator(nodes, ARRAYS)(vectors)
    same, taken = np.ones(count, dtype=bool), {}
    for k, decision in enumerate(lowered.decisions):
        chosen = np.broadcast_to(np.asarray(decided[str(k)], dtype=bool), count)
        left, right = Graph.evaluate(decision.expr.args, real, taken)
        (natural,) = Graph.evaluate((decision.expr,), real, taken)
        differs = np.broadcast_to(natural, count) != chosen
        margin = np.broadcast_to(np.abs(left - right), count)
        assert np.all(margin[differs] <= decision.bound), decision.expr
        taken[decision.expr] = chosen
        same &= ~differs
    got = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    noise = [n.scaled(real[name]) for name, n in lowered.noises.items()]
    spike, *states = neuron.update(*(real[n] for n in names), *noise)
    assert np.array_equal(
        np.broadcast_to(got["spike"], count)[same], np.broadcast_to(spike, count)[same]
    )
    errors = {}
    for r, expected in zip(lowered.registers.values(), states, strict=True):
        limited = np.clip(expected, r.to_real(r.least), r.to_real(r.most))
        error = np.abs(r.to_real(np.broadcast_to(got[r.name], count)) - limited)
        errors[r.name] = np.where(same, error, 0.0) / max(lowered.bounds[r.name], 1e-300)
    return same, errors


def check_one_step(neuron, count=2000, seed=0, vectors=None, **options):
    """One step of the integer model is ``update()`` within the bounds, from any registers.

    Or from those of ``vectors``. Returns the share that was compared.
    """
    fixed = neuron.fixed(**options)
    if vectors is None:
        vectors = random_vectors(fixed, count, seed=seed)
    same, errors = one_step_errors(neuron, fixed, vectors)
    for name, error in errors.items():
        worst = int(np.argmax(error))
        at = {n: int(v[worst]) for n, v in vectors.items()}
        assert error[worst] <= 1, f"{name}: {error[worst]} of the bound at {at}"
    return float(np.mean(same))


def attack(neuron, *, rounds=30, population=4000, seed=0):
    """Look for the largest error of one step: the worst vectors so far, varied again and again.

    Returns for each state the largest error found, in units of its bound.
    """
    fixed, rng = neuron.fixed(), np.random.default_rng(seed)
    limits = fixed.lowered.path.inputs
    vectors = random_vectors(fixed, population, seed=seed)
    worst = dict.fromkeys(fixed.lowered.registers, 0.0)
    for _ in range(rounds):
        _, errors = one_step_errors(neuron, fixed, vectors)
        elite = []
        for name, error in errors.items():
            worst[name] = max(worst[name], float(error.max()))
            elite.extend(np.argsort(error)[-population // 20 :])
        parents = rng.choice(elite, size=population)
        parents[: len(elite)] = elite  # as they are, to be kept
        fresh = random_vectors(fixed, population, seed=int(rng.integers(2**31)))
        for name, node in limits.items():
            kept = vectors[name][parents]
            step = np.ldexp(rng.standard_normal(population), rng.integers(0, 20, population))
            moved = np.clip(kept + np.rint(step).astype(np.int64), node.low, node.high)
            choice = rng.random(population)
            child = np.where(choice < 0.4, kept, np.where(choice < 0.9, moved, fresh[name]))
            vectors[name] = np.where(np.arange(population) < len(elite), kept, child)
    return worst


def visited(fixed, steps):
    """The vectors of a run on adversarial input, each input with a sequence of its own."""
    inputs = {n: adversarial(steps, seed=k) for k, n in enumerate(fixed.lowered.inputs)}
    rows = []
    for t in range(steps):
        given = {name: values[t] for name, values in inputs.items()}
        row = {**fixed.registers, **{n: int(v * 256) for n, v in given.items()}}
        fixed.step(**given)
        rows.append(row | fixed.noise)
    return {name: np.array([row[name] for row in rows]) for name in rows[0]}


def multiplications(fixed):
    """Multiplications of two values in a datapath, but for those inside tables."""
    nodes = fixed.lowered.path.reachable()
    return sum(node.op == "mul" for node in nodes) - len(fixed.lowered.tables)


def as_written(body, *, many):
    """The function of a whole run, not compiled."""
    names = {}
    exec(source(body, many=many), names)
    return names["run"]
