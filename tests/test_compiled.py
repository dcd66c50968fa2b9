"""The compiled engine: step by step what Amaranth's simulator gives, and errors in one line."""

import json
import shutil
import subprocess

import numpy as np
import pytest
from checks import few

from scneuro import LIF, AdEx, ConductanceLIF, ScneuroError, cli
from scneuro.errors import ToolError
from scneuro.hdl import Neuron, build
from scneuro.load import make_neuron
from scneuro.signals.stimulus import adversarial
from scneuro.sim import CompiledNeuron, SimulatedNeuron, compiled_steps, parity, simulate_steps
from scneuro.sim.contracts import neuron as contract
from scneuro.sim.engines import compiled as engine
from scneuro.sim.engines import drive
from scneuro.sim.engines.packing import unpack_chunks
from scneuro.words import quantize

pytestmark = [pytest.mark.compiler, pytest.mark.usefixtures("quick_to_compile")]


def words_for(fixed, steps):
    return {
        name: quantize(adversarial(steps, seed=seed), name)
        for seed, name in enumerate(fixed.lowered.inputs)
    }


@pytest.mark.parametrize(
    "name",
    few(("lif", "adex", "noisy_lif", "sc_conductance"), "lif".__eq__, "sc_conductance".__eq__),
)
def test_every_step_is_that_of_amaranths_simulator(name):
    neuron = make_neuron(name)
    fixed = neuron.fixed(rounding="stochastic")
    words = words_for(fixed, 120)
    hardware = [list(run(build(neuron, fixed), fixed, words))
                for run in (simulate_steps, compiled_steps)]  # fmt: skip
    assert hardware[0] == hardware[1]
    assert any(spike for spike, _, _ in hardware[0])


def test_parity_takes_the_engine_that_is_asked_for():
    result = parity(AdEx(), steps=3_000, engine="cxxrtl", progress=False)
    assert result.ok, str(result)
    assert result.steps == 3_000
    with pytest.raises(ValueError, match="engine must be one of amaranth, cxxrtl, not 'verilator'"):
        parity(AdEx(), steps=10, engine="verilator")


class OffByOne(LIF):
    """Its hardware has another threshold than the model."""

    def hardware(self, fixed):
        return Neuron(LIF(V_th=-49.0).fixed())


@pytest.mark.slow
def test_a_fault_is_found_at_the_step_at_which_the_other_engine_finds_it():
    found = [
        parity(OffByOne(), steps=300, engine=name, progress=False).mismatch
        for name in ("amaranth", "cxxrtl")
    ]
    assert found[0] == found[1] is not None


def test_a_compiled_neuron_has_the_surface_of_the_others(tmp_path):
    neuron = AdEx()
    fixed = neuron.fixed()
    chip = CompiledNeuron(lambda: build(neuron, fixed), fixed)
    current = np.full(400, 1.0)
    recording, wanted = chip.run(current, progress=False), fixed.run(current)
    assert recording.spikes == wanted.spikes > 0
    assert np.array_equal(recording.V, wanted.V)
    assert np.array_equal(recording.w, wanted.w)
    kept = chip.run(current, record="w", file=tmp_path / "run.npy", progress=False)
    assert list(kept.states) == ["w"]
    assert np.array_equal(kept.w, wanted.w)
    assert np.load(tmp_path / "run.npy")["spike"].sum() == wanted.spikes
    chip.reset()
    fixed.reset()
    assert chip.step(I=1.0) == fixed.step(I=1.0)
    assert chip.V == fixed.V
    for engine_ in (chip, SimulatedNeuron(lambda: build(neuron, fixed), fixed)):
        with pytest.raises(AttributeError, match="cannot be set from outside"):
            engine_.V = -60.0
        with pytest.raises(ValueError, match="one neuron, not 2"):
            engine_.step(I=np.ones(2))


@pytest.mark.slow
def test_a_whole_run_takes_few_calls_of_the_engine(monkeypatch):
    neuron = ConductanceLIF()
    fixed = neuron.fixed()
    chip = CompiledNeuron(lambda: build(neuron, fixed), fixed)
    calls = []
    real = engine.Compiled.drive

    def counted(self, contract, words, ends, stall):
        calls.append(len(words))
        return real(self, contract, words, ends, stall)

    monkeypatch.setattr(engine.Compiled, "drive", counted)
    monkeypatch.setattr(drive, "_FRAMES", 300)
    rising = np.linspace(0.5, 2.0, 700)
    found, wanted = chip.run(rising, I_inh=0.25), fixed.run(rising, I_inh=0.25)
    assert calls == [300, 300, 100]
    assert found.spikes == wanted.spikes > 0
    for name in ("t", "spike", "V", "g_exc", "g_inh", "I_exc", "I_inh"):
        assert np.array_equal(found[name], wanted[name])
    assert chip.registers == fixed.registers
    assert chip.step(1.0) == fixed.step(1.0)  # it goes on from there
    assert np.array_equal(chip.run(rising).V, fixed.run(rising).V)  # and starts over
    with pytest.raises(ValueError, match="one neuron, not 2"):
        chip.run(np.zeros((5, 2)))


