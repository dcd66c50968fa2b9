"""``scneuro demo``: all of it at once, with AdEx and with a network that is trained on the spot."""

from __future__ import annotations

import argparse
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .options import STEPS, Commands, add_command, answer, chosen_steps

__all__ = ["add", "demo_gates", "demo_network", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "demo",
        run,
        "AdEx: float, integers and gates side by side, and its bitstream; a net that reads digits.",
        neuron=False,
    )
    parser.add_argument("-o", "--output", default="demo", metavar="DIR", help="(default: demo)")
    parser.add_argument("--steps", type=int, default=STEPS, metavar="N", help="time steps")


def run(options: argparse.Namespace) -> int:
    """Compare AdEx at every fidelity, draw it, train a network, and build a bitstream meanwhile."""
    from dataclasses import asdict

    from .. import plot
    from ..boards import board, build_bitstream
    from ..neurons.adex import AdEx
    from ..signals import images, stimulus
    from ..sim import parity
    from ..tools.toolchain import say

    plot.require()
    images.digits()
    output, steps = Path(options.output), chosen_steps(options) or STEPS
    neuron = AdEx()
    current = stimulus.ornstein_uhlenbeck(0.8, 0.4, 20.0, dt=neuron.dt, steps=steps, seed=1)

    say(f"AdEx (Brette and Gerstner 2005), {steps * neuron.dt:g} ms of fluctuating current")
    with ThreadPoolExecutor(1) as background:
        building = background.submit(build_bitstream, AdEx(), board("icebreaker"), output)
        result = parity(neuron, current)
        if not options.json:
            print(result)
        picture = output / "adex.png"
        plot.plot_recordings(
            {
                "float": result.float_run,
                "integers = gates" if result.bit_exact else "integers": result.fixed_run,
            },
            picture,
            units=neuron.units,
            title="AdEx under a fluctuating current: the paper's equations and the chip's bits",
            lsb={n: r.word.lsb for n, r in result.fixed.lowered.registers.items()},
        )
        say("training a network of 64-32-10 neurons on digits ...")
        digits = demo_network(output)
        network = digits["network"]
        larger = background.submit(build_bitstream, network, board("icebreaker"), output)
        say(f"its gates read {len(digits['labels'])} digits ...")
        same, gates = demo_gates(digits)
        if not options.json:
            print(f"{digits['text']}\n{gates}")
        if not larger.done():
            say("building the iCEBreaker bitstreams ...")
        reports = building.result(), larger.result()
    figures = {
        "parity": result.figures(),
        "plot": str(picture),
        "network": digits["figures"],
        "build": asdict(reports[0]),
        "network_build": asdict(reports[1]),
    }
    answer(options, figures, f"{reports[0]}\n  plot       {picture}\n{reports[1]}")
    return 0 if result.ok and same else 1


def demo_gates(digits: dict[str, Any]) -> tuple[bool, str]:
    """Let the gates of the network read the test split, and compare every bit with the integers.

    Parameters
    ----------
    digits : dict
        Of :func:`demo_network`; its figures gain what the gates told.

    Returns
    -------
    same : bool
    text : str
    """
    import numpy as np

    from ..network import NetworkRecording
    from ..network.train import classes
    from ..sim import network_parity

    network, spikes, labels = digits["network"], digits["spikes"], digits["labels"]
    found = network_parity(network, {"pixels": spikes}, progress=False)
    sent = found.sent["out"].reshape(len(labels), len(spikes), -1).swapaxes(0, 1)
    told = classes(NetworkRecording(network.dt, {"out": sent}), "out")
    right = float(np.mean(told == labels))
    digits["figures"]["accuracy"]["gates"] = right
    digits["figures"]["gates"] = {
        "compared": found.compared,
        "differing": found.differing,
        "clocks_per_step": found.clocks / found.steps,
    }
    text = (
        f"  {'simulated gates':18s} {right:.2%} right; of {found.compared:,} registers, spikes and "
        f"sums {found.differing:,} differ from the integers; {found.clocks / found.steps:,.0f} "
        "clocks a step"
    )
    return found.bit_exact, text


def demo_network(directory: Path) -> dict[str, Any]:
    """Train a network on scikit-learn's digits, first in float, then as integers have it.

    Parameters
    ----------
    directory : path
        Where its pictures go.

    Returns
    -------
    dict
        ``network``, with weights of 8 bits; ``spikes`` (T, items, 64) and ``labels`` (items,) of
        the test split, a quarter of all; ``told``, the classes that the integers told; ``figures``
        and ``text`` say what was measured.
    """
    import numpy as np

    from .. import plot
    from ..network import Dense, Network
    from ..network.nir import write_nir
    from ..network.nir.neurons import NIRLIF
    from ..network.train import accuracy, classes, train
    from ..signals import images

    pictures, labels = images.digits()
    spikes = images.rate_coded(pictures.reshape(len(pictures), -1), steps=16)
    test = np.arange(len(labels)) % 4 == 3

    random = np.random.default_rng(3)
    network = Network("digits")
    network.input("pixels", 64)
    neuron = NIRLIF(tau=0.008, r=8.0)  # in steps of 1 ms: v loses an eighth of itself
    network.population("hidden", neuron, 32)
    network.population("out", neuron, 10)
    network.connect("pixels", "hidden", Dense(random.normal(0, 1 / 8, (32, 64)), np.zeros(32)))
    network.connect("hidden", "out", Dense(random.normal(0, 0.354, (10, 32)), np.zeros(10)))

    shown = spikes[:, ~test], labels[~test]
    network = train(network, *shown, epochs=50, drop=0.25, progress=False)
    unseen = spikes[:, test], labels[test]
    found = {"float": accuracy(network, *unseen)}
    network.calibrate(pixels=spikes[:, ~test], progress=False)
    options: dict[str, Any] = {"epochs": 10, "rate": 0.005, "drop": 0.25, "progress": False}
    network = train(network, *shown, quantised=True, **options)
    write_nir(network, directory / "digits.nir")
    found["weights_of_8_bits"] = accuracy(network, *unseen)
    recording = network.fixed().run(pixels=unseen[0], progress=False, record=())
    told = classes(recording, "out")
    found["integers"] = float(np.mean(told == labels[test]))

    raster, confusion = directory / "digits.png", directory / "digits-confusion.png"
    plot.plot_network(
        recording,
        raster,
        inputs={"pixels": unseen[0]},
        title=f"A {unseen[1][0]} of scikit-learn's digits, and the spikes of the chip's integers",
    )
    right = f"{found['integers']:.1%} of {len(told)} are right"
    plot.plot_confusion(told, labels[test], confusion, title=f"Integers: {right}")
    text = f"digits, 64-32-10 neurons, 16 steps: {test.sum()} items it was not trained on\n"
    text += "".join(f"  {n.replace('_', ' '):18s} {x:.2%} right\n" for n, x in found.items())
    text += f"  files              {directory / 'digits.nir'}, {raster}, {confusion}"
    figures = {"accuracy": found, "items": int(test.sum()), "plots": [str(raster), str(confusion)]}
    figures["nir"] = str(directory / "digits.nir")
    return {
        "network": network,
        "spikes": unseen[0],
        "labels": unseen[1],
        "told": told,
        "figures": figures,
        "text": text,
    }
