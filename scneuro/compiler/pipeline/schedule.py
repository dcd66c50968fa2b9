"""The schedule of a datapath: which pipeline stage every operation falls into."""

from __future__ import annotations

from ..datapath import Node
from ..lowered import Lowered
from .expand import expand
from .form import Form

__all__ = ["FREE", "Schedule"]

#: Operations that are only wires.
FREE = ("const", "input", "shl", "shr", "low")
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


class Schedule:
    """A neuron's datapath in adders, each operation as soon as possible.

    An adder, a multiplier or a comparison fills a stage; a LUT's worth of logic joins the stage
    it follows. The words of the states are made at once, in stage 0.

    Parameters
    ----------
    lowered : Lowered
    form : Form

    Attributes
    ----------
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

    def __init__(self, lowered: Lowered, form: Form) -> None:
        path, new = expand(lowered.path, tuple(lowered.words.values()), form)
        self.path, self.expanded, self.outputs = path, new, path.outputs
        self.words = {name: new[word.index] for name, word in lowered.words.items()}
        words = tuple(self.words.values())
        at_once = {node.index for node in path.reachable(words)}
        self.stage: dict[int, int] = {}
        ready: dict[int, float] = {}
        for node in path.reachable((*self.outputs.values(), *words)):
            stage, begin = self._arguments(node, ready)
            cost = _COST.get(node.op, 0.0)
            # a memory registers its address, and an adder that is late begins the next stage
            late = begin + cost > 1.0 and begin > 0 and node.index not in at_once
            if node.op == "rom" or late:
                stage, begin = stage + 1, 0.0
            self.stage[node.index] = stage
            ready[node.index] = begin + cost
        self.latency = max(self.stage[node.index] for node in self.outputs.values())

    def _arguments(self, node: Node, ready: dict[int, float]) -> tuple[int, float]:
        """The stage in which the last argument is there, and how late in it."""
        stage = max((self.stage[a.index] for a in node.args), default=0)
        late = [ready[a.index] for a in node.args if self.stage[a.index] == stage]
        return stage, max(late, default=0.0)
