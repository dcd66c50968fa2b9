"""Traub and Miles (1991), Ermentrout and Kopell (1998). Hodgkin-Huxley pyramidal cell, regular."""

import numpy as np

from scneuro import Input, Neuron, State


class TraubMiles(Neuron):
    """Traub and Miles (1991), in the form of Ermentrout and Kopell (1998): a pyramidal cell."""

    g_Na: float = 100.0
    g_K: float = 80.0
    g_L: float = 0.1
    E_Na: float = 50.0
    E_K: float = -100.0
    E_L: float = -67.0
    dt: float = 0.01  # ms
    V = State(init=-67.0, unit="mV")
    m = State(init=0.01)
    h = State(init=0.99)
    n = State(init=0.01)
    I = Input(unit="uA/cm2")
    currents = (1.0, 3.0, 8.0)

    def update(self, V, m, h, n, I):
        am = 0.32 * (V + 54) / (1 - np.exp(-(V + 54) / 4))
        bm = 0.28 * (V + 27) / (np.exp((V + 27) / 5) - 1)
        ah = 0.128 * np.exp(-(V + 50) / 18)
        bh = 4 / (1 + np.exp(-(V + 27) / 5))
        an = 0.032 * (V + 52) / (1 - np.exp(-(V + 52) / 5))
        bn = 0.5 * np.exp(-(V + 57) / 40)
        I_ion = (
            self.g_Na * m**3 * h * (V - self.E_Na)
            + self.g_K * n**4 * (V - self.E_K)
            + self.g_L * (V - self.E_L)
        )
        V_next = V + self.dt * (I - I_ion)
        m_next = m + self.dt * (am * (1 - m) - bm * m)
        h_next = h + self.dt * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * (an * (1 - n) - bn * n)
        spike = (V < 0.0) & (V_next >= 0.0)
        return spike, V_next, m_next, h_next, n_next
