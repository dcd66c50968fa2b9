"""Bit parity from arbitrary states: the pipeline against the integer model, a vector a clock."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from tqdm import tqdm

from ...compiler.datapath import ARRAYS
from ...fixed import FixedNeuron, need_fixed
from ...hdl import Step
from ..engines.bench import run_bench
from ..engines.packing import unpack

__all__ = ["VectorParity", "random_vectors", "vector_parity"]

_SPARE = 10  # clocks that the last vector may take besides


@dataclass(frozen=True)
class VectorParity:
    """The result of :func:`vector_parity`.

    Attributes
    ----------
    vectors : int
        How many (state, input) pairs were compared.
    mismatches : int
        In how many of them any bit differed.
    first : dict or None
        The first of these: ``inputs``, ``model`` and ``hardware``.
    latency : int
    """

    vectors: int
    mismatches: int
    first: dict[str, dict[str, int]] | None
    latency: int

    @property
    def ok(self) -> bool:
        return self.mismatches == 0


def random_vectors(fixed: FixedNeuron, count: int, *, seed: int = 0) -> dict[str, np.ndarray]:
    """States and inputs for the datapath: a quarter at or next to an extreme, the rest uniform.

    Registers stay within what they can reach; inputs take all 65,536 words.
    """
    rng = np.random.default_rng(seed)
    vectors = {}
    for name, node in fixed.lowered.path.inputs.items():
        values = rng.integers(node.low, node.high + 1, size=count)
        special = np.array([node.low, node.low + 1, node.high - 1, node.high, 0, 1, -1])
        special = special[(special >= node.low) & (special <= node.high)]
        extreme = rng.random(count) < 0.25
        vectors[name] = np.where(extreme, rng.choice(special, size=count), values)
    return vectors


def vector_parity(
    fixed: FixedNeuron,
    count: int = 2000,
    *,
    seed: int = 0,
    dsp: bool | int = False,
    progress: bool = True,
    step: Any = None,
    vectors: Mapping[str, Any] | None = None,
) -> VectorParity:
    """Drive vectors into the datapath, one a clock if it is pipelined, and compare every bit.

    Parameters
    ----------
    fixed : FixedNeuron
    count : int
        Number of vectors.
    seed : int
    dsp : bool or int
        Which form of the datapath.
    progress : bool
    step : Step, optional
        The pipeline, if not the one generated from ``fixed``.
    vectors : mapping of str to array of int, shape (count,), optional
        The registers, input words and draws to compare, instead of random ones.
    """
    need_fixed(fixed, "vector_parity()")
    lowered = fixed.lowered
    step = step or Step(lowered, dsp=dsp)
    if vectors is None:
        vectors = random_vectors(fixed, count, seed=seed)
    else:
        vectors = {name: np.asarray(values, dtype=np.int64) for name, values in vectors.items()}
        count = len(next(iter(vectors.values())))
    model = lowered.path.evaluator(lowered.path.outputs, ARRAYS)(vectors)
    states, inputs = list(lowered.registers), list(lowered.inputs)
    expected = {n: np.broadcast_to(model[n], count) for n in (*states, "spike")}
    widths = {n: r.width for n, r in lowered.registers.items()}
    mismatches, first = 0, None

    def packed(names: list[str], bits: dict[str, int], at: int) -> int:
        value, shift = 0, 0
        for name in names:
            value |= (int(vectors[name][at]) & ((1 << bits[name]) - 1)) << shift
            shift += bits[name]
        return value

    async def drive(ctx: Any) -> None:
        nonlocal mismatches, first
        words = dict.fromkeys((*inputs, *lowered.noise), 16)
        state, word = step.state.as_value(), step.inputs.as_value()
        apart = step.latency + 1 if step.form.held else 1
        bar = tqdm(
            range(apart * (count - 1) + step.latency + 1),
            desc=f"{fixed.name}: random vectors",
            delay=2,
            leave=False,
            disable=None if progress else True,
        )
        for clock in bar:
            t, wait = divmod(clock, apart)
            if wait == 0 and t < count:
                ctx.set(state, packed(states, widths, t))
                ctx.set(word, packed(inputs, words, t))
                if lowered.noise:
                    ctx.set(step.noise, packed(lowered.noise, words, t))
            t, wait = divmod(clock - step.latency, apart)
            if wait == 0 and t >= 0:
                got = unpack(ctx.get(step.next.as_value()), widths)
                got["spike"] = ctx.get(step.spike)
                want = {name: int(values[t]) for name, values in expected.items()}
                if got != want:
                    mismatches += 1
                    if first is None:
                        given = {name: int(values[t]) for name, values in vectors.items()}
                        first = {"inputs": given, "model": want, "hardware": got}
            await ctx.tick()

    clocks = (step.latency + 1) * count + step.latency
    run_bench(step, drive, max_cycles=clocks + _SPARE, what=f"vectors for {fixed.name}")
    return VectorParity(count, mismatches, first, step.latency)
