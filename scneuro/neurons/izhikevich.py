"""Izhikevich's simple model."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["Izhikevich"]


class Izhikevich(Neuron):
    """Izhikevich's simple model of spiking neurons (Izhikevich 2003).

    dV/dt = 0.04 V^2 + 5 V + 140 - u + I,  du/dt = a (b V - u);
    at V >= V_peak: spike, V <- c, u <- u + d

    Parameters
    ----------
    a, b, c, d : float
        Recovery rate (1/ms), its sensitivity to V, reset of V (mV), increment of u.
    V_peak : float
        Where the spike is cut, mV.
    dt : float
        Time step of explicit Euler, ms.
    """

    a: float = 0.02
    b: float = 0.2
    c: float = -65.0
    d: float = 8.0
    V_peak: float = 30.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = ("a > 0", "a * dt < 1", "c < V_peak")
    presets: ClassVar[dict[str, dict[str, Any]]] = {
        "RS": {"a": 0.02, "b": 0.2, "c": -65.0, "d": 8.0},
        "IB": {"a": 0.02, "b": 0.2, "c": -55.0, "d": 4.0},
        "CH": {"a": 0.02, "b": 0.2, "c": -50.0, "d": 2.0},
        "FS": {"a": 0.1, "b": 0.2, "c": -65.0, "d": 2.0},
        "LTS": {"a": 0.02, "b": 0.25, "c": -65.0, "d": 2.0},
        "TC": {"a": 0.02, "b": 0.25, "c": -65.0, "d": 0.05},
        "RZ": {"a": 0.1, "b": 0.26, "c": -65.0, "d": 2.0},
    }
    currents: ClassVar[tuple[float, ...]] = (10.0, 5.0, 15.0, 20.0)

    V = State(init="c", unit="mV")
    u = State(init=lambda p: p.b * p.c, unit="mV/ms")
    I = Input(unit="mV/ms")  # noqa: E741 - the field's symbol

    def update(self, V: Any, u: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        V_next = V + self.dt * (0.04 * V**2 + 5 * V + 140 - u + I)
        u_next = u + self.dt * self.a * (self.b * V - u)
        spike = V_next >= self.V_peak
        return spike, np.where(spike, self.c, V_next), np.where(spike, u_next + self.d, u_next)
