"""Mihalas and Niebur (2009) Neural Comput. Generalized IF: one burst (1.5), repeated bursts
(2.0), fast (4.0).
"""

import numpy as np

from scneuro import Input, Neuron, State


class MihalasNiebur(Neuron):
    """Mihalas and Niebur (2009), generalized IF; the bursting column of table 1."""

    G: float = 0.05  # G/C, /ms
    a: float = 0.005
    b: float = 0.01
    k1: float = 0.2
    k2: float = 0.02
    E_L: float = -70.0
    V_r: float = -70.0
    Theta_r: float = -60.0
    Theta_inf: float = -50.0
    R1: float = 0.0
    R2: float = 1.0
    A1: float = 10.0  # A1/C, mV/ms
    A2: float = -0.6
    dt: float = 0.1  # ms
    V = State(init="E_L", unit="mV")
    Theta = State(init="Theta_inf", unit="mV")
    I1 = State(unit="mV/ms")
    I2 = State(unit="mV/ms")
    I = Input(unit="mV/ms")
    currents = (1.5, 2.0, 4.0)

    def update(self, V, Theta, I1, I2, I):
        V_next = V + self.dt * (I + I1 + I2 - self.G * (V - self.E_L))
        T_next = Theta + self.dt * (self.a * (V - self.E_L) - self.b * (Theta - self.Theta_inf))
        I1_next = I1 - self.dt * self.k1 * I1
        I2_next = I2 - self.dt * self.k2 * I2
        spike = V_next >= T_next
        return (
            spike,
            np.where(spike, self.V_r, V_next),
            np.where(spike, np.maximum(self.Theta_r, T_next), T_next),
            np.where(spike, self.R1 * I1_next + self.A1, I1_next),
            np.where(spike, self.R2 * I2_next + self.A2, I2_next),
        )
