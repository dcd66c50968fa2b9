"""What the commands do with networks."""

from __future__ import annotations

import argparse
import io
import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..errors import ScneuroError, did_you_mean
from ..given import whole
from ..tools.files import check_writable, write_whole
from ..tools.places import is_nir
from .options import answer, chosen_steps, part, proved

if TYPE_CHECKING:
    import numpy as np

    from ..boards import Board, BuildReport
    from ..network import FixedNetwork, Network, NetworkRecording
    from ..sim.ladder import Rung

__all__ = [
    "build_network",
    "explore_network",
    "export_network",
    "network_stimulus",
    "npz",
    "parity_network",
    "prove_network",
    "ready",
    "rungs_of",
    "save",
    "show_network",
    "simulate_network",
    "tell_built",
    "tell_network",
]

STEPS = 1_000
_COMPARED = 200  # steps
_VERIFIED = 100
_CALIBRATED = 300
_SHOWN = 20  # counts
_ONE_IN = 10  # steps: a random spike of each neuron of an input


# -- simulate -------------------------------------------------------------------------------------
def simulate_network(options: argparse.Namespace, network: Network) -> int:
    """Run a network; print its spikes, and save what is asked for."""
    import numpy as np

    for name in ("lanes", "board"):
        if getattr(options, name, None) is not None:
            raise ValueError(f"--{name} is not of networks in software")
    values, said = network_stimulus(options, network)
    if options.output is not None:
        check_writable(npz(options.output))
    chosen: dict[str, dict[str, str]] = {}
    if options.backend != "float":
        chosen = _calibrated(options, network, values if is_nir(options.neuron) else None)
        fixed = network.fixed()
        if options.backend == "fixed":
            recording = fixed.run(**values)
        else:
            from ..sim import run_network

            recording = run_network(fixed, engine=options.backend, **values)
    elif options.calibrate:
        raise ValueError("--calibrate chooses words, and --backend float has none")
    else:
        with np.errstate(all="ignore"):  # what comes of it is looked at
            recording = network.run(**values)
    tell_network(options, network, options.backend, values, said, chosen, recording)
    return 0


def tell_network(
    options: argparse.Namespace,
    network: Network,
    where: str,
    values: Mapping[str, Any],
    said: Mapping[str, str],
    chosen: Mapping[str, Mapping[str, str]],
    recording: NetworkRecording,
    **more: Any,
) -> None:
    """Save and print what was recorded; ``more`` is for machines."""
    _check_finite(network, recording)
    if options.output is not None:
        save({"t": recording.t, **recording.arrays()}, options.output)
    figures = _run_figures(where, network, values, said, chosen, recording)
    answer(options, figures | more, _run_text(network, figures) + part(more))


def network_stimulus(
    options: argparse.Namespace, network: Network
) -> tuple[dict[str, Any], dict[str, str]]:
    """What each input is given, (T, *shape), and where it is from."""
    steps = chosen_steps(options)
    found: dict[str, Any] = {}
    if options.stimulus is not None and options.stimulus.partition("=")[0] in network.inputs:
        found = _by_name("--stimulus", [options.stimulus], network)
    elif options.stimulus is not None:
        if len(network.inputs) > 1:
            raise ValueError(
                f"--stimulus {options.stimulus}: {network.name} has the inputs "
                f"{', '.join(network.inputs)}; give each with --input NAME=FILE"
            )
        found[next(iter(network.inputs))] = options.stimulus
    found |= _by_name("--input", options.inputs or (), network, found)
    said = {name: f"from {given}" for name, given in found.items()}
    from ..signals.stimulus import load_array

    values: dict[str, Any] = {}
    for name, given in found.items():
        try:
            values[name] = float(given)
        except ValueError:
            values[name] = load_array(given)
            if steps is not None and steps > len(values[name]):
                raise ValueError(f"--steps {steps}, but {given} has {len(values[name])}") from None
    lengths = {len(v) for v in values.values() if not isinstance(v, float)}
    steps = steps or min(lengths, default=STEPS)
    missing = [name for name in network.inputs if name not in values]
    if getattr(options, "rate", None) is not None and not missing:
        raise ValueError("--rate is of random spikes, and every input is given")
    for name, given in values.items():
        values[name] = _held(network, name, given, steps) if isinstance(given, float) else given
        values[name] = values[name][:steps] if options.steps is not None else values[name]
    for name in missing:
        values[name], said[name] = _random(options, network, name, steps)
    _count(options, network, values)
    return {name: values[name] for name in network.inputs}, said


