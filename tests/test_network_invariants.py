"""What holds for ever around a network, and that gates in which it does not are caught."""

import math

import pytest
from checks import faults
from claims import Leak, broken, names
from faults.text import rewritten

from scneuro import Population, cli
from scneuro.hdl import Form
from scneuro.hdl.network import Network as Gates
from scneuro.hdl.network.core import Core
from scneuro.hdl.network.scan import Scan
from scneuro.hdl.network.synapses import Synapses
from scneuro.sim import ladder, proof
from scneuro.sim.proof import invariants
from scneuro.sim.proof.invariants import check, solver
from scneuro.sim.proof.invariants import network as claims
from scneuro.sim.proof.invariants.network import suite

slow = pytest.mark.slow


def made(part, block=None, old="", new="", *, lanes=1, loaded=False, each=(2, 2, 2)):
    """The claims of a part of small hardware, in which a piece of a block may be replaced."""

    def of(kind):
        return rewritten(kind, old, new) if kind is block else kind

    if part == "scan":
        return claims.scan(of(Scan)(1, 2))
    if part == "synapses":
        plan = claims.few_sums(lanes, 2, 5, 1, lanes > 1, False)
        return claims.synapses(of(Synapses)(plan, (0,), loaded=loaded), plan)
    if part == "loops":
        plan = claims.few_sums(1, math.prod(each), 3, 1, False, True, looped=each)
        return claims.synapses(of(Synapses)(plan, (0,)), plan)
    if part == "sources":
        return claims.events(of(Gates)(claims.looped_network().fixed(), 1))
    if part == "core":
        fixed = Population(Leak(), 3, init={"V": [0.25, 0.5, 0.75]}).fixed()
        return claims.core(of(Core)(fixed, Form(stored=True)), fixed)
    gates = of(Gates)(claims.small_network().fixed(), 2, loaded=loaded)
    return getattr(claims, part)(gates)


PARTS = {
    "scan": ["once", "busy", "reads", "goes_on", "ends"],
    "synapses": ["busy", "ends", "adds", "apart", "word", "again"],
    "loops": ["busy", "ends", "adds", "apart", "word", "again"],
    "core": ["once", "done", "mixed", "states", "turns", "ends", "fetched"],
    "intake": ["taken", "whole", "restart", "slots", "loads"],
    "spikes": ["written", "read", "sent"],
    "events": ["turns", "late", "events", "drawn", "currents", "scanned", "apart", "asked"],
    "sources": ["turns", "late", "events", "sources", "scanned", "apart", "asked"],
    "ends": ["goes_on", "ends"],
}


SLOW = {"scan", "spikes", "synapses", "events", "loops"}


@pytest.mark.parametrize("part", [pytest.param(p, marks=slow if p in SLOW else ()) for p in PARTS])
def test_the_claims_of_a_network_are_proved(part):
    results = check(made(part, loaded=part == "intake"))
    assert names(results) == PARTS[part]
    assert all(r.ok for r in results), "\n".join(map(str, results))


@slow
@pytest.mark.nightly  # CI proves those of one with a link
def test_all_claims_of_a_network_are_proved():
    results = invariants.prove_network(claims.small_network(17), progress=False)
    assert len(results) > 50
    assert all(r.ok for r in results), "\n".join(map(str, results))


def test_what_is_proved_is_of_the_network_itself(monkeypatch):
    """Of its frames and phases, and of neurons of its kinds."""
    monkeypatch.setattr(solver, "check", lambda harness: [harness])
    network = claims.small_network()
    network.name = "mine"
    network.population("own", Leak(), 2)
    network.connect("p", "own", suite.Dense([[1.0, 1.0], [1.0, 1.0]]))
    found = [h.name for h in invariants.prove_network(network, progress=False)]
    assert [name for name in found if name.startswith("mine")] == [
        "mine",
        "mine, weights loaded",
        "mine",
        "mine, weights loaded",
    ]
    assert "3 LIF, in a network" in found
    assert "3 Leak, in a network" in found


def test_what_is_no_network_is_refused():
    with pytest.raises(TypeError, match="prove_network"):
        invariants.prove_network(Leak(), progress=False)


@pytest.mark.parametrize("ok", [True, False])
def test_the_ladder_has_a_rung_for_them(monkeypatch, ok):
    claim = invariants.Invariant("synapses, adds", "all add up", ok, 0.1, "z3")
    monkeypatch.setattr(invariants, "prove_network", lambda *_, **__: [claim])
    found, text, figures = ladder._net_invariants(claims.small_network(), False)
    assert (found, figures["claims"]) == (ok, 1)
    assert ("1 claims" in text) == ok
    assert ("all add up" in text) != ok


