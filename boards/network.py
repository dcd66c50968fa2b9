"""A network on a device: how many weights a clock, and whether the bitstream brings them."""

from __future__ import annotations

from collections.abc import Iterable

from ..compiler.pipeline.cells import pipeline
from ..compiler.pipeline.form import Form
from ..errors import DoesNotFit
from ..hdl.link.frames import DEPTH
from ..hdl.link.processor import PROGRAM
from ..hdl.link.program import Layout
from ..hdl.network import Network
from ..link.regions import listed
from ..network import FixedNetwork
from ..network.counts import BITS, where_of
from ..network.plan import LANES, Plan, plan
from .devices import Device
from .memory import Stored, blocks, network_form, pipeline_memories, single_blocks

__all__ = ["network_hardware", "network_memories"]

_SPRAM_BITS = 64  # in a clock


def network_memories(fixed: FixedNetwork, made: Plan, form: Form, *, loaded: bool) -> list[Stored]:
    """All memories of a network's hardware."""
    rows = len(made.weights)
    found = [Stored("weights", made.bits * made.lanes, rows, 1, single=loaded, block=True)]
    for width, bases in zip(made.widths, made.bases, strict=True):
        each = Stored("sums", width * made.lanes, len(bases), 1, block=True)
        found += [each] * (1 if (bases == bases.flat[0]).all() else 2)
    if len(made.sources):
        bits = sum(max(1, int(most).bit_length()) for most in made.sources.max(axis=0))
        found.append(Stored("sources", bits, len(made.sources), 1, block=True))
    for name, population in fixed.populations.items():
        lowered = population.lowered
        pipe = pipeline(lowered, form)
        found += pipeline_memories(pipe, lowered.registers, population.count, name)
    found.append(Stored("frames", 16, made.input_slots * made.frame_words, 1, block=True))
    found.append(Stored("spikes", 16, made.slots * made.spike_words, 1, block=True))
    for name in made.counted:
        found.append(Stored(where_of(name), BITS, fixed.populations[name].count, 1))
    return found + link_memories(fixed, made)


def link_memories(fixed: FixedNetwork, made: Plan) -> list[Stored]:
    """Those of the link around a network."""
    layout = Layout.of(len(listed(fixed, made)), made.frame_words, made.output_words)
    return [
        Stored("frames of the link", 8, DEPTH, 1, block=True),
        Stored("program of the link", 16, PROGRAM, 1, block=True),
        Stored("words of the link", 16, layout.words, 1, block=True),
    ]


def network_hardware(
    fixed: FixedNetwork, part: Device, *, lanes: int | None = None, linked: bool = True
) -> Network:
    """The hardware of a network on a device; its memories are reached by a link, where ``linked``.

    As many weights a clock as its memories hold, eight at most or ``lanes``, and one where there
    are none; in block RAM if it has room for them, else, where the device has SPRAM, loaded into
    that.

    Raises
    ------
    DoesNotFit
        The device has too few memories; the message says how many it takes.
    """
    form = network_form(part)
    tried: list[tuple[int, int]] = []
    spikes = any(total.synapses for total in fixed.totals.values())
    for count in _candidates(lanes if spikes or lanes is not None else 1):
        made = plan(fixed, count)
        for loaded in (False, True):
            if loaded and not (part.sprams and made.bits * count <= _SPRAM_BITS):
                continue
            memories = network_memories(fixed, made, form, loaded=loaded)
            taken = sum(blocks(part.family, m) for m in memories)
            singles = sum(map(single_blocks, memories))
            if taken <= part.rams and singles <= part.sprams:
                return Network(fixed, count, form, loaded=loaded, linked=linked)
            tried.append((taken, singles))
    least, singles = min(tried)
    spram = f" and {part.sprams} SPRAMs" * bool(part.sprams)
    raise DoesNotFit(
        f"{fixed.name} takes {least} block RAMs at least"
        + f" and {singles} SPRAMs" * bool(singles)
        + f", and {part.title} has {part.rams}{spram}",
        f"its {made.weights.size:,} weights take {made.weights.size * made.bits:,} bits: use fewer "
        "bits a weight, smaller populations or a larger device",
    )


def _candidates(lanes: int | None) -> list[int]:
    return [lanes] if lanes is not None else [LANES >> k for k in range(LANES.bit_length())]


def total_bits(memories: Iterable[Stored]) -> int:
    """Of all memories."""
    return sum(memory.bits for memory in memories)
