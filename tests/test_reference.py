"""The references: that they are right, that they agree, and how far our models are from them."""

import json
import os
import sys
from pathlib import Path

import numpy as np
import pytest

from scneuro import LIF, AdEx, Input, Izhikevich, Neuron, State, cli
from scneuro.channel import Channel
from scneuro.errors import FileTrouble, ScneuroError
from scneuro.neurons import builtin
from scneuro.neurons.conductance_lif import ConductanceLIF
from scneuro.neurons.hodgkin_huxley import HodgkinHuxley, leak, m_type, potassium, sodium
from scneuro.neurons.noisy_lif import NoisyLIF
from scneuro.neurons.quadratic_if import QuadraticIF
from scneuro.reference import TrainError, compare, make
from scneuro.reference.adaptive import spike_times
from scneuro.reference.compare import BRIAN_DT, STORED, brian_times, stored
from scneuro.reference.equations import EQUATIONS

BRIAN = os.environ.get("SCNEURO_BRIAN")  # a Python with Brian2: the live comparison, on request
RUNS = stored()


def neuron_of(run):
    return builtin(run.neuron)(**run.parameters)


def label(run):
    return f"{run.neuron}-{run.current:g}"


# -- the adaptive integrator ----------------------------------------------------------------------
@pytest.mark.parametrize("t_ref", [0.0, 2.0])
def test_a_lif_spikes_when_its_closed_form_does(t_ref):
    neuron = LIF(t_ref=t_ref)
    drive = neuron.E_L + neuron.R * 2.5
    first = neuron.tau_m * np.log((drive - neuron.E_L) / (drive - neuron.V_th))
    interval = t_ref + neuron.tau_m * np.log((drive - neuron.V_reset) / (drive - neuron.V_th))
    times = spike_times(neuron, 2.5, 1000.0)
    assert len(times) == 1 + int((1000 - first) / interval)
    assert times == pytest.approx(first + interval * np.arange(len(times)), abs=1e-7)


def test_a_quadratic_neuron_spikes_when_its_closed_form_does():
    neuron = QuadraticIF()
    drive = 1.0 * neuron.R / neuron.a_0 - ((neuron.E_L - neuron.V_c) / 2) ** 2
    middle = (neuron.E_L + neuron.V_c) / 2  # tau dV/dt = a_0 ((V - middle)^2 + drive)

    def phase(V):
        width = np.sqrt(drive)
        return neuron.tau_m / neuron.a_0 / width * np.arctan((V - middle) / width)

    first = phase(neuron.V_peak) - phase(neuron.E_L)
    interval = phase(neuron.V_peak) - phase(neuron.V_reset)
    times = spike_times(neuron, 1.0, 500.0)
    assert len(times) > 10
    assert times == pytest.approx(first + interval * np.arange(len(times)), abs=1e-7)


def test_a_neuron_that_starts_above_threshold_spikes_at_once():
    assert spike_times(LIF(E_L=-45.0), 0.0, 20.0)[0] == 0.0
    assert len(spike_times(LIF(E_L=-45.0), 0.0, 20.0)) == 2


def test_inhibition_of_a_conductance_is_no_negative_conductance():
    assert len(spike_times(ConductanceLIF(V_th=-60.0 - 1e-3), -4.0, 100.0)) > 0  # it rests at E_L
    assert len(spike_times(ConductanceLIF(), -4.0, 100.0)) == 0


def test_no_reference_is_made_by_update(monkeypatch):
    expected = [spike_times(builtin(n)(), builtin(n).currents[0], 30.0) for n in EQUATIONS]

    def refuse(*_):
        raise AssertionError("a reference called update()")

    for name in EQUATIONS:
        monkeypatch.setattr(builtin(name), "update", refuse)
    again = [spike_times(builtin(n)(), builtin(n).currents[0], 30.0) for n in EQUATIONS]
    assert all(np.array_equal(a, b) for a, b in zip(expected, again, strict=True))
    assert all(len(times) for times in expected)


# -- what is stored -------------------------------------------------------------------------------
def test_the_stored_references_are_the_standard_runs_with_their_versions():
    standard = [
        (name, {p: v for p, v in neuron.parameters.items() if p != "dt"}, current)
        for name in EQUATIONS
        for neuron, current in make.standard(name)
    ]
    assert [(run.neuron, run.parameters, run.current) for run in RUNS] == standard
    content = json.loads(STORED.read_text())
    assert content["brian2"]["brian2"] == "2.9.0"
    assert {"python", "numpy", "scipy", "method"} == set(content["solve_ivp"])
    assert {"python", "numpy", "brian2", "dt", "methods"} == set(content["brian2"])
    assert STORED.stat().st_size < 300_000


@pytest.mark.parametrize("run", RUNS[::4], ids=label)
def test_the_stored_times_are_integrated_again(run):
    times = spike_times(neuron_of(run), run.current, 100.0)
    assert len(times)
    assert times == pytest.approx(run.solve_ivp[run.solve_ivp < 100.0], abs=2e-6)


@pytest.mark.slow
@pytest.mark.parametrize("run", RUNS, ids=label)
def test_all_stored_times_are_integrated_again(run):
    times = spike_times(neuron_of(run), run.current, run.duration)
    assert times == pytest.approx(run.solve_ivp, abs=1e-5)


@pytest.mark.parametrize("run", RUNS, ids=label)
def test_brian2_and_solve_ivp_agree(run):
    """Brian2 sees a spike at the end of its step: up to a step late, and later with each."""
    common = min(len(run.brian2), len(run.solve_ivp))
    assert abs(len(run.brian2) - len(run.solve_ivp)) <= 0
    late = run.brian2[:common] - run.solve_ivp[:common]
    assert np.all(np.abs(late) <= BRIAN_DT * (1 + np.arange(common)))
