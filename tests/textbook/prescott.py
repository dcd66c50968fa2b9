import numpy as np

from scneuro import Input, Neuron, State


class Prescott(Neuron):
    """Spike initiation of class 1, 2 or 3 (Prescott, De Koninck and Sejnowski 2008), here class 2.

    beta_w is 0 mV for class 1, -13 for class 2, -21 for class 3.
    """

    C: float = 2.0  # uF/cm2
    g_fast: float = 20.0  # mS/cm2
    g_slow: float = 20.0
    g_leak: float = 2.0
    E_Na: float = 50.0  # mV
    E_K: float = -100.0
    E_leak: float = -70.0
    beta_m: float = -1.2
    gamma_m: float = 18.0
    beta_w: float = -13.0
    gamma_w: float = 10.0
    phi: float = 0.15
    dt: float = 0.05  # ms
    V = State(init=-70.0, unit="mV")
    w = State(init=0.0)
    I = Input(unit="uA/cm2")
    currents = (50.0, 60.0, 80.0)

    def update(self, V, w, I):
        m_inf = 0.5 * (1 + np.tanh((V - self.beta_m) / self.gamma_m))
        w_inf = 0.5 * (1 + np.tanh((V - self.beta_w) / self.gamma_w))
        tau_w = 1 / np.cosh((V - self.beta_w) / (2 * self.gamma_w))
        I_fast = self.g_fast * m_inf * (V - self.E_Na)
        I_slow = self.g_slow * w * (V - self.E_K)
        I_leak = self.g_leak * (V - self.E_leak)
        V_next = V + self.dt * (I - I_fast - I_slow - I_leak) / self.C
        w_next = w + self.dt * self.phi * (w_inf - w) / tau_w
        spike = (V < 0) & (V_next >= 0)
        return spike, V_next, w_next
