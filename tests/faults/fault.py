"""What a fault is, and what became of it."""

from dataclasses import dataclass

NEURONS = ("lif", "izhikevich", "adex", "conductance_lif", "noisy_lif")
LOWERING = ("error", "step", "trace", "recompute", "reset", "proof")
GATES = ("refused", "bits", "ties", "proof")


@dataclass(frozen=True)
class Fault:
    """One fault: the layer it is planted in, its operator, and the site.

    Attributes
    ----------
    neuron : str
    layer : str
        ``node`` and ``rule`` of the lowering; ``cell``, ``stage``, ``text`` and ``neuron`` of the
        gates.
    operator : str
    site : int
        Which node, or which line of the RTLIL.
    held : bool
        Of a fault in the gates: whether their inputs are held.
    where : str
    """

    neuron: str
    layer: str
    operator: str
    site: int = 0
    held: bool = False
    where: str = ""

    @property
    def in_lowering(self) -> bool:
        return self.layer in ("node", "rule")


@dataclass
class Verdict:
    """What became of a fault: whether each rung that was tried catches it, and its seconds."""

    fault: Fault
    caught: dict[str, bool]
    seconds: dict[str, float]
    equivalent: str = ""

    @property
    def first(self) -> str:
        rungs = LOWERING if self.fault.in_lowering else GATES
        return next((rung for rung in rungs if self.caught.get(rung)), "")

    @property
    def ok(self) -> bool:
        return bool(self.first or self.equivalent)

    def __str__(self) -> str:
        f = self.fault
        rung = self.first or (f"nothing; equivalent: {self.equivalent}" if self.ok else "NOTHING")
        tried = ", ".join(
            f"{r} {'yes' if c else 'no'} {self.seconds[r]:.2f} s" for r, c in self.caught.items()
        )
        return f"{f.neuron:16s} {f.layer:7s} {f.operator:18s} {f.where:34s} {rung:10s} ({tried})"
