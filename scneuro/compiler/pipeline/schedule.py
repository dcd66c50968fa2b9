"""The schedule of a datapath: which pipeline stage every operation falls into."""

from __future__ import annotations

from dataclasses import dataclass

from ..datapath import Datapath, Node
from ..lowered import Lowered
from .expand import expand
from .form import Form

__all__ = ["FREE", "Schedule", "schedule"]

#: Operations that are only wires.
FREE = ("const", "input", "move", "known", "shl", "shr", "low")
_COST = {
    "add": 1.0,
    "scale": 1.0,
    "mul": 1.0,
    "ge": 1.0,
    "mux": 0.3,
    "clamp": 0.3,
    "and": 0.2,
    "or": 0.2,
    "rom": 0.5,
}


@dataclass(frozen=True)
class Schedule:
    """A datapath in adders, and the stage of each of its operations.

    Attributes
    ----------
    form : Form
    path : Datapath
        The datapath in adders.
    expanded : dict of int to Node
        From the index of each node of the lowered datapath to the one with its value.
    outputs, words : dict of str to Node
    stage : dict of int to int
        The stage in which each node, by index, has its value.
    latency : int
        The stage in which all outputs are there.
    """

    form: Form
    path: Datapath
    expanded: dict[int, Node]
    outputs: dict[str, Node]
    words: dict[str, Node]
    stage: dict[int, int]
    latency: int

    @property
    def nodes(self) -> list[Node]:
        """All that is computed, arguments first."""
        return self.path.reachable((*self.outputs.values(), *self.words.values()))


def schedule(lowered: Lowered, form: Form) -> Schedule:
    """Each operation as soon as possible.

    An adder, a multiplier or a comparison fills a stage; a LUT's worth of logic joins the stage
    it follows. The words of the states are made at once, in stage 0.
    """
    path, expanded = expand(lowered.path, tuple(lowered.words.values()), form)
    words = {name: expanded[word.index] for name, word in lowered.words.items()}
    at_once = {node.index for node in path.reachable(tuple(words.values()))}
    stage: dict[int, int] = {}
    ready: dict[int, float] = {}
    for node in path.reachable((*path.outputs.values(), *words.values())):
        at = max((stage[a.index] for a in node.args), default=0)
        begin = max((ready[a.index] for a in node.args if stage[a.index] == at), default=0.0)
        cost = _COST.get(node.op, 0.0)
        # a memory registers its address, and an adder that is late begins the next stage
        late = begin + cost > 1.0 and begin > 0 and node.index not in at_once
        if node.op == "rom" or late:
            at, begin = at + 1, 0.0
        stage[node.index] = at
        ready[node.index] = begin + cost
    latency = max(stage[node.index] for node in path.outputs.values())
    return Schedule(form, path, expanded, path.outputs, words, stage, latency)
