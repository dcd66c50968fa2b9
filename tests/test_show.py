"""What ``show`` says: names of its own, lines that fit, the neuron's own words."""

import json
import re

import numpy as np
import pytest

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, State, cli
from scneuro.report import describe, latency_clocks, show
from scneuro.sim.compare.cheaper import bits_of, cheaper


class Clashing(Neuron):
    s1: float = 3.0  # a parameter, a state and an input by the names of a sum, a table, a choice
    f1 = State(range=(-4.0, 4.0))
    x1 = Input(range=(-4.0, 4.0))

    def update(self, f1, x1):
        after = f1 + self.dt * (np.tanh(f1) + x1 - f1 / self.s1)
        return after >= 1.0, np.where(after >= 1.0, 0.0, after)


class Silent(LIF):
    pass


class Long(Neuron):
    """Its own words."""

    V = State(range=(-4.0, 4.0))
    w = State(range=(-4.0, 4.0))
    I = Input(range=(-4.0, 4.0))

    def update(self, V, w, I):
        terms = sum(0.001 * (k + 1) * np.tanh(V + k / 7) * w for k in range(12))
        after = V + self.dt * (terms + I - V)
        return after >= 1.0, np.where(after >= 1.0, 0.0, after), w + self.dt * (V - w)


def shown(neuron):
    fixed = neuron.fixed()
    figures = describe(neuron, fixed, latency_clocks(fixed))
    return show(neuron, figures), figures


def test_no_name_that_show_gives_can_be_one_of_the_users():
    text, figures = shown(Clashing())
    names = [*figures["sums"], *(t["name"] for t in figures["tables"])]
    assert "s#1" in names
    assert "f#1" in names
    assert not any(name.isidentifier() for name in names)
    assert "f#1(f1)" in text
    assert "+ 0.1 x1" in text.replace("0.1 x1 +", "+ 0.1 x1")


def test_a_neuron_without_a_docstring_has_none_and_not_its_parents():
    text, _ = shown(Silent())
    assert text.splitlines()[0] == "Silent"
    assert "Parameters" not in text
    assert shown(Long())[0].splitlines()[0] == "Long: Its own words."


def test_long_formulas_are_cut_and_whole_in_json(tmp_path, capsys):
    text, figures = shown(Long())
    formulas = [
        line for line in text.splitlines() if re.match(r"  (s#\d+ =|spike if|\w+ <-)", line)
    ]
    assert max(map(len, formulas)) <= 100
    assert any(line.endswith("...") for line in formulas)
    assert "--json has the whole formulas" in text
    assert max(len(sum_) for sum_ in figures["sums"].values()) > 150
    assert "..." not in "".join(figures["sums"].values())
    assert "--json has" not in shown(LIF())[0]


@pytest.mark.parametrize("name", ["adex", pytest.param("hodgkin_huxley", marks=pytest.mark.slow)])
def test_lines_fit_a_wide_screen(name, capsys):
    assert cli.main(["show", name]) == 0
    text = capsys.readouterr().out
    assert max(map(len, text.splitlines())) <= 200
    assert cli.main(["show", name, "--json"]) == 0
    json.loads(capsys.readouterr().out)


def test_only_words_of_q8_8_are_called_so(capsys):
    assert cli.main(["parity", "hodgkin_huxley", "--steps", "200"]) == 0
    text = capsys.readouterr().out
    assert "spikes float 1, integers 1" in text
    lines = [line for line in text.splitlines() if "Q8.8" in line]
    assert [line.split()[2] for line in lines] == ["V:"]
    said = re.search(r"rms of the run, LSB: V ([\d.]+) \(([\d.e-]+) mV\), m [\d.]+, h", text)
    lsb, mv = map(float, said.groups())
    assert cli.main(["parity", "hodgkin_huxley", "--steps", "200", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert (
        mv == pytest.approx(figures["state_rms"]["V"], rel=0.01) == pytest.approx(lsb / 256, 0.01)
    )
    assert figures["units"] == {"V": "mV", "m": "", "h": "", "n": ""}


def test_which_words_are_cheaper_is_found_by_lowering_with_each():
    neuron = Izhikevich()
    fixed = neuron.fixed()
    found, before = cheaper(neuron, fixed, progress=False), bits_of(fixed)
    assert ("V", "Q9.7") in {(each.name, each.word) for each in found}
    for each in found:
        other = Izhikevich()
        if each.range is None:
            other.set_words(**{each.name: each.word})
        else:
            other.set_ranges(**{each.name: each.range})
        taken = bits_of(other.fixed())
        assert each.bits == taken
        assert each.saves["registers"] == 1 - taken.registers / before.registers
        assert max(each.saves.values()) >= 0.03
    assert bits_of(neuron.fixed()) == before  # it is as it was
    assert "saves 39% of registers, and takes 125% of products more" in str(found[0])


def test_a_range_that_is_cheaper_is_where_the_float_model_works():
    neuron = AdEx()
    (found,) = [each for each in cheaper(neuron, neuron.fixed(), progress=False) if each.range]
    assert (found.name, found.word) == ("w", "Q8.8")
    other = AdEx()
    other.set_ranges(w=found.range)
    assert bits_of(other.fixed()) == found.bits
    assert other.fixed().lowered.registers["w"].high < neuron.fixed().lowered.registers["w"].high
    low, high = found.range
    w = neuron.run(np.full(5000, neuron.currents[-1])).w
    assert low < w.min() < w.max() < high
    assert f"w: range=({low:g}, {high:g}) saves 6% of registers; that is what" in str(found)


@pytest.mark.parametrize(
    ("ranges", "kind", "said"),
    [
        ({"U": (0, 1)}, TypeError, "AdEx has no state or input 'U'; it has V, w, I"),
        ({"w": (1, 0)}, ValueError, "range"),
        ({"w": (0, float("nan"))}, ValueError, "range"),
        ({"w": 3}, TypeError, "range"),
    ],
)
def test_a_range_that_is_none_is_refused(ranges, kind, said):
    neuron = AdEx()
    before = neuron.fixed().lowered.registers
    with pytest.raises(kind, match=said):
        neuron.set_ranges(**ranges)
    assert neuron.fixed().lowered.registers == before


def test_the_command_line_says_which_words_are_cheaper(capsys):
    assert cli.main(["show", "adex", "--cheaper"]) == 0
    assert 'cheaper  V: word="Q9.7" saves 8% of registers' in capsys.readouterr().out
    assert cli.main(["show", "adex", "--cheaper", "--json"]) == 0
    figures = json.loads(capsys.readouterr().out)
    assert {"registers", "tables", "products"} == figures["bits"].keys()
    assert figures["cheaper"][0]["word"] == "Q9.7"
    assert "cheaper" not in json.loads(shown_as_json(capsys, "adex"))


def shown_as_json(capsys, name):
    assert cli.main(["show", name, "--json"]) == 0
    return capsys.readouterr().out
