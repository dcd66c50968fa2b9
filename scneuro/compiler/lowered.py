"""What lowering yields: a neuron in integers, and every choice that was made on the way."""

from __future__ import annotations

from dataclasses import dataclass, field

from ..stochastic import Noise
from .canonical import Condition, Sum
from .datapath import Datapath, Node
from .graph import Expr
from .registers import Register
from .table import Table

__all__ = ["Coefficient", "Decision", "Lowered"]


@dataclass(frozen=True)
class Decision:
    """A comparison of the source, the node that decides it, and how near a tie may go astray."""

    expr: Expr
    node: Node
    bound: float


@dataclass(frozen=True)
class Coefficient:
    """What a coefficient multiplies, its exact value, and the value that is used."""

    of: str
    exact: float
    used: float


@dataclass
class Lowered:
    """A neuron in integers.

    Attributes
    ----------
    path : Datapath
        Inputs: registers and input words by name, the draws of every noise, and
        ``noise_<state>`` where rounding is stochastic. Outputs: ``spike`` and the states' next
        registers.
    rounding : str
    registers : dict of str to Register
    inputs : dict of str to str
        The inputs' units by name; each is a Q8.8 word.
    noises : dict of str to Noise
        The declared noises by name.
    updates : dict of str to Sum
        The canonical form of the states' next values.
    spike : Condition or bool
        That of the spike flag.
    roots : tuple of Expr
        The traced graph: spike, then states.
    words : dict of str to Node
        Every state's word: its register, rounded to nearest.
    tables : list of Table
    coefficients : list of Coefficient
    decisions : list of Decision
    bounds : dict of str to float
        The most one step can differ from float started from the same state, per state.
    notes : list of str
        What a user should know of the choices made.
    """

    path: Datapath
    rounding: str
    registers: dict[str, Register]
    inputs: dict[str, str]
    noises: dict[str, Noise]
    updates: dict[str, Sum]
    spike: Condition | bool
    roots: tuple[Expr, ...]
    words: dict[str, Node] = field(default_factory=dict)
    tables: list[Table] = field(default_factory=list)
    coefficients: list[Coefficient] = field(default_factory=list)
    decisions: list[Decision] = field(default_factory=list)
    bounds: dict[str, float] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    @property
    def drawn(self) -> tuple[str, ...]:
        """The draws of the declared noises, in order."""
        return tuple(draw for noise in self.noises.values() for draw in noise.draws)

    @property
    def dither(self) -> tuple[str, ...]:
        """The draws that stochastic rounding takes, in the order of the states."""
        return tuple(f"noise_{s}" for s in self.registers if f"noise_{s}" in self.path.inputs)

    @property
    def noise(self) -> list[str]:
        """All random inputs of the datapath, 16 bits each."""
        return [*self.drawn, *self.dither]
