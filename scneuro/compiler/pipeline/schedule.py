"""The schedule of a datapath: which pipeline stage every operation falls into."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ..datapath import Datapath, Node
from ..lowered import Lowered
from .expand import expand, shares
from .form import Form
from .stages import soonest, waiting_least
from .units import Units

__all__ = ["Schedule", "schedule", "smaller"]


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
    outputs : dict of str to Node
        The spike flag and the states' next registers, but for a stored one that stays as it is.
    words : dict of str to Node
    stage : dict of int to int
        The stage in which each node, by index, has its value.
    latency : int
        The stage in which the last output is there.
    at : dict of str to int
        The stage in which each output is there.
    begins : dict of int to tuple of int
        By node, the stages in which its value comes from outside the datapath: an input's from
        its memory, and what waits long from one that it waits in.
    units : dict of int to int
        By node, the multiplier or the memory that computes it, if it shares one with others. That
        takes its arguments a stage before, and has the result for a clock.
    """

    form: Form
    path: Datapath
    expanded: dict[int, Node]
    outputs: dict[str, Node]
    words: dict[str, Node]
    stage: dict[int, int]
    latency: int
    at: dict[str, int]
    begins: dict[int, tuple[int, ...]]
    units: dict[int, int]

    @property
    def nodes(self) -> list[Node]:
        """All that is computed, arguments first."""
        return self.path.reachable((*self.outputs.values(), *self.words.values()))


def schedule(lowered: Lowered, form: Form) -> Schedule:
    """The stages of a neuron's operations: each as soon as possible, or as its memories allow.

    The words of the states are made at once, in stage 0; where the states are stored, there are
    none.
    """
    source = lowered.path, tuple(lowered.words.values())
    path, expanded = expand(*source, form)
    shared = shares(*source, form)
    if form.stored:
        nodes = path.reachable()
        units = Units.of(nodes, form, shared=shared)
        written = {n: node for n, node in path.outputs.items() if not _stays(n, node)}
        found = waiting_least(
            nodes,
            written,
            soonest(nodes, form, units),
            form,
            units,
            (lowered.drawn, lowered.dither),
        )
        latency = max(found.at.values())
        bound = units.bound(found.stage)
        return Schedule(
            form, path, expanded, written, {}, found.stage, latency, found.at, found.begins, bound
        )
    words = {name: expanded[word.index] for name, word in lowered.words.items()}
    at_once = {node.index for node in path.reachable(tuple(words.values()))}
    nodes = path.reachable((*path.outputs.values(), *words.values()))
    later = [node for node in nodes if node.index not in at_once]
    units = Units.of(later, form, shared=shared)
    stage = soonest(nodes, form, units, at_once)
    # what a multiplier that is shared has made is kept from the next stage on
    made = [stage[n.index] + (n.index in units) for n in path.outputs.values()]
    inputs: dict[int, tuple[int, ...]] = {node.index: (0,) for node in path.inputs.values()}
    return Schedule(
        form,
        path,
        expanded,
        path.outputs,
        words,
        stage,
        max(made),
        dict.fromkeys(path.outputs, max(made)),
        inputs,
        units.bound(stage),
    )


def smaller(lowered: Lowered, form: Form) -> Form:
    """A held form as it is, or without its interval where nothing would share anything."""
    joint = form.joint and sum(node.op == "rom" for node in lowered.path.reachable()) > 1
    if joint or shares(lowered.path, tuple(lowered.words.values()), form):
        return form
    return replace(form, interval=1, joint=False)


def _stays(name: str, node: Node) -> bool:
    """Whether a state's next value is the one it has."""
    return node.op == "input" and node.meta == name
