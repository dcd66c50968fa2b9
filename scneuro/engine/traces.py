"""What a run leaves behind: arrays in memory, or a file that is written as it goes."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from ..errors import ScneuroError
from ..tools.files import cannot_write

__all__ = ["Scaled", "Traces", "collapsed", "free_memory"]

_UNITS = ("bytes", "kB", "MB", "GB", "TB", "PB")


def collapsed(array: np.ndarray) -> np.ndarray:
    """An array without what is the same over and over: an axis that repeats has length 1."""
    pairs = zip(array.shape, array.strides, strict=True)
    return array[tuple(slice(1) if stride == 0 and n > 1 else slice(None) for n, stride in pairs)]


class Scaled(Mapping[str, np.ndarray]):
    """States that are kept as 16-bit words, and read as numbers in their unit.

    Parameters
    ----------
    words : mapping of str to ndarray of int16
    lsb : mapping of str to float
    """

    def __init__(self, words: Mapping[str, np.ndarray], lsb: Mapping[str, float]) -> None:
        self.words, self.lsb = dict(words), dict(lsb)
        self._read: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        if name not in self._read:
            self._read[name] = np.multiply(self.words[name], np.float64(self.lsb[name]))
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.words)

    def __len__(self) -> int:
        return len(self.words)

    def __repr__(self) -> str:
        return repr(dict(self))


class Traces:
    """The arrays that a run fills, time first, a stretch of steps at a time.

    Parameters
    ----------
    what : str
        Whose they are, for messages.
    shape : (T,) or (T, N)
    fields : mapping of str to dtype
    file : path, optional
        A ``.npy`` file to write them to, instead of keeping them in memory.

    Raises
    ------
    ScneuroError
        If they are larger than the memory, or the disk, that is free.
    FileTrouble
        If the file cannot be written.
    ValueError
        If it is no ``.npy``.
    """

    def __init__(
        self,
        what: str,
        shape: tuple[int, ...],
        fields: Mapping[str, Any],
        file: Path | str | None = None,
    ) -> None:
        self._shape, self._path = shape, None if file is None else Path(file)
        self._row = np.dtype([(name, np.dtype(kind)) for name, kind in fields.items()])
        size = self._row.itemsize * int(np.prod(shape, dtype=object))
        if self._path is not None:
            if self._path.suffix != ".npy":
                raise ValueError(f"file={str(file)!r}: name a .npy file")
            self._open(what, size)
            return
        free = free_memory()
        if free is not None and size > free:
            raise ScneuroError(
                f"{what}: {_run(shape)} would record {_amount(size)}, and {_amount(free)} of "
                "memory are free",
                'record fewer states, such as record=("V",), or spikes alone, record=(); or write '
                'to disk, file="run.npy"',
            )
        self._arrays = {name: np.zeros(shape, dtype=kind) for name, kind in fields.items()}

    def _open(self, what: str, size: int) -> None:
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            free = _free_disk(self._path.parent)
            if size > free:
                raise ScneuroError(
                    f"{what}: {_run(self._shape)} would write {_amount(size)} to {self._path}, and "
                    f"{_amount(free)} of its disk are free",
                    'record fewer states, such as record=("V",), or name a file elsewhere',
                )
            handle, name = tempfile.mkstemp(dir=self._path.parent, prefix=f".{self._path.name}.")
            self._temporary, self._stream = Path(name), os.fdopen(handle, "wb")
            header = {
                "descr": np.lib.format.dtype_to_descr(self._row),
                "fortran_order": False,
                "shape": self._shape,
            }
            np.lib.format.write_array_header_1_0(self._stream, header)
        except OSError as error:
            raise cannot_write(self._path, error) from None

    def stretch(self, begin: int, end: int) -> dict[str, np.ndarray]:
        """Contiguous arrays to fill with the steps from ``begin`` to before ``end``."""
        if self._path is None:
            return {name: array[begin:end] for name, array in self._arrays.items()}
        shape = (end - begin, *self._shape[1:])
        return {name: np.zeros(shape, self._row[name]) for name in self._row.names or ()}

    def keep(self, filled: Mapping[str, np.ndarray]) -> None:
        """The next stretch is as it is to be."""
        if self._path is not None:
            rows = np.empty(next(iter(filled.values())).shape, self._row)
            for name, values in filled.items():
                rows[name] = values
            try:
                self._stream.write(rows.tobytes())
            except OSError as error:
                raise cannot_write(self._path, error) from None

    def __enter__(self) -> Traces:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        if self._path is None:
            return
        try:
            self._stream.close()
            if kind is None:
                self._temporary.chmod(0o666 & ~_umask())
                self._temporary.replace(self._path)
                rows = np.load(self._path, mmap_mode="r")
                self._arrays = {name: rows[name] for name in self._row.names or ()}
        except OSError as trouble:
            if kind is None:
                raise cannot_write(self._path, trouble) from None
        finally:
            self._temporary.unlink(missing_ok=True)

    def __getitem__(self, name: str) -> np.ndarray:
        return self._arrays[name]


def _umask() -> int:
    umask = os.umask(0)
    os.umask(umask)
    return umask


def free_memory() -> int | None:
    """Bytes of memory that can be had without swapping; None where the system does not say."""
    try:
        with open("/proc/meminfo", encoding="ascii") as file:
            return next(int(line.split()[1]) << 10 for line in file if line.startswith("MemAvail"))
    except (OSError, StopIteration, ValueError):
        pass
    if sys.platform == "win32" or "SC_PHYS_PAGES" not in os.sysconf_names:
        return None
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def _free_disk(folder: Path) -> int:
    import shutil

    return shutil.disk_usage(folder).free


def _run(shape: tuple[int, ...]) -> str:
    neurons = f" of {shape[1]:,} neurons" if len(shape) > 1 else ""
    return f"{shape[0]:,} steps{neurons}"


def _amount(size: float) -> str:
    """A number of bytes, as people say it."""
    power = min(len(_UNITS) - 1, max(0, (len(str(int(size))) - 1) // 3))
    return f"{size / 1000**power:.3g} {_UNITS[power]}"
