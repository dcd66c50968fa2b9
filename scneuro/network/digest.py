"""A digest of all that decides a network's integers, the same in every process."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from ..compiler.datapath import Datapath, Node
    from ..population import FixedPopulation
    from .fixed import FixedNetwork

__all__ = ["digest"]

_DIGITS = 16


def digest(fixed: FixedNetwork) -> str:
    """16 hex digits: see :attr:`FixedNetwork.digest`."""
    network = fixed.network
    made = hashlib.sha256()

    def add(*values: Any) -> None:
        for value in values:
            if isinstance(value, np.ndarray):
                kind = "<i8" if value.dtype.kind in "iub" else "<f8"
                made.update(f"{kind}{value.shape}".encode())
                made.update(np.ascontiguousarray(value, dtype=kind).tobytes())
            else:
                made.update(f"{_plain(value)!r};".encode())

    for source in network.inputs.values():
        add("input", source.name, source.shape, source.kind, source.most)
    for name, population in fixed.populations.items():
        add("population", name, network.layers[name].shape, *_population(population))
    for (name, to), total in fixed.totals.items():
        add("sum", name, to, total.fraction, total.drop, total.base)
    for p in network.projections:
        shape = network.nodes[p.source].shape
        s = fixed._synapses.get(p)
        own = (0, *p.map.synapses(shape)) if s is None else (s.shift, *_synapses(s, shape))
        add("projection", p.source, p.target, p.to, p.delay, *own)
        if s is not None and s.amount is not None:
            add("drawn", s.amount, p.map.content)
    add("order", network.order, network.outputs)
    if network.counted:
        add("sends", tuple(network.sends.values()))
    return made.hexdigest()[:_DIGITS]


def _synapses(s: Any, shape: tuple[int, ...]) -> tuple[np.ndarray, ...]:
    target, source, values = s.projection.map.synapses(shape, s.weights)
    return target, source, np.asarray(values).astype(np.int64)


def _population(population: FixedPopulation) -> list[Any]:
    lowered = population.lowered
    found: list[Any] = []
    for name, r in lowered.registers.items():
        found += ["register", name, r.fraction, r.guard, r.low, r.high, population.initial[name]]
    for name, word in lowered.input_words.items():
        found += ["word", name, word.fraction, lowered.input_limits[name]]
    if lowered.noise:
        found += ["draws", lowered.drawn, lowered.dither, population.one.seed]
    return [*found, *_nodes(lowered.path)]


def _nodes(path: Datapath) -> list[Any]:
    """What its outputs are made of, by numbers that say nothing of how it came about."""
    numbers: dict[int, int] = {}
    found: list[Any] = []

    def number(root: Node) -> int:
        stack = [root]
        while stack:
            node = stack[-1]
            waiting = [a for a in node.args if a.index not in numbers]
            if waiting:
                stack += reversed(waiting)
                continue
            stack.pop()
            if node.index not in numbers:
                numbers[node.index] = len(numbers)
                takes = [numbers[a.index] for a in node.args]
                found.append((node.op, takes, node.meta))
        return numbers[root.index]

    for name, root in sorted(path.outputs.items()):
        found.append((name, number(root)))
    return found


def _plain(value: Any) -> Any:
    """The same of Python's own numbers, in tuples."""
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, list | tuple):
        return tuple(map(_plain, value))
    return value
