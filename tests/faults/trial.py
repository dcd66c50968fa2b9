"""Choosing faults, and taking each up the ladder."""

import importlib
import random
import time
from collections.abc import Callable
from unittest.mock import patch

from scneuro.compiler.datapath import Node
from scneuro.compiler.pipeline.schedule import Schedule, schedule
from scneuro.errors import ScneuroError
from scneuro.fixed import FixedNeuron
from scneuro.hdl import Form, Step
from scneuro.load import make_neuron
from scneuro.sim.compare.recompute import recompute
from scneuro.sim.proof import invariants, prove

from .equivalence import same_function
from .fault import Fault, Verdict
from .levels import level_2, level_3
from .nodes import CHANGES, ONLY_GATES, fits, with_node_changed
from .rungs import AROUND, WITH_NOISE, around_fault, step_fault, text_fault
from .text import TEXT, lines_for

_prover = importlib.import_module("scneuro.sim.proof.prove")


def faulty_model(fault: Fault) -> FixedNeuron:
    """The integer model with a fault of the lowering."""
    neuron = make_neuron(fault.neuron)
    sound = neuron.fixed()
    if fault.layer == "rule":
        from .rules import with_rule_broken

        return with_rule_broken(neuron, sound, fault.operator)
    return with_node_changed(sound, fault.site, fault.operator)


def try_fault(fault: Fault) -> Verdict:
    """Take a fault up the ladder: the lowering's until caught, then the proof; the gates' both."""
    verdict = Verdict(fault, {}, {})

    def rung(name: str, passes: Callable[[], bool]) -> bool:
        begin = time.monotonic()
        try:
            verdict.caught[name] = not passes()
        except (ScneuroError, ValueError, IndexError, OverflowError):
            verdict.caught["error" if fault.in_lowering else "refused"] = True
            verdict.seconds["error" if fault.in_lowering else "refused"] = 0.0
            verdict.caught[name] = False
        verdict.seconds[name] = time.monotonic() - begin
        return verdict.caught[name]

    neuron = make_neuron(fault.neuron)
    sound = neuron.fixed()
    if not fault.in_lowering:
        if fault.operator == "draws swapped":
            sound = neuron.fixed(rounding="stochastic")
        make = {"text": text_fault, "neuron": around_fault}.get(fault.layer, step_fault)
        for name, passes in make(sound, fault).items():
            rung(name, passes)
        if not any(verdict.caught.values()) and fault.layer != "neuron":
            verdict.equivalent = "the proof: the faulty gates compute what the model does"
        return verdict
    try:
        fixed = faulty_model(fault)
        level_2(fixed)
        verdict.caught["error"] = False
    except (ScneuroError, ValueError, IndexError, OverflowError):
        verdict.caught["error"] = True
    verdict.seconds["error"] = 0.0
    if verdict.caught["error"]:
        return verdict
    for name, passes in (
        ("step", lambda: level_2(fixed)),
        ("trace", lambda: level_3(neuron, fixed)),
        ("recompute", lambda: recompute(fixed).ok),
        ("reset", lambda: all(i.ok for i in invariants.resets(fixed))),
    ):
        if rung(name, passes):
            break
    with patch.object(_prover, "_counterexample", lambda *_: None):
        rung("proof", lambda: prove(fixed, progress=False).ok)
    if not verdict.first:
        changed = fault.site if fault.layer == "node" else None
        verdict.equivalent = same_function(sound, fixed, changed)
    return verdict


def faults_of(name: str, seed: int = 0) -> list[Fault]:
    """The faults of a neuron: one site of every operator that has one, chosen by ``seed``."""
    rng = random.Random(f"{name} {seed}")
    fixed = make_neuron(name).fixed()
    found: list[Fault] = []

    def choose(layer: str, operator: str, nodes: list[Node], held: bool = False) -> None:
        if nodes:
            n = rng.choice(nodes)
            where = f"{n.name} ({n.op} {n.index})" + (", held" if held else "")
            found.append(Fault(name, layer, operator, n.index, held, where))

    outputs = fixed.lowered.path.reachable()
    for operator in CHANGES:
        if operator not in ONLY_GATES:
            choose("node", operator, [n for n in outputs if fits(operator, n)])
    from .rules import RULES, TABLE_RULES

    for rule in RULES:
        if rule in TABLE_RULES and not fixed.lowered.tables:
            continue
        if rule != "noise of half the scale" or fixed.lowered.noises:
            found.append(Fault(name, "rule", rule, where="throughout"))
    plan = schedule(fixed.lowered, Form())
    nodes = plan.nodes
    for number, operator in enumerate(CHANGES):
        held = number % 2 == 1
        choose("cell", operator, [n for n in nodes if fits(operator, n)], held)
    for operator in ("register too few", "register too many"):
        choose("stage", operator, _delayed(plan, nodes))
    text = _prover.elaborated(Step(fixed.lowered, held=True, dsp=True))
    for operator in TEXT:
        lines = lines_for(text, operator)
        if lines:
            line = rng.choice(lines)
            where = text.split("\n")[line].strip()
            found.append(Fault(name, "text", operator, line, True, where))
    for operator in AROUND:
        if operator not in WITH_NOISE or fixed.lowered.noise:
            found.append(Fault(name, "neuron", operator, held=True, where="around the datapath"))
    return found


def _delayed(plan: Schedule, nodes: list[Node]) -> list[Node]:
    """The nodes whose value a later stage takes, and that are no constants."""
    stage = plan.stage
    late = {a.index for n in nodes for a in n.args if stage[n.index] > stage[a.index]}
    return [n for n in nodes if n.index in late and n.op not in ("const", "rom")]
