"""The adaptive exponential neuron of the custom-neuron tutorial, in normalised units."""

from typing import Any, ClassVar

import numpy as np

from ..declare import Input, State
from ..neuron import Neuron

__all__ = ["SCAdExNeuron"]


class SCAdExNeuron(Neuron):
    """Adaptive exponential neuron in units of [0, 1], as in the custom-neuron tutorial.

    dV = dt (-g_L (V - E_L) + g_L delta_T exp(min((V - V_T) / delta_T, 5)) - w + I),
    dw = dt / tau_w (a (V - E_L) - w), with the new V;
    at V >= V_peak: spike, V <- V_reset, w <- w + b;  then V is limited to [0, 1], and w to >= 0

    Its trajectories are the tutorial's to the last bit; the cap of 5 is part of the model.

    Parameters
    ----------
    E_L, V_T, V_reset, V_peak, delta_T : float
        Rest, threshold, reset, peak and slope factor; mV / 100 + 1.
    g_L : float
        Leak per step.
    a, b, tau_w : float
        Adaptation: below threshold, per spike, and its time constant in steps.
    dt : float
        Time step.
    """

    E_L: float = 0.30
    V_T: float = 0.50
    V_reset: float = 0.28
    V_peak: float = 0.80
    delta_T: float = 0.02
    g_L: float = 0.10
    a: float = 0.02
    b: float = 0.05
    tau_w: float = 30.0
    dt: float = 1.0
    constraints: ClassVar[tuple[str, ...]] = ("tau_w > 0",)
    currents: ClassVar[tuple[float, ...]] = (0.15, 0.05, 0.3, 1.0)

    V = State(init="E_L")
    w = State(init=0.0)
    I = Input()  # noqa: E741 - the field's symbol

    def update(self, V: Any, w: Any, I: Any) -> tuple[Any, ...]:  # noqa: E741
        exp_term = self.delta_T * np.exp(np.minimum((V - self.V_T) / max(self.delta_T, 1e-6), 5.0))
        V = V + (-self.g_L * (V - self.E_L) + self.g_L * exp_term - w + I) * self.dt
        w = w + (self.a * (V - self.E_L) - w) / self.tau_w * self.dt
        spike = self.V_peak <= V
        V = np.where(spike, self.V_reset, V)
        w = np.where(spike, w + self.b, w)
        return spike, np.clip(V, 0.0, 1.0), np.maximum(w, 0.0)
