"""From a neuron to a bitstream: synthesis, place and route, packing, and what came of it."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from ..errors import ToolError
from ..fixed import FixedNeuron
from ..hdl.top import Plan
from ..link.image import OFFSET, Image
from ..network import FixedNetwork, Network
from ..neuron import Neuron, need_neuron
from ..population import FixedPopulation, Population
from ..tools.files import (
    cache_folder,
    cannot_write_cache,
    writable_cache,
    writable_folder,
    write_whole,
)
from ..tools.notebook import table
from ..tools.toolchain import YOSYS, Tool, find_tools, need_sound, say
from .design import Pins, check_weights, design, flash_image
from .families import NO_CLASHES
from .fit import does_not_fit, packed, synthesized, too_many
from .memory import stored
from .network import network_memories, total_bits
from .placement import read_placement
from .table import Board
from .table import board as named

__all__ = [
    "Build",
    "BuildReport",
    "build_bitstream",
    "clear_unfinished",
    "estimate",
    "finished_build",
    "report_of",
]

_MOST_ROUTED = 200_000  # designs of this size need some 10,000
_SEEDS = 8
_ROOM = 1 << 16  # bytes; a disk with less is full


@dataclass(frozen=True)
class BuildReport:
    """What a build produced, as measured by its tools.

    Attributes
    ----------
    neuron, board, device : str
    bitstream : str
        Path.
    sha256 : str
        Of the bitstream.
    fmax_mhz, clock_mhz : float
        What the slowest path allows, and what the board's clock is.
    utilization : dict
        ``logic`` (LCs or LUTs), ``flip_flops``, ``dsp`` and ``ram`` as {used, available}.
    cells : dict of str to int
        Cells by type after synthesis.
    tools : dict of str to str
        Versions.
    seed : int
        Of placement.
    sample_every : int
        Steps per UART sample.
    seconds : float
        Duration of the build; of the original one if ``cached``.
    cached : bool
    preset : str or None
        The neuron's.
    parameters : dict of str to float
        All of them, with their values.
    budget : float or None
        What a step of its states may be off by, in LSB, where that was said.
    neurons, lanes, interval : int
        Of a population: how many there are, in how many datapaths side by side, and the clocks
        from one to the next in each. A single neuron's interval is the clocks of a step.
    updates_per_second : float
        Steps of a neuron that it makes on the board, all neurons together.
    memory_bits : int
        That states and inputs lie in.
    latency : int
        Clocks from a neuron's entering its datapath to its last write.
    clocks_a_step : int
        Clocks in which the neurons' own hardware takes a time step of all of them, at least. The
        rest of the board's design may take longer.
    digest : str or None
        Of what a design with a link computes, as the chip says it.
    weights, weights_sha256 : str or None
        The file for the board's flash, where weights come from that, and its digest.
    weights_offset : int or None
        Where in the flash it is to be.
    """

    neuron: str
    board: str
    device: str
    bitstream: str
    sha256: str
    fmax_mhz: float
    clock_mhz: float
    utilization: dict[str, dict[str, int]]
    cells: dict[str, int]
    tools: dict[str, str]
    seed: int
    sample_every: int
    seconds: float
    cached: bool
    preset: str | None = None
    parameters: dict[str, float] = field(default_factory=dict)
    budget: float | None = None
    neurons: int = 1
    lanes: int = 1
    interval: int = 1
    updates_per_second: float = 0.0
    memory_bits: int = 0
    latency: int = 0
    clocks_a_step: int = 0
    digest: str | None = None
    weights: str | None = None
    weights_sha256: str | None = None
    weights_offset: int | None = None

    def _repr_html_(self) -> str:
        title, *rows = str(self).splitlines()
        return table(title, (row.split(maxsplit=1) for row in rows))

    def __str__(self) -> str:
        used = self.utilization
        unit = "LC" if "flip_flops" not in used else "LUT"
        parts = [f"{used['logic']['used']} of {used['logic']['available']} {unit}"]
        if "flip_flops" in used:
            parts.append(f"{used['flip_flops']['used']} FF")
        parts += [f"{used[k]['used']} {k.upper()}" for k in ("dsp", "ram") if k in used]
        many = f"{self.neurons:,} " if self.neurons > 1 else ""
        return "\n".join(
            [
                f"{many}{self.neuron} on {self.board} ({self.device})",
                f"  uses       {', '.join(parts)}",
                f"  timing     {self.fmax_mhz:.1f} MHz possible, {self.clock_mhz:g} MHz needed",
                f"  does       {self.updates_per_second:,.0f} updates a second"
                + (f", {self.memory_bits:,} bits of memory" if self.memory_bits else ""),
                f"  bitstream  {self.bitstream}",
                f"  sha256     {self.sha256}",
                *(
                    [f"  weights    {self.weights}, for its flash at {self.weights_offset:#x}"]
                    if self.weights is not None
                    else []
                ),
                f"  tools      {', '.join(f'{n} {v}' for n, v in self.tools.items())}"
                + (" (cached)" if self.cached else f"  ({self.seconds:.0f} s)"),
            ]
        )


def build_bitstream(
    neuron: Neuron | Population | Network,
    board: Board | str,
    output: Path | str,
    *,
    seed: int = 1,
    flat_out: bool = False,
    lanes: int | None = None,
    weights: str = "host",
    progress: bool = True,
    cache: Path | None = None,
) -> BuildReport:
    """Build the design of a neuron or a population for a board.

    Parameters
    ----------
    neuron : Neuron or Population
    board : Board or str
        Or its name, such as ``"icebreaker"``.
    output : path
        Folder for ``NEURON-BOARD.bin`` (or ``.bit``) and ``NEURON-BOARD.json``, the report. Each is
        written whole or not at all. A preset is part of the name, and so is a digest of the
        hardware where a neuron is not as its class or preset has it; of a population also its size.
    seed : int
        Of placement. The same inputs, tools and seed make the same bytes. If nextpnr's router goes
        in circles with it, the next seed is taken, and reported.
    flat_out : bool
        Take the next time step as soon as the one before is done, instead of in real time.
    lanes : int, optional
        Weights that a network adds in a clock, where that is said.
    weights : str
        Who brings the weights that the bitstream does not, those in SPRAM: the ``host``, or the
        board's ``flash``. Then there is another file, ``NEURON-BOARD.weights.bin``, for the flash.
    progress : bool
        Say on standard error what is running.
    cache : path, optional
        Folder of finished builds, keyed by content; by default the user's cache folder.

    Raises
    ------
    ToolError
        A tool is missing or failed; the message has the tool's own words.
    FileTrouble
        The output cannot be written.
    LoweringError
        The neuron cannot be represented, or not run in real time on this board.
    ScneuroError
        The board has no flash for weights.
    """
    _need_either(neuron, "build_bitstream()")
    board = named(board)
    check_weights(weights, board, neuron)
    output = writable_folder(output)
    build = finished_build(
        neuron,
        board,
        seed=seed,
        flat_out=flat_out,
        lanes=lanes,
        weights=weights,
        progress=progress,
        cache=cache,
    )
    name = f"{_called(neuron, build)}-{board.name}"
    content = (build.folder / f"top{board.suffix}").read_bytes()
    report = report_of(neuron, board, build, output / f"{name}{board.suffix}")
    if build.image is not None:
        path, image = output / f"{name}.weights.bin", build.image.to_bytes()
        write_whole(path, image)
        digest = _sha256(image)
        report = replace(report, weights=str(path), weights_sha256=digest, weights_offset=OFFSET)
    write_whole(output / f"{name}{board.suffix}", content)
    write_whole(output / f"{name}.json", json.dumps(asdict(report), indent=2).encode() + b"\n")
    return report


def _need_either(target: Any, caller: str) -> None:
    if not isinstance(target, Population | Network):
        need_neuron(target, caller)


def _called(target: Neuron | Population | Network, build: Build) -> str:
    """The file's name of a neuron: another for other hardware, and for the usual one its own."""
    if isinstance(target, Network):
        if target.origin is not None:
            return f"{_called(target.origin, build)}-link"
        return re.sub(r"[^\w-]+", "_", target.name.lower())
    neuron = target.neuron if isinstance(target, Population) else target
    spec = neuron.spec
    usual = type(neuron)() if spec.preset is None else type(neuron).preset(spec.preset)
    parts = [neuron.name, *([spec.preset] if spec.preset else [])]
    if isinstance(target, Population):
        parts.append(f"x{target.count}")
        parts += [f"{target.lanes}lanes"] * (target.lanes > 1)
        parts += [f"every{target.interval}"] * (target.interval > 1)
    if spec != usual.spec or (
        isinstance(target, Population) and (target.init or target.parameters)
    ):
        parts.append(build.folder.name[:6])
    return re.sub(r"[^\w-]+", "_", "-".join(parts).lower())


