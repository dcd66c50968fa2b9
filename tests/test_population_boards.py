"""Populations on boards: memories, the neuron that is looked at, clocks, the command line."""

import json

import numpy as np
import pytest
from checks import few

from scneuro import LIF, AdEx, Izhikevich, LoweringError, Population, ToolError
from scneuro.boards import BOARDS, board, build_bitstream
from scneuro.boards.clocks import ecp5_pll, ice40_pll
from scneuro.boards.design import design
from scneuro.boards.memory import (
    Stored,
    blocks,
    check_memory,
    in_blocks,
    single_blocks,
    stored_form,
)
from scneuro.cli import main
from scneuro.hdl import Form
from scneuro.hdl.link.samples import Sample
from scneuro.hdl.observed import Observed
from scneuro.hdl.population import Population as Gates
from scneuro.hdl.top import plan
from scneuro.sim.board import expected_samples, simulate_board
from scneuro.sim.chip.netlist import population_netlist_parity
from scneuro.sim.engines.neuron import simulate_steps


# -- memories -------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("name", "width", "depth", "copies", "count"),
    [
        ("icebreaker", 16, 256, 1, 1),
        ("icebreaker", 16, 257, 1, 2),
        ("icebreaker", 24, 256, 1, 2),
        ("icebreaker", 4, 1024, 3, 3),
        ("icebreaker", 2, 32, 1, 0),
        ("ulx3s_85f", 36, 512, 1, 1),
        ("ulx3s_85f", 24, 1024, 2, 4),
        ("ulx3s_85f", 18, 1024, 1, 1),
    ],
)
def test_a_memory_takes_the_fewest_blocks_of_any_shape(name, width, depth, copies, count):
    assert blocks(board(name).part.family, Stored("x", width, depth, copies)) == count


def test_a_memory_that_is_to_be_a_block_is_one_however_small():
    family = board("icebreaker").part.family
    assert [blocks(family, Stored("x", 16, 4, 1, block=block)) for block in (False, True)] == [0, 1]


@pytest.mark.parametrize("name", BOARDS)
@pytest.mark.parametrize(
    "neuron", few([LIF(), AdEx()], lambda n: n.name == "LIF"), ids=lambda n: n.name
)
def test_what_does_not_fit_is_refused_with_what_would(name, neuron):
    target = board(name)

    def fits(count):
        fixed = Population(neuron, count).fixed()
        return check_memory(fixed, target, stored_form(fixed, target.part))

    with pytest.raises(ToolError) as refused:
        fits(2_000_000)
    assert f"{target.part.title} has {target.part.rams}" in str(refused.value)
    most = int(refused.value.hint.split()[2].replace(",", ""))
    assert most >= 1_000 or target.part.rams < 40
    assert fits(most)
    with pytest.raises(ToolError):
        fits(most + 1)


def test_what_block_rams_do_not_hold_goes_to_a_up5ks_sprams():
    target = board("icebreaker")
    with pytest.raises(ToolError) as refused:
        in_blocks(Population(AdEx(), 1_500).fixed(), target)
    assert "with --interval 2, states go to its 4 SPRAMs" in refused.value.hint
    fixed = Population(AdEx(), 1_500, interval=2).fixed()
    form = stored_form(fixed, target.part)
    assert form.single
    memories = check_memory(fixed, target, form)
    assert {m.what: single_blocks(m) for m in memories if m.single} == {"V": 2, "w": 2}
    assert not stored_form(Population(AdEx(), 100, interval=2).fixed(), target.part).single


def test_the_memory_is_told_in_words():
    said = in_blocks(Population(LIF(), 256).fixed(), board("icebreaker"))
    assert "of 30 block RAMs for 256 LIF" in said


# -- the neuron that is looked at -----------------------------------------------------------------
@pytest.mark.parametrize(
    ("count", "lanes", "interval"),
    few([(3, 1, 1), (5, 2, 1), (2, 1, 4)], lambda case: case == (2, 1, 4)),
)
def test_a_population_that_is_looked_at_is_one_of_its_neurons(count, lanes, interval):
    neuron = AdEx()
    population = Population(neuron, count, lanes=lanes, interval=interval)
    fixed = population.fixed()
    gates = Observed(Gates(fixed), fixed)
    words = {"I": np.full(300, round(neuron.currents[0] * 256))}
    single = neuron.fixed()
    for spike, word, registers in simulate_steps(gates, single, words):
        expected = single.step(words["I"][0] / 256)
        assert spike == expected[0]
        assert word == single.words["V"]
        assert registers == single.registers


