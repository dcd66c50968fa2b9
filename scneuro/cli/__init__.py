"""The command line: one face over models, gates, parity and boards."""

from __future__ import annotations

import argparse
import io
import json
import os
import signal
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np

from .. import plot
from ..errors import ScneuroError
from ..load import load_neuron, make_neuron
from ..neuron import Neuron
from ..neurons import builtins
from ..report import describe, show
from ..runner import Recording
from ..signals import stimulus
from ..tools.files import write_whole

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Run a command; 0 is good, 1 a check that failed, 2 misuse or trouble."""
    options = _parser().parse_args(arguments)
    before = None
    if threading.current_thread() is threading.main_thread():
        before = signal.signal(signal.SIGTERM, _interrupt)  # to clean up then, too
    try:
        code: int = options.run(options)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print("scneuro: interrupted; nothing half-written was left", file=sys.stderr)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except (ScneuroError, ValueError, TypeError) as error:
        if os.environ.get("SCNEURO_DEBUG"):
            raise
        message = error.message if isinstance(error, ScneuroError) else str(error)
        print(f"scneuro: {message}", file=sys.stderr)
        if isinstance(error, ScneuroError) and error.hint:
            print(f"  {error.hint}", file=sys.stderr)
    finally:
        if before is not None:
            signal.signal(signal.SIGTERM, before)
    return 2


def _interrupt(*_: Any) -> None:
    raise KeyboardInterrupt


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="scneuro",
        description=("A spiking neuron, written once: float, Q8.8, gates, parity, bitstream."),
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    def command(name: str, run: Any, text: str, *, neuron: bool = True) -> argparse.ArgumentParser:
        sub = commands.add_parser(name, help=text, description=text)
        sub.set_defaults(run=run)
        if neuron:
            sub.add_argument(
                "neuron", metavar="NEURON", help="a built-in name, or path/to/file.py:Class"
            )
            sub.add_argument(
                "--set",
                action="append",
                metavar="NAME=VALUE",
                dest="settings",
                help="override a parameter",
            )
            sub.add_argument("--preset", help="a published parameter set, such as RS")
        sub.add_argument("--json", action="store_true", help="print JSON, for machines")
        return sub

    def stimulated(sub: argparse.ArgumentParser, steps: str = "10000") -> None:
        group = sub.add_mutually_exclusive_group()
        group.add_argument("--current", type=float, metavar="X", help="hold the first input at X")
        group.add_argument("--stimulus", metavar="FILE", help="a .npy or .csv, a value per step")
        sub.add_argument("--steps", type=int, metavar="N", help=f"time steps (default {steps})")

    command("list", _list, "List the neurons and boards.", neuron=False)
    command("show", _show, "Show a neuron's equations, formats, tables and latency.")

    simulate = command("simulate", _simulate, "Run a neuron.")
    stimulated(simulate)
    simulate.add_argument(
        "--backend", choices=("float", "fixed", "amaranth", "cxxrtl"), default="float"
    )
    simulate.add_argument("--plot", metavar="PNG", help="draw it")
    simulate.add_argument("-o", "--output", metavar="FILE.npz", help="save the traces")

    figure = command("plot", _plot, "Draw a neuron in float and Q8.8, as papers do.")
    figure.add_argument(
        "--kind",
        choices=("trace", "fi", "phase"),
        default="trace",
        help="trace: of all variables in time (default); fi: firing rate over current; "
        "phase: phase plane",
    )
    stimulated(figure, "200 ms; fi: 10000")
    figure.add_argument("-o", "--output", required=True, metavar="FILE", help=".png or .svg")

    parity = command("parity", _parity, "Compare a neuron's gates, integers and float model.")
    stimulated(parity)
    parity.add_argument("--vcd", metavar="FILE", help="waveform, if the gates fail")
    parity.add_argument(
        "--engine", choices=("amaranth", "cxxrtl"), default="amaranth", help="cxxrtl: compiled"
    )

    prove = command("prove", _prove, "Prove a neuron's gates for all states and inputs.")
    prove.add_argument("--timeout", type=float, default=60.0, metavar="S", help="per question")

    prove.add_argument(
        "--invariants", action="store_true", help="also prove streams, registers, UART and LFSR"
    )

    verify = command("verify", _verify, "Check a neuron all the way from float to the bitstream.")
    verify.add_argument("--board", required=True, help="such as icebreaker; see `scneuro list`")
    verify.add_argument(
        "--steps", type=int, default=10_000, metavar="N", help="of the compiled simulations"
    )

    reference = command(
        "reference", _reference, "Compare a neuron with its differential equations."
    )
    reference.add_argument("--current", type=float, metavar="X", help="hold the first input at X")
    reference.add_argument(
        "--duration", type=float, default=1000.0, metavar="MS", help="(default: 1000 ms)"
    )
    reference.add_argument("--brian", metavar="PYTHON", help="one with Brian2, to ask it too")

    build = command("build", _build, "Build a bitstream.")
    build.add_argument("--board", required=True, help="such as icebreaker; see `scneuro list`")
    build.add_argument("--seed", type=int, default=1, metavar="N", help="of placement")
    build.add_argument("-o", "--output", required=True, metavar="DIR")

    demo = command(
        "demo", _demo, "AdEx: float, Q8.8 and gates side by side, and its bitstream.", neuron=False
    )
    demo.add_argument("-o", "--output", default="demo", metavar="DIR", help="(default: demo)")
    demo.add_argument("--steps", type=int, default=10_000, metavar="N", help="time steps")
    return parser


def _print(options: argparse.Namespace, figures: Any, text: Any) -> None:
    print(json.dumps(figures, indent=2) if options.json else text)


def _neuron(options: argparse.Namespace) -> Neuron:
    return make_neuron(options.neuron, preset=options.preset, settings=options.settings)


def _stimulus(options: argparse.Namespace, neuron: Neuron) -> np.ndarray:
    if options.steps is not None and options.steps < 1:
        raise ValueError(f"--steps must be at least 1, not {options.steps}")
    if options.stimulus is not None:
        values = stimulus.load(options.stimulus)
        if options.steps is not None and options.steps > len(values):
            raise ValueError(f"--steps {options.steps}, but {options.stimulus} has {len(values)}")
        return values[: options.steps]
    current = neuron.currents[0] if options.current is None else options.current
    return stimulus.constant(current, options.steps or 10_000)


def _list(options: argparse.Namespace) -> int:
    from ..boards import BOARDS

    neurons = {n: (load_neuron(n).__doc__ or "").strip().splitlines()[0] for n in builtins()}
    boards = {b.name: f"{b.title}, {b.device}, {b.clock_hz / 1e6:g} MHz" for b in BOARDS.values()}
    rows = [
        "neurons",
        *(f"  {n:18s}{text}" for n, text in neurons.items()),
        "boards",
        *(f"  {n:18s}{text}" for n, text in boards.items()),
    ]
    _print(options, {"neurons": neurons, "boards": boards}, "\n".join(rows))
    return 0


def _show(options: argparse.Namespace) -> int:
    from ..compiler.pipeline.schedule import Schedule

    neuron = _neuron(options)
    fixed = neuron.fixed()
    clocks = Schedule(fixed.lowered, dsp=True).latency
    latency = {"pipelined": clocks, "single": clocks + 1}
    figures = describe(neuron, fixed, latency)
    _print(options, figures, show(neuron, figures))
    return 0


def _run_on(backend: str, neuron: Neuron, values: np.ndarray) -> Recording:
    if backend == "float":
        return neuron.run(values)
    fixed = neuron.fixed()
    if backend == "fixed":
        return fixed.run(values)
    from ..hdl import build
    from ..sim import CompiledNeuron, SimulatedNeuron

    engine = CompiledNeuron if backend == "cxxrtl" else SimulatedNeuron
    return engine(lambda: build(neuron, fixed), fixed).run(values)


def _simulate(options: argparse.Namespace) -> int:
    neuron = _neuron(options)
    values = _stimulus(options, neuron)
    if options.plot:
        plot.require(options.plot)
    recording = _run_on(options.backend, neuron, values)
    if options.output:
        path = Path(options.output)
        if path.suffix != ".npz":
            raise ValueError(f"-o {options.output}: name a .npz file")
        content = io.BytesIO()
        np.savez_compressed(
            content,
            allow_pickle=False,
            t=recording.t,
            spike=recording.spike,
            **recording.states,
            **recording.inputs,
        )
        write_whole(path, content.getvalue())
    if options.plot:
        plot.plot_recordings(
            {options.backend: recording},
            options.plot,
            units=neuron.units,
            title=f"{neuron.name}, {options.backend}",
        )
    times = recording.dt * (recording.spike_steps + 1)
    figures = {
        "neuron": neuron.name,
        "backend": options.backend,
        "steps": len(recording.spike),
        "dt_ms": neuron.dt,
        "spikes": int(recording.spikes),
        "spike_times_ms": times.tolist(),
        "final": {name: float(values[-1]) for name, values in recording.states.items()},
    }
    shown = ", ".join(f"{t:.1f}" for t in times[:8]) + (", ..." if len(times) > 8 else "")
    final = ", ".join(f"{n} = {v:.6g} {neuron.units[n]}" for n, v in figures["final"].items())
    _print(
        options,
        figures,
        "\n".join(
            [
                f"{neuron.name} ({options.backend}): {len(recording.spike):,} steps of "
                f"{neuron.dt:g} ms",
                f"  {recording.spikes} spikes" + (f", at {shown} ms" if len(times) else ""),
                f"  at the end {final}",
            ]
        ),
    )
    return 0


def _plot(options: argparse.Namespace) -> int:
    neuron = _neuron(options)
    drawn = {"neuron": neuron.name, "kind": options.kind, "plot": options.output}
    if options.kind != "trace" and options.stimulus is not None:
        raise ValueError(f"--kind {options.kind} holds its currents; leave out --stimulus")
    if options.kind == "fi":
        if options.current is not None:
            raise ValueError("--kind fi goes through many currents; leave out --current")
        plot.plot_fi(neuron, options.output, steps=options.steps)
    elif options.kind == "phase":
        plot.plot_phase(neuron, options.output, options.current, steps=options.steps)
    else:
        given = options.current if options.stimulus is None else _stimulus(options, neuron)
        plot.plot_trace(neuron, options.output, given, steps=options.steps)
    _print(options, drawn, f"{neuron.name}: {options.kind} drawn to {options.output}")
    return 0


def _parity(options: argparse.Namespace) -> int:
    from ..sim import parity

    neuron = _neuron(options)
    result = parity(neuron, _stimulus(options, neuron), vcd=options.vcd, engine=options.engine)
    _print(options, result.figures(), result)
    return 0 if result.ok else 1


def _reference(options: argparse.Namespace) -> int:
    from ..reference import compare

    result = compare(
        _neuron(options),
        current=options.current,
        duration=options.duration,
        brian=options.brian,
    )
    _print(options, result.figures(), result)
    return 0


def _prove(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..hdl import hand_written
    from ..sim.proof import prove

    neuron = _neuron(options)
    fixed = neuron.fixed()
    if neuron.hardware(fixed) is not None:
        raise hand_written(neuron.name)
    proofs = [
        prove(fixed, held=held, dsp=dsp, timeout=options.timeout)
        for held in (True, False)
        for dsp in (True, False)
    ]
    text = "\n".join([*map(str, proofs), *(p.as_test() for p in proofs if p.as_test())])
    claims = []
    if options.invariants:
        from ..sim.proof.invariants import prove_invariants

        claims = prove_invariants(fixed)
        text = "\n".join([text, *map(str, claims)])
    figures = [proof.figures() for proof in proofs]
    _print(options, {"forms": figures, "invariants": [asdict(c) for c in claims]}, text)
    return 0 if all(p.ok for p in proofs) and all(c.ok for c in claims) else 1


def _verify(options: argparse.Namespace) -> int:
    from ..boards import board
    from ..sim.ladder import climb

    neuron, target = _neuron(options), board(options.board)
    if options.steps < 1:
        raise ValueError(f"--steps must be at least 1, not {options.steps}")
    if not options.json:
        print(f"{neuron.name} on {target.title} ({target.device})", flush=True)
    rungs = []
    for rung in climb(neuron, target, steps=options.steps):
        rungs.append(rung)
        if not options.json:
            print(rung, flush=True)
    if options.json:
        _print(options, [rung.as_dict() for rung in rungs], "")
    if any(rung.ok is False for rung in rungs):
        return 1
    return 2 if any(rung.ok is None for rung in rungs) else 0


def _build(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..boards import board, build_bitstream

    neuron, target = _neuron(options), board(options.board)
    report = build_bitstream(neuron, target, options.output, seed=options.seed)
    met = report.fmax_mhz >= report.clock_mhz
    _print(options, asdict(report), report)
    if not options.json:
        print(f"  load it    {target.program} {report.bitstream}")
    return 0 if met else 1


def _demo(options: argparse.Namespace) -> int:
    from dataclasses import asdict

    from ..boards import board, build_bitstream
    from ..neurons.adex import AdEx
    from ..sim import parity
    from ..tools.toolchain import say

    plot.require()
    output = Path(options.output)
    neuron = AdEx()
    current = stimulus.ornstein_uhlenbeck(0.8, 0.4, 20.0, dt=neuron.dt, steps=options.steps, seed=1)

    say(f"AdEx (Brette and Gerstner 2005), {options.steps * neuron.dt:g} ms of fluctuating current")
    with ThreadPoolExecutor(1) as background:
        building = background.submit(build_bitstream, neuron, board("icebreaker"), output)
        result = parity(neuron, current)
        _print(options, None, result) if not options.json else None
        picture = output / "adex.png"
        plot.plot_recordings(
            {
                "float": result.float_run,
                "Q8.8 = gates" if result.bit_exact else "Q8.8": result.fixed_run,
            },
            picture,
            units=neuron.units,
            title="AdEx under a fluctuating current: the paper's equations and the chip's bits",
            lsb={n: r.word.lsb for n, r in result.fixed.lowered.registers.items()},
        )
        say("building the iCEBreaker bitstream ...") if not building.done() else None
        report = building.result()
    figures = {"parity": result.figures(), "plot": str(picture), "build": asdict(report)}
    _print(options, figures, f"{report}\n  plot       {picture}")
    return 0 if result.ok else 1