@dataclass(frozen=True)
class Build:
    """A finished build.

    Attributes
    ----------
    folder : Path
        Every file that went into a tool or came out of one: ``top.json`` of yosys, the pins,
        ``top.bin`` or ``top.bit``, ``report.json`` of nextpnr.
    fixed : FixedNeuron or FixedPopulation
    hardware : Component
        Of the neuron, or of the population, as the design has it.
    plan : Plan
        The rates of the design.
    tools : dict of str to Tool
    cached : bool
        It was there already.
    image : Image or None
        Of the weights, where they come from the board's flash.
    """

    folder: Path
    fixed: FixedNeuron | FixedPopulation | FixedNetwork
    hardware: Any
    plan: Plan
    tools: dict[str, Tool]
    cached: bool
    image: Image | None = None


def finished_build(
    neuron: Neuron | Population | Network,
    board: Board,
    *,
    seed: int = 1,
    options: str = "",
    guard: int | None = None,
    flat_out: bool = False,
    lanes: int | None = None,
    weights: str = "host",
    progress: bool = True,
    cache: Path | None = None,
) -> Build:
    """Build the design of a neuron or a population for a board, or find it built.

    Parameters
    ----------
    options : str
        For nextpnr, besides the usual ones.
    guard : int, optional
        Guard bits of every state, as :meth:`scneuro.Neuron.fixed` takes them.

    The rest as for :func:`build_bitstream`.
    """
    builds = cache or writable_cache("builds")
    tools = find_tools(board.tools)
    fixed, hardware, rates, image, plan = _prepared(
        neuron, board, seed, options, guard=guard, flat_out=flat_out, lanes=lanes, weights=weights
    )
    digest = hashlib.sha256()
    for name, content in sorted(plan.files.items()):
        digest.update(name.encode() + b"\0")
        digest.update(content.encode() if isinstance(content, str) else content)
    digest.update(repr(sorted((t.name, t.version) for t in tools.values())).encode())
    digest.update(board.part.family.refinement.encode())
    folder = builds / digest.hexdigest()[:32]
    cached = _is_whole(folder, board)
    if not cached:
        _make(neuron.name, plan, tools, seed, folder, board, progress)
    return Build(folder, fixed, hardware, rates, tools, cached, image)


