"""What a run leaves behind: what is recorded, in how much memory, and on disk."""

import numpy as np
import pytest

from scneuro import LIF, AdEx, Input
from scneuro.engine import traces
from scneuro.engine.traces import Traces, collapsed
from scneuro.errors import FileTrouble, ScneuroError
from scneuro.runner import prepared


class Limited(LIF):
    I = Input(unit="nA", range=(-100.0, 4.0))


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("shape", [(400,), (120, 9)])
def test_only_what_is_asked_for_is_recorded(engine, shape, uncompiled):
    neuron = AdEx()
    current = np.full(shape, 1.2)
    for runner in (neuron, neuron.fixed()):
        everything = runner.run(current, engine=engine)
        assert list(everything.states) == ["V", "w"]
        one = runner.run(current, engine=engine, record=("w",))
        assert list(one.states) == ["w"]
        assert np.array_equal(one.w, everything.w)
        spikes = runner.run(current, engine=engine, record=())
        assert not spikes.states
        assert np.array_equal(spikes.spike, everything.spike)
        with pytest.raises(AttributeError, match="no state or input 'V' was recorded"):
            _ = spikes.V


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_limits_are_counted_whatever_is_recorded(engine, uncompiled):
    fixed = Limited().fixed()
    current = np.where(np.arange(3000) < 1500, -120.0, 1.0)
    everything = fixed.run(current, engine=engine).saturated
    assert everything["V"] > 100
    assert everything["I"] == 1500
    assert fixed.run(current, engine=engine, record=()).saturated == everything
    many = fixed.run(np.tile(current[:, None], (1, 9)), engine=engine, record=()).saturated
    assert many == {name: 9 * count for name, count in everything.items()}


def test_an_unknown_state_is_refused():
    with pytest.raises(ValueError, match="LIF has no state 'w' to record; it has V"):
        LIF().run(np.zeros(3), record=("w",))


def test_integers_are_kept_as_words_and_read_as_numbers():
    fixed = AdEx().fixed()
    run = fixed.run(np.full(300, 1.0))
    assert run.words["V"].dtype == np.int16
    assert run.V.dtype == np.float64
    assert np.array_equal(run.V, run.words["V"] / 256)
    assert run.states["V"] is run.V
    assert AdEx().run(np.full(30, 1.0)).words == {}


def test_a_held_input_takes_no_memory(uncompiled):
    fixed = LIF().fixed()
    held = np.broadcast_to(np.array([0.5, 2.5]), (5000, 2))
    assert prepared(fixed, {"I": held}, time=True)["I"].strides[0] == 0
    assert collapsed(held).shape == (1, 2)
    spread = fixed.run(held.copy(), engine="numpy")
    assert np.array_equal(fixed.run(held, engine="compiled").spike, spread.spike)
    assert fixed.run(held).I.strides[0] == 0


def test_a_run_beyond_memory_is_refused_with_its_size_before_it_starts(monkeypatch):
    monkeypatch.setattr(traces, "free_memory", lambda: 10**9)
    neuron = LIF()
    current = np.broadcast_to(1.0, (10**6, 10**4))
    with pytest.raises(ScneuroError) as caught:
        neuron.fixed().run(current)
    assert "1,000,000 steps of 10,000 neurons would record 30 GB, and 1 GB" in str(caught.value)
    assert "record=()" in caught.value.hint
    with pytest.raises(ScneuroError, match="would record 90 GB"):
        neuron.run(current)


def test_memory_is_what_the_system_says_it_is():
    assert 10**6 < traces.free_memory() < 10**15


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
@pytest.mark.parametrize("shape", [(400,), (120, 9)])
def test_a_run_can_be_written_to_a_file(engine, shape, tmp_path, uncompiled):
    neuron = AdEx()
    current = np.full(shape, 1.2)
    path = tmp_path / "new" / "run.npy"
    for runner, kind in ((neuron, np.float64), (neuron.fixed(), np.int16)):
        kept = runner.run(current, engine=engine)
        written = runner.run(current, engine=engine, file=path)
        stored = np.load(path)
        assert stored.shape == shape
        assert stored.dtype == np.dtype([("spike", "?"), ("V", kind), ("w", kind)])
        for name in ("V", "w"):
            assert np.array_equal(written.states[name], kept.states[name])
        assert np.array_equal(stored["spike"], kept.spike)
        assert [p.name for p in path.parent.iterdir()] == ["run.npy"]
        del written


def test_a_file_that_the_disk_does_not_hold_is_refused(monkeypatch, tmp_path):
    monkeypatch.setattr(traces, "_free_disk", lambda folder: 10**9)
    with pytest.raises(ScneuroError, match=r"would write 30 GB to .*run\.npy, and 1 GB of its"):
        LIF().fixed().run(np.broadcast_to(1.0, (10**6, 10**4)), file=tmp_path / "run.npy")
    assert list(tmp_path.iterdir()) == []


def test_a_file_of_another_kind_or_in_no_place_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"name a \.npy file"):
        LIF().run(np.zeros(4), file=tmp_path / "run.h5")
    (tmp_path / "taken").write_text("")
    with pytest.raises(FileTrouble, match="cannot write"):
        LIF().run(np.zeros(4), file=tmp_path / "taken" / "run.npy")


def test_a_run_that_fails_leaves_the_file_as_it_was(tmp_path):
    path = tmp_path / "run.npy"
    path.write_bytes(b"before")
    try:
        with Traces("x", (4,), {"spike": bool}, path) as kept:
            kept.keep(kept.stretch(0, 2))
            raise ZeroDivisionError
    except ZeroDivisionError:
        pass
    assert path.read_bytes() == b"before"
    assert list(tmp_path.iterdir()) == [path]
