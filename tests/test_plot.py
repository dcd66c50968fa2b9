"""Figures: the files they become, and that what is drawn is what was computed."""

import json
import re
import sys
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest
from checks import few

from scneuro import (
    LIF,
    AdEx,
    ConductanceLIF,
    HodgkinHuxley,
    Izhikevich,
    NoisyLIF,
    ScneuroError,
    cli,
)
from scneuro.network import Dense, Network
from scneuro.neurons import builtins
from scneuro.plot import (
    plot_confusion,
    plot_fi,
    plot_network,
    plot_phase,
    plot_presets,
    plot_recordings,
    plot_trace,
)
from scneuro.signals.stimulus import as_words

GALLERY = Path(__file__).parent.parent / "docs" / "gallery"


class Two(Izhikevich):
    presets: ClassVar = {name: Izhikevich.presets[name] for name in ("RS", "CH")}


def network_run(steps=60, runs=3):
    """A network of two populations, its spikes, and what it was given."""
    network = Network()
    network.input("x", 4)
    network.population("first", LIF(), (2, 3))
    network.population("second", LIF(), 2)
    network.connect("x", "first", Dense(np.linspace(10, 50, 24).reshape(6, 4)))
    network.connect("first", "second", Dense(np.full((2, 6), 30.0)))
    given = np.random.default_rng(1).random((steps, runs, 4)) < 0.3
    return network.run(x=given, progress=False, record=()), given


DRAWINGS = {
    "trace": lambda path: plot_trace(LIF(), path, steps=300),
    "fi": lambda path: plot_fi(LIF(), path, [1.0, 3.0], steps=300),
    "phase": lambda path: plot_phase(Izhikevich(), path, steps=300),
    "presets": lambda path: plot_presets(Two, path, steps=100),
    "network": lambda path: plot_network(network_run()[0], path),
    "confusion": lambda path: plot_confusion([0, 1, 1], [0, 1, 2], path),
}
drawing = pytest.mark.parametrize("draw", DRAWINGS.values(), ids=DRAWINGS)
drawing_few = pytest.mark.parametrize(
    "draw",
    few(DRAWINGS.values(), lambda draw: draw is DRAWINGS["network"]),
    ids=DRAWINGS,
)


def lines(axis, text):
    """The lines of an axis whose label starts with ``text``."""
    return [line for line in axis.get_lines() if line.get_label().startswith(text)]


@drawing_few
def test_a_figure_is_of_the_kind_its_suffix_says_and_the_same_bytes_twice(draw, tmp_path):
    for suffix in ("png", "svg", "PDF"):
        paths = [tmp_path / f"{k}.{suffix}" for k in range(2)]
        for path in paths:
            draw(path)
        first, second = (path.read_bytes() for path in paths)
        assert first == second
        if suffix == "png":
            assert first.startswith(b"\x89PNG")
        elif suffix == "PDF":
            assert first.startswith(b"%PDF")
        else:
            assert ET.fromstring(first).tag == "{http://www.w3.org/2000/svg}svg"
    assert len(list(tmp_path.iterdir())) == 6


def test_the_users_settings_of_matplotlib_do_not_change_a_figure(tmp_path):
    import matplotlib

    DRAWINGS["phase"](tmp_path / "a.png")
    with matplotlib.rc_context({"font.size": 20, "axes.facecolor": "black", "lines.marker": "x"}):
        DRAWINGS["phase"](tmp_path / "b.png")
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@drawing
@pytest.mark.parametrize("name", ["p.gif", "p"])
def test_another_suffix_is_refused_in_one_line(draw, name, tmp_path):
    refusal = rf"cannot plot to .*{name}: name a \.png or \.svg or \.pdf file"
    with pytest.raises(ValueError, match=refusal) as error:
        draw(tmp_path / name)
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())


@drawing
def test_without_matplotlib_the_way_to_get_it_is_named(draw, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ScneuroError, match="plots need matplotlib") as error:
        draw(tmp_path / "p.png")
    assert "scneuro[plots]" in error.value.hint


@drawing
def test_an_unwritable_place_leaves_nothing_behind(draw, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ScneuroError, match="cannot write"):
        draw(tmp_path / "file" / "p.png")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("item", [0, 2])
