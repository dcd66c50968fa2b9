"""Input currents: constant, fluctuating, adversarial, or from a file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from ..errors import FileTrouble
from ..runner import numbers
from ..words import Q8_8, Word, quantize

__all__ = [
    "adversarial",
    "as_words",
    "constant",
    "load",
    "load_array",
    "load_inputs",
    "load_table",
    "ornstein_uhlenbeck",
]


def constant(value: float, steps: int) -> np.ndarray:
    """The same value throughout, shape (steps,)."""
    if steps < 1:
        raise ValueError(f"steps must be at least 1, not {steps}")
    return np.full(steps, numbers(value, "current"))


def ornstein_uhlenbeck(
    mean: float, std: float, tau: float, *, dt: float, steps: int, seed: int = 0
) -> np.ndarray:
    """A fluctuating current: the stationary Ornstein-Uhlenbeck process, sampled exactly.

    Parameters
    ----------
    mean, std : float
        Of the current, in its unit.
    tau : float
        Correlation time, ms.
    dt : float
        Time step, ms.
    steps, seed : int

    Returns
    -------
    ndarray, shape (steps,)
    """
    if not (std >= 0 and tau > 0 and dt > 0 and steps >= 1):
        raise ValueError(
            f"need std >= 0, tau > 0, dt > 0 and steps >= 1, not {std}, {tau}, {dt}, {steps}"
        )
    rng = np.random.default_rng(seed)
    keep = np.exp(-dt / tau)
    kick = std * np.sqrt(1 - keep**2) * rng.standard_normal(steps)
    current = np.empty(steps)
    deviation = std * rng.standard_normal()
    for t in range(steps):
        deviation = keep * deviation + kick[t]
        current[t] = mean + deviation
    return current


def adversarial(steps: int, *, seed: int = 0, word: Word = Q8_8) -> np.ndarray:
    """What breaks careless hardware: full-scale steps, ramps, one-LSB wiggles, noise."""
    rng = np.random.default_rng(seed)
    pieces: list[np.ndarray] = []
    while sum(len(piece) for piece in pieces) < steps:
        length = int(rng.integers(1, 200))
        low, high = np.sort(rng.integers(-(2**15), 2**15, size=2))
        match rng.integers(5):
            case 0:
                pieces.append(np.full(length, rng.choice([-(2**15), 2**15 - 1, 0])))
            case 1:
                pieces.append(np.linspace(low, high, length).astype(int))
            case 2:
                pieces.append(low + np.arange(length) % 2)
            case 3:
                pieces.append(rng.integers(low, high + 1, size=length))
            case 4:
                spread = 2.0 ** rng.integers(0, 12)
                pieces.append((spread * rng.standard_normal(length)).astype(int))
    words = np.clip(np.concatenate(pieces)[:steps], -(2**15), 2**15 - 1)
    values: np.ndarray = words * word.lsb
    return values


def as_words(
    values: np.ndarray, what: str = "current", unit: str = "", word: Word = Q8_8
) -> np.ndarray:
    """The values a port carries: each rounded to its nearest word."""
    rounded: np.ndarray = np.ldexp(quantize(values, what, word, unit), -word.fraction)
    return rounded


def load(path: str | Path) -> np.ndarray:
    """A stimulus from a ``.npy`` or ``.csv`` file: one value per time step, shape (T,).

    A ``.csv`` may have a header, a byte order mark, and ``;`` or tabs between its columns.

    Raises
    ------
    FileTrouble
        If the file is missing, of another kind, or does not hold one column of finite numbers.
    """
    _, table = _table(Path(path))
    if table.shape[1] != 1:
        raise FileTrouble(f"{path} has {table.shape[1]} columns, not one", _HINT)
    return table[:, 0]


def load_inputs(path: str | Path, inputs: Sequence[str]) -> dict[str, np.ndarray]:
    """Stimuli from the columns of a file: of the inputs that its header names, or in their order.

    A single column, whatever it is called, is of the first input.

    Parameters
    ----------
    path : path
        As for :func:`load`; a ``.npy`` of shape (T,) or (T, columns).
    inputs : sequence of str

    Returns
    -------
    dict of str to ndarray, shape (T,)

    Raises
    ------
    FileTrouble
        As for :func:`load`; or a column that is no input.
    """
    names, table = _table(Path(path))
    has = f"the inputs are {', '.join(inputs)}: name the columns so, or leave out the header"
    if table.shape[1] == 1:
        names = [n for n in names if n in inputs] or [inputs[0]]
    names = names or [*inputs[: table.shape[1]]]
    if table.shape[1] > len(names):
        there = f"{len(inputs)} input{'s' * (len(inputs) != 1)}"
        raise FileTrouble(f"{path} has {table.shape[1]} columns for {there}", has)
    for name in names:
        if name not in inputs:
            raise FileTrouble(f"{path}: column {name!r} is no input", has)
        if names.count(name) > 1:
            raise FileTrouble(f"{path}: column {name!r} is there twice", has)
    return {name: table[:, k] for k, name in enumerate(names)}


def load_table(path: str | Path, columns: int) -> np.ndarray:
    """A file with a column for each of some neurons, or one for all, shape (T, columns).

    Raises
    ------
    FileTrouble
        As for :func:`load`; or another number of columns.
    """
    _, table = _table(Path(path))
    if table.shape[1] not in (1, columns):
        raise FileTrouble(
            f"{path} has {table.shape[1]} columns for {columns} neurons",
            "give a row per step with one column for all neurons, or one for each",
        )
    result: np.ndarray = np.broadcast_to(table, (len(table), columns))
    return result


def load_array(path: str | Path) -> np.ndarray:
    """Numbers of any shape from a ``.npy`` file, or (T,) or (T, columns) from a ``.csv``.

    Raises
    ------
    FileTrouble
        If the file is missing, of another kind, or does not hold finite numbers.
    """
    _, array = _read(Path(path), _ROWS)
    return array


_HINT = "a stimulus is a .npy array of shape (T,), or a .csv with one number per line"
_ROWS = "it is a .npy array, a row for each time step, or a .csv with a line for each"


def _table(path: Path) -> tuple[list[str], np.ndarray]:
    """The names in a file's header, if it has one, and its numbers, shape (T, columns)."""
    names, array = _read(path, _HINT)
    if array.ndim not in (1, 2):
        raise FileTrouble(f"{path} has shape {array.shape}, not (T,)", _HINT)
    return names, array.reshape(len(array), -1)