@pytest.mark.parametrize("bytes_at", [(), (6,)])
def test_a_board_sends_what_one_neuron_of_a_population_does(bytes_at):
    """A byte that is no + or - selects the next current, of all neurons."""
    population = Population(Izhikevich(), 5, init={"V": np.linspace(-70, -60, 5)})
    fixed = population.fixed()
    gates = Observed(Gates(fixed), fixed)
    rates = plan(fixed, gates.step_clocks, [3000, 1500], clock_hz=4_000_000, baud=1_000_000)
    run = simulate_board(gates, fixed, rates, 12, bytes_at=bytes_at)
    assert (run.bad, run.lost, run.late) == (0, 0, False)
    assert run.samples == expected_samples(fixed, rates, [s.i for s in run.samples])
    assert {s.i for s in run.samples} == ({3000, 1500} if bytes_at else {3000})


def test_plus_and_minus_look_at_the_next_neuron_and_the_one_before(monkeypatch):
    population = Population(LIF(), 3, init={"V": [-70.0, -60.0, -50.1]})
    fixed = population.fixed()
    for byte, neuron in ((ord("+"), 1), (ord("-"), 2)):
        gates = Observed(Gates(fixed), fixed)
        rates = plan(fixed, gates.step_clocks, [0], clock_hz=4_000_000, baud=1_000_000)
        monkeypatch.setattr("scneuro.sim.board._BYTE", byte)
        run = simulate_board(gates, fixed, rates, 8, bytes_at=(3,))
        fixed.reset()
        steps = 1 + 7 * rates.every
        for _ in range(steps):
            fixed.step(0.0)
        assert run.samples[-1] == Sample(7, 0, int(fixed.words["V"][neuron]), 0)


# -- clocks ---------------------------------------------------------------------------------------
def test_a_pll_of_an_ice40_is_set_as_icepll_says():
    """Project IceStorm's icepll -i 12 -o 48, and -i 12 -o 24."""
    assert ice40_pll(12_000_000, 48_000_000).settings == {
        "DIVR": 0,
        "DIVF": 63,
        "DIVQ": 4,
        "FILTER_RANGE": 1,
    }
    assert ice40_pll(12_000_000, 24_000_000).settings["DIVQ"] == 5


@pytest.mark.parametrize("pll", [ice40_pll, ecp5_pll])
@pytest.mark.parametrize("source", [12_000_000, 25_000_000, 100_000_000])
def test_a_pll_comes_near_to_what_is_wanted_and_not_above(pll, source):
    for wanted in range(20_000_000, 130_000_001, 7_300_000):
        found = pll(source, wanted)
        assert (0.97 if pll is ice40_pll else 0.85) * wanted < found.hz <= wanted
        s = found.settings
        if pll is ice40_pll:
            oscillator = source / (s["DIVR"] + 1) * (s["DIVF"] + 1)
            assert 533e6 <= oscillator <= 1066e6
            assert found.hz == round(oscillator / 2 ** s["DIVQ"])
        else:
            assert 400e6 <= found.hz * s["CLKOP_DIV"] <= 800e6
            assert found.hz == round(source / s["CLKI_DIV"] * s["CLKFB_DIV"])


def test_a_clock_that_no_pll_makes_is_refused():
    with pytest.raises(ValueError, match="makes no clock of at most 9 MHz"):
        board("icebreaker").with_clock(9e6)
    assert board("icebreaker").with_clock(12e6) is BOARDS["icebreaker"]


def test_a_population_that_is_too_slow_for_real_time_is_told_so():
    fixed = Population(LIF(), 900).fixed()
    gates = Observed(Gates(fixed), fixed)
    with pytest.raises(LoweringError) as refused:
        plan(fixed, gates.step_clocks, [0], clock_hz=12_000_000)
    assert "--flat-out" in refused.value.hint
    rates = plan(fixed, gates.step_clocks, [0], clock_hz=12_000_000, flat_out=True)
    assert rates.tick_clocks == gates.step_clocks + 2