def _by_name(
    option: str, settings: Sequence[str], network: Network, taken: Mapping[str, Any] = {}
) -> dict[str, str]:
    """What was given to inputs, by name."""
    found: dict[str, str] = {}
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name or not text:
            raise ValueError(f"{option} {setting}: write NAME=VALUE")
        if name not in network.inputs:
            near = did_you_mean(name, network.inputs)
            there = ", ".join(network.inputs)
            raise ValueError(
                f"{option} {setting}: {network.name} has the inputs {there}"
                + f". {near}" * bool(near)
            )
        if name in found or name in taken:
            raise ValueError(f"{option} {setting}: {name} is given twice")
        found[name] = text
    return found


def _held(network: Network, name: str, value: float, steps: int) -> np.ndarray:
    import numpy as np

    return np.full((steps, *network.inputs[name].shape), value)


def _random(
    options: argparse.Namespace, network: Network, name: str, steps: int
) -> tuple[np.ndarray, str]:
    """Spikes that come by chance, and what was drawn."""
    import numpy as np

    source = network.inputs[name]
    if source.kind == "current":
        raise ValueError(
            f"{network.name}: {name} takes currents: give them, --stimulus FILE or "
            f"--input {name}=VALUE"
        )
    given = getattr(options, "rate", None)
    rate = 1000 / (_ONE_IN * network.dt) if given is None else given
    chance = rate * network.dt / 1000
    if not 0 <= chance <= 1:
        raise ValueError(
            f"--rate {rate:g}: in a step of {network.dt:g} ms there may be 0 to "
            f"{1000 / network.dt:g} Hz"
        )
    number = getattr(options, "noise_seed", None)
    seed = 1 if number is None else whole("seed", number, 0)
    # its place among the inputs is part of the seed: no two are alike
    rng = np.random.default_rng([seed, list(network.inputs).index(name)])
    spikes = rng.random((steps, *source.shape)) < chance
    return spikes.astype(float), f"random, {rate:g} Hz each, seed {seed}"


def _count(options: argparse.Namespace, network: Network, values: Mapping[str, np.ndarray]) -> None:
    """Let an input of a NIR file, which does not say it, have as many spikes as it is given."""
    from dataclasses import replace

    if not is_nir(options.neuron):
        return
    for name, array in values.items():
        source = network.inputs[name]
        most = array.max(initial=0)
        if source.kind == "spikes" and source.most < most <= 255 and most == int(most):
            network.inputs[name] = replace(source, most=int(most))


def _calibrated(
    options: argparse.Namespace, network: Network, values: Mapping[str, Any] | None
) -> dict[str, dict[str, str]]:
    """Choose the words by what was given for it, or else by some values; the words."""
    given = options.calibrate or ()
    if given:
        if len(network.inputs) == 1:
            (only,) = network.inputs
            given = [s if s.startswith(f"{only}=") else f"{only}={s}" for s in given]
        files = _by_name("--calibrate", given, network)
        if missing := [name for name in network.inputs if name not in files]:
            raise ValueError(f"--calibrate: {', '.join(missing)} must be given, too: NAME=FILE")
        from ..signals.stimulus import load_array

        values = {name: load_array(file) for name, file in files.items()}
        _count(options, network, values)
    if values is None:
        return {}
    return network.calibrate(**values)


def _check_finite(network: Network, recording: NetworkRecording) -> None:
    """Refuse a run whose states are no numbers in the end."""
    import numpy as np

    for name, values in recording.arrays().items():
        bad = ~np.isfinite(values).all(axis=tuple(range(1, values.ndim)))
        if bad.any():
            raise ScneuroError(
                f"{network.name}: {name} is no number from step {int(np.argmax(bad)) + 1} on",
                "take a smaller dt, other parameters or a weaker input",
            )


