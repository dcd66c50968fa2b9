"""What is claimed of a population within a network: its rows, and when they are fetched."""

from __future__ import annotations

from amaranth import Const, Mux, Value

from .....hdl.network.core import AHEAD, Core
from .....population import FixedPopulation
from ..harness import Harness, implies
from ..population.around import Around
from ..population.rows import claim_rows
from .contracts import Turns

__all__ = ["core"]


def core(dut: Core, fixed: FixedPopulation) -> Harness:
    """The claims of a population within a network, whatever its datapath computes."""
    at = Around(dut, fixed, search=2 * (dut.clocks_a_step + dut.latency) + 8)
    h = at.h
    h.name = f"{h.name}, in a network"
    h.name += ", linked" if at.linked else ""
    turns = Turns(h, dut, "core")
    for condition in turns.asked():
        h.assume(condition)
    claim_rows(at)
    h.claim(
        "turns",
        "in a step every row is fetched once, and its spikes shown once, in turn, and it is done "
        "when all were; outside a step it is ready, but for a clock a row where it begins anew",
        *turns.kept(),
    )
    h.claim(
        "ends",
        f"a step is done {turns.most} clocks after its tick at most: {dut.form.interval} a row, "
        f"and {turns.most - dut.rows * dut.form.interval} until the last is written",
        *turns.ends(),
    )
    every, entered = dut.form.interval, dut.rows * dut.form.interval + 1
    wait: Value = Const(1)  # until the next row is in stage 0
    if every > 1:
        phase, first = h.register("phase"), -at.ahead % every
        for k in range(every):
            wait = Mux(phase[k], (first - k - 1) % every + 1, wait)
    rest = (at.rows - 1 - at.next) * every
    h.know(implies(turns.open & at.running, turns.clocks + wait + rest <= entered))
    for stage in range(max(at.at.values()) + 1):
        here = turns.open & at.live[stage] & at.is_last(stage)
        h.know(implies(here, turns.clocks <= entered + stage))
    drawn = {"noise": fixed.lowered.drawn, "dither": fixed.lowered.dither}
    seeds = []
    for name in (name for name, draws in drawn.items() if any(d in at.reads for d in draws)):
        state = h.register("state", f"dut.noises.{name}")
        seeds.append(implies(h.was(dut.restart), state == state.init))
    if seeds:
        h.claim(
            "seeds", "where the population begins anew, the LFSRs begin with their seeds", *seeds
        )
    last = max(at.at.values())
    h.know(turns.open == at.to_come(last), implies(at.sweeping, turns.since == at.swept + 1))
    stages = {id(turns.shown): at.at["spike"]}
    conditions = []
    for to, fetch in turns.fetches.items():
        stage = at.of(at.reads[to]) - 1 - AHEAD
        stages[id(turns.fetched[to])] = stage
        reads = fetch.valid
        row: Value = fetch.row
        for k in range(1, AHEAD + 2):
            reads, row = h.was(reads), h.was(row)
            h.know(reads == at.live[stage + k], implies(reads, row == at.row_at(stage + k)))
        here = at.live[at.of(at.reads[to])]
        port = dut._steps[0].ports[at.reads[to].name]
        conditions += [
            reads == here,
            implies(here, row == at.row_at(stage + AHEAD + 1)),
            implies(here, port == dut.words[to][0]),
        ]
    h.claim(
        "fetched",
        f"what the datapath reads of an input is the word that is there {AHEAD + 1} clocks after "
        "its row was fetched",
        *conditions,
    )
    for count, _ in turns.counts:
        stage = stages[id(count)]
        under_way: Value = at.running if stage < 0 else at.to_come(stage) != 0
        following = at.next if stage < 0 else at.row_at(stage)
        h.know(implies(turns.open, count == Mux(under_way, following, at.rows)))
    return h
