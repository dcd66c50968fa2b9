"""What holds for ever of a network's memories as they are reached, and that faults are caught."""

import pytest
from checks import faults, few
from claims import Leak, broken, names
from faults.text import rewritten

from scneuro import Network, Population
from scneuro.hdl import Form
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.network.access import Access
from scneuro.hdl.network.core import Core
from scneuro.hdl.network.synapses import Synapses
from scneuro.network import Scale
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check
from scneuro.sim.proof.invariants import network as claims
from scneuro.sim.proof.invariants.network.suite import FEW_REGIONS

slow = pytest.mark.slow


def made(part, block=None, old="", new="", *, loaded=False, form=None, varied=False):
    """The claims of a part of small linked hardware, a piece of a block replaced."""

    def of(kind):
        return rewritten(kind, old, new) if kind is block else kind

    if part == "access":
        return claims.access(of(Access)(FEW_REGIONS))
    if part == "synapses":
        plan = claims.few_sums(1, 2, 17, 1, True, False)
        return claims.synapses(of(Synapses)(plan, (0, 1), loaded=loaded, linked=True), plan)
    if part == "core":
        parameters = {"leak": [0.5, 0.25, 0.75]} if varied else None
        fixed = Population(Leaking() if varied else Leak(), 3, parameters=parameters).fixed()
        return claims.core(of(Core)(fixed, form or Form(stored=True), linked=True), fixed)
    network = claims.small_network() if block is None else tiny()
    return getattr(claims, part)(of(Gates)(network.fixed(), 2, loaded=loaded, linked=True))


def tiny():
    """A network whose steps are short."""
    network = Network("tiny")
    network.input("x", 1)
    network.population("p", Leak(), 1)
    network.population("q", Leak(), 1)
    network.connect("x", "p", Scale(1.0))
    network.connect("p", "q", Scale(1.0), delay=1)
    network.output("p")
    return network


class Leaking(Leak):
    """The same with a parameter that may differ."""

    leak: float = 0.5

    def update(self, V, I):
        return V >= 1.0, self.leak * V + 0.25 * I


PARTS = {
    "access": ["goes", "answered", "found"],
    "synapses": ["busy", "ends", "adds", "apart", "word", "limited", "again", "loads", "found"],
    "core": ["once", "done", "mixed", "states", "found", "turns", "ends", "fetched"],
    "memories": ["between", "led", "given", "answered", "unmoved", "anew", "counted"],
    "intake": ["taken", "whole", "restart", "slots"],
    "spikes": ["written", "read", "sent"],
    "events": ["turns", "late", "events", "drawn", "currents", "scanned", "apart", "asked"],
}


@pytest.mark.parametrize(
    ("part", "loaded"),
    few(
        [*((part, False) for part in PARTS), ("synapses", True), ("events", True)],
        lambda case: case[0] in ("access", "core"),
    ),
)
def test_the_claims_of_a_linked_network_are_proved(part, loaded):
    results = check(made(part, loaded=loaded))
    assert names(results) == PARTS[part]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@pytest.mark.parametrize(
    "options",
    few(
        [
            {"varied": True},
            {"form": Form(interval=3, stored=True)},
            {"form": Form(interval=2, stored=True, single=True)},
        ],
        lambda options: "form" in options and not options["form"].single,
    ),
)
def test_parameters_and_memories_of_one_port_are_reached_too(options):
    results = check(made("core", **options))
    assert {"states", "found"} <= {*names(results)}
    assert all(r.ok for r in results), "\n".join(map(str, results))


@slow
def test_all_claims_of_a_linked_network_are_proved():
    results = invariants.prove_network(linked=True, progress=False)
    assert len(results) > 60
    assert all(r.ok for r in results), "\n".join(map(str, results))
    found = [r.name for r in results]
    assert "small, linked, led" in found
    assert "small, weights loaded, linked, apart" in found


