"""Neurons nobody thought of: lowered within their budgets, right, and equal in gates."""

import numpy as np
import pytest
from checks import nightly
from systems import finite_systems, free_run, free_runs, system, verdict, violations

from scneuro.errors import ScneuroError
from scneuro.sim import vector_parity


def judge(count, first, gates=0, proofs=0):
    refused = stable = close = 0
    for _, neuron in finite_systems(count, first):
        try:
            fixed = neuron.fixed()
        except ScneuroError:
            refused += 1
            continue
        lowered = fixed.lowered
        for name, bound in lowered.bounds.items():
            assert bound <= lowered.budgets[name]
            assert lowered.budgets[name] <= lowered.registers[name].word.lsb
        assert violations(neuron, fixed) == 0
        with np.errstate(all="ignore"):
            runs = free_run(neuron, fixed)
        stable, close = stable + runs[0], close + runs[1]
        if gates > 0:
            gates -= 1
            assert vector_parity(fixed, 200, progress=False).ok
        if proofs > 0:
            proofs -= 1
            prove = pytest.importorskip("scneuro.sim.proof").prove
            assert prove(fixed, progress=False).ok
    return refused, stable, close


def test_random_systems_keep_their_budgets_and_run_as_float_does():
    refused, stable, close = judge(4, first=5_000, gates=1)
    assert refused <= 1
    assert close >= 0.95 * stable > 4


@pytest.mark.slow
@pytest.mark.parametrize(
    ("count", "first", "gates", "proofs"),
    nightly(((50, 7_050, 4, 3), (150, 7_000, 12, 8)), lambda given: given[0] == 50),
)
def test_hundreds_of_random_systems_do(count, first, gates, proofs):
    refused, stable, close = judge(count, first=first, gates=gates, proofs=proofs)
    assert refused <= 0.05 * count
    assert close >= 0.95 * stable


def of_every_kind():
    for seed in (9, 112):  # silent; spikes, some of them late
        yield seed
    # silent, and rounding matters; spikes at every step; at most; late by a step
    for seed in (17, 18, 45, 121):
        yield pytest.param(seed, marks=pytest.mark.slow)


@pytest.mark.parametrize("seed", list(of_every_kind()))
def test_the_verdict_agrees_with_the_run(seed):
    neuron, finest = system(seed)(), None
    for options in ({}, {"guard": 0}):
        fixed = neuron.fixed(**options)
        run = free_runs(neuron, fixed, finest)[2]
        finest = fixed.lowered.registers
        ok = verdict(neuron, fixed, run.inputs).ok
        assert not (ok and run.stable and run.lost)
        assert ok or not (run.kept if run.stable else run.as_rounded)
