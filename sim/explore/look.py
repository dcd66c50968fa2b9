"""How a search looks on a page: the columns of its table, its words, what is drawn of errors."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, ClassVar

from ...plot.page import page
from .results import Row

__all__ = [
    "BUILT",
    "PALETTE",
    "Cell",
    "Column",
    "Look",
    "NeuronLook",
    "budget",
    "of_best",
    "of_fidelity",
    "seeds",
]

_CURVES = 6  # precisions that have a curve
PALETTE = ("#1f4e8c", "#b5341c", "#2f7d4f", "#8a5a00", "#6b3fa0", "#4d4d4d")

Cell = Callable[[Any, Any], Any]
#: Title, what is there, how it is written, and whether it is left out where it is always the same.
Column = tuple[str, Cell, str, bool]


class Look:
    """What a page has of a kind of search.

    Parameters
    ----------
    found : Explored

    Attributes
    ----------
    columns : tuple of Column
    usual : dict of str to str
        By column, what stands for None.
    speed, share : str
        What the second axis of the picture is, and what its colour.
    errors : str
        The template of what is said of each precision.
    """

    columns: tuple[Column, ...]
    usual: ClassVar[dict[str, str]]
    speed: str
    share: str
    errors: str

    def __init__(self, found: Any) -> None:
        self.found = found

    def noted(self) -> str:
        """What was not varied, in words."""
        raise NotImplementedError

    def facts(self) -> str:
        """A line about what was explored."""
        raise NotImplementedError

    def explained(self) -> list[str]:
        """What the columns are, in lines."""
        raise NotImplementedError

    def precision(self, precision: tuple[Any, ...]) -> str:
        """A precision, in words."""
        raise NotImplementedError

    def fastest(self, row: Any) -> tuple[str, str]:
        """How fast the fastest is, and in what."""
        raise NotImplementedError

    def does(self, row: Any) -> str:
        """What a point does, in words."""
        raise NotImplementedError

    def shared(self, row: Any) -> float | None:
        """How well a point does, from 0 to 1."""
        raise NotImplementedError

    def draw(self, path: Path) -> None:
        """Draw errors into a file."""
        raise NotImplementedError


# -- of anything ----------------------------------------------------------------------------------
def of_best(name: str) -> Cell:
    """A figure of the best build's report."""
    return lambda _, row: row.best[name] if row.best else None


def of_fidelity(name: str) -> Cell:
    """A figure of the comparison with float."""
    return lambda _, row: row.fidelity[name] if row.fidelity else None


def _cells(kind: str) -> Cell:
    def cell(_: Any, row: Row) -> Any:
        return row.best["utilization"].get(kind, {}).get("used") if row.best else None

    return cell


#: The columns of what was built.
BUILT: tuple[Column, ...] = (
    ("LC", _cells("logic"), ",", False),
    ("FF", _cells("flip_flops"), ",", False),
    ("DSP", _cells("dsp"), ",", False),
    ("RAM", _cells("ram"), ",", False),
    ("Fmax, MHz", lambda _, row: row.fmax and row.fmax[0], ".1f", False),
    ("median", lambda e, row: row.fmax[1] if row.fmax and len(row.builds) > 1 else None,
     ".1f", False),
)  # fmt: skip


def budget(value: float | None) -> str:
    """A budget of a state, in LSB."""
    return "1" if value is None else f"{value:g}"


def seeds(found: Any) -> str:
    """Those of placement, in words."""
    named = ", ".join(map(str, found.space.seeds))
    return f"seed{'s' * (len(found.space.seeds) > 1)} {named}"


# -- of a neuron ----------------------------------------------------------------------------------
_COLUMNS: tuple[Column, ...] = (
    ("neurons", lambda _, row: row.point.neurons, ",", True),
    ("lanes", lambda e, row: row.point.lanes if e.space.neurons else None, "d", False),
    ("interval", lambda e, row: row.point.interval if e.space.neurons else None, "d", False),
    ("budget", lambda _, row: row.point.budget, "g", True),
    ("guard", lambda _, row: row.point.guard, "d", True),
    *BUILT,
    ("updates/s", lambda _, row: row.updates, ",.0f", False),
    ("per cell", lambda _, row: row.updates / row.logic if row.updates and row.logic else None,
     ",.0f", False),
    ("\N{MULTIPLICATION SIGN} real time", lambda e, row: e.real_time(row), ",.3g", False),
    ("latency", of_best("latency"), "d", False),
    ("memory, bits", lambda _, row: row.best["memory_bits"] or None if row.best else None,
     ",", False),
    ("counts equal", of_fidelity("equal_share"), ".1%", False),
    ("coincidence", of_fidelity("coincidence"), ".3f", False),
    ("first spike, ms", of_fidelity("worst_first_spike_ms"), ".3g", False),
)  # fmt: skip