@pytest.mark.parametrize("ok", [True, False])
def test_the_command_line_lists_them(monkeypatch, capsys, tmp_path, ok):
    path = tmp_path / "net.py"
    path.write_text(
        "from scneuro.sim.proof.invariants.network import small_network\n"
        "network = small_network()\n"
    )
    claim = invariants.Invariant("synapses, adds", "all add up", ok, 0.1, "z3")
    monkeypatch.setattr(invariants, "prove_network", lambda *_, **__: [claim])
    monkeypatch.setattr(proof, "prove", lambda *_, **__: Proved())
    assert cli.main(["prove", f"{path}:network", "--invariants"]) == (0 if ok else 1)
    assert "all add up" in capsys.readouterr().out
    assert cli.main(["prove", f"{path}:network"]) == 0
    assert "all add up" not in capsys.readouterr().out


class Proved:
    """What a proof of a datapath that holds found."""

    failures = undecided = ()

    def figures(self):
        return {}


FAULTS = [
    # the highest spike of a word is left out
    ("scan", Scan, "none.eq(left == 0)", "none.eq(left[:15] == 0)", "busy"),
    # a spike is given until it is taken, and once more
    ("scan", Scan, "take.eq(~none & (~self.valid | self.ready))", "take.eq(~none)", "reads"),
    # a word is read over and over
    ("scan", Scan, "asked.eq(asked + 1)", "asked.eq(asked)", "goes_on"),
    # the last word is not read
    (
        "scan",
        Scan,
        "running & (asked != self.words) &",
        "running & (asked + 1 < self.words) &",
        "goes_on",
    ),
    # the last row of a spike is left out
    ("synapses", Synapses, "with m.If(rows == 0):", "with m.If(rows <= 1):", "adds"),
    # a spike is taken twice
    ("synapses", Synapses, "go.eq(self.valid),", "go.eq(active),", "adds"),
    # a row is read a clock before it is written
    ("synapses", Synapses, "last.eq(clocks == 1)", "last.eq(clocks == 2)", "apart"),
    # it is ready again a clock too soon
    ("synapses", Synapses, "self.rows - 1, WRITTEN)", "self.rows - 1, WRITTEN - 1)", "apart"),
    # an operand is not shifted as it should be
    (
        "synapses",
        Synapses,
        "for by in plan.shifts)[self.shift]",
        "for by in plan.shifts)[0]",
        "adds",
    ),
    # another row begins again
    (
        "synapses",
        Synapses,
        "write.addr.eq(Mux(clears, of, write_to))",
        "write.addr.eq(write_to)",
        "again",
    ),
    # it begins with the base of the lane before
    ("synapses", Synapses, "Mux(clears, again[k],", "Mux(clears, again[k - 1],", "again"),
    # a sum begins again when any of its row is fetched
    ("synapses", Synapses, "clears.eq(fetch.valid & ends)", "clears.eq(fetch.valid)", "again"),
    # another sum is fetched
    ("synapses", Synapses, "Array(kept)[place]", "Array(kept)[0]", "word"),
    # a row is fetched again in the clock before the one in which its spike is shown
    (
        "core",
        Core,
        "stage = cell.stage - 1 - self._ahead",
        "stage = cell.stage - self._ahead",
        "fetched",
    ),
    # a population does not begin anew
    ("core", Core, "self._sweeping.eq(1)", "self._sweeping.eq(0)", "states"),
    # a row begins with what the row before begins with
    ("core", Core, "read.addr.eq(following)", "read.addr.eq(self._swept)", "states"),
    # a frame more than there is room for
    (
        "intake",
        Gates,
        "room = made.input_slots - made.delay - 1",
        "room = made.input_slots - made.delay",
        "slots",
    ),
    # frames are kept in every other slot
    ("intake", Gates, "m.d.sync += slot.eq(slot + 1)", "m.d.sync += slot.eq(slot + 2)", "taken"),
    # a restart is that of the frame before
    (
        "intake",
        Gates,
        "anew.bit_select(self._frame, 1)",
        "anew.bit_select((self._frame - 1).as_unsigned(), 1)",
        "restart",
    ),
    # weights are loaded while a step is computed
    (
        "intake",
        Gates,
        "idle.eq((self._waiting == 0) & ~self._computing)",
        "idle.eq(self._waiting == 0)",
        "loads",
    ),
    # a word of spikes begins with those of the one before
    ("spikes", Gates, "whole.eq(Mux(ends, 0, bits))", "whole.eq(bits)", "written"),
    # spikes are kept in the slot of the next step
    (
        "spikes",
        Gates,
        "write.addr.eq(Cat(word, slot)),\n            write.data.eq(bits)",
        "write.addr.eq(Cat(word, slot + 1)),\n            write.data.eq(bits)",
        "written",
    ),
    # a word leaves twice
    ("spikes", Gates, "m.d.sync += sent.eq(sent + 1)", "m.d.sync += sent.eq(0)", "sent"),
    # a spike is given again while another one waits
    ("events", Gates, "taken.eq(~there | synapses.ready)", "taken.eq(1)", "events"),
    # the next phase does not wait for the last one's spikes
    ("events", Gates, "& ~synapses.valid & ~synapses.busy", "", "events"),
    # what was fired before the start is delivered
    ("events", Gates, "self._late.eq(self._age < delay)", "self._late.eq(0)", "late"),
    # the last current is left out
    (
        "events",
        Gates,
        "m.Elif((asked == scan.words) & ~there)",
        "m.Elif(asked == scan.words)",
        "currents",
    ),
    # a population is updated twice
    ("events", Gates, 'm.next = "settled"', 'm.next = "choose"', "turns"),
    # of a convolution: the next place has a row more
    (
        "loops",
        Synapses,
        "rows.eq(self.rows - 1),\n                    weights.eq(weights + loop",
        "rows.eq(self.rows),\n                    weights.eq(weights + loop",
        "ends",
    ),
    # only the first line is as wide as it is
    ("loops", Synapses, "across.eq(line),", "across.eq(0),", "adds"),
    # the last line is left out
    ("loops", Synapses, "m.Elif(down != 0)", "m.Elif(down > 1)", "adds"),
    # the third line begins where the second ended
    ("loops", Synapses, "begins[1].eq(following[1])", "begins[1].eq(sums)", "apart"),
    # the weights of the place before
    ("loops", Synapses, "weights + loop.next_weights", "weights + 0", "adds"),
    # the next spike does not wait for the rows of the one before
    ("loops", Synapses, "~go & ~under_way.any()", "~go", "apart"),
    # a source for another
    ("sources", Gates, "self._place + self._scan.index", "self._place", "sources"),
    # all begin with the same weights
    ("sources", Gates, "first + found.weights", "first", "sources"),
    # a spike that reaches nothing is given
    ("sources", Gates, "there & (found.down == 0)", "there & (found.across > 3)", "events"),
    # from place to place it goes a row too far
    ("sources", Gates, "loop.across[1] - back", "loop.across[1]", "sources"),
    # a word is read only when none is there
    ("scan", Scan, "(~here | move)", "~here", "ends"),
    # a clock more after every spike
    ("synapses", Synapses, "self.rows - 1, WRITTEN)", "self.rows, WRITTEN + 1)", "ends"),
    # a spike of a convolution goes on for ever
    ("loops", Synapses, "down.eq(down - 1)", "down.eq(down)", "ends"),
    # no row enters
    ("core", Core, 'Signal(init=1, name="room")', 'Signal(name="room")', "ends"),
    # a phase waits for synapses to have something to do
    (
        "ends",
        Gates,
        "~synapses.valid & ~synapses.busy",
        "~synapses.valid & synapses.busy",
        "goes_on",
    ),
    # a spike is never gone
    ("ends", Gates, "taken.eq(~there | synapses.ready)", "taken.eq(~there)", "goes_on"),
    # a phase waits for a population that waits
    (
        "ends",
        Gates,
        "with m.If(self._core_done):",
        "with m.If(self._core_done & ~self._ready):",
        "goes_on",
    ),
]
#: Those that show only late in a step.
LATE = {
    "m.Elif(asked == scan.words)",
    "whole.eq(bits)",
    "m.d.sync += sent.eq(0)",
    "~synapses.valid & synapses.busy",
    "with m.If(self._core_done & ~self._ready):",
}


