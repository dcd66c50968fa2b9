"""``scneuro simulate``: run a neuron, a population or a network at any fidelity."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..errors import ScneuroError
from ..tools.files import check_writable
from .network import npz, save, simulate_network
from .options import (
    Commands,
    add_command,
    add_files,
    add_inputs,
    add_population,
    add_start,
    add_steps,
    answer,
    chosen_network,
    chosen_stimulus,
    chosen_target,
    part,
    population_stimulus,
)

if TYPE_CHECKING:
    from ..neuron import Neuron
    from ..population import Population
    from ..runner import Recording

__all__ = ["add", "driven", "run", "tell"]

_SHOWN = 8  # spike times


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(commands, "simulate", run, "Run a neuron or a network.", network=True)
    add_population(parser)
    add_inputs(parser)
    add_steps(parser)
    add_start(parser)
    parser.add_argument(
        "--backend", choices=("float", "fixed", "amaranth", "cxxrtl"), default="float"
    )
    parser.add_argument(
        "--rate",
        type=float,
        metavar="HZ",
        help="of a network's random spikes without a stimulus (default one in ten steps)",
    )
    add_files(parser)


def run(options: argparse.Namespace) -> int:
    """Run a neuron, a population or a network; print, save or draw what it did."""
    from ..population import Population

    network = chosen_network(options)
    if network is not None:
        return simulate_network(options, network)
    target, values = driven(options)
    if isinstance(target, Population):
        recording = _population_on(options.backend, target, values)
    else:
        recording = _run_on(options.backend, target, values)
    tell(options, target, options.backend, recording)
    return 0


def driven(options: argparse.Namespace) -> tuple[Neuron | Population, Mapping[str, Any]]:
    """The neuron or population, and what its inputs are given; what is to be written can be."""
    from ..population import Population

    target = chosen_target(options)
    if isinstance(target, Population):
        values = population_stimulus(options, target)
    else:
        values = chosen_stimulus(options, target)
    if options.plot is not None:
        from ..plot import require

        require(options.plot)
    if options.output is not None:
        check_writable(npz(options.output))
    return target, values


def tell(
    options: argparse.Namespace,
    target: Neuron | Population,
    where: str,
    recording: Recording,
    **more: Any,
) -> None:
    """Save, draw and print what was recorded; ``more`` is for machines."""
    from ..population import Population

    neuron = target.neuron if isinstance(target, Population) else target
    _check_finite(neuron, recording)
    if options.output is not None:
        save(
            {"t": recording.t, "spike": recording.spike, **recording.states, **recording.inputs},
            options.output,
        )
    if options.plot is not None:
        from ..plot import plot_population, plot_recordings

        if isinstance(target, Population):
            plot_population(
                recording,
                options.plot,
                units=neuron.units,
                title=f"{target.count:,} {neuron.name}, {where}",
            )
        else:
            plot_recordings(
                {where: recording},
                options.plot,
                units=neuron.units,
                title=f"{neuron.name}, {where}",
            )
    if isinstance(target, Population):
        figures = _population_figures(target, where, recording)
        answer(options, figures | more, _population_text(figures) + part(more))
        return
    figures = {
        "neuron": neuron.name,
        "backend": where,
        "steps": len(recording.spike),
        "dt_ms": neuron.dt,
        "spikes": int(recording.spikes),
        "spike_times_ms": recording.spike_times.tolist(),
        "final": {name: float(values[-1]) for name, values in recording.states.items()},
        "saturated_steps": recording.saturated,
    }
    answer(options, figures | more, _text(neuron, figures) + part(more))


def _run_on(backend: str, neuron: Neuron, values: Mapping[str, Any]) -> Recording:
    if backend == "float":
        import numpy as np

        with np.errstate(all="ignore"):  # what comes of it is looked at
            return neuron.run(**values)
    fixed = neuron.fixed()
    if backend == "fixed":
        return fixed.run(**values)
    from ..hdl import build
    from ..sim import CompiledNeuron, SimulatedNeuron

    engine = CompiledNeuron if backend == "cxxrtl" else SimulatedNeuron
    return engine(lambda: build(neuron, fixed), fixed).run(**values)


def _population_on(backend: str, population: Population, values: Mapping[str, Any]) -> Recording:
    if backend == "float":
        import numpy as np

        with np.errstate(all="ignore"):
            return population.run(**values)
    fixed = population.fixed()
    if backend == "fixed":
        return fixed.run(**values)
    from ..sim import run_population

    return run_population(fixed, engine=backend, **values)


def _population_figures(
    population: Population, backend: str, recording: Recording
) -> dict[str, Any]:
    counts = recording.spikes
    steps = len(recording.spike)
    seconds = steps * population.dt / 1000
    return {
        "neuron": population.name,
        "neurons": population.count,
        "lanes": population.lanes,
        "interval": population.interval,
        "backend": backend,
        "steps": steps,
        "dt_ms": population.dt,
        "spikes": int(counts.sum()),
        "spikes_of_each": counts.tolist(),
        "mean_rate_hz": float(counts.mean() / seconds),
        "silent": int((counts == 0).sum()),
        "saturated_steps": recording.saturated,
    }


def _population_text(figures: dict[str, Any]) -> str:
    counts = figures["spikes_of_each"]
    return "\n".join(
        [
            f"{figures['neurons']:,} {figures['neuron']} ({figures['backend']}): "
            f"{figures['steps']:,} steps of {figures['dt_ms']:g} ms",
            f"  {figures['spikes']:,} spikes, {figures['mean_rate_hz']:.1f} Hz each on average; "
            f"{min(counts):,} to {max(counts):,} of a neuron, {figures['silent']:,} silent",
            *(
                f"  {name} spent {count:,} of {figures['steps'] * figures['neurons']:,} steps at "
                f"its limit; `scneuro parity` says which range it needs"
                for name, count in figures["saturated_steps"].items()
            ),
        ]
    )


def _check_finite(neuron: Neuron, recording: Recording) -> None:
    """Refuse a float run whose states are no numbers in the end."""
    import numpy as np

    for name, values in recording.states.items():
        bad = ~np.isfinite(values)
        if bad.any():
            first = int(np.argmax(bad))
            raise ScneuroError(
                f"{neuron.name}: {name} is {values[first]} from step {first + 1} on",
                "take a smaller dt, other parameters or a weaker input; a function may need its "
                "argument bounded with np.clip",
            )


def _text(neuron: Neuron, figures: dict[str, Any]) -> str:
    times = figures["spike_times_ms"]
    shown = ", ".join(f"{t:.1f}" for t in times[:_SHOWN]) + (", ..." if times[_SHOWN:] else "")
    final = ", ".join(
        f"{n} = {v:.6g} {neuron.units[n]}".rstrip() for n, v in figures["final"].items()
    )
    return "\n".join(
        [
            f"{neuron.name} ({figures['backend']}): {figures['steps']:,} steps of {neuron.dt:g} ms",
            f"  {figures['spikes']} spikes" + (f", at {shown} ms" if times else ""),
            *([f"  at the end {final}"] if final else []),
            *(
                f"  {name} spent {count:,} of {figures['steps']:,} steps at its limit; "
                f"`scneuro parity` says which range it needs"
                for name, count in figures["saturated_steps"].items()
            ),
        ]
    )
