"""The quadratic integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["QuadraticIF"]


class QuadraticIF(Neuron):
    """Quadratic integrate-and-fire neuron (Latham et al. 2000; Gerstner et al. 2014, eq. 5.16).

    tau_m dV/dt = a_0 (V - E_L) (V - V_c) + R I;  at V >= V_peak: spike, V <- V_reset

    With the defaults a small deviation from rest decays with tau_m, as in a leaky neuron.

    Parameters
    ----------
    tau_m : float
        Time constant, ms.
    a_0 : float
        Curvature, 1/mV.
    R : float
        Membrane resistance, MOhm (times nA is mV).
    E_L, V_c : float
        Resting potential and critical voltage, mV: beyond V_c a spike follows without input.
    V_reset, V_peak : float
        Reset potential and where the spike is cut, mV.
    dt : float
        Time step of explicit Euler, ms.
    """

    tau_m: float = 10.0
    a_0: float = 0.05
    R: float = 10.0
    E_L: float = -70.0
    V_c: float = -50.0
    V_reset: float = -65.0
    V_peak: float = -30.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "tau_m > 0",
        "a_0 > 0",
        "E_L < V_c",
        "V_c < V_peak",
        "V_reset < V_peak",
    )
    currents: ClassVar[tuple[float, ...]] = (1.0, 0.6, 1.5, 2.0)

    V = State(init="E_L", unit="mV")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def update(self, V: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        drive = self.a_0 * (V - self.E_L) * (V - self.V_c) + self.R * I
        V_next = V + self.dt / self.tau_m * drive
        spike = V_next >= self.V_peak
        return spike, np.where(spike, self.V_reset, V_next)
