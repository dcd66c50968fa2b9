"""The whole board design, through its pins, against the bit-true model sample by sample."""

import pytest

from scneuro import LIF, AdEx, Izhikevich, ScneuroError
from scneuro.boards import BOARDS
from scneuro.boards.design import design
from scneuro.hdl.top import Top
from scneuro.sim.board import expected_samples, simulate_board

#: One for each clock and for devices with and without DSPs: no two of them have the same design.
DIFFERENT = {(row.clock_hz, bool(row.dsp)): row for row in reversed(BOARDS.values())}.values()


def of_every_kind():
    for number, board in enumerate(DIFFERENT):
        for neuron in (LIF(dt=0.2), Izhikevich(), AdEx()):
            marks = [pytest.mark.slow] * (number > 0 or neuron.name != "LIF")
            marks += [pytest.mark.nightly] * (number > 0 and neuron.name != "LIF")
            yield pytest.param(neuron, board, id=f"{neuron.name}-{board.name}", marks=marks)


@pytest.mark.parametrize(("neuron", "board"), list(of_every_kind()))
def test_what_the_uart_sends_is_what_the_model_computes(neuron, board):
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, board)
    run = simulate_board(hardware, fixed, plan, 7, bytes_at=[3])
    assert (run.bad, run.lost, run.late) == (0, 0, False)
    currents = [sample.i for sample in run.samples]
    assert currents[0] == plan.currents[0]
    assert currents[-1] == plan.currents[1]  # the byte selected the next one
    assert run.samples == expected_samples(fixed, plan, currents)


def test_a_board_that_sends_too_little_in_its_time_is_an_error():
    neuron = LIF(dt=0.2)
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, BOARDS["icebreaker"])
    few = "frames from the board of LIF, 3 wanted"
    with pytest.raises(ScneuroError, match=rf"not done after 2,000 clocks: {few}"):
        simulate_board(hardware, fixed, plan, 3, max_cycles=2000)


class Mute(Top):
    """A board whose transmitter is not connected."""

    def elaborate(self, platform):
        m = super().elaborate(platform)
        m.d.comb += self.tx.eq(1)
        return m


def test_a_board_that_sends_nothing_is_an_error_by_itself(monkeypatch):
    monkeypatch.setattr("scneuro.sim.board.Top", Mute)
    neuron = LIF()
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, BOARDS["icebreaker"])
    with pytest.raises(
        ScneuroError, match=r"not done after [\d,]+ clocks: frames from the board of LIF, 1 wanted"
    ):
        simulate_board(hardware, fixed, plan, 1)


def test_spikes_are_counted_and_light_the_led():
    neuron = LIF(V_th=-69.0, V_reset=-69.5)
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, BOARDS["icebreaker"])
    run = simulate_board(hardware, fixed, plan, 12)
    assert sum(sample.spikes for sample in run.samples) > 0
    assert run.lit
    assert run.samples == expected_samples(fixed, plan, [s.i for s in run.samples])


def test_a_button_held_long_enough_selects_the_next_current_once():
    neuron = LIF(dt=5.0, tau_m=50.0)  # so that the 10 ms of debouncing are two steps
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, BOARDS["icebreaker"])
    plan = type(plan)(plan.clock_hz, plan.baud, 1200, 1, plan.currents)
    assert plan.steps_in(10) == 100
    plan = type(plan)(120_000, 10_000, 1200, 1, plan.currents)  # a slow clock: 10 ms is one step
    run = simulate_board(hardware, fixed, plan, 12, press_at=[3])
    currents = [sample.i for sample in run.samples]
    assert set(currents) == set(plan.currents[:2])
    assert currents == sorted(currents, key=plan.currents.index)


def test_a_uart_too_slow_for_the_samples_is_noticed():
    neuron = LIF()
    fixed = neuron.fixed()
    hardware, plan = design(neuron, fixed, BOARDS["icebreaker"])
    slow = type(plan)(plan.clock_hz, 500_000, plan.tick_clocks, 1, plan.currents)
    run = simulate_board(hardware, fixed, slow, 4)
    assert run.late
    assert Top(hardware, fixed, slow).plan is slow
