"""The levels of parity, for an integer model with a fault."""

from typing import Any

import numpy as np

from scneuro.compiler.datapath import ARRAYS
from scneuro.fixed import FixedNeuron
from scneuro.history import History, fixed_history
from scneuro.signals.stimulus import adversarial, as_words, ornstein_uhlenbeck
from scneuro.sim.compare.decisions import at_decisions
from scneuro.sim.compare.parity import _one_step
from scneuro.sim.compare.vectors import random_vectors
from scneuro.words import quantize

_VECTORS = 2000
_STEPS = 3000


def _history(fixed: FixedNeuron, vectors: dict[str, np.ndarray]) -> tuple[Any, History]:
    """Vectors as the words and the history that level 2 takes."""
    lowered = fixed.lowered
    count = len(next(iter(vectors.values())))
    made = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    after = {n: np.broadcast_to(made[n], count) for n in lowered.registers}
    before = {n: vectors[n] for n in lowered.registers}
    noise = {n: vectors[n] for n in lowered.noise}
    spikes = np.broadcast_to(np.asarray(made["spike"], dtype=bool), count)
    return {n: vectors[n] for n in lowered.inputs}, History(before, after, noise, spikes)


def level_2(fixed: FixedNeuron, *, seed: int = 0) -> bool:
    """Whether one step keeps to its bounds: any registers, a run, and both sides of decisions."""
    words = {
        n: quantize(adversarial(_VECTORS // 4, seed=k), n).astype(int)
        for k, n in enumerate(fixed.lowered.inputs)
    }
    fixed.reset()
    run = words, fixed_history(fixed, words, False)
    any_state = _history(fixed, random_vectors(fixed, _VECTORS, seed=seed))
    ties = at_decisions(fixed, _VECTORS // 8, seed)
    for given, history in (any_state, run, *([_history(fixed, ties)] if ties else [])):
        errors, (_, beyond) = _one_step(fixed, given, history)
        if beyond or any(not error <= bound for error, bound in errors.values()):
            return False
    return True


def level_3(neuron: Any, fixed: FixedNeuron) -> bool:
    """Whether float and the integers fire as often, within the tolerance of :func:`parity`."""
    typical = neuron.currents[0]
    noisy = ornstein_uhlenbeck(typical, abs(typical) / 2, 20, dt=neuron.dt, steps=_STEPS, seed=1)
    stimulus = as_words(np.concatenate([np.full(_STEPS, typical), noisy]))
    float_run = neuron.run(stimulus, progress=False).spikes
    fixed_run = fixed.run(stimulus, progress=False).spikes
    return bool(abs(float_run - fixed_run) <= max(1, int(0.02 * float_run)))
