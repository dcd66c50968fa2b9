"""``scneuro prove``: the gates, for all states and inputs."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from .network import prove_network
from .options import (
    Commands,
    add_command,
    add_microcode,
    add_population,
    chosen_network,
    chosen_target,
    proved,
)

if TYPE_CHECKING:
    from ..population import Population

__all__ = ["add", "run"]


def add(commands: Commands) -> None:
    """Add the command's parser."""
    parser = add_command(
        commands,
        "prove",
        run,
        "Prove a neuron's gates for all states and inputs.",
        network=True,
    )
    add_population(parser)
    add_microcode(parser)
    parser.add_argument("--timeout", type=float, default=60.0, metavar="S", help="per question")
    parser.add_argument(
        "--invariants",
        action="store_true",
        help="also prove what holds for ever around the datapath",
    )


def run(options: argparse.Namespace) -> int:
    """Prove every form of the datapath; 1 if any proof fails, 2 if one ran out of time."""
    from ..hdl import Form, hand_written
    from ..population import Population
    from ..sim.proof import prove

    if (network := chosen_network(options)) is not None:
        return prove_network(options, network)
    target = chosen_target(options)
    if isinstance(target, Population):
        return _population(options, target)
    neuron = target
    fixed = neuron.fixed()
    if neuron.hardware(fixed) is not None:
        raise hand_written(neuron.name)
    forms = [Form(held=held, multipliers=m) for held in (True, False) for m in (None, 0)]
    if options.microcode:
        forms = [Form(held=True, multipliers=m, microcode=True) for m in (None, 0)]
    proofs = [prove(fixed, form, timeout=options.timeout) for form in forms]
    lines = [*map(str, proofs), *(p.as_test() for p in proofs if p.as_test())]
    claims = []
    if options.invariants:
        from ..sim.proof.invariants import prove_invariants

        claims = prove_invariants(fixed, form=forms[0] if options.microcode else None)
    figures = [proof.figures() for proof in proofs]
    return proved(options, lines, proofs, claims, forms=figures)


def _population(options: argparse.Namespace, population: Population) -> int:
    """The datapath as a population has it, and what holds of the memories around it."""
    from ..boards.devices import DEVICES
    from ..boards.memory import stored_form
    from ..compiler.pipeline.cells import distinct
    from ..hdl import Form
    from ..sim.proof import prove

    fixed = population.fixed()
    forms = [
        Form(interval=population.interval, stored=True, multipliers=multipliers, rams=rams)
        for multipliers in (None, 0)
        for rams in ((0, 16) if population.interval == 1 else (0,))
    ]
    # and as the devices have it
    forms = distinct(fixed.lowered, [*forms, *(stored_form(fixed, d) for d in DEVICES.values())])
    proofs = [prove(fixed.one, form, timeout=options.timeout) for form in forms]
    claims = []
    if options.invariants:
        from ..sim.proof.invariants import prove_population

        claims = prove_population(population)
    figures = [proof.figures() for proof in proofs]
    return proved(options, map(str, proofs), proofs, claims, forms=figures)