def _prepared(
    neuron: Neuron | Population | Network,
    board: Board,
    seed: int = 1,
    options: str = "",
    *,
    guard: int | None = None,
    flat_out: bool = False,
    lanes: int | None = None,
    weights: str = "host",
) -> tuple[FixedNeuron | FixedPopulation | FixedNetwork, Any, Plan, Image | None, Any]:
    """The integers, their hardware, the rates of the design, what its flash is to have, and the
    plan by which Amaranth builds it.
    """
    fixed = neuron.fixed(guard=guard)
    hardware, rates = design(neuron, fixed, board, flat_out=flat_out, lanes=lanes)
    image = flash_image(hardware, weights)
    plan = board.make_platform().prepare(
        Pins(hardware, fixed, rates, board, image),
        emit_src=False,
        synth_opts=board.part.options_for(hardware),
        nextpnr_opts=f"--seed {int(seed)} --report report.json {options}".rstrip(),
        script_after_read=NO_CLASHES,
        script_after_synth="tee -q -o stat.json stat -json",
    )
    return fixed, getattr(hardware, "population", hardware), rates, image, plan


def estimate(
    neuron: Neuron | Population | Network, board: Board | str
) -> dict[str, dict[str, int]]:
    """The cells a neuron's design takes on a board at least, by synthesis alone.

    Returns
    -------
    dict
        ``logic``, ``dsp`` and ``ram`` as {used, available}.

    Raises
    ------
    ToolError, LoweringError
        As for :func:`build_bitstream`.
    """
    _need_either(neuron, "estimate()")
    board = named(board)
    tools = find_tools((YOSYS,))
    *_, plan = _prepared(neuron, board)
    command = json.loads(plan.files["build_top.json"])["commands"][0]
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        plan.extract(work)
        _run(tools[YOSYS.name], command, work, work / YOSYS.log)
        return synthesized(work / "stat.json", board)