def test_a_networks_raster_shows_every_spike_of_one_run_by_population(item, tmp_path):
    recording, given = network_run()
    path = tmp_path / "p.png"
    figure = plot_network(recording, path, inputs={"x": given}, item=item, title="Spikes")
    assert [axis.get_ylabel() for axis in figure.axes] == ["x", "first", "second"]
    for axis, spike in zip(figure.axes, (given, *recording.spike.values()), strict=True):
        when, who = np.nonzero(spike[:, item])
        assert 0 < len(when) < spike[:, item].size
        (drawn,) = axis.collections
        assert np.array_equal(drawn.get_offsets(), np.transpose([recording.t[when], who]))
    with pytest.raises(ValueError, match="item must be 0 to 2, the runs there are, not 3"):
        plot_network(recording, path, item=3)


def test_a_confusion_matrix_counts_what_was_told_for_what_was_right(tmp_path):
    figure = plot_confusion([0, 2, 2, 1], [0, 1, 1, 1], tmp_path / "p.png")
    (axis,) = figure.axes
    found = {text.get_position(): text.get_text() for text in axis.texts}
    assert found == {(0, 0): "1", (1, 1): "1", (2, 1): "2"}
    with pytest.raises(ValueError, match=r"\(2,\) classes were told, and \(3,\) are right"):
        plot_confusion([0, 1], [0, 1, 2], tmp_path / "p.png")


def test_a_trace_draws_both_recordings_their_spikes_their_difference_and_the_input(tmp_path):
    current = as_words(1 + np.sin(np.arange(600) / 40))
    neuron = AdEx()
    float_run, words = neuron.run(current), neuron.fixed().run(current)
    assert float_run.spikes > 0
    figure = plot_trace(neuron, tmp_path / "p.png", current)
    potential, adaptation, error, given = figure.axes
    for axis, name in ((potential, "V"), (adaptation, "w")):
        for line, run in zip(axis.get_lines(), (float_run, words), strict=False):
            np.testing.assert_array_equal(line.get_xdata(), run.t)
            np.testing.assert_array_equal(line.get_ydata(), run.states[name])
    for ticks, run in zip(potential.get_lines()[2:], (float_run, words), strict=True):
        np.testing.assert_array_equal(ticks.get_xdata(), run.t[run.spike])
    lsb = 256 * (words.V - float_run.V)
    np.testing.assert_allclose(error.get_lines()[0].get_ydata(), lsb)
    np.testing.assert_array_equal(given.get_lines()[0].get_ydata(), current)
    texts = [text.get_text() for text in potential.get_legend().get_texts()]
    assert texts == [f"float, {float_run.spikes} spikes", f"integers, {words.spikes} spikes"]
    assert [axis.get_ylabel() for axis in figure.axes] == [
        r"$\mathit{V}$ (mV)",
        r"$\mathit{w}$ (nA)",
        "error of $\\mathit{V}$\n(LSB)",
        r"$\mathit{I}$ (nA)",
    ]
    assert given.get_xlabel() == "time (ms)"
    assert figure.get_suptitle() == r"AdEx: $\mathit{I}$ varying between 0 and 2 nA"


def test_without_a_stimulus_a_trace_shows_a_pulse_of_the_neurons_own_current(tmp_path):
    given = plot_trace(LIF(), tmp_path / "p.png", steps=50).axes[-1].get_lines()[0].get_ydata()
    np.testing.assert_array_equal(given, [0.0] * 5 + [2.5] * 40 + [0.0] * 5)
    held = plot_trace(LIF(), tmp_path / "p.png", 1.5, steps=50).axes[-1].get_lines()[0].get_ydata()
    np.testing.assert_array_equal(held, [1.5] * 50)


def test_gates_share_a_panel_and_differ_in_dash(tmp_path):
    figure = plot_trace(HodgkinHuxley(), tmp_path / "p.svg", steps=200)
    gates = figure.axes[1]
    names = [text.get_text() for text in gates.get_legend().get_texts()]
    assert names == [rf"$\mathit{{{n}}}$" for n in "mhn"]
    assert len(gates.get_lines()) == 6
    assert len({line.get_color() for line in gates.get_lines()[1::2]}) == 3
    dashes = re.findall(r"stroke-dasharray: ([^;]+)", (tmp_path / "p.svg").read_text())
    assert len(set(dashes)) == 2  # and the first is solid


def test_all_inputs_are_drawn(tmp_path):
    drive = {"I_exc": np.full(100, 1.5), "I_inh": 0.25}
    figure = plot_trace(ConductanceLIF(), tmp_path / "p.png", drive)
    drawn = [set(line.get_ydata()) for line in figure.axes[-1].get_lines()]
    assert drawn == [{1.5}, {0.25}]
    assert figure.axes[-1].get_ylabel().endswith("\n(nS/ms)")


