"""Wilson (1999) J Theor Biol. Polynomial cortical cell (V in 100 mV), regular spiking with
adaptation.
"""

from scneuro import Input, Neuron, State


class Wilson(Neuron):
    """Wilson (1999), the polynomial neocortical neuron, regular spiking; V in units of 100 mV."""

    g_R: float = 26.0
    g_T: float = 0.1
    g_H: float = 5.0
    E_Na: float = 0.48
    E_K: float = -0.95
    E_Ca: float = 1.2
    tau_R: float = 4.2  # ms
    tau_T: float = 14.0
    tau_H: float = 45.0
    dt: float = 0.02  # ms
    V = State(init=-0.754)
    R = State(init=0.279)
    T = State()
    H = State()
    I = Input()
    currents = (0.3, 0.6, 1.0)

    def update(self, V, R, T, H, I):
        m_inf = 17.8 + 47.6 * V + 33.8 * V**2
        dV = (
            -m_inf * (V - self.E_Na)
            - self.g_R * R * (V - self.E_K)
            - self.g_T * T * (V - self.E_Ca)
            - self.g_H * H * (V - self.E_K)
            + I
        )
        V_next = V + self.dt * dV
        R_next = R + self.dt / self.tau_R * (-R + 1.29 * V + 0.79 + 3.3 * (V + 0.38) ** 2)
        T_next = T + self.dt / self.tau_T * (-T + 8 * (V + 0.725) ** 2)
        H_next = H + self.dt / self.tau_H * (-H + 3 * T)
        spike = (V < -0.2) & (V_next >= -0.2)
        return spike, V_next, R_next, T_next, H_next
