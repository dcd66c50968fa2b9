"""One hypothesis profile for everyone: the same examples on every machine, and no deadline."""

import gc
import os
import shutil
import sys

import pytest
from checks import as_written
from explored import HX8K, hire, pretend_tools
from hypothesis import settings

from scneuro import LIF, neuron
from scneuro.engine import whole
from scneuro.errors import ToolError
from scneuro.sim.engines.compiled import compile_design, compiler
from scneuro.sim.explore import search
from scneuro.sim.explore.jobs import Question

settings.register_profile("ci", derandomize=True, deadline=None, max_examples=50)
settings.load_profile("ci")


@pytest.fixture
def command_line():
    """The start of a command that Ctrl-C interrupts, even where a parent process ignores it."""
    program = (
        "import signal, sys\n"
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from scneuro.cli import main\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    return [sys.executable, "-c", program]


@pytest.fixture
def uncompiled(monkeypatch):
    """Whole runs by their function as it is written, in plain Python."""
    monkeypatch.setattr(whole, "compiled", as_written)


@pytest.fixture
def tools(tmp_path, monkeypatch):
    """Tools of builds that only pretend."""
    return pretend_tools(tmp_path, monkeypatch)


@pytest.fixture
def quick_to_compile(monkeypatch):
    """Gates that run for a moment are compiled without optimisation, in less time."""
    monkeypatch.setitem(compile_design.__kwdefaults__, "optimize", "-O0")


@pytest.fixture
def here(monkeypatch):
    """The crew of a search is this process."""
    monkeypatch.setattr(search, "crew", hire)


@pytest.fixture
def question(monkeypatch):
    """What a search asks of a neuron on a board."""
    monkeypatch.setattr(search, "tools_of", lambda question: {"tools": ["yosys 0.60"]})
    return Question.of(LIF(), HX8K)


@pytest.fixture(scope="session", autouse=True)
def nothing_is_lowered_twice():
    """What a test has lowered, others find: it is frozen."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(neuron, "_MOST_KEPT", 2000)
        yield


@pytest.fixture(scope="session", autouse=True)
def cache_of_its_own(tmp_path_factory):
    """Builds of this run share a cache with each other, and with nobody else."""
    base = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        base = base.parent  # that of all workers
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SCNEURO_CACHE", str(base / "cache"))
        yield


def pytest_collection_finish():
    """What is loaded now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


def pytest_runtest_setup(item):
    if item.get_closest_marker("compiler"):
        try:
            compiler()
        except ToolError as error:
            pytest.skip(str(error))
    if item.get_closest_marker("iverilog") and shutil.which("iverilog") is None:
        pytest.skip("no iverilog: apt install iverilog, or brew install icarus-verilog")