def _read(path: Path, hint: str) -> tuple[list[str], np.ndarray]:
    """The names in a file's header, if it has one, and its numbers, of any shape."""
    names: list[str] = []
    try:
        if path.suffix == ".npy":
            array = np.load(path, allow_pickle=False)
        elif path.suffix == ".csv":
            names, array = _csv(path.read_text(encoding="utf-8-sig"))
        else:
            raise FileTrouble(f"{path} is neither .npy nor .csv", hint)
    except OSError as error:
        raise FileTrouble(f"cannot read {path}: {error.strerror or error}", hint) from None
    except (ValueError, EOFError) as error:
        said = "it holds Python's objects, not numbers" if "pickle" in str(error) else str(error)
        raise FileTrouble(f"{path} is no stimulus: {said}", hint) from None
    if not array.ndim or not array.size:
        shape = ", not (T,)" if hint is _HINT else ": there is nothing in it"
        raise FileTrouble(f"{path} has shape {array.shape}{shape}", hint)
    try:
        return names, numbers(array, str(path))
    except (TypeError, ValueError) as error:
        raise FileTrouble(str(error), hint) from None


def _csv(text: str) -> tuple[list[str], np.ndarray]:
    """The header's names and the numbers of a text, a row for each time step."""
    lines = [
        (k, line) for k, line in enumerate(text.splitlines(), 1) if line.partition("#")[0].strip()
    ]
    between = next((mark for mark in ";\t," if lines and mark in lines[0][1]), ",")
    names: list[str] = []
    rows: list[list[float]] = []
    for number, line in lines:
        fields = [f.strip().strip("\"'") for f in line.partition("#")[0].split(between)]
        while len(fields) > 1 and not fields[-1]:
            fields.pop()
        if between == ";":  # where a comma is the decimal point
            fields = [f.replace(",", ".") for f in fields]
        try:
            rows.append([float(field) for field in fields])
        except ValueError as error:
            if names or rows:
                raise ValueError(f"line {number}: {error}") from None
            names = fields
            continue
        if len(rows[-1]) != len(rows[0]) or (names and len(rows[0]) != len(names)):
            raise ValueError(
                f"line {number} has {len(rows[-1])} numbers, not {len(names or rows[0])}"
            )
    if not rows:
        raise ValueError(
            f"there are no numbers in it; it begins with {names[0]!r}" if names else "it is empty"
        )
    array = np.array(rows)
    return names, array[:, 0] if array.shape[1] == 1 else array
