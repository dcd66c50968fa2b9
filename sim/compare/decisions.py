"""Vectors where it matters: on both sides of every decision, and every word of every register."""

from __future__ import annotations

import numpy as np

from ...compiler.datapath import ARRAYS, Node
from ...fixed import FixedNeuron
from .vectors import random_vectors

__all__ = ["at_decisions", "both_sides", "words_in_turn"]


def both_sides(
    fixed: FixedNeuron, node: Node, name: str, vectors: dict[str, np.ndarray], count: int
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]] | None:
    """Vectors on both sides of a condition, one LSB of the input ``name`` apart."""
    decide = fixed.lowered.path.evaluator({"yes": node}, ARRAYS)
    ends = fixed.lowered.path.inputs[name]
    size = len(vectors[name])
    at = [
        np.broadcast_to(decide({**vectors, name: np.full(size, end)})["yes"], size)
        for end in (ends.low, ends.high)
    ]
    differs = at[0] != at[1]
    if not np.any(differs):
        return None
    start = {n: v[differs][:count] for n, v in vectors.items()}
    at_low = at[0][differs][:count]
    low, high = np.full(len(at_low), ends.low), np.full(len(at_low), ends.high)
    while np.any(high - low > 1):
        middle = (low + high) >> 1
        same = np.asarray(decide({**start, name: middle})["yes"]) == at_low
        low, high = np.where(same, middle, low), np.where(same, high, middle)
    return {**start, name: low}, {**start, name: high}


def at_decisions(fixed: FixedNeuron, count: int, seed: int) -> dict[str, np.ndarray]:
    """Vectors on both sides of every decision."""
    sides: list[dict[str, np.ndarray]] = []
    vectors = random_vectors(fixed, 16 * count, seed=seed)
    for decision in fixed.lowered.decisions:
        for name in {n.meta for n in _behind(decision.node) if n.op == "input"}:
            sides += both_sides(fixed, decision.node, name, vectors, count) or ()
    names = fixed.lowered.path.inputs
    return {n: np.concatenate([s[n] for s in sides]) for n in names} if sides else {}


def _behind(node: Node) -> list[Node]:
    found, stack = {}, [node]
    while stack:
        node = stack.pop()
        if node.index not in found:
            found[node.index] = node
            stack.extend(node.args)
    return list(found.values())


def words_in_turn(fixed: FixedNeuron, seed: int) -> dict[str, np.ndarray]:
    """Vectors in which every register takes every word in turn; half have guard bits as well."""
    count = 1 << 16
    vectors = random_vectors(fixed, count, seed=seed)
    for k, r in enumerate(fixed.lowered.registers.values()):
        least, most = -(-r.low >> r.guard), r.high >> r.guard
        turn = (least + np.arange(count) * (2 * 7919 * k + 40503) % (most - least + 1)) << r.guard
        below = np.where(np.arange(count) % 2, vectors[r.name] & ((1 << r.guard) - 1), 0)
        vectors[r.name] = np.minimum(turn + below, r.high)
    return vectors
