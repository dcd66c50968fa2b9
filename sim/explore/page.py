"""What a search leaves behind: figures as data, a table, a picture, and a page to send on."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...plot.page import page
from ...tools.files import write_whole
from .results import Exploration, Row

__all__ = ["html", "markdown", "table", "text", "write"]

_MOST = 480_000  # characters of the page
_NUMBERED = 40  # points that all have their number in the picture
_DRAWN = 200  # points that are drawn one by one
_CURVES = 6  # precisions that have a curve
_PALETTE = ("#1f4e8c", "#b5341c", "#2f7d4f", "#8a5a00", "#6b3fa0", "#4d4d4d")

Cell = Callable[[Exploration, Row], Any]


# -- the table ------------------------------------------------------------------------------------
def _of_best(name: str) -> Cell:
    return lambda _, row: row.best[name] if row.best else None


def _cells(kind: str) -> Cell:
    def cell(_: Exploration, row: Row) -> Any:
        return row.best["utilization"].get(kind, {}).get("used") if row.best else None

    return cell


def _fidelity(name: str) -> Cell:
    return lambda _, row: row.fidelity[name] if row.fidelity else None


#: Title, what is there, how it is written, and whether it is left out where it is always the same.
_COLUMNS: tuple[tuple[str, Cell, str, bool], ...] = (
    ("neurons", lambda _, row: row.point.neurons, ",", True),
    ("lanes", lambda e, row: row.point.lanes if e.space.neurons else None, "d", False),
    ("interval", lambda e, row: row.point.interval if e.space.neurons else None, "d", False),
    ("budget", lambda _, row: row.point.budget, "g", True),
    ("guard", lambda _, row: row.point.guard, "d", True),
    ("LC", _cells("logic"), ",", False),
    ("FF", _cells("flip_flops"), ",", False),
    ("DSP", _cells("dsp"), ",", False),
    ("RAM", _cells("ram"), ",", False),
    ("Fmax, MHz", lambda _, row: row.fmax and row.fmax[0], ".1f", False),
    ("median", lambda e, row: row.fmax[1] if row.fmax and len(row.builds) > 1 else None,
     ".1f", False),
    ("updates/s", lambda _, row: row.updates, ",.0f", False),
    ("per cell", lambda _, row: row.updates / row.logic if row.updates and row.logic else None,
     ",.0f", False),
    ("\N{MULTIPLICATION SIGN} real time", lambda e, row: e.real_time(row), ",.3g", False),
    ("latency", _of_best("latency"), "d", False),
    ("memory, bits", lambda _, row: row.best["memory_bits"] or None if row.best else None,
     ",", False),
    ("counts equal", _fidelity("equal_share"), ".1%", False),
    ("coincidence", _fidelity("coincidence"), ".3f", False),
    ("first spike, ms", _fidelity("worst_first_spike_ms"), ".3g", False),
)  # fmt: skip


def table(found: Exploration) -> tuple[list[str], list[list[str]]]:
    """The titles, and the cells of a row for each point; the last says what failed.

    What no point has is left out, and what was not varied, too.
    """
    titles, columns = ["#"], [[str(k) for k in range(1, len(found.rows) + 1)]]
    for title, cell, form, varied in _COLUMNS:
        values = [cell(found, row) for row in found.rows]
        if all(v is None for v in values) or (varied and len(set(values)) == 1):
            continue
        titles.append(found.cell if title == "LC" else title)
        usual = {"budget": "1", "guard": "rule"}.get(title, "")
        columns.append([usual if v is None else format(v, form) for v in values])
    titles.append("")
    columns.append(
        ["; ".join(filter(None, ("front" * found.leads(r), r.failed))) for r in found.rows]
    )
    return titles, [list(cells) for cells in zip(*columns, strict=True)]


def _noted(found: Exploration) -> list[str]:
    """What was not varied, in words."""
    space, said = found.space, []
    if len(space.neurons) == 1:
        said.append(f"{space.neurons[0]:,} neurons that share a datapath")
    elif not space.neurons:
        said.append("a single neuron")
    if len(space.budgets) == 1:
        said.append(f"a budget of {_budget(space.budgets[0])} LSB")
    if space.guards != (None,) and len(space.guards) == 1:
        said.append(f"{space.guards[0]} guard bits")
    seeds = ", ".join(map(str, space.seeds))
    said.append(f"seed{'s' * (len(space.seeds) > 1)} {seeds}")
    return said


def _budget(budget: float | None) -> str:
    return "1" if budget is None else f"{budget:g}"


def text(found: Exploration) -> str:
    """The table for a terminal."""
    titles, rows = table(found)
    widths = [max(len(cells[k]) for cells in (titles, *rows)) for k in range(len(titles) - 1)]

    def line(cells: list[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths, strict=False))
        return f"  {'  '.join(numbers)}  {cells[-1]}".rstrip()

    return "\n".join([f"{found.title}: {', '.join(_noted(found))}", line(titles), *map(line, rows)])


def markdown(found: Exploration) -> str:
    """The same as ``explore.md``."""
    titles, rows = table(found)

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    lines = [f"# {found.title}", "", f"{_sentence(', '.join(_noted(found)))}.", ""]
    lines += [line(titles), f"|{'---:|' * (len(titles) - 1)}---|", *map(line, rows), ""]
    return "\n".join([*lines, *_explained(found), ""])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


def _explained(found: Exploration) -> list[str]:
    """What the columns are."""
    compared = next((row.fidelity for row in found.rows if row.fidelity), None)
    lines = [
        f"{found.cell}, DSP and RAM are of the whole board design, its UART and timer included; "
        "updates/s are the steps of a neuron that the neurons' own hardware makes in a second at "
        "Fmax, the best over the seeds, and latency the clocks of one of them. On the front are "
        "the points that no other beats in area or speed without losing in the other."
    ]
    if compared:
        lines += [
            "",
            f"Counts equal is the share of {compared['of']} held currents at which the integers "
            f"have float's number of spikes in {compared['duration_ms']:g} ms; coincidence the "
            "factor of Jolivet et al. (2008), window 2 ms, on average; first spike how far the "
            "first spikes are apart at worst.",
        ]
    return lines


# -- pictures -------------------------------------------------------------------------------------
def draw_front(found: Exploration, path: Path) -> None:
    """Area against updates a second, the front marked, fidelity as colour."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    placed = [row for row in found.rows if row.best]
    with page(path, 7.2, 4.6, found.title) as figure:
        axis = figure.subplots()
        axis.set_xlabel(f"area ({'LUTs' if found.cell == 'LUT' else 'logic cells'})")
        axis.set_ylabel("updates per second at Fmax")
        if not placed:
            axis.text(0.5, 0.5, "no point was built", ha="center", transform=axis.transAxes)
            return
        shares = [row.fidelity["equal_share"] if row.fidelity else None for row in placed]
        known = [share for share in shares if share is not None]
        colours = ScalarMappable(Normalize(min([*known, 0.9]), 1.0), "viridis")
        places = {id(row): (float(row.logic or 0), float(row.updates or 0)) for row in placed}
        edge = [places[id(row)] for row in found.front]
        axis.step(
            *zip(*edge, strict=True), where="post", color="#b5341c", lw=1.2, zorder=1,
            label="Pareto front",
        )  # fmt: skip
        leads = [found.leads(row) for row in placed]
        axis.scatter(
            [x for x, _ in places.values()], [y for _, y in places.values()], zorder=3,
            s=[72 if on else 42 for on in leads],
            color=["0.75" if share is None else colours.to_rgba(share) for share in shares],
            edgecolor=["#b5341c" if on else "0.35" for on in leads],
            linewidth=[1.6 if on else 0.6 for on in leads],
            rasterized=len(placed) > _DRAWN,
        )  # fmt: skip
        named: dict[tuple[float, float], list[str]] = {}
        for number, row in enumerate(found.rows, 1):
            if row.best and (
                len(placed) <= _NUMBERED or (found.leads(row) and len(found.front) <= _NUMBERED)
            ):
                named.setdefault(places[id(row)], []).append(str(number))
        for place, numbers in named.items():
            axis.annotate(
                ", ".join(numbers), place, (5, 4), textcoords="offset points", fontsize=8,
                color="0.25",
            )  # fmt: skip
        updates = [y for _, y in places.values()]
        if max(updates) > 10 * min(updates):
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.set_ylim(0, 1.1 * max(updates))
        axis.yaxis.set_major_formatter(EngFormatter())
        axis.margins(x=0.08)
        axis.grid(color="0.92", lw=0.6)
        axis.set_axisbelow(True)
        axis.legend(loc="lower right")
        if known:
            bar = figure.colorbar(colours, ax=axis, pad=0.02)
            bar.set_label("currents with float's number of spikes")
            bar.ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
            bar.outline.set_visible(False)