def test_float_and_words_of_a_noisy_neuron_draw_the_same_noise(tmp_path):
    figure = plot_trace(NoisyLIF(), tmp_path / "p.png", 1.8, steps=300)
    assert np.abs(figure.axes[1].get_lines()[0].get_ydata()).max() < 16  # LSB


def test_a_trace_of_many_neurons_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"shape \(T,\)"):
        plot_trace(LIF(), tmp_path / "p.png", np.ones((10, 2)))


def test_one_recording_alone_has_no_difference(tmp_path):
    run = LIF().run(np.full(400, 2.5))
    figure = plot_recordings({"float": run}, tmp_path / "p.png", title="one", units={"V": "mV"})
    assert [axis.get_ylabel() for axis in figure.axes] == [
        r"$\mathit{V}$ (mV)",
        r"$\mathit{I}$",
    ]


def test_an_fi_curve_draws_the_rates_and_the_difference_in_counts(tmp_path):
    currents = np.array([1.0, 2.5, 4.0])
    neuron = LIF()
    held = np.tile(currents, (2000, 1))
    counts = [runner.run(held).spikes for runner in (neuron, neuron.fixed())]
    # in 200 ms from V = -70 mV: 1 nA stays below the threshold; 2.5 and 4 nA pass it after
    # tau ln(25/5) and tau ln(40/20), and again every tau ln(20/5) and tau ln(35/20)
    assert counts[0].tolist() == [0, 14, 35]
    above, below = plot_fi(neuron, tmp_path / "p.png", currents, steps=2000).axes
    for line, count in zip(above.get_lines(), counts, strict=True):
        np.testing.assert_array_equal(line.get_xdata(), currents)
        np.testing.assert_allclose(line.get_ydata(), count / 0.2)
    np.testing.assert_array_equal(below.get_lines()[-1].get_ydata(), counts[1] - counts[0])
    assert above.get_ylabel() == "firing rate (Hz)"
    assert below.get_xlabel() == r"$\mathit{I}$ (nA)"


def test_an_fi_curve_goes_by_default_beyond_the_neurons_currents(tmp_path):
    drawn = plot_fi(LIF(), tmp_path / "p.png", steps=10).axes[0].get_lines()[0].get_xdata()
    assert (drawn[0], drawn[-1], len(drawn)) == (0, 1.5 * max(LIF.currents), 40)
    np.testing.assert_array_equal(drawn, as_words(drawn))


def test_nullclines_are_those_of_the_equations(tmp_path):
    axis = plot_phase(Izhikevich(), tmp_path / "p.png", 10.0).axes[0]
    potential = lines(axis, r"$\mathrm{d}$$\mathit{V}$")[0].get_xydata()
    recovery = lines(axis, r"$\mathrm{d}$$\mathit{u}$")[0].get_xydata()
    for points, u in (
        (potential, lambda V: 0.04 * V**2 + 5 * V + 140 + 10),
        (recovery, lambda V: 0.2 * V),
    ):
        points = points[np.isfinite(points).all(axis=1)]
        assert len(points) > 50
        np.testing.assert_allclose(points[:, 1], u(points[:, 0]), atol=0.02)


def test_a_phase_plane_draws_both_trajectories_broken_at_spikes_and_the_resets(tmp_path):
    neuron = AdEx.preset("bursting")
    current = np.full(1000, float(as_words(np.float64(0.21))))
    figure = plot_phase(neuron, tmp_path / "p.png", steps=1000)
    axis = figure.axes[0]
    for label, runner in (("float", neuron), ("integers", neuron.fixed())):
        run = runner.run(current)
        assert run.spikes > 1
        x, y = lines(axis, label)[0].get_xydata().T
        assert np.isnan(x).sum() == run.spikes
        np.testing.assert_array_equal(x[~np.isnan(x)][1:], run.V)
        np.testing.assert_array_equal(y[~np.isnan(y)][1:], run.w)
        assert x[np.flatnonzero(np.isnan(x)) + 1].tolist() == [-46.0] * run.spikes
    assert set(lines(axis, "reset")[0].get_xdata()) == {-46.0}
    assert axis.get_xlabel() == r"$\mathit{V}$ (mV)"
    assert axis.get_ylabel() == r"$\mathit{w}$ (nA)"
    assert figure.get_suptitle() == r"AdEx bursting: $\mathit{I}$ = 0.211 nA"


