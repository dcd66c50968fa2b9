"""Smith, Cox, Sherman and Rinzel (2000) J Neurophysiol. Post-inhibitory-like first burst, then
silence (0.3) or tonic (1.2, 2.0).
"""

import numpy as np

from scneuro import Input, Neuron, State


class IFB(Neuron):
    """Smith, Cox, Sherman and Rinzel (2000): a relay cell that bursts by Ca2+."""

    C: float = 2.0  # uF/cm2
    g_L: float = 0.035  # mS/cm2
    g_T: float = 0.07
    V_L: float = -65.0
    V_T: float = 120.0
    V_h: float = -60.0
    V_theta: float = -35.0
    V_reset: float = -50.0
    tau_minus: float = 20.0  # ms
    tau_plus: float = 100.0
    dt: float = 0.1  # ms
    V = State(init="V_L", unit="mV")
    h = State(init=1.0)
    I = Input(unit="uA/cm2")
    currents = (0.3, 1.2, 2.0)  # a burst and no more; a burst, then tonic

    def update(self, V, h, I):
        above = V >= self.V_h  # noqa: SIM300
        I_T = np.where(above, self.g_T * h * (V - self.V_T), 0.0)
        V_next = V + self.dt / self.C * (I - self.g_L * (V - self.V_L) - I_T)
        h_next = h + self.dt * np.where(above, -h / self.tau_minus, (1 - h) / self.tau_plus)
        spike = V_next >= self.V_theta
        return spike, np.where(spike, self.V_reset, V_next), h_next
