"""Exported Verilog: a testbench judges it, yosys takes it, and the compiled engine runs it."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pytest
from amaranth.back import rtlil
from checks import few
from test_network_gates import chain, loop, loop_spikes

from scneuro import LIF, AdEx, HodgkinHuxley, Izhikevich, Network, NoisyLIF, Population, State, cli
from scneuro.boards.families import NO_CLASHES
from scneuro.errors import FileTrouble
from scneuro.hdl import build
from scneuro.hdl.population import Population as Gates
from scneuro.sim import export_verilog, network_parity
from scneuro.sim.compare.bits import compare_bits
from scneuro.sim.contracts.neuron import NeuronContract
from scneuro.sim.contracts.population import PopulationContract
from scneuro.sim.engines.compiled import compile_design
from scneuro.tools import files
from scneuro.tools.toolchain import find_tools, run_yosys

POPULATIONS = [
    Population(LIF(), 5, lanes=2),  # a lane of the last row is left out
    Population(AdEx(), 10, interval=4),
    Population(NoisyLIF(), 8, lanes=2),
]
NEURONS = [LIF(), AdEx(), NoisyLIF(), Izhikevich.preset("FS"), HodgkinHuxley()]


def named(target):
    return re.sub(r"\W+", "-", repr(target))[:40]


# -- by its testbench ------------------------------------------------------------------------------
def said(command, folder):
    """What a command prints."""
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, timeout=120
    )
    return done.stdout + done.stderr


def judged(folder, name):
    """What the testbench says in Icarus Verilog, by the standard of 2001; there are no warnings."""
    command = ["iverilog", "-g2001", "-Wall", "-o", "run", f"{name}.v", f"{name}_tb.v"]
    assert said(command, folder) == ""
    lines = said(["vvp", "-n", "run"], folder)
    assert "WARNING" not in lines
    return lines


def verdict(folder, name):
    return judged(folder, name).splitlines()[-1]


@pytest.mark.iverilog
@pytest.mark.parametrize(
    "target",
    few(
        [*NEURONS[:4], *POPULATIONS, chain()],
        lambda target: target in (*NEURONS[:3:2], POPULATIONS[0]) or isinstance(target, Network),
    ),
    ids=named,
)
def test_the_testbench_passes(target, tmp_path):
    made = export_verilog(target, tmp_path, steps=60)
    assert made.steps == 60
    assert verdict(tmp_path, made.name).startswith(f"PASS: {made.values} values compared in ")
    assert made.values > 150


@pytest.mark.iverilog
def test_the_testbench_of_loops_delays_and_counts_passes(tmp_path):
    made = export_verilog(loop(), tmp_path, stimulus=loop_spikes(25), lanes=4)
    assert verdict(tmp_path, "loop").startswith(f"PASS: {made.values} values")


def broken(folder, name, pattern, by):
    """Change the first thing in the module that a pattern finds."""
    path = folder / f"{name}.v"
    text = path.read_text()
    changed = re.sub(pattern, by, text, count=1)
    assert changed != text
    path.write_text(changed)


#: A threshold of 0x27 and an initial state, each off by a bit.
FAULTS = [(r">= \$signed\(6'h27\)", ">= $signed(6'h26)"), (r"= 24'hba0000;", "= 24'hba0001;")]


@pytest.mark.iverilog
def test_a_constant_that_is_off_by_a_bit_fails_the_testbench(tmp_path):
    export_verilog(LIF(), tmp_path, steps=400)
    broken(tmp_path, "lif", *FAULTS[0])
    assert re.match(r"FAIL: [1-9]\d* errors, 1200 values compared", verdict(tmp_path, "lif"))


@pytest.mark.iverilog
@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ((r"assign o_valid = .*;", "assign o_valid = 0;"), "60 rows are missing"),
        ((r"assign o_valid = .*;", "assign o_valid = 1;"), "expected: more than 60 rows"),
        ((r"rst \? 24'hba0000", "rst ? 24'hx"), "row 0 of o_V is x"),
    ],
)
def test_results_that_are_missing_too_many_or_unknown_fail_it(tmp_path, fault, words):
    export_verilog(LIF(), tmp_path, steps=60)
    broken(tmp_path, "lif", *fault)
    lines = judged(tmp_path, "lif")
    assert words in lines
    assert "FAIL: " in lines
    assert "PASS" not in lines


@pytest.mark.iverilog
def test_a_memory_that_is_off_by_a_bit_fails_the_testbench(tmp_path):
    made = export_verilog(chain(), tmp_path, steps=30)
    for file in [f for f in made.files if re.fullmatch(r"chain-\d+\.mem", f)]:
        rows = (tmp_path / file).read_text().split()
        if len(set(rows)) > 2:  # the weights
            changed = [f"{int(r, 16) ^ 1:0{len(r)}x}" for r in rows]
            (tmp_path / file).write_text("\n".join(changed))
            break
    assert verdict(tmp_path, "chain").startswith("FAIL")


def spoilt(folder, name, memory):
    """Fill the memories of a kind with something else."""
    text = (folder / f"{name}.v").read_text()
    found = re.findall(rf'readmemh\("(.*)", \\core\.{memory}', text)
    assert found, memory
    for file in found:
        rows = (folder / file).read_text().split()
        (folder / file).write_text("\n".join("5" * len(row) for row in rows))


NO_NEED = {"network": ("population_", "frames", "spikes"), "population": ("queue",)}


@pytest.mark.iverilog
@pytest.mark.parametrize("kind", few(NO_NEED, "network".__eq__))
def test_the_memories_of_which_the_docs_say_so_need_no_contents_and_others_do(kind, tmp_path):
    target = chain() if kind == "network" else Population(AdEx(), 5)
    name = export_verilog(target, tmp_path, steps=20).name
    text = (Path(__file__).parents[1] / "docs" / "export.md").read_text()
    for memory in NO_NEED[kind]:
        assert f"`{memory}" in text
        spoilt(tmp_path, name, memory)
    assert verdict(tmp_path, name).startswith("PASS")
    for memory in ("synapses.sums",) if kind == "network" else ("V_0", "I"):
        export_verilog(target, tmp_path, steps=20)
        spoilt(tmp_path, name, memory)
        assert verdict(tmp_path, name).startswith("FAIL")


# -- by the compiled engine, which needs no simulator of Verilog -----------------------------------
STREAMS = ("i_valid", "i_ready", "o_valid", "o_ready")
PACKED = {"i": "i__payload", "o": "o__payload", "state": "state", "written": "written"}


def wrapped(folder, name):
    """The module with the ports of the hardware it was made of, which engines know."""
    heads, links, body, groups = [], [], [], {}
    for port in json.loads((folder / f"{name}_ports.json").read_text())["ports"]:
        own, way = port["name"], f"{port['direction']}put"
        group = None if own in STREAMS else PACKED.get(own.split("_")[0])
        if group is None:
            outside = own.replace("_", "__")
            heads.append(f"{way} {outside}")
        else:
            outside = own
            groups.setdefault((group, way), []).append(port)
            body.append(f"wire [{port['width'] - 1}:0] {own};")
        links.append(f".{own}({outside})")
    for (group, way), members in groups.items():
        heads.append(f"{way} [{sum(p['width'] for p in members) - 1}:0] {group}")
        whole = "{" + ", ".join(p["name"] for p in reversed(members)) + "}"
        body.append(
            f"assign {whole} = {group};" if way == "input" else f"assign {group} = {whole};"
        )
    body.append(f"{name} it({', '.join(links)});")
    return "\n".join([f"module top({', '.join(heads)});", *body, "endmodule", ""])


def library(folder, name):
    """The exported module with its memories, compiled."""
    given = {p.name: p.read_text() for p in [folder / f"{name}.v", *folder.glob(f"{name}-*.mem")]}
    given["top.v"] = wrapped(folder, name)
    script = f"read_verilog {name}.v top.v\nhierarchy -check -top top\nproc\nflatten\nopt\n"
    return compile_design(given, script)


def same_as_the_integers(neuron, folder, name, steps=200):
    fixed = neuron.fixed()
    rng = np.random.default_rng(1)
    words = {n: rng.integers(-(1 << 15), 1 << 15, steps) for n in fixed.lowered.inputs}
    words = {n: np.where(np.arange(steps) % 3 == 0, w, w >> 6) for n, w in words.items()}
    found = compare_bits(NeuronContract(None, fixed), words, library=library(folder, name))
    return found.first is None


def heavy(targets):
    """The first as it is, the others slow."""
    first, *others = targets
    return [first, *(pytest.param(target, marks=pytest.mark.slow) for target in others)]


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("neuron", heavy(NEURONS), ids=named)
def test_a_neurons_verilog_is_the_integers(neuron, tmp_path):
    made = export_verilog(neuron, tmp_path, steps=5)
    assert same_as_the_integers(neuron, tmp_path, made.name)


@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.slow
@pytest.mark.parametrize("fault", FAULTS)
def test_the_engine_finds_a_constant_that_is_off_by_a_bit(fault, tmp_path):
    export_verilog(LIF(), tmp_path, steps=5)
    broken(tmp_path, "lif", *fault)
    assert not same_as_the_integers(LIF(), tmp_path, "lif")


@pytest.mark.slow
@pytest.mark.compiler
@pytest.mark.usefixtures("quick_to_compile")
@pytest.mark.parametrize("population", POPULATIONS, ids=named)
def test_a_populations_verilog_is_the_integers(population, tmp_path):
    made = export_verilog(population, tmp_path, steps=5)
    fixed = population.fixed()
    shape = (40, population.count)
    rng = np.random.default_rng(1)
    words = {n: rng.integers(0, 1 << 13, shape) for n in fixed.lowered.inputs}
    contract = PopulationContract(Gates(fixed), fixed)
    found = compare_bits(contract, words, stall=3, library=library(tmp_path, made.name))
    assert (found.differing, found.first) == (0, None)
    assert found.integers.run.spikes.any()


@pytest.mark.slow
@pytest.mark.compiler
def test_a_networks_verilog_is_the_integers(tmp_path):
    export_verilog(loop(), tmp_path, stimulus=loop_spikes(5), lanes=4)
    found = network_parity(
        loop(), loop_spikes(60), lanes=4, stall=2, library=library(tmp_path, "loop"), progress=False
    )
    assert found.bit_exact, str(found)


# -- for synthesis ---------------------------------------------------------------------------------
def cells(folder, script):
    yosys = find_tools(("yosys",))["yosys"].command
    run_yosys(yosys, f"{script}\ntee -q -o stat.json stat -json\n", folder)
    text = (folder / "stat.json").read_text()
    found = json.loads(text[text.index("{") :])["design"]["num_cells_by_type"]
    return {kind: count for kind, count in found.items() if not kind.startswith("$")}


@pytest.mark.slow
@pytest.mark.parametrize("target", [LIF(), Population(LIF(), 10)], ids=named)
def test_yosys_makes_the_same_cells_of_it_as_of_our_own_netlist(target, tmp_path):
    """But for a LUT in a hundred, which depends on the order in which ABC meets them."""
    made = export_verilog(target, tmp_path, steps=2)
    single = isinstance(target, LIF)
    own = build(target, target.fixed()) if single else Gates(target.fixed())
    (tmp_path / "own.il").write_text(rtlil.convert(own, emit_src=False))
    ours = cells(tmp_path, f"read_rtlil own.il\n{NO_CLASHES}\nsynth_ice40 -top top")
    theirs = cells(tmp_path, f"read_verilog {made.name}.v\nsynth_ice40 -top {made.name}")
    luts = ours.pop("SB_LUT4"), theirs.pop("SB_LUT4")
    assert ours == theirs
    assert abs(luts[0] - luts[1]) <= (0 if single else luts[0] // 100)


# -- the files -------------------------------------------------------------------------------------
def test_ports_say_what_they_are(tmp_path):
    made = export_verilog(Population(AdEx(), 5, lanes=2), tmp_path, steps=2)
    assert made.name == "adex_x5_2lanes"
    listed = json.loads((tmp_path / "adex_x5_2lanes_ports.json").read_text())
    by_name = {port["name"]: port for port in listed["ports"]}
    fixed = AdEx().fixed()
    w = fixed.lowered.registers["w"]
    assert by_name["written_w_1"] == {
        "name": "written_w_1",
        "direction": "out",
        "width": w.width,
        "signed": True,
        "fraction": w.fraction,
        "unit": "nA",
        "says": "register of the neuron of lane 1",
    }
    assert (by_name["i_I_0"]["direction"], by_name["i_I_0"]["fraction"]) == ("in", 8)
    assert by_name["rst"]["says"] == "synchronous, active high"
    text = (tmp_path / "adex_x5_2lanes.v").read_text()
    for port in listed["ports"]:
        sign = "signed " * port["signed"]
        wide = f"[{port['width'] - 1}:0] " * (port["width"] > 1)
        assert f"  {port['direction']}put {sign}{wide}{port['name']};\n" in text
    lines = (tmp_path / "adex_x5_2lanes_ports.txt").read_text()
    assert re.search(r"^written_V_0 +out +24 +signed, 16 fraction bits, mV +register", lines, re.M)


def test_the_verilog_has_nothing_but_what_it_needs(tmp_path):
    made = export_verilog(Population(AdEx(), 5), tmp_path, steps=2)
    text = (tmp_path / f"{made.name}.v").read_text()
    assert text.startswith("// 5 AdEx, steps of 0.1 ms. Written by scneuro ")
    assert set(re.findall(r"\(\* (\w+)", text)) == {"no_rw_check", "ram_style"}
    assert text.count("module ") == 1
    assert "$readmemb" not in text
    assert str(Path.cwd()) not in text
    again = export_verilog(Population(AdEx(), 5), tmp_path / "again", steps=2)
    for file in made.files:
        assert (tmp_path / file).read_bytes() == (tmp_path / "again" / file).read_bytes()
    assert again.files == made.files


def test_a_name_that_verilog_has_taken_is_another(tmp_path):
    class Buf(LIF):
        valid = State()

        def update(self, V, valid, I):
            spike, V = LIF.update(self, V, I)
            return spike, V, valid * 0.5 + 0.5

    made = export_verilog(Buf(), tmp_path, steps=2)
    assert made.name == "scneuro_buf"
    assert len({port.name for port in made.ports}) == len(made.ports)


def test_files_of_another_time_are_replaced_and_others_are_left(tmp_path):
    (tmp_path / "adex-9.mem").write_text("of more memories")
    (tmp_path / "notes.txt").write_text("mine")
    made = export_verilog(AdEx(), tmp_path, steps=2)
    assert {p.name for p in tmp_path.iterdir()} == {*made.files, "notes.txt"}


def test_all_files_are_written_or_none(tmp_path, monkeypatch):
    export_verilog(LIF(), tmp_path, steps=2)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    whole = Path.write_bytes

    def full(path, content):
        if path.name.endswith("_tb.v"):
            raise OSError(28, "No space left on device")
        return whole(path, content)

    monkeypatch.setattr(files.Path, "write_bytes", full)
    with pytest.raises(FileTrouble, match="No space left"):
        export_verilog(LIF(tau_m=20.0), tmp_path, steps=3)
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before


def test_the_command_says_what_it_wrote_and_how_to_run_it(tmp_path, capsys):
    folder = tmp_path / "out"
    arguments = ["export", "lif", "--set", "tau_m=12", "--current", "3", "--verilog", str(folder)]
    assert cli.main(arguments) == 0
    told = capsys.readouterr().out
    assert "lif_tb.v: 100 steps, 300 values of the integers" in told
    assert f"cd {folder} && iverilog -o lif_tb lif.v lif_tb.v && vvp lif_tb" in told
    assert set((folder / "lif_stimulus.mem").read_text().split()) == {f"{3 * 256:04x}"}
    assert cli.main([*arguments, "--steps", "7", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["steps"], told["values"], told["name"]) == (7, 21, "lif")
    assert [port["name"] for port in told["ports"]][:2] == ["clk", "rst"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lif", "--steps", "0"], "--steps must be at least 1"),
        (["lif", "--lanes", "2"], "--lanes is of a population"),
        (["lif", "--rate", "2"], "unrecognized arguments"),
        (["nothing.py:N"], "nothing.py"),
    ],
)
def test_what_makes_no_sense_is_refused_and_writes_nothing(arguments, words, tmp_path, capsys):
    folder = tmp_path / "out"
    try:
        code = cli.main(["export", *arguments, "--verilog", str(folder)])
    except SystemExit as stopped:
        code = stopped.code
    assert code == 2
    assert words in capsys.readouterr().err
    assert not folder.exists() or not list(folder.iterdir())


def test_a_stimulus_of_several_runs_and_lanes_of_a_neuron_are_refused(tmp_path):
    with pytest.raises(ValueError, match="vectors are of one run"):
        export_verilog(chain(), tmp_path, stimulus={"x": np.zeros((5, 2, 12))})
    with pytest.raises(ValueError, match="lanes are of a network"):
        export_verilog(LIF(), tmp_path, lanes=2)
    with pytest.raises(ValueError, match="steps must be at least 1"):
        export_verilog(LIF(), tmp_path, steps=0)
    with pytest.raises(TypeError, match=r"export_verilog\(\)"):
        export_verilog(LIF, tmp_path)
    assert list(tmp_path.iterdir()) == []