def _is_whole(folder: Path, board: Board) -> bool:
    """Whether a finished build is there, and as it was when it was finished."""
    try:
        done = json.loads((folder / "done.json").read_text())
        read_placement(folder / "report.json", board.part.family)
        content = (folder / f"top{board.suffix}").read_bytes()
        return bool(_sha256(content) == done["sha256"])
    except (OSError, ValueError, KeyError):
        return False


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _make(
    neuron: str,
    plan: Any,
    tools: dict[str, Tool],
    seed: int,
    folder: Path,
    board: Board,
    progress: bool,
) -> None:
    """Run the tools in a folder of their own; it gets its final name when all is done."""
    tell: Callable[[str], None] = say if progress else lambda text: None
    known = {wanted.name: wanted for wanted in board.tools}
    begin = time.monotonic()
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        work = Path(tempfile.mkdtemp(dir=folder.parent, prefix=_begun(os.getpid())))
    except OSError as error:
        raise cannot_write_cache(folder.parent, error) from None
    try:
        plan.extract(work)
        commands = json.loads(plan.files["build_top.json"])["commands"]
        for number, command in enumerate(commands, 1):
            tool, wanted = tools[command[0]], known[command[0]]
            tell(f"  [{number}/{len(commands)}] {wanted.stage}: {tool.name} {tool.version}")
            for used in range(seed, seed + _SEEDS if "--seed" in command else seed + 1):
                if "--seed" in command:
                    command[command.index("--seed") + 1] = str(used)
                try:
                    _run(tool, command, work, work / wanted.log)
                    break
                except ToolError:
                    cells = packed(work / wanted.log, board) if "--seed" in command else {}
                    if too_many(cells):
                        raise does_not_fit(neuron, board, cells) from None
                    raise
                except _Stuck:
                    tell(f"        the router goes in circles with seed {used}; trying the next")
            else:
                raise ToolError(
                    f"{tool.name} finds no route with seeds {seed} to {used}", "try another --seed"
                )
            seed = used
            if tool.name == YOSYS.name and (work / "top.json").is_file():
                board.part.family.refine(work / "top.json")
            if tool.name == YOSYS.name and (work / "stat.json").is_file():
                cells = synthesized(work / "stat.json", board)
                if too_many(cells):
                    raise does_not_fit(neuron, board, cells, "at least ")
        content = (work / f"top{board.suffix}").read_bytes()
        if not content:
            _check_room(work)
            raise ToolError(f"{commands[-1][0]} wrote an empty bitstream")
        done = {"seconds": time.monotonic() - begin, "seed": seed, "sha256": _sha256(content)}
        (work / "done.json").write_text(json.dumps(done))
        if _is_whole(folder, board):  # another build of the same was quicker
            shutil.rmtree(work, ignore_errors=True)
        else:
            shutil.rmtree(folder, ignore_errors=True)
            os.replace(work, folder)
    except OSError as error:
        shutil.rmtree(work, ignore_errors=True)
        raise cannot_write_cache(folder.parent, error) from None
    except BaseException:
        shutil.rmtree(work, ignore_errors=True)
        raise


def _check_room(work: Path) -> None:
    """Say that the disk is full where a tool that failed could not."""
    if shutil.disk_usage(work).free < _ROOM:
        raise _full()


def _full() -> OSError:
    return OSError(errno.ENOSPC, "No space left on device")


def _begun(process: int) -> str:
    """What the folder of a build is called, by the process on this machine that is at it."""
    return f".build-{platform.node()}-{process}-"


def clear_unfinished(process: int) -> None:
    """Remove what a process that was ended left in the user's cache of a build it was at."""
    for folder in cache_folder("builds").glob(f"{_begun(process)}*"):
        shutil.rmtree(folder, ignore_errors=True)


class _Stuck(Exception):
    """The router goes in circles: with this seed it never ends."""


