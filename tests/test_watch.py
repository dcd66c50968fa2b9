"""A chip that is watched, without a page: what is seen of it, and what is wished."""

import threading
import time

import numpy as np
import pytest
from watched import IntegerChip

from scneuro import LIF, Izhikevich, Network, Population, ScneuroError
from scneuro.boards.link.port import LinkError
from scneuro.network.maps import Dense
from scneuro.sim.watch.choice import Choice, numbered
from scneuro.sim.watch.history import KEPT_MS, History
from scneuro.sim.watch.inputs import Inputs
from scneuro.sim.watch.watch import PACES, Watch


def until(condition, seconds=20):
    """Wait for what another thread does."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.005)


def crowd(count=5, **options):
    return Population(Izhikevich(), count, **options)


def watched(target, chip=None, **options):
    """A watch of a chip of integers, which is `watch.chip`."""
    chip = chip or IntegerChip(target)

    def connect():
        chip.closed = False
        return chip

    watch = Watch(connect, **options)
    watch.chip = chip
    return watch


CURRENTS = np.array([4.0, 8.0, 10.0, 12.0, 14.0])


# -- what is seen ---------------------------------------------------------------------------------
@pytest.mark.parametrize("target", [LIF(), crowd()], ids=["neuron", "population"])
def test_every_step_is_what_the_integers_do(target):
    currents = np.full(5, 20.0) * np.linspace(1, 2, 5) if isinstance(target, Population) else 20.0
    watch = watched(target, given={"I": currents}, pace=PACES[0])
    watch.make(400)
    view = watch.view(1000)
    ((name, raster),) = view.rasters.items()
    expected = target.fixed().run(np.broadcast_to(currents, (400, *np.shape(currents))))
    t, neuron = np.nonzero(np.reshape(expected.spike, (400, -1)))
    assert len(t) > 3
    assert np.allclose(raster.t, (t + 1) * target.dt)
    assert np.array_equal(raster.neuron, neuron)
    traces = view.traces[f"{name}.V"]
    voltages = np.reshape(expected.V, (400, -1))
    assert traces.neurons == tuple(range(min(3, voltages.shape[1])))
    for k, values in zip(traces.neurons, traces.values, strict=True):
        assert np.array_equal(values, voltages[:, k])
    watch.stop()


def test_by_the_clock_of_the_board_no_step_is_lost_and_states_are_sampled():
    target = crowd()
    with watched(target, given={"I": CURRENTS}) as watch:
        assert watch.status.pace == PACES[1]
        until(lambda: watch.now > 100 and len(watch.view(1e4).traces["Izhikevich.V"].t[0]))
    view = watch.view(1e4)
    steps = round(watch.now / target.dt)
    expected = target.fixed().run(np.tile(CURRENTS, (steps, 1)))
    t, _ = np.nonzero(expected.spike)
    assert np.allclose(view.rasters["Izhikevich"].t, (t + 1) * target.dt)
    traces = view.traces["Izhikevich.V"]
    assert 0 < len(traces.t[0]) < steps
    assert watch.chip.control is None  # it was stopped


def test_rates_are_of_all_neurons_however_few_are_drawn():
    history = History({"a": 400, "b": 1}, 1.0)
    rng = np.random.default_rng(0)
    table = rng.random((1000, 400)) < 0.1
    history.add_spikes(0, {"a": table, "b": np.ones((1000, 1), dtype=bool)})
    view = history.view(1000)
    raster = view.rasters["a"]
    assert raster.rate == pytest.approx(1000 * table.mean())
    assert np.allclose(np.mean(raster.rates), 1000 * table.mean(), rtol=0.02)
    assert raster.every > 1
    assert len(raster.t) <= 4000
    assert set(raster.neuron) <= set(range(0, 400, raster.every))
    drawn = np.zeros_like(table)
    drawn[(raster.t - 1).astype(int), raster.neuron] = True
    assert np.array_equal(drawn[:, :: raster.every], table[:, :: raster.every])
    assert view.rasters["b"].rate == pytest.approx(1000)


def test_a_population_that_was_not_seen_has_no_rate():
    history = History({"a": 4, "b": 4}, 1.0)
    history.add_spikes(0, {"a": np.zeros((100, 4), dtype=bool)})
    history.add_spikes(100, {"a": np.ones((50, 4), dtype=bool), "b": np.ones((50, 4), dtype=bool)})
    view = history.view(150)
    assert view.rasters["a"].rate == pytest.approx(1000 / 3)
    assert view.rasters["b"].rate == pytest.approx(1000)  # of the steps in which it was seen
    assert np.isnan(view.rasters["b"].rates[0])
    assert np.isnan(history.view(150).rasters["b"].rates[30])
    assert view.rasters["b"].rates[-1] == pytest.approx(1000)


def test_thinned_curves_keep_every_peak():
    history = History({"a": 1}, 0.1)
    history.choose({"a.V": (0,)})
    values = np.sin(np.arange(9_001) / 50)
    values[4_321] = 30.0
    history.add_spikes(0, {"a": np.zeros((9_001, 1), dtype=bool)})
    history.add_states(np.arange(9_001), {"a.V": values[:, None]})
    traces = history.view(1000).traces["a.V"]
    assert len(traces.t[0]) <= 1_100
    assert traces.every > 1
    assert traces.values[0].max() == 30.0
    assert traces.t[0][np.argmax(traces.values[0])] == pytest.approx(432.2)
    assert np.all(np.diff(traces.t[0]) > 0)


def test_what_is_kept_is_bounded():
    history = History({"a": 100}, 1.0)
    history.choose({"a.V": (0, 1)})
    for k in range(0, 40_000, 1000):
        history.add_spikes(k, {"a": np.ones((1000, 100), dtype=bool)})
        history.add_states(k + np.arange(1000), {"a.V": np.zeros((1000, 2))})
    assert sum(len(c.when) for c in history._spikes["a"]) <= 500_000
    assert history._lines <= KEPT_MS + 1000
    assert history.view(1e9).begin == 40_000 - KEPT_MS


# -- wishes ---------------------------------------------------------------------------------------
def test_an_input_is_given_to_all_or_to_one():
    with watched(crowd(), given={"I": 0.0}, pace=PACES[0]) as watch:
        watch.set_input("I", 10.0)
        watch.set_input("I", 3.0, 2)
        until(lambda: watch.inputs.held["I"].tolist() == [10, 10, 3, 10, 10])
        until(lambda: len(watch.view(100).rasters["Izhikevich"].t) > 10)
    assert 2 not in watch.view(1e4).rasters["Izhikevich"].neuron


def test_the_last_wish_of_a_slider_counts_and_none_before_it_is_waited_for():
    watch = watched(crowd())
    for value in np.linspace(0, 20, 500):
        watch.set_input("I", value)
    assert len(watch._wishes) == 1
    with watch:
        until(lambda: not watch._wishes and watch.inputs.of("I") == 20)


def test_states_and_parameters_are_set_for_all_or_for_one():
    target = crowd(parameters={"a": np.linspace(0.02, 0.1, 5)})
    watch = watched(target, given={"I": 0.0})
    assert list(watch.settable) == ["Izhikevich.a"]
    assert watch.settable["Izhikevich.a"] == pytest.approx((0.02, 0.1), abs=1e-3)
    assert watch.states == ("Izhikevich.V", "Izhikevich.u")
    watch.pause()
    with watch:
        watch.set_state("Izhikevich.a", 0.05)
        watch.set_state("Izhikevich.a", 0.07, 3)
        watch.set_state("Izhikevich.V", -50.0, 1)
        until(lambda: not watch._wishes and watch.chip.states["Izhikevich.V"][1] == -50)
        values = watch.chip.states["Izhikevich.a"]
        assert values[[0, 1, 2, 4]] == pytest.approx(0.05, abs=1e-3)
        assert values[3] == pytest.approx(0.07, abs=1e-3)
        assert np.all(watch.chip.states["Izhikevich.V"][[0, 2, 3, 4]] < -55)


@pytest.mark.parametrize("pace", PACES)
def test_it_pauses_goes_on_and_begins_anew(pace):
    with watched(crowd(), given={"I": CURRENTS}, pace=pace) as watch:
        until(lambda: watch.now > 10)
        watch.pause()
        until(lambda: watch.status.paused)
        made, end = watch.chip.made, watch.now
        assert watch.chip.control is None
        watch.reset()
        until(lambda: not watch._wishes)
        until(lambda: np.all(watch.chip.states["Izhikevich.V"] == -65))
        assert (watch.chip.made, watch.now) == (made, end)
        watch.pause(False)
        until(lambda: watch.now > end)
        assert watch.chip.made > made


def test_another_pace_and_another_choice_while_it_runs():
    with watched(crowd(), given={"I": CURRENTS}, pace=PACES[0]) as watch:
        watch.choose(Choice((), ("Izhikevich.u", "Izhikevich.V"), (4,)))
        until(lambda: list(watch.view(100).traces) == ["Izhikevich.u", "Izhikevich.V"])
        until(lambda: len(watch.view(100).traces["Izhikevich.u"].t[0]))
        assert watch.view(100).traces["Izhikevich.u"].neurons == (4,)
        watch.set_pace(PACES[1])
        until(lambda: watch.chip.control is True)
        watch.set_pace(PACES[0])
        until(lambda: watch.status.pace == PACES[0] and watch.chip.control is None)
        end = watch.now
        until(lambda: watch.now > end)
    expected = crowd().fixed().run(np.tile(CURRENTS, (watch.chip.made, 1)))
    view = watch.view(1e4)
    assert round(watch.now * 10) == watch.chip.made
    assert np.allclose(view.rasters["Izhikevich"].t, (np.nonzero(expected.spike)[0] + 1) * 0.1)


@pytest.mark.parametrize(
    ("wish", "says"),
    [
        (lambda w: w.set_input("J", 1), "no input 'J'; there are I"),
        (lambda w: w.set_input("I", 1, 5), "I is of neurons 0 to 4, not 5"),
        (lambda w: w.set_input("I", float("nan")), "must be finite numbers"),
        (lambda w: w.set_state("Izhikevich.w", 1), "no state 'Izhikevich.w'"),
        (lambda w: w.set_state("Izhikevich.V", 1, -1), "neurons 0 to 4, not -1"),
        (lambda w: w.set_pace("slow"), "no pace 'slow'"),
        (lambda w: w.choose(Choice(("x",), (), ())), "no population 'x'"),
        (lambda w: w.choose(Choice((), ("Izhikevich.q",), ())), "no state 'Izhikevich.q'"),
        (lambda w: w.choose(Choice((), (), (5,))), "there is no neuron 5: they are 0 to 4"),
        (lambda w: w.choose(Choice((), (), tuple(range(9)))), "at most 3 states of 8 neurons"),
    ],
)
def test_what_cannot_be_is_refused_at_once(wish, says):
    watch = watched(crowd())
    with pytest.raises(ValueError, match=says):
        wish(watch)
    assert not watch._wishes
    watch.stop()


def test_what_the_chip_refuses_is_said_and_it_goes_on():
    with watched(crowd(), pace=PACES[0]) as watch:
        watch.set_state("Izhikevich.V", 1e6)
        until(lambda: "1e+06" in watch.status.message or "1000000" in watch.status.message)
        watch.set_input("I", 5.0)
        until(lambda: watch.status.message == "" and watch.inputs.of("I") == 5)
        assert not watch.ended


def test_neurons_are_named_as_they_are_typed():
    assert numbered("0, 3-5 7") == (0, 3, 4, 5, 7)
    assert numbered("") == ()
    for text, says in (("x", "'x' is no neuron"), ("0-99999999", "at most 8"), ("-1", "no neuron")):
        with pytest.raises(ValueError, match=says):
            numbered(text)


def test_random_spikes_have_the_rate_that_is_asked_for():
    network = Network("net")
    network.input("x", 50, most=3)
    network.input("y", 50)
    network.input("z", 2, kind="current")
    network.population("out", LIF(dt=1.0), 2)
    network.connect("x", "out", Dense(np.ones((2, 50))))
    network.connect("y", "out", Dense(np.ones((2, 50))))
    network.connect("z", "out", Dense(np.eye(2)))
    inputs = Inputs(network, {"x": 1500.0, "y": 20.0, "z": [1.0, 2.0]})
    drawn = inputs.steps(2000)
    assert drawn["x"].shape == (2000, 50)
    assert drawn["x"].max() > 1
    assert drawn["x"].mean() == pytest.approx(1.5, rel=0.02)
    assert drawn["y"].mean() == pytest.approx(0.02, rel=0.1)
    assert set(np.unique(drawn["y"])) == {0, 1}
    assert drawn["z"][-1].tolist() == [1, 2]
    assert inputs.spiking == ["x", "y"]
    assert (inputs.unit("x"), inputs.unit("z")) == ("Hz", LIF().units["I"])
    assert inputs.span("y") == (0, 1000)
    with pytest.raises(ValueError, match="there may be 0 to 1000 Hz"):
        inputs.changed("y", 1001)
    with pytest.raises(ValueError, match="takes 2 numbers, not 3"):
        Inputs(network, {"z": [1, 2, 3]})


# -- read-only ------------------------------------------------------------------------------------
def test_read_only_refuses_every_wish():
    watch = watched(crowd(), given={"I": CURRENTS}, read_only=True)
    wishes = [
        lambda: watch.set_input("I", 1.0),
        lambda: watch.set_state("Izhikevich.V", -50.0),
        lambda: watch.choose(Choice((), (), ())),
        lambda: watch.pause(),
        lambda: watch.set_pace(PACES[0]),
        lambda: watch.reset(),
        lambda: watch.record(),
    ]
    for wish in wishes:
        with pytest.raises(ScneuroError, match="read-only"):
            wish()
    assert not watch._wishes
    watch.make(10)
    assert watch.inputs.held["I"].tolist() == CURRENTS.tolist()
    watch.stop()


# -- recordings -----------------------------------------------------------------------------------
def test_what_is_recorded_can_be_played_again(tmp_path):
    target = crowd()
    with watched(target, given={"I": CURRENTS}, pace=PACES[0], folder=tmp_path) as watch:
        watch.pause()
        watch.record()
        until(lambda: watch.status.recording)
        watch.pause(False)
        until(lambda: watch.now > 30)
        watch.set_input("I", 15.0, 0)
        until(lambda: not watch._wishes)
        end = watch.now
        until(lambda: watch.now > end + 30)
        watch.choose(Choice((), (), ()))
        until(lambda: "stop the recording first" in watch.status.message)
        watch.record(False)
        until(lambda: watch.status.recorded)
        assert watch.status.recording == ""
        (path,) = tmp_path.iterdir()
        assert str(path) == watch.status.recorded
    found = np.load(path)
    begin, stop = (round(float(found[n]) / target.dt) for n in ("begin", "end"))
    currents = np.empty((stop, 5))
    for t, values in zip(found["inputs/I/t"], found["inputs/I"], strict=True):
        currents[round(t / target.dt) :] = values
    currents[:begin] = CURRENTS
    expected = target.fixed().run(currents)
    when, who = np.nonzero(expected.spike[begin:])
    assert np.allclose(found["Izhikevich/spikes/t"], (when + begin + 1) * target.dt)
    assert np.array_equal(found["Izhikevich/spikes/neuron"], who)
    assert np.array_equal(found["Izhikevich/V"], expected.V[begin:, :3])
    assert np.allclose(found["states/t"], (np.arange(begin, stop) + 1) * target.dt)
    assert found["Izhikevich/neurons"].tolist() == [0, 1, 2]
    assert len(found["inputs/I"]) == 2


def test_what_is_done_meanwhile_is_written_with_it(tmp_path):
    with watched(crowd(), folder=tmp_path) as watch:
        watch.record()
        until(lambda: watch.status.recording)
        watch.set_state("Izhikevich.u", 2.0, 1)
        until(lambda: not watch._wishes)
        watch.reset()
        until(lambda: not watch._wishes)
    (path,) = tmp_path.iterdir()  # stopping it writes what there is
    assert np.load(path)["events"].tolist() == ["Izhikevich.u of neuron 1 = 2", "reset"]
    assert watch.status.recorded == str(path)


def test_a_folder_that_is_closed_is_said_at_once(tmp_path):
    (tmp_path / "file").write_text("")
    with watched(crowd(), folder=tmp_path / "file") as watch:
        watch.record()
        until(lambda: "cannot write" in watch.status.message)
        assert watch.status.recording == ""


# -- links that fail ------------------------------------------------------------------------------
@pytest.mark.parametrize("pace", PACES)
def test_a_link_that_fails_is_said_and_tried_again(pace, monkeypatch):
    monkeypatch.setattr("scneuro.sim.watch.watch._AGAIN", 0.05)
    chip, failed = IntegerChip(crowd()), threading.Event()

    def connect():
        if failed.is_set():
            raise LinkError("nobody is there", "plug it in")
        chip.closed = False
        return chip

    with Watch(connect, given={"I": CURRENTS}, pace=pace) as watch:
        until(lambda: watch.now > 5)
        failed.set()
        chip.fails = 0
        until(lambda: not watch.status.connected and "nobody is there" in watch.status.message)
        assert watch.status.steps_per_s == 0
        watch.set_input("I", 11.0)
        chip.made += 100  # it went on, and nobody saw it
        chip.fails = None
        failed.clear()
        until(lambda: watch.status.connected and watch.inputs.of("I") == 11)
        end = watch.now
        until(lambda: watch.now > end + 5)
        assert watch.status.message == ""
        assert watch.status.unread >= 100
        assert not watch.ended
    assert round(watch.now * 10) == chip.made


def test_a_wish_that_a_link_did_not_carry_is_done_later(monkeypatch):
    monkeypatch.setattr("scneuro.sim.watch.watch._AGAIN", 0.05)
    watch = watched(crowd())
    watch.pause()
    watch.set_state("Izhikevich.u", 3.0)
    watch.chip.fails = 0
    with watch:
        until(lambda: not watch.status.connected)
        watch.chip.fails = None
        until(lambda: watch.status.connected)
        until(lambda: watch.chip.states["Izhikevich.u"].tolist() == [3.0] * 5)


def test_a_board_that_was_switched_off_begins_anew_and_time_goes_on(monkeypatch):
    monkeypatch.setattr("scneuro.sim.watch.watch._AGAIN", 0.05)
    with watched(crowd(), given={"I": CURRENTS}, pace=PACES[0]) as watch:
        until(lambda: watch.now > 20)
        watch.chip.fails = 0
        until(lambda: not watch.status.connected)
        end = watch.now
        watch.chip.made = 0
        watch.chip.fails = None
        until(lambda: watch.now > end + 5)
        assert watch.status.unread == 0


def test_the_first_connection_fails_at_once():
    def connect():
        raise LinkError("cannot open it", "name another")

    with pytest.raises(LinkError, match="cannot open it"):
        Watch(connect)


def test_what_else_goes_wrong_ends_it_and_is_kept():
    watch = watched(crowd(), pace=PACES[0])
    watch.chip.run = lambda **_: 1 / 0
    with watch:
        until(lambda: watch.ended)
    assert isinstance(watch.trouble, ZeroDivisionError)
    assert watch.chip.closed
