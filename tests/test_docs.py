"""Every code block of the README and the docs runs, links lead somewhere, figures are current."""

import re
import runpy
import shlex
from pathlib import Path

import pytest
from checks import nightly

from scneuro import cli
from scneuro.neurons import builtins

ROOT = Path(__file__).parent.parent
GALLERY = ROOT / "docs" / "gallery" / "README.md"
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
QUICK = ("lif",)


def name_of(page):
    return str(page.relative_to(ROOT))


def blocks(page, language):
    return re.findall(rf"^```{language}\n(.*?)^```", page.read_text(), re.M | re.S)


def commands(language, pages):
    return [line for page in pages for block in blocks(page, language)
            for line in block.splitlines()]  # fmt: skip


# a simulated board, a network that is trained, proofs, and figures of many runs; the blocks of the
# page of networks run in every run as the folder of the pages is made
SECONDS = (
    "docs/gallery/README.md",
    "docs/link.md",
    "docs/networks.md",
    "docs/training.md",
    "docs/tutorial.md",
    "docs/verification.md",
)
WITH_PYTHON = [
    pytest.param(page, marks=[pytest.mark.slow] * (name_of(page) in SECONDS))
    for page in PAGES
    if blocks(page, "python")
]


@pytest.mark.parametrize("page", WITH_PYTHON, ids=name_of)
def test_the_python_of_a_page_runs_from_top_to_bottom(page, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    namespace = {"__name__": "page"}
    for block in blocks(page, "python"):
        exec(compile(block, str(page), "exec"), namespace)


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_the_links_of_a_page_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)#]+)", page.read_text()):
        if not re.match(r"https?:", target):
            assert (page.parent / target).exists(), target


# -- commands -------------------------------------------------------------------------------------
@pytest.fixture
def folder_of_the_pages(tmp_path, monkeypatch):
    """A folder with what the README, the tutorial and the page of networks save, as they say."""
    for page, name in (("README.md", "Leaky"), ("docs/tutorial.md", "Adapting")):
        neuron = next(b for b in blocks(ROOT / page, "python") if f"class {name}" in b)
        (tmp_path / f"{name.lower()}.py").write_text(neuron)
    monkeypatch.chdir(tmp_path)
    networks = blocks(ROOT / "docs" / "networks.md", "python")
    (tmp_path / "network.py").write_text(networks[0])
    exec(compile("\n".join(networks), "networks.md", "exec"), {"__name__": "page"})
    return tmp_path


def run(lines):
    for line in lines:
        program, *arguments = shlex.split(line)
        assert program == "scneuro"
        assert cli.main(arguments) == 0, line


def is_long(line):
    """Whether a command takes seconds: it proves, or simulates gates of many neurons."""
    many = re.match("scneuro parity ", line) and "leaky.py" not in line
    return (
        line.startswith("scneuro prove ")
        or bool(many)
        or "--variables V n" in line
        or "--neurons 12" in line
    )


def test_the_commands_of_the_pages_run(folder_of_the_pages, capsys):
    lines = commands("sh", [page for page in PAGES if page != GALLERY])
    quick = [line for line in lines if not is_long(line)]
    assert len(quick) >= 20
    run(quick)
    for made in ("leaky.png", "fs.npz", "adapting.png", "phase.png"):
        assert (folder_of_the_pages / made).exists()


@pytest.mark.slow
def test_the_commands_of_the_pages_that_take_seconds_run(folder_of_the_pages, capsys):
    lines = commands("sh", [page for page in PAGES if page != GALLERY])
    long = [line for line in lines if is_long(line)]
    assert 3 <= len(long) <= 8
    run(long)


@pytest.mark.slow
def test_the_commands_of_the_gallery_make_its_pictures(folder_of_the_pages, capsys):
    lines = commands("sh", [GALLERY])
    assert len(lines) >= len(builtins())
    run(lines)
    made = {path.name for path in folder_of_the_pages.glob("*.png")}
    assert made <= {path.name for path in GALLERY.parent.glob("*.png")}
    assert len(made) == len(lines)


@pytest.mark.slow
@pytest.mark.parametrize("kind", nightly(("build", "explore"), lambda kind: kind == "build"))
def test_the_builds_and_searches_of_the_pages_run(folder_of_the_pages, kind):
    lines = [line for line in commands("sh slow", PAGES) if line.startswith(f"scneuro {kind}")]
    assert len(lines) >= 1
    run(lines)
    if kind == "build":
        assert len(list((folder_of_the_pages / "out").glob("*.bi[nt]"))) == len(lines) > 2
    else:
        assert (folder_of_the_pages / "explored" / "explore.html").exists()


def test_slow_commands_of_the_pages_build_or_search():
    assert {line.split()[1] for line in commands("sh slow", PAGES)} == {"build", "explore"}


@pytest.mark.icestorm
def test_the_ladders_of_the_pages_are_climbed(capsys):
    lines = commands("sh icestorm", PAGES)
    assert len(lines) >= 1
    run(lines)


# -- the neurons' pages ---------------------------------------------------------------------------
@pytest.fixture(scope="module")
def maker():
    return runpy.run_path(str(ROOT / "docs" / "neurons" / "make.py"))


def page_of(name):
    return (ROOT / "docs" / "neurons" / f"{name}.md").read_text()


@pytest.mark.parametrize("name", builtins())
def test_the_page_of_a_neuron_has_its_current_facts(name, maker):
    assert page_of(name).startswith(maker["facts"](name))
    assert f"[`{name}`]({name}.md)" in page_of("README")


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n not in QUICK)) for n in builtins()]
)
def test_the_figures_of_a_neurons_page_are_measured_again(name, maker):
    before_area = page_of(name).partition("\n## Area")[0]
    assert before_area.endswith(maker["measured"](name))


@pytest.mark.parametrize("name", builtins())
def test_the_area_of_a_neurons_page_is_that_stored(name, maker):
    assert page_of(name).endswith(maker["area"](name))


def test_the_index_lists_every_neuron_and_no_page_is_left_over(maker):
    assert page_of("README") == maker["index"]()
    pages = {path.stem for path in (ROOT / "docs" / "neurons").glob("*.md")}
    assert pages == {"README", *builtins()}


EXAMPLES = [
    pytest.param(path, marks=[pytest.mark.slow] * (path.stem == "digits"))
    for path in sorted((ROOT / "examples").glob("*.py"))
    if path.stem != "sequence"  # runs in test_train.py
]


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_an_example_runs(example, capsys, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    runpy.run_path(str(example), run_name="__main__")
    assert capsys.readouterr().out
