"""Forms of a datapath whose states and inputs are stored, and the sums of what comes in."""

from dataclasses import replace

import numpy as np
import pytest
from amaranth.sim import Simulator

from scneuro import LIF, AdEx, Population
from scneuro.compiler.datapath import ARRAYS, Datapath
from scneuro.compiler.pipeline.cells import pipeline
from scneuro.compiler.pipeline.expand import expand
from scneuro.hdl import Form, Step
from scneuro.hdl.sums import Sums
from scneuro.sim import vector_parity
from scneuro.sim.proof import prove

DEEP = Form(stored=True, deep=2, complements=True, rams=16)
QUICK = Form(stored=True, complements=True, rams=16, multipliers=0)


@pytest.mark.parametrize("form", [DEEP, QUICK], ids=["deep", "quick"])
def test_what_a_stored_form_computes_is_the_model(form):
    lowered = AdEx().fixed()
    result = vector_parity(lowered, 40, step=Step(lowered.lowered, form), progress=False)
    assert result.mismatches == 0


def test_a_register_is_between_a_memory_and_an_adder_unless_stages_are_deep():
    for form, least in ((replace(QUICK, deep=1), 1), (DEEP, 0)):
        pipe = pipeline(LIF().fixed().lowered, form)
        ports = {k for k, cell in enumerate(pipe.cells) if cell.kind == "port"}
        wires = set(ports)
        for k, cell in enumerate(pipe.cells):
            if cell.kind == "wires" and wires.intersection(cell.takes):
                wires.add(k)
        adders = [
            cell
            for cell in pipe.cells
            if cell.kind in ("logic", "result")
            and cell.node.op in ("add", "mul")
            and wires.intersection(cell.takes)
        ]
        assert bool(adders) is not bool(least)


def test_where_clocks_are_short_only_a_register_takes_what_a_memory_gives():
    pipe = pipeline(AdEx().fixed().lowered, QUICK)
    assert min(cell.stage for cell in pipe.ports) == 1  # there is time for the memory's own
    rows = {k for k, cell in enumerate(pipe.cells) if cell.kind == "row"}
    assert rows
    assert {c.kind for c in pipe.cells if rows.intersection(c.takes)} == {"delay"}
    assert not rows.intersection(wait.source for wait in pipe.waits)


def test_only_what_is_subtracted_and_nothing_else_is_held_inverted():
    for form in (DEEP, QUICK):
        pipe = pipeline(AdEx().fixed().lowered, form)
        inverted = {k for k, cell in enumerate(pipe.cells) if cell.inverted}
        assert inverted
        assert not inverted.intersection(pipe.outputs.values())
        for cell in pipe.cells:
            if inverted.intersection(cell.takes) and cell.kind not in ("wires", "delay"):
                assert cell.node.op == "add"
                assert cell.node.meta[2] == -1
                assert cell.takes[0] not in inverted
    plain = pipeline(AdEx().fixed().lowered, Form(stored=True))
    assert not any(cell.inverted for cell in plain.cells)


def test_what_waits_two_clocks_waits_in_a_memory_as_long_as_there_are_any():
    few = pipeline(AdEx().fixed().lowered, Form(stored=True, rams=2))
    many = pipeline(AdEx().fixed().lowered, Form(stored=True, rams=16))
    none = pipeline(AdEx().fixed().lowered, Form(stored=True))
    assert not none.waits
    assert 0 < len(few.waits) < len(many.waits)
    bits = [sum(c.node.width for c in p.registers) for p in (none, few, many)]
    assert bits[0] > bits[1] > bits[2]
    assert min(many.inside(wait) for wait in many.waits) >= 2


@pytest.mark.parametrize("kept", [False, True])
def test_sums_add_up_in_one_bank_while_the_other_is_read_and_cleared(kept):
    sums = Sums(4, 1, default=5, kept=kept)
    read = []

    async def add(ctx, row, word, bank=0):
        ctx.set(sums.row, row)
        ctx.set(sums.words[0], word)
        await ctx.tick().repeat(sums.clocks)
        ctx.set(sums.add_to, row)
        ctx.set(sums.add, 1 << bank)
        await ctx.tick()
        ctx.set(sums.add, 0)

    async def look(ctx, bank):
        ctx.set(sums.read_bank, bank)
        ctx.set(sums.read, 1)
        for row in range(4):
            ctx.set(sums.read_row, row)
            await ctx.tick().repeat(1 + kept)
            read.append(ctx.get(sums.o[0]))
        ctx.set(sums.read, 0)

    async def drive(ctx):
        ctx.set(sums.adds_up, 0b01)
        for row, word in ((1, 7), (3, 30_000), (1, -2), (3, 30_000), (0, -32_768), (0, -9)):
            await add(ctx, row, word)
        ctx.set(sums.adds_up, 0b10)
        await add(ctx, 2, 100, bank=1)
        await look(ctx, 0)
        ctx.set(sums.clear, 0b01)
        for row in (0, 1, 3):
            ctx.set(sums.clear_row, row)
            await ctx.tick()
        ctx.set(sums.clear, 0)
        ctx.set(sums.adds_up, 0b01)
        await look(ctx, 1)
        ctx.set(sums.adds_up, 0b10)
        await look(ctx, 0)

    simulator = Simulator(sums)
    simulator.add_clock(1e-6)
    simulator.add_testbench(drive)
    simulator.run()
    assert read[:4] == [-32_768, 10, 5, 32_767]
    assert read[4:8] == [5, 5, 105, 5]
    assert read[8:] == [5, 5, 5, 5]


def test_a_form_says_what_it_cannot_be():
    with pytest.raises(ValueError, match="deep must be 0 to 2, not 3"):
        Form(stored=True, deep=3)
    with pytest.raises(TypeError, match="complements must be True or False, not None"):
        Form(stored=True, complements=None)


def test_a_factor_whose_upper_bits_are_known_is_proved():
    """Its interval decides them, so that the gates need not ask."""
    fixed = Population(LIF(), 5, parameters={"tau_m": np.linspace(8, 12, 5)}).fixed()
    proof = prove(fixed.one, Form(stored=True, multipliers=0), progress=False)
    assert proof.ok, proof.failures


@pytest.mark.parametrize("k", [5_368_709, -5_368_709, 174_763, 104_857])
def test_a_constant_that_is_too_wide_for_a_multiplier_is_taken_apart(k):
    path = Datapath()
    x = path.input("x", -(1 << 29), (1 << 29) - 1, 0)
    path.outputs = {"y": path.scale(x, k, 0)}
    made, _ = expand(path, (), Form(stored=True))
    factors = [arg for node in made.reachable() if node.op == "mul" for arg in node.args]
    assert factors
    assert max(arg.width + (not arg.signed) for arg in factors) <= 18
    words = {"x": np.array([-(1 << 29), -32_769, -1, 0, 1, 32_768, (1 << 29) - 1])}
    found = made.evaluator(made.outputs, ARRAYS)(words)["y"]
    assert np.array_equal(found, words["x"] * k)