def narrow(harness):
    """Let words come and leave at once, and no spike be found: what breaks so breaks anyway."""
    dut = harness.blocks["dut"]
    harness.search = 40
    harness.assume(dut.i.valid & dut.tick & dut.o.ready & (dut.i.payload == 0))
    harness.assume(~dut._scan.busy)
    for core in dut.cores.values():
        harness.assume(core.ready)


#: The quickest of each part.
QUICK = {
    "with m.If(rows <= 1):",
    "self._place",
    "~here",
    "anew.bit_select((self._frame - 1).as_unsigned(), 1)",
}
#: Those that take long to show.
LONG = {"across.eq(0),", "weights + 0", "taken.eq(~there)"}
#: Where one lane, or two lines of a convolution, do not show it.
SIZES = {
    "[0]": {"lanes": 2},
    "again[k - 1]": {"lanes": 2},
    "clears.eq(fetch.valid)": {"lanes": 2},
    "eq(sums)": {"each": (1, 2, 3)},
}


@pytest.mark.parametrize(
    ("part", "block", "old", "new", "claim"),
    faults(
        FAULTS,
        lambda fault: fault[3] in QUICK,
        LONG,
        kept=lambda fault: "anew" not in fault[3],
    ),
)
def test_a_fault_of_the_gates_breaks_a_claim(part, block, old, new, claim):
    size = next((size for piece, size in SIZES.items() if piece in new), {})
    harness = made(part, block, old, new, loaded=part == "intake", **size)
    if new in LATE:
        narrow(harness)
    results = check(harness)
    assert claim in broken(results), "\n".join(map(str, results))