def _routed(log: Path) -> int:
    """How many arcs the router has tried so far, by its log."""
    if not log.is_file():
        return 0
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - 400))
        last = file.read().decode(errors="replace")
    tried = re.findall(r"Info:\s+(\d+) \|\s+\d+\s+\d+ \|", last)
    return int(tried[-1]) if tried else 0


def _run(tool: Tool, command: list[str], work: Path, log: Path) -> None:
    with (work / "output.txt").open("w+b") as output:
        process = subprocess.Popen(
            [tool.command, *command[1:]],
            cwd=work,
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
        )
        try:
            while True:
                try:
                    code = process.wait(timeout=1)
                    break
                except subprocess.TimeoutExpired:
                    if _routed(log) > _MOST_ROUTED:
                        raise _Stuck from None
        except BaseException:
            process.kill()
            process.wait()
            raise
        if not code:
            need_sound(log)
            return
        output.seek(0)
        said = output.read().decode(errors="replace")
    if log.is_file():  # YoWASP's yosys can lose its own error text: its log has the last of it
        said = log.read_text(errors="replace") + said
    lines = [line for line in said.splitlines() if line.strip()]
    errors = [line for line in lines if "ERROR" in line] or lines[-15:]
    if any("No space left" in line for line in lines[-15:]):
        raise _full()
    _check_room(work)
    raise ToolError(f"{tool.name} failed with code {code}:\n    " + "\n    ".join(errors[-15:]))


def report_of(
    target: Neuron | Population | Network, board: Board, build: Build, bitstream: Path
) -> BuildReport:
    """The report of a finished build, and of the file its bitstream is in."""
    rate = build.plan.clock_hz / build.plan.tick_clocks  # time steps a second
    if isinstance(target, Network):
        assert isinstance(build.fixed, FixedNetwork)
        gates = build.hardware
        neurons = sum(layer.count for layer in target.layers.values())
        many: dict[str, Any] = {
            "neurons": neurons,
            "lanes": gates.plan.lanes,
            "updates_per_second": round(neurons * rate, 3),
            "memory_bits": total_bits(
                network_memories(gates.fixed, gates.plan, gates.form, loaded=gates.loaded)
            ),
            "latency": gates.worst_clocks,
            "clocks_a_step": gates.worst_clocks,
        }
    elif isinstance(target, Population):
        assert isinstance(build.fixed, FixedPopulation)
        gates = build.hardware
        kept = [
            m
            for m in stored(build.fixed, gates.pipeline)
            if not m.what.startswith(("table", "delay"))
        ]
        many = {
            "neurons": target.count,
            "lanes": target.lanes,
            "interval": target.interval,
            "updates_per_second": round(target.count * rate, 3),
            "memory_bits": sum(memory.bits for memory in kept),
            "latency": gates.latency,
            "clocks_a_step": gates.clocks_a_step,
        }
    else:
        latency = getattr(build.hardware, "latency", 1)
        many = {
            "interval": latency,
            "updates_per_second": round(rate, 3),
            "latency": latency,
            "clocks_a_step": latency,
        }
    alone = target.origin if isinstance(target, Network) else target
    if isinstance(target, Network):
        many["digest"] = build.fixed.digest
    if alone is not None:
        neuron = alone.neuron if isinstance(alone, Population) else alone
        many["preset"], many["parameters"] = neuron.spec.preset, neuron.parameters
        many["budget"] = neuron.budget
    fmax, used = read_placement(build.folder / "report.json", board.part.family)
    text = (build.folder / "stat.json").read_text()
    stat = json.loads(text[text.index("{") :])
    done = json.loads((build.folder / "done.json").read_text())
    return BuildReport(
        neuron=target.name,
        board=board.name,
        device=board.device,
        bitstream=str(bitstream),
        sha256=done["sha256"],
        fmax_mhz=fmax,
        clock_mhz=board.clock_hz / 1e6,
        utilization=used,
        cells=dict(sorted(stat["design"]["num_cells_by_type"].items())),
        tools={t.name: t.version for t in build.tools.values()},
        seed=done["seed"],
        sample_every=build.plan.every,
        seconds=round(done["seconds"], 1),
        cached=build.cached,
        **many,
    )
