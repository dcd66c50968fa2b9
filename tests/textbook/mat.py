"""Kobayashi, Tsubo and Shinomoto (2009) Front Comput Neurosci. Multi-timescale adaptive
threshold, V not reset, 2 ms refractory; adapting.
"""

import numpy as np

from scneuro import Input, Neuron, State


class MAT(Neuron):
    """Kobayashi, Tsubo and Shinomoto (2009): V is never reset, the threshold is what moves."""

    tau_m: float = 5.0  # ms
    R: float = 50.0  # MOhm
    omega: float = 19.0  # mV above rest
    alpha1: float = 37.0
    alpha2: float = 2.0
    tau1: float = 10.0
    tau2: float = 200.0
    t_ref: float = 2.0
    dt: float = 0.1  # ms
    V = State(unit="mV")
    H1 = State(unit="mV")
    H2 = State(unit="mV")
    ref = State(unit="ms")
    I = Input(unit="nA")
    currents = (0.5, 0.7, 1.0)

    def update(self, V, H1, H2, ref, I):
        V = V + self.dt * (self.R * I - V) / self.tau_m
        H1 = H1 * np.exp(-self.dt / self.tau1)
        H2 = H2 * np.exp(-self.dt / self.tau2)
        ref = np.maximum(ref - self.dt, 0.0)
        spike = (V >= self.omega + H1 + H2) & (ref <= 0.0)  # noqa: SIM300
        H1 = np.where(spike, H1 + self.alpha1, H1)
        H2 = np.where(spike, H2 + self.alpha2, H2)
        return spike, V, H1, H2, np.where(spike, self.t_ref, ref)
