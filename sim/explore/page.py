"""What a search leaves behind: figures as data, a table, a picture, and a page to send on."""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from ...plot.page import page
from ...tools.files import write_whole
from .look import Look, NeuronLook
from .network import NetworkExploration
from .network.look import NetworkLook
from .results import Explored, Row

__all__ = ["html", "markdown", "table", "text", "write"]

_MOST = 480_000  # characters of the page
_NUMBERED = 40  # points that all have their number in the picture
_DRAWN = 200  # points that are drawn one by one


def look_of(found: Explored) -> Look:
    """How a search looks."""
    return (NetworkLook if isinstance(found, NetworkExploration) else NeuronLook)(found)


# -- the table ------------------------------------------------------------------------------------
def table(found: Explored) -> tuple[list[str], list[list[str]]]:
    """The titles, and the cells of a row for each point; the last says what failed.

    What no point has is left out, and what was not varied, too.
    """
    titles, columns = ["#"], [[str(k) for k in range(1, len(found.rows) + 1)]]
    look = look_of(found)
    for title, cell, form, varied in look.columns:
        values = [cell(found, row) for row in found.rows]
        if all(v is None for v in values) or (varied and len(set(values)) == 1):
            continue
        titles.append(found.cell if title == "LC" else title)
        usual = look.usual.get(title, "")
        columns.append([usual if v is None else format(v, form) for v in values])
    titles.append("")
    columns.append(
        ["; ".join(filter(None, ("front" * found.leads(r), r.failed))) for r in found.rows]
    )
    return titles, [list(cells) for cells in zip(*columns, strict=True)]


def text(found: Explored) -> str:
    """The table for a terminal."""
    titles, rows = table(found)
    widths = [max(len(cells[k]) for cells in (titles, *rows)) for k in range(len(titles) - 1)]

    def line(cells: list[str]) -> str:
        numbers = (cell.rjust(width) for cell, width in zip(cells, widths, strict=False))
        return f"  {'  '.join(numbers)}  {cells[-1]}".rstrip()

    return "\n".join([f"{found.title}: {look_of(found).noted()}", line(titles), *map(line, rows)])


def markdown(found: Explored) -> str:
    """The same as ``explore.md``."""
    look, (titles, rows) = look_of(found), table(found)

    def line(cells: list[str]) -> str:
        return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"

    lines = [f"# {found.title}", "", f"{_sentence(look.noted())}.", ""]
    lines += [line(titles), f"|{'---:|' * (len(titles) - 1)}---|", *map(line, rows), ""]
    return "\n".join([*lines, *look.explained(), ""])


def _sentence(words: str) -> str:
    return words[:1].upper() + words[1:]


# -- pictures -------------------------------------------------------------------------------------
def draw_front(found: Explored, path: Path) -> None:
    """Area against speed, the front marked, fidelity as colour."""
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.ticker import EngFormatter, LogLocator, NullFormatter

    look = look_of(found)
    placed = [row for row in found.rows if row.best]
    with page(path, 7.2, 4.6, found.title) as figure:
        axis = figure.subplots()
        axis.set_xlabel(f"area ({'LUTs' if found.cell == 'LUT' else 'logic cells'})")
        axis.set_ylabel(look.speed)
        if not placed:
            axis.text(0.5, 0.5, "no point was built", ha="center", transform=axis.transAxes)
            return
        shares: list[Any] = [look.shared(row) for row in placed]
        known = [share for share in shares if share is not None]
        colours = ScalarMappable(Normalize(min([*known, 0.9]), 1.0), "viridis")
        places = {id(row): (float(row.logic or 0), found.speed(row) or 0.0) for row in placed}
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
        speeds = [y for _, y in places.values()]
        if max(speeds) > 10 * min(speeds):
            axis.set_yscale("log")
            axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
            axis.yaxis.set_minor_formatter(NullFormatter())
        else:
            axis.set_ylim(0, 1.1 * max(speeds))
        axis.yaxis.set_major_formatter(EngFormatter())
        axis.margins(x=0.08)
        axis.grid(color="0.92", lw=0.6)
        axis.set_axisbelow(True)
        axis.legend(loc="lower right")
        if known:
            bar = figure.colorbar(colours, ax=axis, pad=0.02)
            bar.set_label(look.share)
            bar.ax.yaxis.set_major_formatter(lambda share, _: f"{share:.0%}")
            bar.outline.set_visible(False)


def draw_seeds(found: Explored, path: Path) -> None:
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


def html(found: Explored, drawings: list[str]) -> str:
    """The page: one file, with nothing that is loaded from elsewhere, of less than 500 kB.

    Parameters
    ----------
    found : Explored
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
    look, (titles, rows) = look_of(found), table(found)
    content = ""
    for reports, tables in _sizes(found):
        content = template.render(
            found=found,
            noted=_sentence(look.noted()),
            explained=[line for line in look.explained() if line],
            titles=titles,
            rows=list(zip(rows, found.rows, strict=True)) if reports else [],
            front=found.front,
            drawings=[_inline(drawing) for drawing in drawings],
            reported=_reported(found, reports),
            precisions=list(found.precisions.items())[:tables],
            look=look,
        )
        if len(content.encode()) < _MOST:
            break
    return content


def _sizes(found: Explored) -> Iterator[tuple[int, int]]:
    """How many reports and tables of errors a page has, less and less."""
    for reports in (len(found.rows), 100, 20):
        yield reports, max(1, reports // 10) if reports < len(found.rows) else 100
    yield 0, 0


def _reported(found: Explored, most: int) -> list[tuple[int, Row]]:
    """The rows whose reports are shown, those on the front before others."""
    numbered = [(k, row) for k, row in enumerate(found.rows, 1) if row.best]
    chosen = sorted(numbered, key=lambda pair: not found.leads(pair[1]))[:most]
    return sorted(chosen, key=lambda pair: pair[0])


def write(found: Explored, output: Path) -> None:
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
        look_of(found).draw(others[0])
        draw_seeds(found, others[1])
        drawings = [file.read_text("utf-8") for file in (output / "pareto.svg", *others)]
    write_whole(output / "explore.html", html(found, drawings).encode())
