"""Spike times to nine digits: SciPy's adaptive integrator, stopped and restarted at every spike."""

from __future__ import annotations

import platform
from importlib.metadata import version
from typing import Any

import numpy as np

from ..errors import ScneuroError
from ..neuron import Neuron
from .equations import equations_of

__all__ = ["spike_times", "versions"]

_OPTIONS: dict[str, Any] = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}


class _Crossing:
    """SciPy's event: the first state rises through the threshold."""

    direction = 1.0

    def __init__(self, threshold: float, *, terminal: bool) -> None:
        self.threshold = threshold
        self.terminal = terminal

    def __call__(self, t: float, states: Any) -> Any:
        return states[0] - self.threshold


def _solve_ivp() -> Any:
    try:
        from scipy.integrate import solve_ivp
    except ImportError:
        raise ScneuroError(
            "a reference is integrated by SciPy, which is not installed",
            'pip install "scneuro[reference]"',
        ) from None
    return solve_ivp


def spike_times(neuron: Neuron, current: float, duration: float) -> np.ndarray:
    """When the equations of a neuron spike under a current held from t = 0.

    Parameters
    ----------
    neuron : Neuron
        Read for its parameters alone; ``dt`` has no meaning here.
    current : float
        In the unit of its first input.
    duration : float
        ms.

    Returns
    -------
    ndarray of float
        ms, ascending.

    Raises
    ------
    ScneuroError
        No equations for this neuron, no SciPy, or an integration that fails.
    """
    equations = equations_of(neuron)
    solve_ivp = _solve_ivp()
    hold = equations.hold(neuron)
    crossing = _Crossing(equations.threshold(neuron), terminal=equations.reset is not None)
    t, states = 0.0, equations.start(neuron)
    spikes: list[float] = []
    if equations.reset and crossing(t, states) >= 0:
        spikes, t, states = [t], hold, equations.reset(neuron, *states)
    while t < duration:
        with np.errstate(over="ignore", invalid="ignore"):  # in trial steps, which it then halves
            solution = solve_ivp(
                lambda _, y: equations.slope(neuron, current, *y),
                (t, duration),
                states,
                events=crossing,
                **_OPTIONS,
            )
        if solution.status < 0:
            raise ScneuroError(
                f"{neuron.name}: the reference stops at {solution.t[-1]:g} ms: {solution.message}",
                "check its parameters: V may run away before it is a spike",
            )
        spikes.extend(solution.t_events[0].tolist())
        if equations.reset is None or solution.status == 0:
            break
        t = spikes[-1] + hold
        states = equations.reset(neuron, *solution.y_events[0][-1])
    return np.array(spikes)


def versions() -> dict[str, str]:
    """What the times were made with."""
    return {
        "method": "{method}, rtol {rtol:g}, atol {atol:g}".format(**_OPTIONS),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