@pytest.mark.parametrize(
    ("neuron", "states"),
    [(HodgkinHuxley(), "V, m, h, n"), (LIF.preset("refractory"), "V"), (ConductanceLIF(), "V, g_")],
)
def test_a_phase_plane_needs_two_states(neuron, states, tmp_path):
    with pytest.raises(ValueError, match=f"{neuron.name} has {states}") as error:
        plot_phase(neuron, tmp_path / "p.png")
    assert "\n" not in str(error.value)


def test_a_neuron_at_rest_still_has_a_phase_plane(tmp_path):
    axis = plot_phase(Izhikevich(c=-70.0), tmp_path / "p.png", 0.0, steps=20).axes[0]
    assert np.ptp(axis.get_ylim()) >= 64 / 256
    assert not lines(axis, "reset")


def test_every_preset_has_a_panel_under_its_own_current(tmp_path):
    figure = plot_presets(AdEx, tmp_path / "p.png", steps=200)
    assert len(figure.axes) == len(AdEx.presets) == 8
    for axis, name in zip(figure.axes, AdEx.presets, strict=True):
        neuron = AdEx.preset(name)
        current = as_words(np.full(200, neuron.currents[0]))
        for line, runner in zip(axis.get_lines(), (neuron, neuron.fixed()), strict=True):
            np.testing.assert_array_equal(line.get_ydata(), runner.run(current).V)
        assert axis.get_title().startswith(name.replace("_", " "))
    with pytest.raises(ValueError, match="NoisyLIF has no presets"):
        plot_presets(NoisyLIF, tmp_path / "q.png")


@pytest.mark.parametrize(
    ("neuron", "title"),
    [
        (Izhikevich.preset("FS"), "Izhikevich FS: "),
        (Izhikevich.preset("FS", d=1.5), r"Izhikevich FS ($\mathit{d}$ = 1.5): "),
        (AdEx(tau_w=100.0), r"AdEx ($\tau_\mathrm{w}$ = 100): "),
    ],
    ids=["preset", "preset, changed", "changed"],
)
def test_a_title_says_the_preset_and_what_was_changed(neuron, title, tmp_path):
    assert plot_trace(neuron, tmp_path / "p.png", steps=20).get_suptitle().startswith(title)


def plot(capsys, *arguments):
    """(exit code, standard output, standard error) of ``scneuro plot``."""
    code = cli.main(["plot", *map(str, arguments)])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


@pytest.mark.parametrize("kind", ["trace", "fi", "phase"])
def test_the_command_line_draws_every_kind(kind, capsys, tmp_path):
    path = tmp_path / "p.svg"
    arguments = ("izhikevich", "--preset", "CH", "--kind", kind, "--steps", 50, "-o", path)
    assert plot(capsys, *arguments)[0] == 0
    assert path.stat().st_size > 0
    code, out, _ = plot(capsys, *arguments, "--json")
    assert code == 0
    assert json.loads(out) == {"neuron": "Izhikevich", "kind": kind, "plot": str(path)}


def test_the_command_line_draws_what_the_call_does(capsys, tmp_path):
    np.save(tmp_path / "i.npy", np.linspace(0, 4, 80))
    stimulus = tmp_path / "i.npy"
    plot_trace(LIF(tau_m=9.0), tmp_path / "a.png", np.load(stimulus)[:60])
    arguments = ("lif", "--set", "tau_m=9", "--stimulus", stimulus, "--steps", 60)
    assert plot(capsys, *arguments, "-o", tmp_path / "b.png")[0] == 0
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("lif", "--kind", "phase", "-o", "p.png"), "needs two states"),
        (("lif", "-o", "p.gif"), "cannot plot to p.gif"),
        (("lif", "--steps", "0", "-o", "p.png"), "steps must be at least 1"),
        (("lif", "--current", "200", "-o", "p.png"), "does not fit Q8.8"),
        (("lif", "--kind", "fi", "--current", "2", "-o", "p.png"), "leave out --current"),
        (("adex", "--kind", "phase", "--stimulus", "i.csv", "-o", "p.png"), "leave out --stimulus"),
    ],
)
def test_the_command_line_refuses_in_one_line(arguments, says, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, err = plot(capsys, *arguments)
    assert (code, out) == (2, "")
    assert says in err
    assert len(err.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_gallery_shows_every_picture_it_has_and_every_neuron():
    page = (GALLERY / "README.md").read_text()
    pictures = {path.name for path in GALLERY.glob("*.png")}
    assert pictures
    assert all(page.count(f"]({name})") == 1 for name in pictures)
    assert all({f"{name}-trace.png", f"{name}-fi.png"} <= pictures for name in builtins())
