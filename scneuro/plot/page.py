"""What all figures share: how they look, what they call things, and how they are written.

Float is a wide, pale line and the integers are a thin, dark one on it, so both are seen where they
agree, in print without colour, too.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScneuroError
from ..tools.files import check_writable, write_whole

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["FLOAT", "WORDS", "amount", "label", "page", "require", "symbol"]

FLOAT: dict[str, Any] = {"color": "#1f4e8c", "lw": 3.0, "alpha": 0.4}
WORDS: dict[str, Any] = {"color": "#b5341c", "lw": 1.0}

# what of a file says when and by what it was drawn, so that the same drawing makes the same bytes
_FORMATS: dict[str, dict[str, None]] = {
    ".png": {"Software": None},
    ".svg": {"Date": None, "Creator": None},
    ".pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
_LOOK = {
    "axes.formatter.useoffset": False,
    "axes.spines.right": False,
    "axes.spines.top": False,
    "figure.constrained_layout.h_pad": 0.07,
    "figure.constrained_layout.use": True,
    "figure.constrained_layout.w_pad": 0.07,
    "figure.facecolor": "white",
    "font.size": 10,
    "legend.fontsize": 10,
    "legend.frameon": False,
    "savefig.dpi": 120,
    "svg.hashsalt": "scneuro",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}
_GREEK = ("alpha", "beta", "gamma", "delta", "theta", "lambda", "sigma", "tau", "xi")
_SPELLED = {"uA": "\N{MICRO SIGN}A", "cm2": "cm\N{SUPERSCRIPT TWO}"}


def require(path: str | Path | None = None) -> None:
    """Fail early, and in one line, where a figure could not be drawn.

    Parameters
    ----------
    path : path, optional
        Where it shall go.

    Raises
    ------
    ScneuroError
        If matplotlib is missing.
    ValueError
        If ``path`` is no .png, .svg or .pdf.
    """
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        raise ScneuroError("plots need matplotlib", 'pip install "scneuro[plots]"') from None
    if path is not None and Path(path).suffix.lower() not in _FORMATS:
        raise ValueError(f"cannot plot to {path}: name a {' or '.join(_FORMATS)} file")
    if path is not None:
        check_writable(path)


@contextmanager
def page(path: str | Path, width: float, height: float, title: str) -> Iterator[Figure]:
    """A figure to draw on, of ``width`` by ``height`` inches; written when the block ends well.

    The same drawing makes the same bytes, whatever the user's matplotlib is set to.

    Raises
    ------
    ScneuroError, ValueError
        As for :func:`require`.
    FileTrouble
        If the file cannot be written.
    """
    require(path)
    path = Path(path)
    from matplotlib import style
    from matplotlib.figure import Figure

    with style.context(["default", _LOOK]):
        figure = Figure(figsize=(width, height))
        figure.suptitle(title, x=0.014, ha="left", fontsize=11)
        yield figure
        content = io.BytesIO()
        kind = path.suffix.lower()
        figure.savefig(content, format=kind[1:], metadata=_FORMATS[kind])
    write_whole(path, content.getvalue())


def symbol(name: str) -> str:
    """A variable as a formula shows it: ``g_exc`` with a subscript, upright as a word is."""
    base, _, below = name.partition("_")
    formula = rf"\{base}" if base.lower() in _GREEK else rf"\mathit{{{base}}}"
    if below:
        formula += rf"_\mathrm{{{below.replace('_', ' ')}}}"
    return f"${formula}$"


def label(names: Iterable[str], unit: str) -> str:
    """What an axis of some variables of one unit is called."""
    symbols = [symbol(name) for name in names]
    gap = "\n" if len(symbols) > 1 else " "
    return ", ".join(symbols) + (f"{gap}({_spelled(unit)})" if unit else "")


def amount(value: float, unit: str) -> str:
    """A number with its unit, to three digits."""
    return f"{value:.3g} {_spelled(unit)}".rstrip()


def _spelled(unit: str) -> str:
    for plain, spelled in _SPELLED.items():
        unit = unit.replace(plain, spelled)
    return unit
