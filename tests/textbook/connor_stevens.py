"""Connor, Walter and McKown (1977) Biophys J, as in Dayan and Abbott (2001). Type I tonic firing
through the A current, low rates near threshold.
"""

import numpy as np

from scneuro import Input, Neuron, State


class ConnorStevens(Neuron):
    """Connor, Walter and McKown (1977), as in Dayan and Abbott (2001): A current, type I."""

    g_L: float = 0.3
    g_Na: float = 120.0
    g_K: float = 20.0
    g_A: float = 47.7
    E_L: float = -17.0
    E_Na: float = 55.0
    E_K: float = -72.0
    E_A: float = -75.0
    dt: float = 0.01  # ms
    V = State(init=-68.0, unit="mV")
    m = State(init=0.0101)
    h = State(init=0.9659)
    n = State(init=0.1559)
    a = State(init=0.5404)
    b = State(init=0.2885)
    I = Input(unit="uA/cm2")
    currents = (10.0, 15.0, 25.0)

    def update(self, V, m, h, n, a, b, I):
        am = 0.38 * (V + 29.7) / (1 - np.exp(-0.1 * (V + 29.7)))
        bm = 15.2 * np.exp(-0.0556 * (V + 54.7))
        ah = 0.266 * np.exp(-0.05 * (V + 48))
        bh = 3.8 / (1 + np.exp(-0.1 * (V + 18)))
        an = 0.02 * (V + 45.7) / (1 - np.exp(-0.1 * (V + 45.7)))
        bn = 0.25 * np.exp(-0.0125 * (V + 55.7))
        a_inf = (0.0761 * np.exp(0.0314 * (V + 94.22)) / (1 + np.exp(0.0346 * (V + 1.17)))) ** (
            1 / 3
        )
        tau_a = 0.3632 + 1.158 / (1 + np.exp(0.0497 * (V + 55.96)))
        b_inf = (1 / (1 + np.exp(0.0688 * (V + 53.3)))) ** 4
        tau_b = 1.24 + 2.678 / (1 + np.exp(0.0624 * (V + 50)))
        I_ion = (
            self.g_L * (V - self.E_L)
            + self.g_Na * m**3 * h * (V - self.E_Na)
            + self.g_K * n**4 * (V - self.E_K)
            + self.g_A * a**3 * b * (V - self.E_A)
        )
        V_next = V + self.dt * (I - I_ion)
        m_next = m + self.dt * (am * (1 - m) - bm * m)
        h_next = h + self.dt * (ah * (1 - h) - bh * h)
        n_next = n + self.dt * (an * (1 - n) - bn * n)
        a_next = a + self.dt * (a_inf - a) / tau_a
        b_next = b + self.dt * (b_inf - b) / tau_b
        spike = (V < 0.0) & (V_next >= 0.0)
        return spike, V_next, m_next, h_next, n_next, a_next, b_next
