"""The cache of compiled runs: by content, whole or made again."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from scneuro import LIF
from scneuro.engine import kernel
from scneuro.neurons import builtin


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("SCNEURO_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(kernel, "_LOADED", {})
    return tmp_path / "cache"


def run(fixed):
    return fixed.run(np.full(400, 2.5), engine="compiled").words["V"].tolist()


def test_a_run_is_compiled_once_and_then_comes_from_the_cache(cache, monkeypatch):
    fixed = LIF().fixed()
    body = fixed._body()
    assert not kernel.is_at_hand(body, many=False)
    first = run(fixed)
    (folder,) = cache.iterdir()
    assert (folder / "run.py").exists()
    assert kernel.is_at_hand(body, many=False)
    assert not kernel.is_at_hand(body, many=True)
    monkeypatch.setattr(kernel, "_LOADED", {})
    assert kernel.is_at_hand(body, many=False)
    monkeypatch.setattr(kernel, "_make", None)
    assert run(fixed) == first == fixed.run(np.full(400, 2.5), engine="numpy").words["V"].tolist()


def test_another_run_has_another_place(cache):
    run(LIF().fixed())
    run(LIF(tau_m=12.0).fixed())
    assert len(list(cache.iterdir())) == 2


def test_another_processor_or_compiler_has_another_place(monkeypatch):
    body = LIF().fixed()._body()
    before = kernel._digest(kernel.source(body, many=False))
    kernel._digest.cache_clear()
    monkeypatch.setattr(kernel, "_toolchain", lambda: "another")
    assert kernel._digest(kernel.source(body, many=False)) != before
    kernel._digest.cache_clear()


@pytest.mark.parametrize(
    "damage",
    [
        "code",
        "seal",
        *(pytest.param(n, marks=pytest.mark.slow) for n in ("index", "source", "cut")),
    ],
)
def test_a_damaged_cache_is_noticed_and_made_again(cache, monkeypatch, capsys, damage):
    fixed = LIF().fixed()
    first = run(fixed)
    (folder,) = cache.iterdir()
    pattern = {"index": "*.nbi", "source": "run.py", "seal": "seal"}.get(damage, "*.nbc")
    (path,) = folder.rglob(pattern)
    content = bytearray(path.read_bytes())
    if damage == "cut":
        content = content[: len(content) // 2]
    else:
        content[len(content) // 2] ^= 0xFF
    path.write_bytes(content)
    monkeypatch.setattr(kernel, "_LOADED", {})
    assert run(fixed) == first
    assert "is damaged: the run is compiled again" in capsys.readouterr().err
    monkeypatch.setattr(kernel, "_LOADED", {})
    monkeypatch.setattr(kernel, "_make", None)  # it is whole again
    assert run(fixed) == first


def test_where_the_cache_cannot_be_written_the_run_is_compiled_all_the_same(cache, monkeypatch):
    cache.write_text("a file, and no folder")
    fixed = LIF().fixed()
    assert run(fixed) == fixed.run(np.full(400, 2.5), engine="numpy").words["V"].tolist()


def test_what_numba_cannot_compile_is_said(cache):
    body = LIF()._body()
    broken = replace(body, lines=(*body.lines, "z = np.no_such_function(s0)"))
    with pytest.raises(kernel.ToolError, match="numba does not compile the run"):
        kernel.compiled(broken, many=False)


@pytest.mark.parametrize("name", ["adex", "hodgkin_huxley", "escape_lif"])
def test_a_neuron_traced_again_has_the_same_source(name):
    neurons = [builtin(name)() for _ in range(4)]
    for many in (False, True):
        assert len({kernel.source(neuron._body(), many=many) for neuron in neurons}) == 1
        assert len({kernel.source(neuron.fixed()._body(), many=many) for neuron in neurons}) == 1


@pytest.mark.slow
def test_another_process_finds_it(cache):
    program = (
        "import sys, numpy as np\n"
        "from scneuro import LIF\n"
        "from scneuro.engine import kernel\n"
        "if sys.argv[1:]: kernel._make = None\n"
        "print(LIF().fixed().run(np.full(400, 2.5), engine='compiled').spikes)\n"
    )
    found = [
        subprocess.run(
            [sys.executable, "-c", program, *options], capture_output=True, text=True, check=True
        ).stdout
        for options in ([], ["cached"])
    ]
    assert found[0] == found[1] == f"{LIF().fixed().run(np.full(400, 2.5)).spikes}\n"
