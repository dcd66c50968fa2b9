"""A sum of 33 bits with a product, which yosys takes into a DSP that adds 32."""

import numpy as np
import pytest
from amaranth import Module, Signal
from amaranth.sim import Simulator
from datapaths import fitted, made
from hypothesis import given
from hypothesis import strategies as st

from scneuro.boards.devices import DEVICES
from scneuro.errors import ToolError
from scneuro.hdl import Form, Neuron
from scneuro.hdl.step import _plus
from scneuro.sim.chip.netlist import netlist_library
from scneuro.sim.compare.bits import compare_bits
from scneuro.sim.contracts.neuron import NeuronContract
from scneuro.sim.proof import prove
from scneuro.tools.toolchain import need_sound

BITS = 33


def sums(shape_a, shape_b, sign, pairs):
    """What an adder in two gives, and what it should."""
    a, b = Signal(shape_a), Signal(shape_b)
    y = Signal(range(-(1 << BITS - 1), 1 << BITS - 1))
    m = Module()
    m.d.comb += y.eq(_plus(a, b, sign, BITS)[:BITS].as_signed())
    found = []

    async def bench(ctx):
        for x, z in pairs:
            ctx.set(a, x)
            ctx.set(b, z)
            found.append(ctx.get(y))

    simulator = Simulator(m)
    simulator.add_testbench(bench)
    simulator.run()
    half = 1 << BITS - 1
    wanted = [((x + sign * z + half) & (2 * half - 1)) - half for x, z in pairs]
    return found, wanted


WORDS = st.integers(-(1 << 31), (1 << 31) - 1)


@given(st.lists(st.tuples(WORDS, WORDS), min_size=1, max_size=20), st.sampled_from([1, -1]))
def test_the_sum_in_two_is_the_sum(pairs, sign):
    ends = [(-(1 << 31), -(1 << 31)), ((1 << 31) - 1, (1 << 31) - 1), (-(1 << 31), (1 << 31) - 1)]
    found, wanted = sums(range(-(1 << 31), 1 << 31), range(-(1 << 31), 1 << 31), sign, pairs + ends)
    assert found == wanted


@given(st.lists(st.tuples(WORDS, st.integers(-128, 127)), min_size=1, max_size=20))
def test_one_of_few_bits(pairs):
    found, wanted = sums(range(-(1 << 31), 1 << 31), range(-128, 128), -1, pairs)
    assert found == wanted


def product_and_more():
    """A neuron whose sum has a product of two words, and 33 bits."""

    def update(path, V, I):
        word = path.plain(path.shr(V, 8, 0.0))
        product = path.mul(word, path.plain(I))
        total = path.add(product, path.plain(path.shl(word, 16)))
        assert total.width == BITS
        return path.ge(total, 0), fitted(path, total)

    return made(update)


def test_a_neuron_with_such_a_sum_is_proved():
    proof = prove(product_and_more(), Form(held=True), progress=False)
    assert proof.ok, str(proof)


def test_its_netlist_is_the_integers():
    fixed = product_and_more()
    gates = Neuron(fixed, DEVICES["up5k"].form)
    library = netlist_library(gates, "up5k")
    words = {"I": np.random.default_rng(0).integers(-32768, 32768, 500)}
    found = compare_bits(NeuronContract(gates, fixed), words, library=library, progress=False)
    assert not found.differing


def test_a_netlist_that_yosys_made_wrong_is_no_netlist(tmp_path):
    log = tmp_path / "script.log"
    log.write_text(
        "Warning: Driver-driver conflict for \\y [32] between cell $mul.O and constant\n"
    )
    with pytest.raises(ToolError, match=r"yosys made a wrong netlist: .*\\y \[32\]"):
        need_sound(log)
    log.write_text("Warning: something else\n")
    need_sound(log)
    need_sound(tmp_path / "none.log")
