"""How long the gates of a network take over a stimulus, and how many synapses they add in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ....compiler.pipeline.form import Form
from ....hdl.network import Network as Gates
from ....network import FixedNetwork
from ....network.run import given_inputs
from ...contracts.network import NetworkContract
from ...engines.drive import Driven
from .fidelity import Stimulus

__all__ = ["counted", "operations"]

_MOST_STEPS = 2_000


def counted(fixed: FixedNetwork, stimulus: Stimulus, lanes: int, form: Form) -> dict[str, Any]:
    """What its gates, compiled, do in the steps of a stimulus, 2,000 of them at most.

    Words come and leave as soon as they may. Several runs are done one after the other.

    Returns
    -------
    dict
        ``steps``, and a step's ``clocks_a_step`` and ``operations_a_step``, on average: the weights
        of the spikes that arrived.

    Raises
    ------
    ToolError
        There is no C++ compiler.
    """
    gates = Gates(fixed, lanes, form)
    batched, _ = given_inputs(fixed.network, stimulus.given)
    steps = min(stimulus.steps, _MOST_STEPS)
    runs = min(stimulus.runs, _MOST_STEPS // steps)
    given = {n: a[:steps, :runs].swapaxes(0, 1).reshape(-1, *a.shape[2:])
             for n, a in batched.items()}  # fmt: skip
    total = steps * runs
    found = Driven(NetworkContract(gates, fixed, steps)).run(given)
    fired = {n: found.tables[f"{n}.spike"] != 0 for n in fixed.populations}
    return {
        "steps": total,
        "clocks_a_step": found.clocks / total,
        "operations_a_step": operations(fixed, {**given, **fired}, steps) / total,
    }


def operations(fixed: FixedNetwork, spikes: Mapping[str, np.ndarray], steps: int) -> int:
    """The synapses that spikes arrive at, in all.

    Parameters
    ----------
    fixed : FixedNetwork
    spikes : mapping of str to ndarray, shape (runs * steps, ...)
        Of every node, one run after the other.
    steps : int
        Of a run: what is still on its way in the end never arrives.
    """
    network, found = fixed.network, 0.0
    for p in network.projections:
        if fixed.is_current(p):
            continue
        shape = network.nodes[p.source].shape
        each = np.asarray(spikes[p.source]).reshape(-1, steps, *shape)
        arrived = each[:, : max(0, steps - p.delay)].sum(axis=(0, 1), dtype=float)
        found += float(p.map.apply(arrived[None], np.ones_like(p.map.weights)).sum())
    return round(found)
