"""What a prompt and a notebook show of an object, and what comes out of it as plain data."""

import json
import sys
import xml.etree.ElementTree as ElementTree
from importlib.metadata import version

import numpy as np
import pytest

import scneuro
from scneuro import LIF, AdEx, HodgkinHuxley, Input, Neuron, NoisyLIF, State, cli
from scneuro.hdl import build
from scneuro.neurons.hodgkin_huxley import leak, m_type, potassium, sodium
from scneuro.reference import compare
from scneuro.sim import SimulatedNeuron, parity
from scneuro.tools.notebook import trace


class Fragile(Neuron):
    V = State()
    I = Input()

    def update(self, V, I):
        raise ZeroDivisionError


def elements(shown):
    """The HTML of an object, which must be well formed: (cells of its table, its SVG or None)."""
    page = ElementTree.fromstring(f"<div>{shown}</div>")
    cells = [cell.text or "" for cell in page.iter("td")]
    return cells, page.find("{http://www.w3.org/2000/svg}svg")


def points(svg):
    """The points of every curve, (N, 2)."""
    return [
        np.array([p.split(",") for p in line.get("points").split()], dtype=float)
        for line in svg.iter("{http://www.w3.org/2000/svg}polyline")
    ]


# -- at a prompt ----------------------------------------------------------------------------------
def test_a_neuron_is_shown_as_the_call_that_makes_it():
    for neuron in (LIF(), LIF(tau_m=12.0), AdEx(200.0, g_L=8), AdEx.preset("bursting", a=2.5)):
        again = eval(repr(neuron), {"LIF": LIF, "AdEx": AdEx})
        assert again == neuron
    assert repr(LIF(tau_m=12.0)) == "LIF(tau_m=12.0)"
    assert repr(AdEx.preset("tonic")) == "AdEx.preset('tonic')"
    assert len(repr(HodgkinHuxley(channels=(sodium, potassium, leak, m_type)))) < 200


def test_an_integer_model_and_a_recording_say_what_they_are_in_a_line():
    fixed = HodgkinHuxley().fixed()
    assert repr(fixed) == "<HodgkinHuxley in integers: V Q8.8+8, m Q1.15+8, h Q1.15+8, n Q1.15+8>"
    one = LIF().run(np.full(200, 2.5))
    assert repr(one) == "<Recording: 200 steps of 0.1 ms, 1 spike; V under I>"
    many = LIF().run(np.full((200, 3), 2.5))
    assert repr(many) == "<Recording of 3 neurons: 200 steps of 0.1 ms, 3 spikes; V under I>"


def test_nothing_is_shown_by_its_address():
    neuron = HodgkinHuxley(channels=(sodium, potassium, leak))
    chip = SimulatedNeuron(lambda: build(neuron, neuron.fixed()), neuron.fixed())
    things = (neuron, neuron.fixed(), chip, sodium, neuron.spec, LIF().run(np.zeros(3)))
    for thing in things:
        assert " at 0x" not in repr(thing)
    assert repr(chip) == "<HodgkinHuxley in gates: SimulatedNeuron>"
    assert repr(sodium).startswith("Channel(name='Na', g=120.0, E=50.0, gates=(Gate(name='m'")


def test_reports_say_what_they_are_in_a_line():
    report = parity(LIF(), steps=50, progress=False)
    assert repr(report) == "<Parity of LIF: 50 steps, ok>"
    assert repr(compare(LIF(), duration=50)).startswith("<Comparison of LIF")


# -- in a notebook --------------------------------------------------------------------------------
def test_a_neuron_shows_its_variables_parameters_and_a_trace_without_matplotlib(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    neuron = NoisyLIF(tau_m=12.0)
    neuron.step(2.0)
    before = neuron.V
    cells, svg = elements(neuron._repr_html_())
    for text in ("V", "mV", "Q8.8", "tau_m", "12", "noise", "I"):
        assert text in cells
    (curve,) = points(svg)
    assert len(curve) > 100
    assert before == neuron.V  # it is another that ran


def test_a_neuron_that_cannot_run_is_still_shown():
    cells, svg = elements(Fragile()._repr_html_())
    assert "V" in cells
    assert svg is None


def test_a_recording_shows_what_each_variable_did_and_its_trace():
    run = LIF().run(np.full(400, 2.5))
    cells, svg = elements(run._repr_html_())
    row = cells[cells.index("V") :][:4]
    assert [float(v) for v in row[1:]] == pytest.approx(
        [run.V.min(), run.V.max(), run.V.mean()], rel=1e-5
    )
    assert points(svg)[0].shape == (400, 2)
    high = LIF(V_th=200.0).fixed().run(np.full(2000, 100.0))  # stopped where its word ends
    assert high.saturated
    assert str(high.saturated["V"]) in elements(high._repr_html_())[0]
    elements(LIF().run(np.zeros((20, 3)))._repr_html_())


def test_a_comparison_shows_every_figure_that_was_judged_and_both_traces():
    report = parity(AdEx(), steps=300, progress=False)
    cells, svg = elements(report._repr_html_())
    assert cells.count("pass") == sum(c.ok is True for c in report.verdict)
    assert "FAIL" not in cells
    assert [len(curve) for curve in points(svg)] == [300, 300]
    cells, _ = elements(compare(LIF(), duration=50)._repr_html_())
    assert cells[0] == "discretisation"


def test_an_integer_model_shows_its_registers():
    cells, _ = elements(AdEx().fixed()._repr_html_())
    assert cells[:7][:5] == ["V", "mV", "Q8.8", "8", "24"]


def test_a_long_trace_keeps_every_spike_and_few_points():
    values = np.zeros(1_000_000)
    values[[123_456, 700_001]] = 1.0, -1.0
    (curve,) = points(ElementTree.fromstring(trace({"": values}, 1.0, "V")))
    assert len(curve) < 1500
    assert sum(curve[:, 1] < curve[0, 1]) == sum(curve[:, 1] > curve[0, 1]) == 1
    elements(trace({"": np.array([np.nan, 1.0, np.inf])}, 1.0, "<V>"))


# -- plain data -----------------------------------------------------------------------------------
def test_a_recording_is_read_by_name():
    run = AdEx().run(np.full(2000, 1.0))
    assert np.array_equal(run["V"], run.states["V"])
    assert np.array_equal(run["I"], run.inputs["I"])
    assert np.array_equal(run["t"], run.t)
    assert np.array_equal(run["spike"], run.spike)
    with pytest.raises(KeyError, match="no 'v' was recorded; there are t, spike, V, w, I"):
        run["v"]


def test_spike_times_are_in_ms_where_the_time_axis_has_them():
    run = LIF().run(np.full(400, 2.5))
    assert run.spike_times.tolist() == run.t[run.spike].tolist() == pytest.approx([16.1, 30.0], 0.2)
    with pytest.raises(ValueError, match="single neuron"):
        _ = LIF().run(np.zeros((20, 3))).spike_times


def test_a_recording_becomes_plain_lists():
    run = AdEx().run(np.full(300, 1.0))
    data = json.loads(json.dumps(run.to_dict()))
    assert list(data) == ["t", "spike", "V", "w", "I"]
    assert np.array_equal(data["V"], run.V)
    assert {len(column) for column in data.values()} == {300}


def test_the_version_is_that_of_the_installed_package(capsys):
    assert scneuro.__version__ == version("scneuro")
    with pytest.raises(SystemExit) as stop:
        cli.main(["--version"])
    assert stop.value.code == 0
    assert capsys.readouterr().out == f"scneuro {scneuro.__version__}\n"
