import numpy as np

from scneuro import Input, Neuron, State


def gamma(V, theta, sigma):
    return 1 / (1 + np.exp(-(V - theta) / sigma))


class GolombAmitai(Neuron):
    """Regular-spiking neocortical pyramidal cell (Golomb and Amitai 1997)."""

    g_Na: float = 24.0  # mS/cm2
    g_NaP: float = 0.07
    g_Kdr: float = 3.0
    g_A: float = 1.4
    g_z: float = 1.0
    g_L: float = 0.02
    V_Na: float = 55.0  # mV
    V_K: float = -90.0
    V_L: float = -70.0
    tau_b: float = 15.0  # ms
    tau_z: float = 75.0
    dt: float = 0.02  # ms
    V = State(init=-70.0, unit="mV")
    h = State(init=0.9)
    n = State(init=0.02)
    b = State(init=0.15)
    z = State(init=0.0)
    I = Input(unit="uA/cm2")
    currents = (1.0, 2.0, 4.0, 8.0)

    def update(self, V, h, n, b, z, I):
        m_inf = gamma(V, -30, 9.5)
        p_inf = gamma(V, -40, 5)
        a_inf = gamma(V, -50, 20)
        tau_h = 0.37 + 2.78 * gamma(V, -40.5, -6)
        tau_n = 0.37 + 1.85 * gamma(V, -27, -15)
        I_Na = self.g_Na * m_inf**3 * h * (V - self.V_Na)
        I_NaP = self.g_NaP * p_inf * (V - self.V_Na)
        I_Kdr = self.g_Kdr * n**4 * (V - self.V_K)
        I_A = self.g_A * a_inf**3 * b * (V - self.V_K)
        I_z = self.g_z * z * (V - self.V_K)
        I_L = self.g_L * (V - self.V_L)
        V_next = V + self.dt * (I - I_Na - I_NaP - I_Kdr - I_A - I_z - I_L)
        h_next = h + self.dt * (gamma(V, -53, -7) - h) / tau_h
        n_next = n + self.dt * (gamma(V, -30, 10) - n) / tau_n
        b_next = b + self.dt * (gamma(V, -80, -6) - b) / self.tau_b
        z_next = z + self.dt * (gamma(V, -39, 5) - z) / self.tau_z
        spike = np.logical_and(V < 0, V_next >= 0)
        return spike, V_next, h_next, n_next, b_next, z_next
