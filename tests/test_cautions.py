"""What `show` and `build` say once of a neuron that is coarser than it looks, and what helps."""

import re

import numpy as np
import pytest

from scneuro import Input, Neuron, State, cli
from scneuro.boards import build
from scneuro.neurons import builtin, builtins
from scneuro.sim.compare.advice import cautions


class Leaky(Neuron):
    V = State()
    I = Input()
    currents = (5.0, 20.0)

    def update(self, V, I):
        V = V + 0.1 * (I - V)
        return V >= 90.0, np.where(V >= 90.0, 0.0, V)


class FitzHughNagumo(Neuron):
    dt: float = 0.5
    V = State(budget=1000.0)
    w = State(budget=1000.0)
    I = Input()
    currents = (0.5, 0.7)

    def update(self, V, w, I):
        V_next = V + self.dt * (V - V**3 / 3 - w + I)
        return (V < 1) & (V_next >= 1.0), V_next, w + self.dt * 0.08 * (V + 0.7 - 0.8 * w)


class Fast(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        return V > 3, 0.9 * V + I + 0.0005 * np.sin(50 * V)


def said(neuron):
    return cautions(neuron, neuron.fixed())


def declared(line, **names):
    """The declarations that a line proposes, as a class's."""
    found = re.findall(r"(\w+) = ((?:State|Input)\(range=\([^)]*\)(?:, word=\"[^\"]*\")?\))", line)
    assert found, line
    return {name: eval(text) for name, text in found}


@pytest.mark.parametrize("name", builtins())
def test_of_the_built_in_neurons_nothing_is_said(name):
    if name != "hodgkin_huxley":  # which takes ten seconds
        assert said(builtin(name)()) == ()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"I": Input(range=(-1.0, 1.0))}, "I is held at 5 to 20 and is limited to -1 to 1"),
        ({"V": State(range=(-2.0, 2.0))}, "V visits 0 to 20 in float"),
        ({"currents": (5.0, 120.0), "V": State(word="Q7.9")}, 'word="Q8.8"'),
    ],
)
def test_what_saturates_is_named_with_the_range_it_needs(changes, words):
    (line,) = said(type("Saturated", (Leaky,), dict(changes))())
    assert words in line
    cured = type("Cured", (Leaky,), {**changes, **declared(line)})
    assert said(cured()) == ()


def test_a_bound_of_more_than_an_lsb_is_named_with_ranges_that_lower_it():
    lines = said(FitzHughNagumo())
    assert any(
        re.match(r"a step of w may be off by [\d.]+ LSB, as its budget allows", x) for x in lines
    )
    assert said(type("Cured", (FitzHughNagumo,), declared(lines[-1]))()) == ()


def test_a_table_whose_error_rivals_its_range_is_named():
    (line,) = said(Fast())
    assert "the table of sin((50 * V)) is off by" in line
    cured = type("Cured", (Fast,), declared(line))
    assert said(cured()) == ()


def test_show_and_build_say_it_once(tmp_path, monkeypatch, capsys):
    path = tmp_path / "fast.py"
    path.write_text(
        "import numpy as np\nfrom scneuro import Input, Neuron, State\n"
        "class Fast(Neuron):\n    V = State()\n    I = Input()\n"
        "    def update(self, V, I):\n"
        "        return V > 3, 0.9 * V + I + 0.0005 * np.sin(50 * V)\n"
    )
    assert cli.main(["show", str(path)]) == 0
    assert capsys.readouterr().out.count("the table of sin((50 * V)) is off by") == 1
    cli.main(["parity", str(path), "--steps", "50"])
    assert capsys.readouterr().out.count("the table of sin((50 * V)) is off by") == 1
    monkeypatch.setattr(build, "find_tools", lambda _: cli.main(["no such command"]))
    with pytest.raises(SystemExit):
        cli.main(["build", str(path), "--board", "icebreaker", "-o", str(tmp_path / "out")])
    assert capsys.readouterr().err.count("caution: the table of sin((50 * V)) is off by") == 1
