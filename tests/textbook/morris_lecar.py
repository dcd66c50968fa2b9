"""Morris and Lecar (1981) Biophys J, class I of Rinzel and Ermentrout (1998). Regular firing."""

import numpy as np

from scneuro import Input, Neuron, State


class MorrisLecar(Neuron):
    """Morris and Lecar (1981), class I parameters of Rinzel and Ermentrout (1998)."""

    C: float = 20.0  # uF/cm2
    g_Ca: float = 4.0
    g_K: float = 8.0
    g_L: float = 2.0
    V_Ca: float = 120.0
    V_K: float = -84.0
    V_L: float = -60.0
    V1: float = -1.2
    V2: float = 18.0
    V3: float = 12.0
    V4: float = 17.4
    phi: float = 0.067
    dt: float = 0.1  # ms
    V = State(init=-60.0, unit="mV")
    n = State(init=0.0)
    I = Input(unit="uA/cm2")
    currents = (45.0, 60.0, 90.0)

    def update(self, V, n, I):
        m_inf = 0.5 * (1 + np.tanh((V - self.V1) / self.V2))
        n_inf = 0.5 * (1 + np.tanh((V - self.V3) / self.V4))
        rate = self.phi * np.cosh((V - self.V3) / (2 * self.V4))
        I_ion = (
            self.g_Ca * m_inf * (V - self.V_Ca)
            + self.g_K * n * (V - self.V_K)
            + self.g_L * (V - self.V_L)
        )
        V_next = V + self.dt / self.C * (I - I_ion)
        n_next = n + self.dt * rate * (n_inf - n)
        spike = (V < 0.0) & (V_next >= 0.0)
        return spike, V_next, n_next