def _run_figures(
    backend: str,
    network: Network,
    values: Mapping[str, np.ndarray],
    said: Mapping[str, str],
    chosen: Mapping[str, Mapping[str, str]],
    recording: NetworkRecording,
) -> dict[str, Any]:
    steps = len(recording.t)
    seconds = steps * network.dt / 1000
    populations = []
    fired = {**recording.counts, **recording.spikes}  # by what is known of a population
    for name, layer in network.layers.items():
        if name not in fired:
            continue
        counts = fired[name].reshape(-1, layer.count)
        populations.append(
            {
                "name": name,
                "neuron": layer.population.neuron.name,
                "neurons": layer.count,
                "spikes": int(counts.sum()),
                "mean_rate_hz": float(counts.mean() / seconds),
                "silent": int((counts == 0).all(axis=0).sum()),
                "words": dict(chosen.get(name, {})),
            }
        )
    return {
        "network": network.name,
        "backend": backend,
        "steps": steps,
        "dt_ms": network.dt,
        "notes": list(network.notes),
        "inputs": [
            {
                "name": name,
                "neurons": source.count,
                "kind": source.kind,
                "most": source.most,
                "sum": float(values[name].sum()),
                "source": said[name],
            }
            for name, source in network.inputs.items()
        ],
        "populations": populations,
        "counts": {name: counts.tolist() for name, counts in recording.counts.items()},
        "saturated": recording.saturated,
    }


def _run_text(network: Network, figures: dict[str, Any]) -> str:
    import numpy as np

    from ..network.counts import MOST, where_of

    lines = [
        f"{network.name} ({figures['backend']}): {figures['steps']:,} steps of "
        f"{figures['dt_ms']:g} ms"
    ]
    lines += [f"  note: {note}" for note in figures["notes"]]
    for i in figures["inputs"]:
        of = f"{i['sum']:,.0f} spikes" if i["kind"] == "spikes" else "currents"
        lines.append(f"  input {i['name']}: {i['neurons']:,}, {of}, {i['source']}")
    wide = max([10, *(len(p["name"]) for p in figures["populations"])])
    lines.append(f"  {'population':{wide}s}  {'neuron':18s}{'neurons':>8s}{'spikes':>9s}"
                 f"{'Hz each':>9s}{'silent':>8s}  words")  # fmt: skip
    for p in figures["populations"]:
        words = ", ".join(f"{n} {word}" for n, word in p["words"].items())
        lines.append(
            f"  {p['name']:{wide}s}  {p['neuron']:18s}{p['neurons']:8,}{p['spikes']:9,}"
            f"{p['mean_rate_hz']:9.1f}{p['silent']:8,}  {words}".rstrip()
        )
    for name, counts in figures["counts"].items():
        full = int(np.count_nonzero(np.equal(counts, MOST)))
        said = f"; {full:,} of them at {MOST:,}, where a count stays" * bool(full)
        if np.ndim(counts) == 1:
            shown = ", ".join(map(str, counts[:_SHOWN])) + ", ..." * (len(counts) > _SHOWN)
            lines.append(f"  counts of {name}: {shown}{said}")
    for name, count in figures["saturated"].items():
        if name in map(where_of, figures["counts"]):
            lines.append(f"  {name}: {count:,} spikes were not counted")
            continue
        lines.append(
            f"  {name} was limited {count:,} times; a --calibrate with more of what it is given, "
            "or another word, leaves it room"
        )
    return "\n".join(lines)


# -- parity, prove, verify, build -----------------------------------------------------------------
def parity_network(options: argparse.Namespace, network: Network) -> int:
    """Print the three levels of parity of a network; 1 if any fails."""
    from ..network.plan import LANES
    from ..sim import network_parity

    if options.vcd is not None:
        raise ValueError("--vcd is of a single neuron")
    values = _driven(options, network)
    found = network_parity(
        network, values, engine=options.engine or "cxxrtl", lanes=options.lanes or LANES
    )
    answer(options, found.figures(), found)
    return 0 if found.ok else 1


