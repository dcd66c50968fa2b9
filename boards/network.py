"""A network on a device: how many weights a clock, and whether the bitstream brings them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress

from ..compiler.pipeline.cells import pipeline
from ..compiler.pipeline.form import Form
from ..errors import DoesNotFit
from ..hdl.link.frames import DEPTH
from ..hdl.link.layout import Layout
from ..hdl.link.processor import PROGRAM
from ..hdl.network import Network
from ..hdl.network.draws import SMALL
from ..link.regions import listed
from ..network import FixedNetwork
from ..network.counts import BITS, where_of
from ..network.plan import ALL_LANES, LANES, Plan, most_clocks, plan
from .devices import Device
from .fit import counted, few
from .memory import Stored, blocks, network_form, pipeline_memories, single_blocks
from .table import BOARDS

__all__ = ["network_hardware", "network_memories", "quick_lanes"]

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
    if len(made.registers) > SMALL:
        bits = max(1, int(made.registers.max()).bit_length())
        found.append(Stored("sources", bits, len(made.registers), 1, block=True))
    for name, population in fixed.populations.items():
        lowered = population.lowered
        pipe = pipeline(lowered, form)
        found += pipeline_memories(pipe, lowered.registers, population.count, name)
        for state in population.apart:
            width = lowered.registers[state].width
            found.append(Stored(f"{name}.{state}", width, population.count, 1))
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
    tried: list[tuple[int, int, Plan, list[Stored]]] = []
    spikes = any(total.synapses for total in fixed.totals.values())
    for count in _candidates(lanes if spikes or lanes is not None else 1):
        made = plan(fixed, count)
        for loaded, memories in _ways(fixed, part, made):
            taken, singles = _taken(part, memories)
            if taken <= part.rams and singles <= part.sprams:
                return Network(fixed, count, form, loaded=loaded, linked=linked)
            tried.append((taken, singles, made, memories))
    least, singles, made, memories = min(tried, key=lambda each: each[:2])
    spram = f" and {counted(part.sprams, 'SPRAM')}" * bool(part.sprams)
    raise DoesNotFit(
        f"{fixed.name} takes {counted(least, 'block RAM')} at least"
        + f" and {counted(singles, 'SPRAM')}" * bool(singles)
        + f", and {part.title} has {part.rams}{spram}",
        _fewer(fixed, part, lanes) or _way_out(fixed, part, made, memories),
    )


def quick_lanes(fixed: FixedNetwork, part: Device, clocks: int) -> int | None:
    """The fewest lanes with which a step takes so many clocks at most, if a device has room."""
    form = network_form(part)
    for count in ALL_LANES:
        made = plan(fixed, count)
        if sum(most_clocks(fixed, made, form).values()) <= clocks and _holds(fixed, part, made):
            return count
    return None


def _ways(fixed: FixedNetwork, part: Device, made: Plan) -> Iterator[tuple[bool, list[Stored]]]:
    """The memories with weights in block RAM, and where there is SPRAM, loaded into that."""
    form = network_form(part)
    yield False, network_memories(fixed, made, form, loaded=False)
    if part.sprams and made.bits * made.lanes <= _SPRAM_BITS:
        yield True, network_memories(fixed, made, form, loaded=True)


def _taken(part: Device, memories: Sequence[Stored]) -> tuple[int, int]:
    """Block RAMs and memories of one port."""
    return sum(blocks(part.family, m) for m in memories), sum(map(single_blocks, memories))


def _fewer(fixed: FixedNetwork, part: Device, lanes: int | None) -> str:
    """How many lanes a device has room for, where more were asked for."""
    if lanes is not None:
        with suppress(DoesNotFit):
            found = network_hardware(fixed, part).plan.lanes
            return f"it has room for {counted(found, 'lane')}: --lanes {found}, or leave that out"
    return ""


def _way_out(fixed: FixedNetwork, part: Device, made: Plan, memories: Sequence[Stored]) -> str:
    """What takes the most of a device's memories, what would be less, and where it would fit."""
    costs: dict[str, int] = {}
    for m in memories:
        kind = (
            m.what if m.what == "weights" else "the link" if "of the link" in m.what else "states"
        )
        costs[kind] = costs.get(kind, 0) + blocks(part.family, m) + single_blocks(m)
    most = max(costs, key=costs.__getitem__)
    count, neurons = made.weights.size, sum(p.count for p in fixed.populations.values())
    said = {
        "weights": f"its {counted(count, 'weight')} take {counted(count * made.bits, 'bit')}: use "
        "fewer bits a weight or smaller populations",
        "states": f"{costs.get('states', 0)} of them hold the states of "
        f"{counted(neurons, 'neuron')}, and what is on its way between them: use fewer",
        "the link": f"{costs.get('the link', 0)} of them are the link's",
    }[most]
    holding = [b.name for b in BOARDS.values() if _holds(fixed, b.part, made)]
    return f"{said}, or a larger device" + f": {few(holding)}" * bool(holding)


def _holds(fixed: FixedNetwork, part: Device, made: Plan) -> bool:
    """Whether a device has the memories of a network, one way or the other."""
    taken = (_taken(part, memories) for _, memories in _ways(fixed, part, made))
    return any(rams <= part.rams and sprams <= part.sprams for rams, sprams in taken)


def _candidates(lanes: int | None) -> list[int]:
    return [lanes] if lanes is not None else [LANES >> k for k in range(LANES.bit_length())]


def total_bits(memories: Iterable[Stored]) -> int:
    """Of all memories."""
    return sum(memory.bits for memory in memories)