def draw_fidelity(found: Exploration, path: Path) -> None:
    """Integers against float over the current, for each precision."""
    from matplotlib.ticker import MaxNLocator

    with page(path, 7.2, 4.0, "Integers against float, at each current") as figure:
        above, below = figure.subplots(2, 1, sharex=True)
        compared = [(p, c["fidelity"]) for p, c in found.precisions.items() if "fidelity" in c]
        for k, ((budget, guard), fidelity) in enumerate(compared[:_CURVES]):
            label = f"{_budget(budget)} LSB" + (
                f", {guard} guard bits" if guard is not None else ""
            )
            look: dict[str, Any] = {"color": _PALETTE[k % len(_PALETTE)], "lw": 1.2, "marker": "."}
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


def draw_seeds(found: Exploration, path: Path) -> None:
    """The frequency of every build."""
    with page(path, 7.2, 2.6, "Frequency by point, over the seeds of placement") as figure:
        axis = figure.subplots()
        reached = {
            number: [b["fmax_mhz"] for b in row.builds.values() if "failed" not in b]
            for number, row in enumerate(found.rows, 1)
            if row.best
        }
        look: dict[str, Any] = {"color": "#1f4e8c", "rasterized": len(reached) > _DRAWN}
        axis.vlines(list(reached), [*map(min, reached.values())], [*map(max, reached.values())],
                    lw=1, **look)  # fmt: skip
        every = [(number, fmax) for number, values in reached.items() for fmax in values]
        axis.plot([x for x, _ in every], [y for _, y in every], "o", ms=3, **look)
        from matplotlib.ticker import MaxNLocator

        axis.xaxis.set_major_locator(MaxNLocator(min(24, len(found.rows) + 1), integer=True))
        axis.set_xlim(0.3, len(found.rows) + 0.7)
        axis.set_ylim(0, 1.1 * max((y for _, y in every), default=1.0))
        axis.set_xlabel("point")
        axis.set_ylabel("Fmax (MHz)")


