"""Wang and Buzsaki (1996) J Neurosci. Fast-spiking interneuron, regular."""

import numpy as np

from scneuro import Input, Neuron, State


class WangBuzsaki(Neuron):
    """Wang and Buzsaki (1996), the fast-spiking interneuron; m is instantaneous."""

    g_Na: float = 35.0
    g_K: float = 9.0
    g_L: float = 0.1
    E_Na: float = 55.0
    E_K: float = -90.0
    E_L: float = -65.0
    phi: float = 5.0
    dt: float = 0.02  # ms
    V = State(init=-64.0, unit="mV")
    h = State(init=0.78)
    n = State(init=0.09)
    I = Input(unit="uA/cm2")
    currents = (0.5, 1.0, 3.0)

    def update(self, V, h, n, I):
        alpha_m = -0.1 * (V + 35) / (np.exp(-0.1 * (V + 35)) - 1)
        beta_m = 4 * np.exp(-(V + 60) / 18)
        m_inf = alpha_m / (alpha_m + beta_m)
        alpha_h = 0.07 * np.exp(-(V + 58) / 20)
        beta_h = 1 / (np.exp(-0.1 * (V + 28)) + 1)
        alpha_n = -0.01 * (V + 34) / (np.exp(-0.1 * (V + 34)) - 1)
        beta_n = 0.125 * np.exp(-(V + 44) / 80)
        I_Na = self.g_Na * m_inf**3 * h * (V - self.E_Na)
        I_K = self.g_K * n**4 * (V - self.E_K)
        I_L = self.g_L * (V - self.E_L)
        V_next = V + self.dt * (I - I_Na - I_K - I_L)
        h_next = h + self.dt * self.phi * (alpha_h * (1 - h) - beta_h * h)
        n_next = n + self.dt * self.phi * (alpha_n * (1 - n) - beta_n * n)
        spike = (V < -20.0) & (V_next >= -20.0)
        return spike, V_next, h_next, n_next
