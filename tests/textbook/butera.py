"""Butera, Rinzel and Smith (1999) J Neurophysiol, model 1. Slow bursts by persistent sodium at
I=2 (tau_h 10 s), tonic at 8 and 20.
"""

import numpy as np

from scneuro import Input, Neuron, State


class Butera(Neuron):
    """Butera, Rinzel and Smith (1999), model 1: pre-Boetzinger bursts by persistent sodium."""

    C: float = 21.0  # pF
    g_NaP: float = 2.8  # nS
    g_Na: float = 28.0
    g_K: float = 11.2
    g_L: float = 2.8
    E_Na: float = 50.0
    E_K: float = -85.0
    E_L: float = -60.0
    tau_n: float = 10.0  # ms, at most
    tau_h: float = 10000.0
    dt: float = 0.1  # ms
    V = State(init=-60.0, unit="mV")
    n = State(init=0.0)
    h = State(init=0.6)
    I = Input(unit="pA")
    currents = (2.0, 8.0, 20.0)

    def update(self, V, n, h, I):
        mp = 1 / (1 + np.exp((V + 40) / -6))
        m = 1 / (1 + np.exp((V + 34) / -5))
        h_inf = 1 / (1 + np.exp((V + 48) / 6))
        n_inf = 1 / (1 + np.exp((V + 29) / -4))
        tau_h = self.tau_h / np.cosh((V + 48) / 12)
        tau_n = self.tau_n / np.cosh((V + 29) / 8)
        I_NaP = self.g_NaP * mp * h * (V - self.E_Na)
        I_Na = self.g_Na * m**3 * (1 - n) * (V - self.E_Na)
        I_K = self.g_K * n**4 * (V - self.E_K)
        I_L = self.g_L * (V - self.E_L)
        V_next = V + self.dt * (I - I_NaP - I_Na - I_K - I_L) / self.C
        n_next = n + self.dt * (n_inf - n) / tau_n
        h_next = h + self.dt * (h_inf - h) / tau_h
        spike = (V < -20.0) & (V_next >= -20.0)
        return spike, V_next, n_next, h_next
