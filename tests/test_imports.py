"""What is imported when: nothing pays for what it does not use."""

import importlib
import subprocess
import sys

import pytest

import scneuro

HEAVY = {"amaranth", "amaranth_boards", "bitwuzla", "llvmlite", "matplotlib", "numba"}
HEAVY |= {"dask", "distributed", "jinja2", "psutil", "scipy", "tqdm", "z3"}
HEAVY |= {"bokeh", "tornado", "mlxtend", "pandas", "sklearn"}


def loaded_by(program, *options):
    """The heavy packages, and NumPy, that a fresh Python has loaded after ``program``."""
    check = "import sys; print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))"
    done = subprocess.run(
        [sys.executable, *options, "-c", f"{program}\n{check}"],
        capture_output=True,
        text=True,
        check=True,
    )
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("LOADED"))
    return set(line.split()[1:]) & (HEAVY | {"numpy"})


def test_importing_scneuro_loads_nothing_until_a_name_is_asked_for():
    assert loaded_by("import scneuro") == set()
    assert loaded_by("from scneuro import LIF; LIF().fixed().step(1.0)") == {"numpy"}
    assert "amaranth" in loaded_by("from scneuro.hdl import Step")


@pytest.mark.parametrize("arguments", [["list"], ["list", "--json"]])
def test_a_list_loads_no_package_at_all(arguments):
    assert loaded_by(f"from scneuro.cli import main; main({arguments})") == set()


def test_a_float_run_loads_no_more_than_numpy_and_its_bar():
    arguments = ["simulate", "lif", "--steps", "10", "--backend", "fixed"]
    assert loaded_by(f"from scneuro.cli import main; main({arguments})") <= {"numpy", "tqdm"}


def test_images_are_read_without_the_packages_they_lie_in():
    assert loaded_by("from scneuro.signals.images import digits; digits()") == {"numpy"}
    assert loaded_by("import scneuro.network.train") == {"numpy"}


def test_show_needs_no_gates():
    assert loaded_by("from scneuro.cli import main; main(['show', 'lif'])") == {"numpy"}


def test_the_pytest_plugin_costs_nothing_until_a_test_asks_for_its_fixtures(tmp_path):
    (tmp_path / "test_nothing.py").write_text(
        "import sys\n"
        "def test_what_is_loaded(request):\n"
        "    assert request.config.pluginmanager.hasplugin('scneuro')\n"
        "    loaded = {name.split('.')[0] for name in sys.modules}\n"
        f"    assert not loaded & {HEAVY | {'numpy'}}\n"
        "def test_that_the_fixture_is_there(parity):\n"
        "    assert callable(parity)\n"
        "    assert 'amaranth' in sys.modules\n"
    )
    options = [
        "-q",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-p",
        "no:randomly",
        "-p",
        "no:hypothesispytest",
    ]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
    )
    assert "2 passed" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize("package", ["scneuro", "scneuro.boards", "scneuro.sim"])
def test_all_that_a_package_exports_is_there(package):
    module = importlib.import_module(package)
    assert len(module.__all__) == len(set(module.__all__)) > 0
    for name in module.__all__:
        assert getattr(getattr(module, name), "__name__", name) == name
    assert set(module.__all__) <= set(dir(module))


def test_a_package_is_found_when_it_is_asked_for():
    program = "import scneuro; assert 'sim' in dir(scneuro); scneuro.sim"
    assert loaded_by(program) == set()
    assert "amaranth" in loaded_by(f"{program}.parity")


def test_a_module_is_an_attribute_of_its_package_and_nothing_else_is():
    assert scneuro.LIF is scneuro.neurons.lif.LIF
    for name in ("nothing", "_nothing"):
        with pytest.raises(AttributeError, match=f"module 'scneuro' has no attribute '{name}'"):
            getattr(scneuro, name)
