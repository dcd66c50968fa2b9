"""Brette and Gerstner (2005) J Neurophysiol. Adapting tonic firing, V_peak 20 mV; the
exponential overshoots by far before the reset.
"""

import numpy as np

from scneuro import Input, Neuron, State


class AdExScratch(Neuron):
    """Brette and Gerstner (2005), the paper's parameters, V_peak = 20 mV."""

    C: float = 0.281  # nF
    g_L: float = 0.030  # uS
    E_L: float = -70.6
    V_T: float = -50.4
    Delta_T: float = 2.0
    tau_w: float = 144.0  # ms
    a: float = 0.004  # uS
    b: float = 0.0805  # nA
    V_peak: float = 20.0
    V_r: float = -70.6
    dt: float = 0.1  # ms
    V = State(init="E_L", unit="mV")
    w = State(unit="nA")
    I = Input(unit="nA")
    currents = (0.8, 1.0, 2.0)

    def update(self, V, w, I):
        exp_term = self.g_L * self.Delta_T * np.exp((V - self.V_T) / self.Delta_T)
        V_next = V + self.dt / self.C * (-self.g_L * (V - self.E_L) + exp_term - w + I)
        w_next = w + self.dt / self.tau_w * (self.a * (V - self.E_L) - w)
        spike = V_next > self.V_peak
        V_next = np.where(spike, self.V_r, V_next)
        w_next = np.where(spike, w_next + self.b, w_next)
        return spike, V_next, w_next
