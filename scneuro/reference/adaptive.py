"""Spike times to nine digits: SciPy's adaptive integrator, stopped and restarted at every spike."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import numpy as np

from ..errors import ScneuroError
from ..neuron import Neuron
from .equations import Equations, equations_of

__all__ = ["spike_times", "versions"]

_OPTIONS: dict[str, Any] = {"method": "DOP853", "rtol": 1e-10, "atol": 1e-12}


_INSTANTS = 10.0 ** np.arange(-18, -5)  # ms


class _Crossing:
    """SciPy's event: a spike."""

    direction = 1.0

    def __init__(self, neuron: Neuron, equations: Equations, current: float) -> None:
        self.neuron, self.equations, self.current = neuron, equations, current
        self.terminal = equations.reset is not None

    def __call__(self, t: float, states: Any) -> Any:
        return self.equations.crossing(self.neuron, self.current, *states)


def _solve_ivp() -> Any:
    try:
        from scipy.integrate import solve_ivp
    except ImportError:
        raise ScneuroError(
            "a reference is integrated by SciPy, which is not installed",
            'pip install "scneuro[reference]"',
        ) from None
    return solve_ivp


def spike_times(
    neuron: Neuron,
    current: float,
    duration: float,
    others: Mapping[str, float] | None = None,
) -> np.ndarray:
    """When the equations of a neuron spike under a current held from t = 0.

    Parameters
    ----------
    neuron : Neuron
        Read for its parameters alone; ``dt`` has no meaning here.
    current : float
        In the unit of its first input.
    duration : float
        ms.
    others : mapping of str to float, optional
        What its other inputs are held at.

    Returns
    -------
    ndarray of float
        ms, ascending.

    Raises
    ------
    ScneuroError
        No equations for this neuron, no SciPy, or an integration that fails.
    """
    equations = equations_of(neuron, others)
    solve_ivp = _solve_ivp()
    hold = equations.hold(neuron)
    crossing = _Crossing(neuron, equations, current)
    t, states = 0.0, equations.begin(neuron)
    spikes: list[float] = []
    if equations.reset and crossing(t, states) >= 0:
        spikes, t, states = [t], hold, equations.reset(neuron, current, *states)
    while t < duration:
        with np.errstate(over="ignore", invalid="ignore"):  # in trial steps, which it then halves
            solution = solve_ivp(
                lambda _, y: equations.slope(neuron, current, *y),
                (t, duration),
                states,
                events=crossing,
                **_OPTIONS,
            )
        events = [*zip(solution.t_events[0].tolist(), solution.y_events[0], strict=True)]
        if solution.status < 0 and equations.runaway:
            at, last = solution.t[-1], solution.y[:, -1]
            with np.errstate(all="ignore"):
                slope = np.array(equations.slope(neuron, current, *last))
                if any(crossing(at, last + instant * slope) >= 0 for instant in _INSTANTS):
                    events.append((at, last))
        if solution.status < 0 and not events:
            raise ScneuroError(
                f"{neuron.name}: the reference stops at {solution.t[-1]:g} ms: {solution.message}",
                "check its parameters: V may run away before it is a spike",
            )
        spikes.extend(float(at) for at, _ in events)
        if equations.reset is None or solution.status == 0:
            break
        t = spikes[-1] + hold
        states = equations.reset(neuron, current, *events[-1][1])
    return np.array(spikes)


def versions() -> dict[str, str]:
    """What the times were made with."""
    return {
        "method": "{method}, rtol {rtol:g}, atol {atol:g}".format(**_OPTIONS),
        "python": platform.python_version(),
        "numpy": version("numpy"),
        "scipy": version("scipy"),
    }
