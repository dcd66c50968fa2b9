"""Faults of one node of a datapath: what it does to the node, and the neuron with it."""

import dataclasses
import random
from collections.abc import Callable
from typing import Any

from scneuro.compiler.datapath import Datapath, Node
from scneuro.compiler.lowered import Lowered
from scneuro.fixed import FixedNeuron


def _sign(n: Node) -> dict[str, Any]:
    i, j, sign = n.meta
    return {"meta": (i, j, -sign)}


def _shifted(n: Node) -> dict[str, Any]:
    i, j, sign = n.meta
    return {"meta": (i + 1, j, sign) if i else (i, j + 1, sign)}


def _row(n: Node) -> dict[str, Any]:
    k = random.Random(len(n.meta)).randrange(len(n.meta))
    return {"meta": (*n.meta[:k], n.meta[k] ^ 1, *n.meta[k + 1 :])}


def _narrow(n: Node) -> dict[str, Any]:
    return {"low": n.low // 2, "high": n.high // 2}


#: The operation a fault is planted in, and what of it is changed.
CHANGES: dict[str, tuple[str, Callable[[Node], dict[str, Any]]]] = {
    "sign of a term": ("add", _sign),
    "shift by one more": ("add", _shifted),
    "coefficient": ("scale", lambda n: {"meta": n.meta + 2}),
    "constant + 1": ("const", lambda n: {"meta": n.meta + 1}),
    "truncation": ("shr", lambda n: {"meta": n.meta + 1}),
    "bound + 1": ("ge", lambda n: {"meta": n.meta + 1}),
    "branches swapped": ("mux", lambda n: {"args": (n.args[0], n.args[2], n.args[1])}),
    "limit - 1": ("clamp", lambda n: {"meta": (n.meta[0], n.meta[1] - 1)}),
    "limit + 1": ("clamp", lambda n: {"meta": (n.meta[0] + 1, n.meta[1])}),
    "bit of a row": ("rom", _row),
    "rows moved by one": ("rom", lambda n: {"meta": (*n.meta[1:], n.meta[0])}),
    "field not signed": ("low", lambda n: {"meta": (n.meta[0], False)}),
    "field too narrow": ("low", lambda n: {"meta": (n.meta[0] - 1, n.meta[1])}),
    "operands swapped": ("add", lambda n: {"args": n.args[::-1]}),
    "factors swapped": ("mul", lambda n: {"args": n.args[::-1]}),
    "wrong factor": ("mul", lambda n: {"args": (n.args[1], n.args[1])}),
    "signal too narrow": ("add", _narrow),
    "sign extension": ("add", lambda n: {"low": 0, "high": (1 << n.width) - 1}),
}
ONLY_GATES = ("signal too narrow", "sign extension")


def fits(operator: str, n: Node) -> bool:
    """Whether the change is one: it is of that operation, and makes something else of it."""
    op, _ = CHANGES[operator]
    if n.op != op:
        return False
    match operator:
        case "coefficient":
            return abs(n.meta) > 5 and n.meta % 2 == 1
        case "field not signed":
            return bool(n.meta[1])
        case "field too narrow":
            return bool(n.meta[0] > 1)
        case "sign extension":
            return n.low < 0
        case "operands swapped":
            return bool(n.meta[0] or n.meta[1] or n.meta[2] < 0)
    return True


#: An operator's name, or a function from the node to the fields of it that are others.
Change = str | Callable[[Node], dict[str, Any]]


def fields_of(change: Change, n: Node) -> dict[str, Any]:
    """What a change makes of a node's fields."""
    return (CHANGES[change][1] if isinstance(change, str) else change)(n)


def changed(change: Change, n: Node) -> Node:
    """A copy of the node with the fault."""
    fields = {name: getattr(n, name) for name in Node.__slots__}
    return Node(**{**fields, **fields_of(change, n)})


def with_lowered(fixed: FixedNeuron, lowered: Lowered) -> FixedNeuron:
    """The neuron with other integers."""
    return FixedNeuron(fixed.name, fixed.dt, fixed.input_defaults, lowered, seed=fixed.seed)


def roots_of(lowered: Lowered) -> tuple[Node, ...]:
    """All nodes that something else knows."""
    nodes = (*lowered.path.outputs.values(), *lowered.words.values())
    return (*nodes, *(decision.node for decision in lowered.decisions))


def with_node_changed(fixed: FixedNeuron, index: int, change: Change) -> FixedNeuron:
    """The neuron with one node of its datapath changed; bounds and intervals stay as they were."""
    lowered = fixed.lowered
    path, new = Datapath(), {}
    for name, node in lowered.path.inputs.items():
        new[node.index] = path.input(name, node.low, node.high, node.fraction)
    for node in lowered.path.reachable(roots_of(lowered)):
        if node.op != "input":
            made = changed(change, node) if node.index == index else node
            new[node.index] = path.copy(made, tuple(new[arg.index] for arg in made.args))
    path.outputs = {name: new[node.index] for name, node in lowered.path.outputs.items()}
    return with_lowered(
        fixed,
        dataclasses.replace(
            lowered,
            path=path,
            words={name: new[node.index] for name, node in lowered.words.items()},
            decisions=[dataclasses.replace(d, node=new[d.node.index]) for d in lowered.decisions],
        ),
    )
