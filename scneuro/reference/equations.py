"""Differential equations; of the built-in neurons, from the papers and not from ``update()``.

Each is written twice: as a slope for SciPy and as text for Brian2, so that a slip of the pen in
either shows as a difference between the two. Times are in ms, so a slope is per ms.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
    """The equations once more, dimensionless, for Brian2; parameters and inputs by name.

    ``current`` is what they call the first input.
    """

    equations: str
    threshold: str
    reset: str = ""
    refractory: str = "False"
    current: str = "I"


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
    crossing : callable
        ``p``, the current and the states to what rises through 0 at a spike.
    brian : Brian, optional
    reset : callable, optional
        ``p``, the current and the states at a spike to the states after it; without one, they go
        on.
    hold : callable
        ``p`` to how long the states are held after a spike, ms.
    text : tuple of str
        The equations in words, where they were derived.
    runaway : bool
        Whether a state that runs away faster than times can be told apart has spiked if it would
        within a nanosecond.
    """

    states: tuple[str, ...]
    start: Callable[[Any], tuple[float, ...]]
    slope: Callable[..., tuple[Any, ...]]
    crossing: Callable[..., Any]
    brian: Brian | None = None
    reset: Callable[..., tuple[Any, ...]] | None = None
    hold: Callable[[Any], float] = lambda p: 0.0
    text: tuple[str, ...] = ()
    runaway: bool = False

    def begin(self, neuron: Neuron) -> tuple[float, ...]:
        """The states at t = 0, those that were set among them."""
        start = zip(self.states, self.start(neuron), strict=True)
        return tuple(neuron._start.get(name, value) for name, value in start)


def equations_of(
    neuron: Neuron, others: Mapping[str, float] | None = None, *, derive: bool = True
) -> Equations:
    """The reference equations of a neuron: a built-in one's, its own, or those of ``update()``.

    Parameters
    ----------
    neuron : Neuron
    others : mapping of str to float, optional
        What its inputs but the first are held at, if not at their defaults.
    derive : bool
        Take them from ``update()`` where there are no others.

    Raises
    ------
    ScneuroError
        If there are none: it is stochastic, or ``update()`` is not explicit Euler, or it is built
        in and has channels of its own, or inputs that its equations do not have.
    """
    from .own import derived, written

    others = {n: v for n, v in (others or {}).items() if v != neuron.input_defaults[n]}
    if neuron._noises:
        raise ScneuroError(
            f"{neuron.name} is stochastic: no reference has its spike times",
            "compare its rate over many runs instead",
        )
    if neuron.equations:
        return written(neuron, others)
    known = [equations for name, equations in EQUATIONS.items() if type(neuron) is builtin(name)]
    if isinstance(neuron, HodgkinHuxley) and neuron.channels != (sodium, potassium, leak):
        raise ScneuroError(
            f"{neuron.name}: the reference is the squid axon, but this one has the channels "
            f"{', '.join(channel.name for channel in neuron.channels)} or other values of theirs",
            "leave channels at its default, or compare with another simulator: --spikes FILE",
        )
    if not known and derive:
        return derived(neuron, others)
    if not known:
        raise ScneuroError(
            f"{neuron.name} has no reference equations of its own; {', '.join(EQUATIONS)} have",
            "scneuro parity compares any neuron's float model, integers and gates",
        )
    if others:
        raise ScneuroError(
            f"{neuron.name}: the reference has no input {', '.join(others)}",
            "leave it at its default, or compare with another simulator: --spikes FILE",
        )
    return known[0]


def _risen(threshold: Callable[[Any], float]) -> Callable[..., Any]:
    """The first state's way to a potential that is a spike when risen to."""
    return lambda p, current, *states: states[0] - threshold(p)


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
        _risen(lambda p: p.V_th),
        Brian(
            "dV/dt = (E_L - V + R*I)/(tau_m*ms) : 1 (unless refractory)",
            "V >= V_th",
            "V = V_reset",
            refractory="t_ref*ms + dt",  # Brian2 counts from the start of the spike's step
        ),
        reset=lambda p, current, V: (p.V_reset,),
        hold=lambda p: p.t_ref,
    ),
    "exponential_if": Equations(
        ("V",),
        lambda p: (p.E_L,),
        _exponential_if,
        _risen(lambda p: p.V_T + 20 * p.Delta_T),
        Brian(
            """
            x = clip((V - V_T)/Delta_T, -1000, 10) : 1
            dV/dt = (E_L - V + Delta_T*exp(x) + R*I)/(tau_m*ms) : 1
            """,
            "x >= 10",
            "V = V_reset",
        ),
        reset=lambda p, current, V: (p.V_reset,),
    ),
    "quadratic_if": Equations(
        ("V",),
        lambda p: (p.E_L,),
        _quadratic_if,
        _risen(lambda p: p.V_peak),
        Brian(
            "dV/dt = (a_0*(V - E_L)*(V - V_c) + R*I)/(tau_m*ms) : 1",
            "V >= V_peak",
            "V = V_reset",
        ),
        reset=lambda p, current, V: (p.V_reset,),
    ),
    "conductance_lif": Equations(
        ("V", "g_exc", "g_inh"),
        lambda p: (p.E_L, 0.0, 0.0),
        _conductance_lif,
        _risen(lambda p: p.V_th),
        Brian(
            """
            dV/dt = (g_L*(E_L - V) + g_exc*(E_exc - V) + g_inh*(E_inh - V))/(C*ms) : 1
            dg_exc/dt = (I*int(I > 0) - g_exc/tau_exc)/ms : 1
            dg_inh/dt = -g_inh/(tau_inh*ms) : 1
            """,
            "V >= V_th",
            "V = V_reset",
        ),
        reset=lambda p, current, V, g_exc, g_inh: (p.V_reset, g_exc, g_inh),
    ),
    "izhikevich": Equations(
        ("V", "u"),
        lambda p: (p.c, p.b * p.c),
        _izhikevich,
        _risen(lambda p: p.V_peak),
        Brian(
            """
            dV/dt = (0.04*V**2 + 5*V + 140 - u + I)/ms : 1
            du/dt = a*(b*V - u)/ms : 1
            """,
            "V >= V_peak",
            "V = c; u += d",
        ),
        reset=lambda p, current, V, u: (p.c, u + p.d),
    ),
    "adex": Equations(
        ("V", "w"),
        lambda p: (p.E_L, 0.0),
        _adex,
        _risen(lambda p: p.V_T + 20 * p.Delta_T),
        Brian(
            """
            x = clip((V - V_T)/Delta_T, -1000, 10) : 1
            dV/dt = (g_L*(E_L - V + Delta_T*exp(x)) + 1000*(I - w))/(C*ms) : 1
            dw/dt = (a*(V - E_L)/1000 - w)/(tau_w*ms) : 1
            """,
            "x >= 10",
            "V = V_reset; w += b",
        ),
        reset=lambda p, current, V, w: (p.V_reset, w + p.b),
    ),
    "hodgkin_huxley": Equations(
        ("V", "m", "h", "n"),
        _squid_start,
        _squid,
        _risen(lambda p: p.V_th),
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