FAULTS = [
    # a request goes through twice
    ("access", Access, "i.valid & self.free & ~i.ready", "i.valid & self.free", "goes"),
    # it goes through while something else uses the memories
    ("access", Access, "i.valid & self.free & ~i.ready", "i.valid & ~i.ready", "goes"),
    # what is only read is written
    ("access", Access, "if region.writable:", "if True:", "goes"),
    # a request to another memory is a write of this one
    ("access", Access, "named[k] & goes & i.write", "goes & i.write", "goes"),
    # a number beyond the last memory is one of them again
    ("access", Access, "Cat(i.region == k for k", "Cat(i.region[:2] == k for k", "goes"),
    # a number of a word is not extended
    (
        "access",
        Access,
        'words.eq(self.found[f"r{k}"])',
        'words.eq(self.found[f"r{k}"].as_unsigned())',
        "found",
    ),
    # what other memories gave is in a result
    ("access", Access, "& named[k].replicate(shared)", "", "found"),
    # a row of weights is read where the last spike left off
    (
        "synapses",
        Synapses,
        "read.addr.eq(Mux(self.look, self.load.row, row))",
        "read.addr.eq(row)",
        "found",
    ),
    # weights are written whenever a row is named
    (
        "synapses",
        Synapses,
        "write.en.eq(self.load.valid),\n                        write",
        "write.en.eq(1),\n                        write",
        "loads",
    ),
    # a row of states is written where the sweep left off
    ("core", Core, "Mux(now, row, self.place), Mux", "row, Mux", "found"),
    # it is written with its initial value
    ("core", Core, "Mux(now, start, value)", "start", "found"),
    # it is not written
    (
        "core",
        Core,
        "self.write[cell.node.meta], self",
        "self.write.as_value().any() & self.look, self",
        "found",
    ),
    # a row is read that comes next in a step
    (
        "core",
        Core,
        "return at | self.look, Mux(self.look, self.place, row)",
        "return at | self.look, row",
        "found",
    ),
    # memories are reached in a step
    (
        "memories",
        Gates,
        "free.eq(~self._computing & self._ready & ~asked)",
        "free.eq(self._ready & ~asked)",
        "between",
    ),
    # or while neurons begin anew
    (
        "memories",
        Gates,
        "free.eq(~self._computing & self._ready & ~asked)",
        "free.eq(~self._computing & ~asked)",
        "between",
    ),
    # a write of a state writes weights, too
    (
        "memories",
        Gates,
        "synapses.load.valid.eq(write)",
        "synapses.load.valid.eq(access.write.any())",
        "led",
    ),
    # the row behind the one that is named is written
    ("memories", Gates, "core.place.eq(at.row)", "core.place.eq(at.row + 1)", "led"),
    # or without its lowest bit
    ("memories", Gates, "core.given.eq(at.data)", "core.given.eq(at.data >> 1)", "led"),
    # a row that is read is written
    (
        "memories",
        Gates,
        "access.look[k], access.write[k]",
        "access.look[k], access.look[k] | access.write[k]",
        "unmoved",
    ),
    # where spikes are read, those that were are another step's
    (
        "memories",
        Gates,
        "with m.If(look):",
        "with m.If(look):\n                    m.d.sync += self._step.eq(self._step + 1)",
        "unmoved",
    ),
    # memories wait for a step to begin, which waits for them
    (
        "memories",
        Gates,
        "free.eq(~self._computing & self._ready & ~asked)",
        "free.eq(~self._computing & self._ready & ~asked & (self._waiting == 0))",
        "answered",
    ),
    # a population is not ready when one has looked at it
    (
        "core",
        Core,
        "with m.If(self.restart):",
        "with m.If(self.restart | (self.look if self._linked else 0)):",
        "turns",
    ),
    # a restart that is asked for in a step is forgotten
    ("memories", Gates, "waiting.eq(asked & ~self._anew)", "waiting.eq(0)", "anew"),
    # a step begins before it
    (
        "memories",
        Gates,
        "begins = begins & ~self._restart_waits(m)",
        "self._restart_waits(m)",
        "anew",
    ),
    # a word that is not read is counted
    ("memories", Gates, "append(view.valid & beyond)", "append(beyond)", "counted"),
]
#: The quickest of each part.
QUICK = {"i.valid & self.free", "row, Mux"}


@pytest.mark.parametrize(
    ("part", "block", "old", "new", "claim"),
    faults(FAULTS, lambda fault: fault[3] in QUICK, kept=lambda fault: fault[3] != "row, Mux"),
)
def test_a_fault_of_the_gates_breaks_a_claim(part, block, old, new, claim):
    harness = made(part, block, old, new)
    if part == "memories":
        narrow(harness)
    results = check(harness)
    assert claim in broken(results), "\n".join(map(str, results))


def narrow(harness):
    """Let words come and leave at once, and no spike be found: what breaks so breaks anyway."""
    dut = harness.blocks["dut"]
    harness.search = 40
    harness.assume(dut.i.valid & dut.o.ready & (dut.i.payload == 0))
    harness.assume(~dut._scan.busy)