def prove_network(options: argparse.Namespace, network: Network) -> int:
    """Prove the datapath of every population as the devices have it, and what is around them."""
    from ..boards.devices import DEVICES
    from ..boards.memory import network_form
    from ..compiler.pipeline.cells import distinct
    from ..hdl import Form
    from ..sim.proof import prove

    ready(options, network)
    forms = [Form(stored=True), *map(network_form, DEVICES.values())]
    fixed = network.fixed()
    proofs = {
        name: [prove(p.one, form, timeout=options.timeout) for form in distinct(p.lowered, forms)]
        for name, p in fixed.populations.items()
    }
    claims = []
    if options.invariants:
        from ..sim.proof import invariants

        claims = invariants.prove_network(network, linked=True)  # as boards have it
    lines = [f"{name}: {proof}" for name, each in proofs.items() for proof in each]
    figures = {name: [proof.figures() for proof in each] for name, each in proofs.items()}
    every = [proof for each in proofs.values() for proof in each]
    return proved(options, lines, every, claims, populations=figures)


def rungs_of(options: argparse.Namespace, network: Network, target: Board) -> Iterator[Rung]:
    """The rungs of a network on a board, each as soon as it is tried."""
    from ..sim.ladder import climb_network

    if options.steps is None:
        options.steps = _VERIFIED
    values = _driven(options, network)
    return climb_network(network, target, stimulus=values, lanes=options.lanes)


def build_network(options: argparse.Namespace, network: Network, target: Board) -> int:
    """Build a network's bitstream; 1 if it is slower than the board's clock."""
    from ..boards import build_bitstream

    ready(options, network)
    report = build_bitstream(
        network,
        target,
        options.output,
        seed=options.seed,
        flat_out=options.flat_out,
        lanes=options.lanes,
        weights=options.weights,
    )
    return tell_built(options, report, target)


def tell_built(options: argparse.Namespace, report: BuildReport, target: Board) -> int:
    """Print what a build made, and how it is loaded; 1 if it is slower than the board's clock."""
    from dataclasses import asdict

    from ..tools.toolchain import say

    answer(options, asdict(report), report)
    if options.weights == "flash" and report.weights is None:
        say("  no weights are left for the flash: block RAM has them, and the bitstream fills it")
    if not options.json:
        runs = target.program
        if report.weights is not None:
            runs = f"{target.program_weights}, then {runs}"
            runs = runs.replace("OFFSET", f"{report.weights_offset:#x}")
        print(f"  load it    scneuro flash {report.bitstream} (runs {runs})")
    return 0 if report.fmax_mhz >= report.clock_mhz else 1


def explore_network(options: argparse.Namespace, network: Network, target: Board) -> Any:
    """Try every point of a network; what was found."""
    from dataclasses import replace

    from ..signals.stimulus import load_array
    from ..sim.explore import NetworkSpace, explore

    if options.widths is not None and options.point is not None:
        raise ValueError("--bits chooses binary points anew: leave out --point")
    given = {n: getattr(options, n) for n in ("lanes", "budgets", "seeds")}
    given["bits"] = options.widths
    space = replace(NetworkSpace(), **{n: v for n, v in given.items() if v is not None})
    labels = None if options.labels is None else load_array(options.labels)
    stimulus = _driven(options, network)
    return explore(
        network,
        target,
        options.output,
        space,
        stimulus=stimulus,
        labels=labels,
        workers=options.workers,
        scheduler=options.scheduler,
    )


def export_network(options: argparse.Namespace, network: Network) -> int:
    """Write a network's Verilog."""
    from ..sim import export_verilog

    if options.steps is None and options.stimulus is None and not options.inputs:
        options.steps = _VERIFIED
    values = _driven(options, network)
    made = export_verilog(network, options.verilog, stimulus=values, lanes=options.lanes)
    answer(options, made.figures(), made)
    return 0


def _driven(options: argparse.Namespace, network: Network) -> dict[str, Any]:
    """What each input is given, with words chosen by it."""
    if options.steps is None and options.stimulus is None and not options.inputs:
        options.steps = _COMPARED
    values, _ = network_stimulus(options, network)
    _calibrated(options, network, values if is_nir(options.neuron) else None)
    return values