class NeuronLook(Look):
    """That of a neuron."""

    columns = _COLUMNS
    usual: ClassVar[dict[str, str]] = {"budget": "1", "guard": "rule"}
    speed = "updates per second at Fmax"
    share = "currents with float's number of spikes"
    errors = "errors.html"

    def noted(self) -> str:
        space, said = self.found.space, []
        if len(space.neurons) == 1:
            said.append(f"{space.neurons[0]:,} neurons that share a datapath")
        elif not space.neurons:
            said.append("a single neuron")
        if len(space.budgets) == 1:
            said.append(f"a budget of {budget(space.budgets[0])} LSB")
        if space.guards != (None,) and len(space.guards) == 1:
            said.append(f"{space.guards[0]} guard bits")
        return ", ".join([*said, seeds(self.found)])

    def facts(self) -> str:
        given = ", ".join(f"{name} = {value:g}" for name, value in self.found.parameters.items())
        return f"Parameters: {given}."

    def explained(self) -> list[str]:
        found = self.found
        compared = next((row.fidelity for row in found.rows if row.fidelity), None)
        lines = [
            f"{found.cell}, DSP and RAM are of the whole board design, its UART and timer "
            "included; updates/s are the steps of a neuron that the neurons' own hardware makes in "
            "a second at Fmax, the best over the seeds, and latency the clocks of one of them. On "
            "the front are the points that no other beats in area or speed without losing in the "
            "other."
        ]
        if compared:
            lines += [
                "",
                f"Counts equal is the share of {compared['of']} held currents at which the "
                f"integers have float's number of spikes in {compared['duration_ms']:g} ms; "
                "coincidence the factor of Jolivet et al. (2008), window 2 ms, on average; first "
                "spike how far the first spikes are apart at worst.",
            ]
        return lines

    def precision(self, precision: tuple[Any, ...]) -> str:
        limit, guard = precision
        guards = f", {guard} guard bits" if guard is not None else ""
        return f"Budget {budget(limit)} LSB{guards}"

    def fastest(self, row: Row) -> tuple[str, str]:
        return f"{(row.updates or 0) / 1e6:,.3g} M/s", "the most updates"

    def does(self, row: Row) -> str:
        best = row.best
        assert best is not None
        memory = f", {best['memory_bits']:,} bits of memory" if best["memory_bits"] else ""
        return (
            f"{row.updates:,.0f} updates a second, {best['clocks_a_step']} clocks a time step, "
            f"latency {best['latency']}{memory}"
        )

    def shared(self, row: Row) -> float | None:
        return float(row.fidelity["equal_share"]) if row.fidelity else None

    def draw(self, path: Path) -> None:
        """Integers against float over the current, for each precision."""
        found = self.found
        from matplotlib.ticker import MaxNLocator

        with page(path, 7.2, 4.0, "Integers against float, at each current") as figure:
            above, below = figure.subplots(2, 1, sharex=True)
            compared = [(p, c["fidelity"]) for p, c in found.precisions.items() if "fidelity" in c]
            for k, ((limit, guard), fidelity) in enumerate(compared[:_CURVES]):
                label = self.precision((limit, guard)).removeprefix("Budget ")
                look: dict[str, Any] = {
                    "color": PALETTE[k % len(PALETTE)],
                    "lw": 1.2,
                    "marker": ".",
                }
                pairs = zip(fidelity["spikes"], fidelity["float_spikes"], strict=True)
                above.plot(fidelity["currents"], [a - b for a, b in pairs], label=label, **look)
                factors = [float("nan") if c is None else c for c in fidelity["coincidences"]]
                below.plot(fidelity["currents"], factors, **look)
            above.axhline(0, color="0.7", lw=0.6, zorder=0)
            above.yaxis.set_major_locator(MaxNLocator(5, integer=True))
            most = max((abs(f["largest_difference"]) for _, f in compared), default=0)
            above.set_ylim(-1.2 * max(most, 1), 1.2 * max(most, 1))
            above.set_ylabel("spikes more\nthan float")
            below.set_ylabel("coincidence")
            known = [c for _, f in compared for c in f["coincidences"] if c is not None]
            least = min([*known, 0.92])
            below.set_ylim(least - 0.1 * (1 - least), 1 + 0.1 * (1 - least))
            below.set_xlabel(f"{found.input} ({found.unit})" if found.unit else found.input)
            if compared:
                above.legend(loc="best", ncols=min(3, len(compared)))
            figure.align_ylabels()
