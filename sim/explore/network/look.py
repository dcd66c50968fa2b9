"""How the search of a network looks on a page."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from ....plot.page import page
from ..look import BUILT, PALETTE, Column, Look, budget, of_best, of_fidelity, seeds
from .results import NetworkRow

__all__ = ["NetworkLook"]

_COLUMNS: tuple[Column, ...] = (
    ("lanes", lambda _, row: row.point.lanes, "d", False),
    ("bits", lambda _, row: row.point.bits, "d", True),
    ("budget", lambda _, row: row.point.budget, "g", True),
    *BUILT,
    ("clocks a step", lambda _, row: row.clocks, ",.1f", False),
    ("at most", of_best("clocks_a_step"), ",d", False),
    ("steps/s", lambda _, row: row.steps, ",.0f", False),
    ("at least", lambda _, row: row.worst, ",.0f", False),
    ("\N{MULTIPLICATION SIGN} real time", lambda e, row: e.real_time(row), ",.3g", False),
    ("synaptic operations/s", lambda _, row: row.operations, ",.3g", False),
    ("memory, bits", of_best("memory_bits"), ",", False),
    ("spike bits differ", of_fidelity("unlike_spike_bits"), ".2%", False),
    ("counts differ", of_fidelity("unlike_output_counts"), ".1%", False),
    ("accuracy", of_fidelity("accuracy"), ".1%", False),
)


class NetworkLook(Look):
    """That of a network."""

    columns = _COLUMNS
    usual: ClassVar[dict[str, str]] = {"bits": "own", "budget": "own"}
    errors = "network/errors.html"

    @property
    def speed(self) -> str:  # type: ignore[override]
        over = "over the stimulus" if self.found.counted else "at the worst"
        return f"steps per second at Fmax, {over}"

    @property
    def share(self) -> str:  # type: ignore[override]
        if self.found.float_accuracy is None:
            return "spike bits that are float's"
        return "accuracy of the integers"

    def noted(self) -> str:
        space, said = self.found.space, []
        if len(space.bits) == 1 and space.bits[0] is not None:
            said.append(f"weights of {space.bits[0]} bits")
        if len(space.budgets) == 1 and space.budgets[0] is not None:
            said.append(f"a budget of {budget(space.budgets[0])} LSB")
        many = f" of {self.found.runs:,} runs" if self.found.runs > 1 else ""
        said.append(f"compared over {self.found.steps:,} steps{many}")
        if self.found.float_accuracy is not None:
            said.append(f"of which float tells {self.found.float_accuracy:.1%} right")
        return ", ".join([*said, seeds(self.found)])

    def facts(self) -> str:
        found = self.found
        neurons = ", ".join(f"{name} {count:,}" for name, count in found.populations.items())
        return f"Neurons: {neurons}. {found.weights:,} weights, {found.dt_ms:g} ms a step."

    def explained(self) -> list[str]:
        found = self.found
        lines = [
            f"{found.cell}, DSP and RAM are of the whole board design, its link included. Lanes "
            "are weights that are added in a clock. Clocks a step are those of the network's own "
            "hardware over the stimulus, on average, and at most, if every neuron fires; steps/s, "
            "and at least, are what that makes at Fmax, the best over the seeds. Real time is by "
            "the least. Synaptic operations are the weights of the spikes that arrive in the "
            "stimulus. On the front are the points that no other beats in area or speed without "
            "losing in the other.",
            "",
            "Spike bits differ is the share of spike bits, of every neuron in every step, that "
            "integers and float do not have alike; counts differ that of the numbers of spikes "
            "of the outputs' neurons.",
        ]
        if found.float_accuracy is not None:
            lines += [
                "",
                f"Accuracy is the share of {found.runs:,} runs whose class the integers tell "
                f"right, that of the output's neuron that fires most; float tells "
                f"{found.float_accuracy:.1%}.",
            ]
        return lines

    def precision(self, precision: tuple[Any, ...]) -> str:
        bits, limit = precision
        said = "Weights as they are" if bits is None else f"Weights of {bits} bits"
        return said + ("" if limit is None else f", budget {budget(limit)} LSB")

    def fastest(self, row: NetworkRow) -> tuple[str, str]:
        return f"{self.found.speed(row) or 0:,.0f}", "steps a second at most"

    def does(self, row: NetworkRow) -> str:
        assert row.best is not None
        most = row.best["clocks_a_step"]
        said = f"at least {row.worst:,.0f} steps a second, at most {most:,} clocks each"
        if row.steps is not None:
            said += (
                f"; {row.steps:,.0f} and {row.clocks:,.1f} over the stimulus, "
                f"{row.operations:,.3g} synaptic operations a second"
            )
        return f"{said}; {row.best['memory_bits']:,} bits of memory"

    def shared(self, row: NetworkRow) -> float | None:
        fidelity = row.fidelity
        if not fidelity:
            return None
        told = fidelity["accuracy"]
        return float(1 - fidelity["unlike_spike_bits"] if told is None else told)

    def draw(self, path: Path) -> None:
        """What differs between integers and float, and accuracy, for each precision."""
        from matplotlib.ticker import PercentFormatter

        found = self.found
        compared = [(p, c["fidelity"]) for p, c in found.precisions.items() if "fidelity" in c]
        labels = [
            self.precision(p).removeprefix("Weights ").replace(", ", "\n") for p, _ in compared
        ]
        told = found.float_accuracy is not None
        with page(path, 7.2, 4.0 if told else 2.8, "Integers against float") as figure:
            axes = figure.subplots(1 + told, 1, sharex=True, squeeze=False)[:, 0]
            places = list(range(len(compared)))
            for k, (name, what) in enumerate(
                (("unlike_spike_bits", "spike bits"), ("unlike_output_counts", "output counts"))
            ):
                axes[0].plot(
                    places, [f[name] for _, f in compared], "o", color=PALETTE[k], label=what
                )
            axes[0].set_ylabel("share that\ndiffers")
            axes[0].set_ylim(bottom=0)
            if told:
                axes[1].plot(
                    places, [f["accuracy"] for _, f in compared], "o", color=PALETTE[0],
                    label="integers",
                )  # fmt: skip
                axes[1].axhline(found.float_accuracy, color=PALETTE[1], lw=1, label="float")
                axes[1].set_ylabel("accuracy")
            for axis in axes:
                axis.yaxis.set_major_formatter(PercentFormatter(1))
                axis.grid(color="0.92", lw=0.6)
                axis.set_axisbelow(True)
                if compared:
                    axis.legend(loc="best", ncols=2)
            axes[-1].set_xticks(places, labels)
            axes[-1].set_xlim(-0.5, max(len(compared), 1) - 0.5)
            figure.align_ylabels()
