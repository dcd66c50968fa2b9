"""Chay (1985) Physica D, lambda_n 250/s. Calcium-driven slow bursts at I=0, faster tonic firing
with I; low spikes (about -50 to -19 mV).
"""

import numpy as np

from scneuro import Input, Neuron, State


class Chay(Neuron):
    """Chay (1985), three variables: calcium slowly opens K channels and ends the burst."""

    g_I: float = 1.8  # /ms
    g_KV: float = 1.7
    g_KC: float = 0.0102
    g_L: float = 0.007
    V_I: float = 100.0
    V_K: float = -75.0
    V_L: float = -40.0
    V_Ca: float = 100.0
    k_C: float = 0.1833  # 3.3/18
    rho: float = 0.00027  # /ms
    lambda_n: float = 0.25
    dt: float = 0.5  # ms
    V = State(init=-50.0, unit="mV")
    n = State(init=0.1)
    Ca = State(init=0.5)
    I = Input(unit="mV/ms")
    currents = (0.0, 0.05, 0.1)

    def update(self, V, n, Ca, I):
        am = 0.1 * (25 + V) / (1 - np.exp(-0.1 * V - 2.5))
        bm = 4 * np.exp(-(V + 50) / 18)
        ah = 0.07 * np.exp(-0.05 * V - 2.5)
        bh = 1 / (1 + np.exp(-0.1 * V - 2))
        an = 0.01 * (20 + V) / (1 - np.exp(-0.1 * V - 2))
        bn = 0.125 * np.exp(-(V + 30) / 80)
        m_inf = am / (am + bm)
        h_inf = ah / (ah + bh)
        n_inf = an / (an + bn)
        tau_n = 1 / (self.lambda_n * (an + bn))
        mixed = m_inf**3 * h_inf
        dV = (
            self.g_I * mixed * (self.V_I - V)
            + self.g_KV * n**4 * (self.V_K - V)
            + self.g_KC * Ca / (1 + Ca) * (self.V_K - V)
            + self.g_L * (self.V_L - V)
            + I
        )
        V_next = V + self.dt * dV
        n_next = n + self.dt * (n_inf - n) / tau_n
        Ca_next = Ca + self.dt * self.rho * (mixed * (self.V_Ca - V) - self.k_C * Ca)
        spike = (V < -30.0) & (V_next >= -30.0)
        return spike, V_next, n_next, Ca_next