def ready(options: argparse.Namespace, network: Network) -> dict[str, dict[str, str]]:
    """Words chosen as they were asked for; of a NIR file by random spikes, if by nothing else."""
    from ..sim.compare.many.network import random_spikes
    from ..tools.toolchain import say

    values = None
    if is_nir(options.neuron) and not options.calibrate:
        values = random_spikes(network, _CALIBRATED)
        say(f"  words are chosen by {_CALIBRATED} steps of random spikes; give --calibrate FILE")
    return _calibrated(options, network, values)


# -- show -----------------------------------------------------------------------------------------
def show_network(options: argparse.Namespace, network: Network) -> int:
    """Print what a network is made of, and what its integers are."""
    from ..compiler.pipeline.form import Form
    from ..network.plan import most_clocks, plan

    if options.board is not None:
        raise ValueError("--board is not of networks here: build says what one takes on a board")
    chosen = _calibrated(options, network, None)
    fixed = network.fixed()
    figures = _describe(network, fixed) | {"calibrated": bool(chosen or network._calibrated)}
    figures["clocks_a_step"] = most_clocks(fixed, plan(fixed), Form(stored=True))
    answer(options, figures, _show_text(figures, of_file=is_nir(options.neuron)))
    return 0


def _describe(network: Network, fixed: FixedNetwork) -> dict[str, Any]:
    """What a network is made of, as plain data."""
    from ..network.counts import BITS
    from ..network.nir.neurons import LOST

    populations = []
    for name in network.order:
        layer, lowered = network.layers[name], fixed.populations[name].lowered
        varied = layer.population.parameters
        registers = [
            {"name": r.name, "word": str(r.word), "guard_bits": r.guard, "bits": r.width}
            for r in lowered.registers.values()
        ]
        totals = {to: fixed.totals[name, to] for to in layer.population.input_defaults}
        populations.append(
            {
                "name": name,
                "neuron": layer.population.neuron.name,
                "shape": list(layer.shape),
                "neurons": layer.count,
                "parameters": {
                    n: v
                    for n, v in layer.population.neuron.parameters.items()
                    if n not in varied and LOST.get(n) not in varied
                },
                "varied": {n: [float(v.min()), float(v.max())] for n, v in varied.items()},
                "states": registers,
                "inputs": [
                    {
                        "name": to,
                        "word": str(lowered.input_words[to]),
                        "sum_bits": total.width,
                        "sum_fraction_bits": total.fraction,
                        "may_saturate": total.width - total.drop > _WORD,
                    }
                    for to, total in totals.items()
                ],
                "output": name in network.outputs,
                "sends": network.sends.get(name),
                "state_memory_bits": layer.count * sum(r["bits"] for r in registers),
                "sum_memory_bits": layer.count * sum(t.width for t in totals.values()),
                "count_memory_bits": layer.count * BITS * (name in network.counted),
            }
        )
    synapses = {id(s.projection): s for total in fixed.totals.values() for s in total.synapses}
    projections = []
    for p in network.projections:
        s = synapses.get(id(p))
        projections.append(
            {
                "source": p.source,
                "target": p.target,
                "to": p.to,
                "map": repr(p.map),
                "delay": p.delay,
                "weights": int(p.map.weights.size),
                "bits": None if s is None else p.bits,
                "fraction_bits": None if s is None else s.point,
                "weight_error": None if s is None else s.error,
                "largest_weight": float(abs(p.map.weights).max(initial=0)),
                "adds": None if s is None or s.amount is None else math.ldexp(s.amount, -s.point),
                "weight_memory_bits": 0 if s is None else int(p.map.weights.size) * p.bits,
            }
        )
    return {
        "network": network.name,
        "dt_ms": network.dt,
        "notes": list(network.notes),
        "inputs": [
            {"name": s.name, "shape": list(s.shape), "kind": s.kind, "most": s.most}
            for s in network.inputs.values()
        ],
        "populations": populations,
        "projections": projections,
        "memory_bits": {
            "weights": sum(p["weight_memory_bits"] for p in projections),
            "states": sum(p["state_memory_bits"] for p in populations),
            "sums": sum(p["sum_memory_bits"] for p in populations),
            "counts": sum(p["count_memory_bits"] for p in populations),
        },
    }