def test_the_command_line_runs_it(capsys):
    figures = []
    for backend in ("fixed", "cxxrtl"):
        assert cli.main(["simulate", "adex", "--steps", "500", "--backend", backend, "--json"]) == 0
        figures.append(json.loads(capsys.readouterr().out))
        figures[-1].pop("backend")
    assert figures[0] == figures[1]
    assert cli.main(["parity", "adex", "--steps", "500", "--engine", "cxxrtl"]) == 0


def test_a_missing_compiler_is_one_line_with_a_way_out(capsys, monkeypatch, tmp_path):
    monkeypatch.delenv("CXX", raising=False)
    monkeypatch.setattr(engine.shutil, "which", lambda *_, **__: None)
    assert cli.main(["parity", "lif", "--steps", "5", "--engine", "cxxrtl"]) == 2
    error = capsys.readouterr().err
    assert "needs a C++ compiler" in error
    assert "apt install" in error


def test_a_compiler_that_fails_is_reported_and_leaves_nothing(monkeypatch, tmp_path):
    broken = tmp_path / "c++"
    broken.write_text(
        "#!/bin/sh\ncase $1 in --version) echo 1;; *) echo no room >&2; exit 1;; esac\n"
    )
    broken.chmod(0o755)
    monkeypatch.setenv("CXX", str(broken))
    cache = tmp_path / "cache"
    text = {"design.il": "attribute \\top 1\nmodule \\top\n  wire input 0 \\clk\nend\n"}
    with pytest.raises(ScneuroError, match="no room"):
        engine.compile_design(text, engine._SCRIPT, cache=cache)
    assert list(cache.iterdir()) == []


def gates(fixed):
    return {"design.il": engine.rtlil.convert(Neuron(fixed), emit_src=False)}


def compiled_into(folder, text):
    """A library in a folder, from the cache that all tests share."""
    made = engine.compile_design(text, engine._SCRIPT, optimize="-O0")
    for path in (made, engine._seal(made)):
        shutil.copy(path, folder)
    return folder / made.name


def test_a_design_is_compiled_once(monkeypatch, tmp_path):
    text, options = gates(LIF().fixed()), {"optimize": "-O0", "cache": tmp_path}
    first = compiled_into(tmp_path, text)
    calls = []
    real = subprocess.run

    def counted(command, **options):
        calls.append(command)
        return real(command, **options)

    monkeypatch.setattr(subprocess, "run", counted)
    assert engine.compile_design(text, engine._SCRIPT, **options) == first
    assert all("--version" in c or "-V" in c for c in calls)
    made = []

    def compiles(command, folder):
        made.append(command)
        (folder / "design.so").write_bytes(b"")

    monkeypatch.setattr(engine, "run_tool", compiles)
    options["optimize"] = "-O1"
    assert engine.compile_design(text, engine._SCRIPT, **options) != first
    assert "-O1" in made[0]


def test_a_damaged_library_in_the_cache_is_compiled_again_and_it_is_said(
    monkeypatch, tmp_path, capsys
):
    fixed = LIF().fixed()
    text, options = gates(fixed), {"optimize": "-O0", "cache": tmp_path}
    library = compiled_into(tmp_path, text)
    whole = library.read_bytes()
    assert engine.compile_design(text, engine._SCRIPT, **options) == library
    assert "damaged" not in capsys.readouterr().err
    for damage in (b"", b"not a library", whole[: len(whole) // 2]):
        library.write_bytes(damage)
        assert not engine._is_whole(library)
        assert f"{library} is damaged: the gates are compiled again" in capsys.readouterr().err
    commands = []

    def compiles(command, folder):
        commands.append(command)
        (folder / "design.so").write_bytes(whole)

    monkeypatch.setattr(engine, "run_tool", compiles)
    assert engine.compile_design(text, engine._SCRIPT, **options) == library
    assert len(commands) == 1
    assert f"{library} is damaged: the gates are compiled again" in capsys.readouterr().err
    assert engine._is_whole(library)
    words = words_for(fixed, 3)
    assert len(list(compiled_steps(None, fixed, words, library=library))) == 3


def test_a_library_that_does_not_load_is_an_error_of_one_line(tmp_path):
    broken = tmp_path / "broken.so"
    broken.write_bytes(b"not a library")
    with pytest.raises(ToolError, match=r"cannot load .*broken\.so"):
        engine.Compiled(broken)


def test_hardware_that_never_answers_is_an_error(monkeypatch):
    monkeypatch.setattr(contract, "_PATIENCE", 50)

    class Mute(Neuron):
        def elaborate(self, platform):
            m = super().elaborate(platform)
            m.d.comb += self.i.ready.eq(0)
            return m

    fixed = LIF().fixed()

    class Silent(LIF):
        def hardware(self, fixed):
            return Mute(fixed)

    with pytest.raises(ScneuroError, match="gave no result in 50 clocks"):
        list(compiled_steps(build(Silent(), fixed), fixed, words_for(fixed, 3)))


def test_fields_wider_than_a_chunk_are_put_together():
    rows = np.array([[0x80000001, 0x00000003], [0xFFFFFFFE, 0x00000001]], dtype=np.uint32)
    fields = unpack_chunks(rows, {"a": 33, "b": 20})
    assert fields["a"].tolist() == [0x180000001 - (1 << 33), 0x1FFFFFFFE - (1 << 33)]
    assert fields["b"].tolist() == [1, 0]
