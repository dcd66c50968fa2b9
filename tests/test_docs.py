"""Every code block of the README and the docs runs, and so does every example."""

import re
import runpy
import shlex
from pathlib import Path

import pytest

from scneuro import cli

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: p.name)
def test_the_python_of_a_page_runs_from_top_to_bottom(page):
    namespace = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)


def commands(language):
    return [line for page in PAGES for block in blocks(page, language)
            for line in block.splitlines()]  # fmt: skip


@pytest.fixture
def folder_of_the_readme(tmp_path, monkeypatch):
    """A folder with the README's neuron saved as it says."""
    neuron = next(b for b in blocks(ROOT / "README.md", "python") if "class Leaky" in b)
    (tmp_path / "leaky.py").write_text(neuron)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_commands_of_the_pages_run(folder_of_the_readme, capsys):
    assert len(commands("sh")) >= 5
    for line in commands("sh"):
        program, *arguments = shlex.split(line)
        assert program == "scneuro"
        assert cli.main(arguments) == 0, line
    assert (folder_of_the_readme / "leaky.png").exists()
    assert (folder_of_the_readme / "fs.npz").exists()


@pytest.mark.slow
def test_the_builds_of_the_pages_run(folder_of_the_readme):
    assert len(commands("sh slow")) >= 2
    for line in commands("sh slow"):
        assert cli.main(shlex.split(line)[1:]) == 0, line
    assert len(list((folder_of_the_readme / "out").glob("*.bi[nt]"))) == 2


@pytest.mark.parametrize("example", sorted((ROOT / "examples").glob("*.py")), ids=lambda p: p.name)
def test_an_example_runs(example, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out