_WORD = 16
_LEAVES = {
    None: "",
    "spikes": ", spikes leave",
    "counts": ", spikes are counted",
    "both": ", spikes leave and are counted",
}


def _show_text(figures: dict[str, Any], *, of_file: bool) -> str:
    lines = [f"{figures['network']}: steps of {figures['dt_ms']:g} ms"]
    lines += [f"note: {note}" for note in figures["notes"]]
    words = "chosen by a run, as calibrated" if figures["calibrated"] else "as declared"
    if of_file and not figures["calibrated"]:
        words += "; --calibrate FILE chooses them by a run"
    lines += [f"words are {words}", ""]
    for i in figures["inputs"]:
        what = i["kind"] + f", up to {i['most']} a step" * (i["kind"] == "spikes" and i["most"] > 1)
        lines.append(f"input       {i['name']}: {_shape(i['shape'])}, {what}")
    for p in figures["populations"]:
        leaves = _LEAVES[p["sends"]]
        lines.append(f"population  {p['name']}: {_shape(p['shape'])} {p['neuron']}{leaves}")
        given = [f"{n} = {v:g}" for n, v in p["parameters"].items() if n != "dt"]
        given += [f"{n} {low:g} to {high:g}" for n, (low, high) in p["varied"].items()]
        lines.append(f"            {', '.join(given)}" if given else "            no parameters")
        for s in p["states"]:
            lines.append(
                f"            {s['name']}: {s['word']}, {s['guard_bits']} guard bits, "
                f"{s['bits']} in memory"
            )
        for i in p["inputs"]:
            may = "; it is limited where it is beyond its word" * i["may_saturate"]
            lines.append(
                f"            {i['name']}: {i['word']}, of a sum of {i['sum_bits']} bits, "
                f"{i['sum_fraction_bits']} of them fraction{may}"
            )
    for p in figures["projections"]:
        late = f", {p['delay']} steps later" if p["delay"] > 1 else ", a step later" * p["delay"]
        lines.append(f"projection  {p['source']} > {p['target']}.{p['to']}: {p['map']}{late}")
        if p["bits"] is None:
            lines.append("            currents: weights are applied before they enter")
        elif p["adds"] is not None:
            lines.append(
                f"            {p['weights']:,} weights of {p['bits']} bits: up to "
                f"{p['largest_weight']:.4g}, each drawn for a spike and then {p['adds']:.4g}; "
                f"{p['weight_memory_bits']:,} bits"
            )
        else:
            lines.append(
                f"            {p['weights']:,} weights of {p['bits']} bits, {p['fraction_bits']} "
                f"of them fraction: up to {p['largest_weight']:.4g}, off by "
                f"{p['weight_error']:.2g} at most; {p['weight_memory_bits']:,} bits"
            )
    memory = figures["memory_bits"]
    said = [f"{n} {bits:,} bits" for n, bits in memory.items() if bits or n != "counts"]
    lines += ["", f"memory      {', '.join(said)}"]
    clocks = figures["clocks_a_step"]
    each = ", ".join(f"{name} {count:,}" for name, count in clocks.items())
    lines.append(f"time        {sum(clocks.values()):,} clocks a step at most, if all fire: {each}")
    return "\n".join(lines)


def _shape(shape: list[int]) -> str:
    return " x ".join(map(str, shape))


# -- files ----------------------------------------------------------------------------------------
def save(arrays: Mapping[str, Any], output: str) -> None:
    """Write arrays to a .npz file, whole or not at all."""
    import numpy as np

    content = io.BytesIO()
    np.savez_compressed(content, allow_pickle=False, **arrays)
    write_whole(npz(output), content.getvalue())


def npz(output: str) -> Path:
    """The path of a .npz file.

    Raises
    ------
    ValueError
        If it is of another kind.
    """
    if Path(output).suffix != ".npz":
        raise ValueError(f"-o {output}: name a .npz file")
    return Path(output)
