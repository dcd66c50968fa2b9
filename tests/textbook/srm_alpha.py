"""Gerstner (1995), Gerstner and Kistler (2002), SRM0. Alpha-function synapse, after-potential;
near-regular after the start.
"""

import numpy as np

from scneuro import Input, Neuron, State


class SRMAlpha(Neuron):
    """Gerstner's spike-response model (SRM0): an alpha-function synapse and an after-potential."""

    tau_s: float = 5.0  # ms
    tau_eta: float = 20.0
    eta0: float = 15.0  # mV
    theta: float = 10.0  # mV above rest
    w: float = 1.0
    dt: float = 0.1  # ms
    u = State(unit="mV")
    x = State(unit="mV")
    y = State(unit="mV")
    eta = State(unit="mV")
    I = Input(unit="mV")
    currents = (12.0, 15.0, 30.0)

    def update(self, u, x, y, eta, I):
        x_next = x + self.dt / self.tau_s * (I - x)
        y_next = y + self.dt / self.tau_s * (x - y)
        eta_next = eta * np.exp(-self.dt / self.tau_eta)
        u_next = self.w * y_next - eta_next
        spike = (u < self.theta) & (u_next >= self.theta)
        return spike, u_next, x_next, y_next, np.where(spike, eta_next + self.eta0, eta_next)