# -- the command line -----------------------------------------------------------------------------
def test_a_population_is_simulated_drawn_and_counted(tmp_path, capsys):
    drawn = tmp_path / "raster.png"
    words = ["simulate", "izhikevich", "--neurons", "20", "--steps", "500", "--json"]
    assert main([*words, "--plot", str(drawn), "--vary", "a=0.02:0.1"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert figures["neurons"] == 20
    assert sum(figures["spikes_of_each"]) == figures["spikes"] > 0
    assert drawn.stat().st_size > 5_000


def test_a_stimulus_has_a_column_for_each_neuron(tmp_path, capsys):
    np.save(tmp_path / "I.npy", np.broadcast_to([0.0, 20.0, 60.0], (400, 3)))
    words = ["simulate", "lif", "--neurons", "3", "--stimulus", str(tmp_path / "I.npy"), "--json"]
    assert main([*words, "--backend", "fixed"]) == 0
    each = json.loads(capsys.readouterr().out)["spikes_of_each"]
    assert each[0] == 0
    assert each[2] > each[1] > 0
    words[3] = "4"
    assert main(words) == 2
    assert "has 3 columns for 4 neurons" in capsys.readouterr().err


def test_parity_of_a_population_is_told_by_the_command_line(capsys):
    words = ["parity", "lif", "--neurons", "3", "--lanes", "2", "--steps", "20"]
    assert main([*words, "--engine", "amaranth"]) == 0
    assert "3 LIF, 2 lanes: 20 steps" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["simulate", "lif", "--lanes", "2"], "--lanes is of a population"),
        (["simulate", "lif", "--vary", "V=0:1"], "--vary is of a population"),
        (["parity", "lif", "--neurons", "0"], "neurons must be at least 1, not 0"),
        (["parity", "lif", "--neurons", "4", "--lanes", "3"], "power of two, not 3"),
        (["parity", "lif", "--neurons", "4", "--interval", "99"], "1 to 16 clocks, not 99"),
        (["parity", "lif", "--neurons", "4", "--vary", "q=0:1"], "no parameter 'q'"),
        (["parity", "lif", "--neurons", "4", "--vary", "V"], "write NAME=VALUE"),
        (["parity", "lif", "--neurons", "4", "--vary", "V=no.npy"], "cannot read no.npy"),
        (["parity", "lif", "--neurons", "4", "--vcd", "x.vcd"], "--vcd is of a single neuron"),
        (
            ["build", "adex", "--neurons", "9000", "--board", "icebreaker", "-o", "out"],
            "neurons would fit",
        ),
        (
            ["build", "lif", "--board", "icebreaker", "-o", "out", "--clock", "3"],
            "makes no clock of at most 3 MHz",
        ),
    ],
)
def test_mistakes_about_populations_are_one_line(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(words) == 2
    assert said in capsys.readouterr().err
    assert not list(tmp_path.glob("out/*"))


# -- devices --------------------------------------------------------------------------------------
@pytest.mark.slow
@pytest.mark.parametrize(
    ("population", "device"),
    [
        (Population(LIF(), 50), "hx8k"),
        pytest.param(
            Population(Izhikevich(), 5, lanes=2, parameters={"a": np.linspace(0.02, 0.1, 5)}),
            "ecp5-85k",
            marks=pytest.mark.nightly,
        ),
    ],
    ids=str,
)
def test_the_netlist_of_a_population_is_its_integers(population, device):
    found = population_netlist_parity(population, device, steps=300, progress=False)
    assert found.ok, found.mismatch


@pytest.mark.slow
def test_the_netlist_with_a_up5ks_sprams_is_the_integers(monkeypatch):
    form = Form(interval=2, stored=True, single=True, deep=2)
    monkeypatch.setattr("scneuro.sim.chip.netlist.stored_form", lambda *_: form)
    population = Population(LIF(), 7, interval=2)
    found = population_netlist_parity(population, "up5k", steps=100, progress=False)
    assert found.ok, found.mismatch


@pytest.mark.slow
@pytest.mark.parametrize("name", ["icebreaker", "ulx3s_85f"])
def test_a_population_is_built_for_every_board(name, tmp_path):
    """By a PLL's clock on one of them."""
    population = Population(Izhikevich(), 128)
    target = board(name).with_clock(24e6) if name == "icebreaker" else board(name)
    report = build_bitstream(population, target, tmp_path, progress=False)
    assert report.fmax_mhz >= report.clock_mhz
    assert (report.neurons, report.lanes, report.interval) == (128, 1, 1)
    assert report.updates_per_second == pytest.approx(128 * 10_000)
    fixed = population.fixed()
    memories = check_memory(fixed, target, stored_form(fixed, target.part))
    most = sum(blocks(target.part.family, memory) for memory in memories)
    assert report.utilization["ram"]["used"] <= most
    assert (tmp_path / f"izhikevich-x128-{name}{target.suffix}").exists()


def test_a_plls_clock_is_what_the_design_is_timed_for():
    target = board("icebreaker").with_clock(24e6)
    fixed = Population(LIF(), 64).fixed()
    _, rates = design(fixed.population, fixed, target)
    assert rates.tick_clocks == 2_400
