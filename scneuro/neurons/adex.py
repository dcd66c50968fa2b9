"""The adaptive exponential integrate-and-fire neuron."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Derived, Neuron

__all__ = ["AdEx"]

_COLUMNS = ("C", "g_L", "E_L", "a", "tau_w", "b", "V_reset", "currents")
_PATTERNS = {
    "tonic": (200.0, 10.0, -70.0, 2.0, 30.0, 0.0, -58.0, (0.5,)),
    "adapting": (200.0, 12.0, -70.0, 2.0, 300.0, 0.06, -58.0, (0.5,)),
    "initial_burst": (130.0, 18.0, -58.0, 4.0, 150.0, 0.12, -50.0, (0.4,)),
    "bursting": (200.0, 10.0, -58.0, 2.0, 120.0, 0.1, -46.0, (0.21,)),
    "accelerating": (200.0, 12.0, -70.0, -10.0, 300.0, 0.0, -58.0, (0.3,)),
    "delayed_burst": (100.0, 10.0, -65.0, -10.0, 90.0, 0.03, -47.0, (0.11,)),
    "transient": (100.0, 10.0, -65.0, 10.0, 90.0, 0.1, -47.0, (0.18,)),
    "irregular": (100.0, 12.0, -60.0, -11.0, 130.0, 0.03, -48.0, (0.16,)),
}


class AdEx(Neuron):
    """Adaptive exponential integrate-and-fire neuron (Brette and Gerstner 2005).

    C dV/dt = -g_L (V - E_L) + g_L Delta_T exp((V - V_T) / Delta_T) - w + I,
    tau_w dw/dt = a (V - E_L) - w;  at V >= V_peak: spike, V <- V_reset, w <- w + b

    The spike is cut at V_T + 5 Delta_T instead of the paper's 20 mV: from there the upswing
    takes microseconds, and explicit Euler follows it better from there than to 20 mV.

    The presets are the firing patterns of Naud et al. (2008), table 1, each with its own current.

    Parameters
    ----------
    C : float
        Membrane capacitance, pF.
    g_L : float
        Leak conductance, nS.
    E_L, V_T, Delta_T : float
        Resting potential, threshold and slope factor, mV.
    V_reset, V_peak : float
        Reset potential and where the spike is cut, mV.
    a, b, tau_w : float
        Subthreshold adaptation (nS), its increment per spike (nA) and time constant (ms).
    dt : float
        Time step of explicit Euler, ms.
    """

    C: float = 281.0
    g_L: float = 30.0
    E_L: float = -70.6
    V_T: float = -50.4
    Delta_T: float = 2.0
    V_reset: float = -70.6
    V_peak: float = Derived(lambda p: p.V_T + 5 * p.Delta_T)
    a: float = 4.0
    b: float = 0.0805
    tau_w: float = 144.0
    dt: float = 0.1
    constraints: ClassVar[tuple[str, ...]] = (
        "C > 0",
        "g_L > 0",
        "Delta_T > 0",
        "tau_w > 0",
        "dt <= tau_w",
        "V_reset < V_peak",
        "V_peak >= V_T",
    )
    currents: ClassVar[tuple[float, ...]] = (1.0, 0.6, 0.8, 1.5)

    presets: ClassVar[dict[str, dict[str, Any]]] = {
        name: {**dict(zip(_COLUMNS, row, strict=True)), "V_T": -50.0, "Delta_T": 2.0}
        for name, row in _PATTERNS.items()
    }

    V = State(init="E_L", unit="mV")
    w = State(init=0.0, unit="nA")
    I = Input(unit="nA")  # noqa: E741 - the field's symbol

    def update(self, V: Any, w: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        x = np.exp((V - self.V_T) / self.Delta_T)
        V_next = V + self.dt / self.C * (
            self.g_L * (self.E_L - V + self.Delta_T * x) + 1e3 * (I - w)
        )
        w_next = w + self.dt / self.tau_w * (1e-3 * self.a * (V - self.E_L) - w)
        spike = V_next >= self.V_peak
        return (
            spike,
            np.where(spike, self.V_reset, V_next),
            np.where(spike, w_next + self.b, w_next),
        )
