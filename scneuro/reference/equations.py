"""The differential equations of the built-in neurons, from the papers and not from ``update()``.

Each is written twice: as a slope for SciPy and as text for Brian2, so that a slip of the pen in
either shows as a difference between the two. Times are in ms, so a slope is per ms.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..errors import ScneuroError
from ..neuron import Neuron
from ..neurons import builtin
from ..neurons.hodgkin_huxley import HodgkinHuxley, leak, potassium, sodium

__all__ = ["EQUATIONS", "Brian", "Equations", "equations_of"]


@dataclass(frozen=True)
class Brian:
    """The equations once more, dimensionless, for Brian2; parameters and the current I by name."""

    equations: str
    threshold: str
    reset: str = ""
    refractory: str = "False"


@dataclass(frozen=True)
class Equations:
    """One neuron's equations; ``p`` is the neuron, read for its parameters alone.

    Parameters
    ----------
    states : tuple of str
        The membrane potential first.
    start : callable
        ``p`` to the states at t = 0.
    slope : callable
        ``p``, the current and the states to their derivatives, per ms.
    threshold : callable
        ``p`` to the potential that is a spike when risen to.
    brian : Brian
    reset : callable, optional
        ``p`` and the states at a spike to the states after it; without one, they go on.
    hold : callable
        ``p`` to how long the states are held after a spike, ms.
    """

    states: tuple[str, ...]
    start: Callable[[Any], tuple[float, ...]]
    slope: Callable[..., tuple[Any, ...]]
    threshold: Callable[[Any], float]
    brian: Brian
    reset: Callable[..., tuple[Any, ...]] | None = None
    hold: Callable[[Any], float] = lambda p: 0.0


def equations_of(neuron: Neuron) -> Equations:
    """The reference equations of a neuron.

    Raises
    ------
    ScneuroError
        If there are none: it is stochastic, or not built in, or has channels of its own.
    """
    if neuron._noises:
        raise ScneuroError(
            f"{neuron.name} is stochastic: no reference has its spike times",
            "compare its rate over many runs instead",
        )
    known = [equations for name, equations in EQUATIONS.items() if type(neuron) is builtin(name)]
    if not known:
        raise ScneuroError(
            f"{neuron.name} has no reference equations; {', '.join(EQUATIONS)} have",
            "scneuro parity compares any neuron's float model, integers and gates",
        )
    if isinstance(neuron, HodgkinHuxley) and neuron.channels != (sodium, potassium, leak):
        raise ScneuroError(
            f"{neuron.name}: the reference is the squid axon, but this one has the channels "
            f"{', '.join(channel.name for channel in neuron.channels)} or other values of theirs",
            "leave channels at its default",
        )
    return known[0]


# -- integrate and fire ---------------------------------------------------------------------------
def _lif(p: Any, current: float, V: Any) -> tuple[Any]:
    return ((-(V - p.E_L) + p.R * current) / p.tau_m,)


def _exponential_if(p: Any, current: float, V: Any) -> tuple[Any]:
    spike_current = p.Delta_T * np.exp((V - p.V_T) / p.Delta_T)
    return ((-(V - p.E_L) + spike_current + p.R * current) / p.tau_m,)


def _quadratic_if(p: Any, current: float, V: Any) -> tuple[Any]:
    return ((p.a_0 * (V - p.E_L) * (V - p.V_c) + p.R * current) / p.tau_m,)


def _conductance_lif(p: Any, current: float, V: Any, g_exc: Any, g_inh: Any) -> tuple[Any, ...]:
    leaving = p.g_L * (V - p.E_L) + g_exc * (V - p.E_exc) + g_inh * (V - p.E_inh)
    # a conductance starts at 0 and is never negative: nor is what drives it
    return -leaving / p.C, max(current, 0.0) - g_exc / p.tau_exc, -g_inh / p.tau_inh


# -- with a second variable -----------------------------------------------------------------------
def _izhikevich(p: Any, current: float, v: Any, u: Any) -> tuple[Any, ...]:
    return 0.04 * v * v + 5.0 * v + 140.0 - u + current, p.a * (p.b * v - u)


def _adex(p: Any, current: float, V: Any, w: Any) -> tuple[Any, ...]:
    """w and the current in nA, the rest in pF, nS and mV: 1 nA = 1000 pA, 1 nS mV = 0.001 nA."""
    spike_current = p.g_L * p.Delta_T * np.exp((V - p.V_T) / p.Delta_T)
    membrane = -p.g_L * (V - p.E_L) + spike_current - 1000.0 * w + 1000.0 * current
    return membrane / p.C, (p.a * (V - p.E_L) / 1000.0 - w) / p.tau_w


# -- the squid axon -------------------------------------------------------------------------------
def _linear_rate(x: Any) -> Any:
    """x / (1 - exp(-x)), 1 at 0."""
    return x / -np.expm1(-x) if x else 1.0


def _squid_rates(V: Any) -> tuple[tuple[Any, Any], ...]:
    """Opening and closing rates (1/ms) of m, h and n."""
    return (
        (_linear_rate((V + 40.0) / 10.0), 4.0 * np.exp(-(V + 65.0) / 18.0)),
        (0.07 * np.exp(-(V + 65.0) / 20.0), 1.0 / (1.0 + np.exp(-(V + 35.0) / 10.0))),
        (0.1 * _linear_rate((V + 55.0) / 10.0), 0.125 * np.exp(-(V + 65.0) / 80.0)),
    )


def _squid_start(p: Any) -> tuple[float, ...]:
    return p.V_0, *(float(alpha / (alpha + beta)) for alpha, beta in _squid_rates(p.V_0))


def _squid(p: Any, current: float, V: Any, *gates: Any) -> tuple[Any, ...]:
    m, h, n = gates
    sodium_current = 120.0 * m**3 * h * (V - 50.0)
    potassium_current = 36.0 * n**4 * (V + 77.0)
    leak_current = 0.3 * (V + 54.387)
    return (
        (current - sodium_current - potassium_current - leak_current) / p.C,
        *(
            alpha * (1.0 - x) - beta * x
            for x, (alpha, beta) in zip(gates, _squid_rates(V), strict=True)
        ),
    )


#: By the name of the built-in neuron. A spike of the exponential models is their runaway: where
#: ``update()`` cuts it is a choice of its numerics, and no part of the reference. At V_T + 20
#: Delta_T, 2e-9 membrane time constants of it are left. Brian2 stops at V_T + 10 Delta_T, half a
#: microsecond early, and holds the slope from there: the trial steps of rk4 would overflow.
EQUATIONS: dict[str, Equations] = {
    "lif": Equations(
        ("V",),
        lambda p: (p.E_L,),
        _lif,
        lambda p: p.V_th,
        Brian(
            "dV/dt = (E_L - V + R*I)/(tau_m*ms) : 1 (unless refractory)",
            "V >= V_th",
            "V = V_reset",
            refractory="t_ref*ms + dt",  # Brian2 counts from the start of the spike's step
        ),
        reset=lambda p, V: (p.V_reset,),
        hold=lambda p: p.t_ref,
    ),
    "exponential_if": Equations(
        ("V",),
        lambda p: (p.E_L,),
        _exponential_if,
        lambda p: p.V_T + 20 * p.Delta_T,
        Brian(
            """
            x = clip((V - V_T)/Delta_T, -1000, 10) : 1
            dV/dt = (E_L - V + Delta_T*exp(x) + R*I)/(tau_m*ms) : 1
            """,
            "x >= 10",
            "V = V_reset",
        ),
        reset=lambda p, V: (p.V_reset,),
    ),
    "quadratic_if": Equations(
        ("V",),
        lambda p: (p.E_L,),
        _quadratic_if,
        lambda p: p.V_peak,
        Brian(
            "dV/dt = (a_0*(V - E_L)*(V - V_c) + R*I)/(tau_m*ms) : 1",
            "V >= V_peak",
            "V = V_reset",
        ),
        reset=lambda p, V: (p.V_reset,),
    ),
    "conductance_lif": Equations(
        ("V", "g_exc", "g_inh"),
        lambda p: (p.E_L, 0.0, 0.0),
        _conductance_lif,
        lambda p: p.V_th,
        Brian(
            """
            dV/dt = (g_L*(E_L - V) + g_exc*(E_exc - V) + g_inh*(E_inh - V))/(C*ms) : 1
            dg_exc/dt = (I*int(I > 0) - g_exc/tau_exc)/ms : 1
            dg_inh/dt = -g_inh/(tau_inh*ms) : 1
            """,
            "V >= V_th",
            "V = V_reset",
        ),
        reset=lambda p, V, g_exc, g_inh: (p.V_reset, g_exc, g_inh),
    ),
    "izhikevich": Equations(
        ("V", "u"),
        lambda p: (p.c, p.b * p.c),
        _izhikevich,
        lambda p: p.V_peak,
        Brian(
            """
            dV/dt = (0.04*V**2 + 5*V + 140 - u + I)/ms : 1
            du/dt = a*(b*V - u)/ms : 1
            """,
            "V >= V_peak",
            "V = c; u += d",
        ),
        reset=lambda p, V, u: (p.c, u + p.d),
    ),
    "adex": Equations(
        ("V", "w"),
        lambda p: (p.E_L, 0.0),
        _adex,
        lambda p: p.V_T + 20 * p.Delta_T,
        Brian(
            """
            x = clip((V - V_T)/Delta_T, -1000, 10) : 1
            dV/dt = (g_L*(E_L - V + Delta_T*exp(x)) + 1000*(I - w))/(C*ms) : 1
            dw/dt = (a*(V - E_L)/1000 - w)/(tau_w*ms) : 1
            """,
            "x >= 10",
            "V = V_reset; w += b",
        ),
        reset=lambda p, V, w: (p.V_reset, w + p.b),
    ),
    "hodgkin_huxley": Equations(
        ("V", "m", "h", "n"),
        _squid_start,
        _squid,
        lambda p: p.V_th,
        Brian(
            """
            dV/dt = (I - 120*m**3*h*(V - 50) - 36*n**4*(V + 77) - 0.3*(V + 54.387))/(C*ms) : 1
            dm/dt = ((1 - m)/exprel(-(V + 40)/10) - 4*exp(-(V + 65)/18)*m)/ms : 1
            dh/dt = (0.07*exp(-(V + 65)/20)*(1 - h) - h/(1 + exp(-(V + 35)/10)))/ms : 1
            dn/dt = (0.1*(1 - n)/exprel(-(V + 55)/10) - 0.125*exp(-(V + 65)/80)*n)/ms : 1
            """,
            "V >= V_th",
            refractory="V >= V_th",  # one spike for each time it rises through
        ),
    ),
}