# -- the page -------------------------------------------------------------------------------------
def _inline(drawing: str) -> str:
    """An SVG as part of a page: without what only a file has."""
    inner = drawing[drawing.index("<svg") :]
    inner = re.sub(r"<metadata>.*?</metadata>\s*", "", inner, flags=re.S)
    as_wide_as_it_may = partial(re.sub, r' (width|height)="[^"]*"', "")
    return re.sub(r"<svg\b[^>]*>", lambda tag: as_wide_as_it_may(tag[0]), inner, count=1)


def html(found: Exploration, drawings: list[str]) -> str:
    """The page: one file, with nothing that is loaded from elsewhere, of less than 500 kB.

    Parameters
    ----------
    found : Exploration
    drawings : list of str
        SVGs.
    """
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    template = environment.get_template("page.html")
    titles, rows = table(found)
    content = ""
    for reports, tables in _sizes(found):
        content = template.render(
            found=found,
            noted=_sentence(", ".join(_noted(found))),
            explained=[line for line in _explained(found) if line],
            titles=titles,
            rows=list(zip(rows, found.rows, strict=True)) if reports else [],
            front=found.front,
            drawings=[_inline(drawing) for drawing in drawings],
            reported=_reported(found, reports),
            precisions=list(found.precisions.items())[:tables],
            budget=_budget,
        )
        if len(content.encode()) < _MOST:
            break
    return content


def _sizes(found: Exploration) -> Iterator[tuple[int, int]]:
    """How many reports and tables of errors a page has, less and less."""
    for reports in (len(found.rows), 100, 20):
        yield reports, max(1, reports // 10) if reports < len(found.rows) else 100
    yield 0, 0


def _reported(found: Exploration, most: int) -> list[tuple[int, Row]]:
    """The rows whose reports are shown, those on the front before others."""
    numbered = [(k, row) for k, row in enumerate(found.rows, 1) if row.best]
    chosen = sorted(numbered, key=lambda pair: not found.leads(pair[1]))[:most]
    return sorted(chosen, key=lambda pair: pair[0])


def write(found: Exploration, output: Path) -> None:
    """All four files.

    Raises
    ------
    FileTrouble
        If one cannot be written; each is written whole or not at all.
    """
    figures = json.dumps(found.figures(), indent=2) + "\n"
    write_whole(output / "explore.json", figures.encode())
    write_whole(output / "explore.md", markdown(found).encode())
    draw_front(found, output / "pareto.svg")
    with tempfile.TemporaryDirectory() as name:
        others = [Path(name) / "fidelity.svg", Path(name) / "seeds.svg"]
        draw_fidelity(found, others[0])
        draw_seeds(found, others[1])
        drawings = [file.read_text("utf-8") for file in (output / "pareto.svg", *others)]
    write_whole(output / "explore.html", html(found, drawings).encode())
