"""The report of a comparison, as a person reads it.

*pass* and *FAIL* stand only on lines every figure of which was judged; what was not is on a line
without either.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .verdict import Criterion, apart

if TYPE_CHECKING:
    from .figures import Parity

__all__ = ["bit_line", "level_line", "report", "step_lines"]


def report(found: Parity) -> str:
    """The report of a comparison."""
    lines = [f"{found.neuron}: {found.steps:,} steps of {found.float_run.dt:g} ms"]
    lines += [*_bit(found), *_step(found), *_trace(found), *_beside(found)]
    lines += [_beneath("advice", line) for line in found.advice]
    for name, (default, chosen) in found.criteria.changed().items():
        usual = "" if default is None else f" instead of {default:g}"
        said = f"{name} {chosen:g}{usual}, because {found.because}"
        lines.append(_beneath("criteria", said))
    return "\n".join(lines)


def level_line(level: str, ok: bool, said: str) -> str:
    """What was found of a level, with its verdict."""
    return f"  {level:7s}{'pass' if ok else 'FAIL'}  {said}"


def bit_line(differing: int, first: Mapping[str, Any] | None, same: str) -> str:
    """What was found of level 1, of many neurons: what is ``same``, or what differs first."""
    if first is None:
        return level_line("bit", True, same)
    of = f" of {first['population']}" if "population" in first else ""
    said = (
        f"{differing:,} differ, first {first['what']} of neuron {first['neuron']}{of} at step "
        f"{first['step']:,}: {first['model']} in the model, {first['hardware']} in the gates"
    )
    return level_line("bit", False, said)


def step_lines(
    errors: Mapping[str, tuple[float, float]], budgets: Mapping[str, float], of: str = ""
) -> list[str]:
    """What was found of a step of each state, of several neurons."""
    lines = []
    for name, (error, bound) in errors.items():
        said = f"{of}{name}: {error:.4f} LSB at most, bound {bound:.4f}"
        if not bound <= budgets[name]:
            said += f", which may be {budgets[name]:.4g}"
        lines.append(level_line("step", error <= bound <= budgets[name], said))
    return lines


def _beneath(label: str, said: str) -> str:
    return f"  {label:13s}  {said}"


def _bit(found: Parity) -> list[str]:
    if found.mismatch is None:
        said = "gates = integer model, every register and spike flag"
        return [level_line("bit", found.bit_exact, said)]
    said = f"gates differ from the integer model at step {found.mismatch.step:,}"
    lines = [level_line("bit", False, said), *(f"    {line}" for line in _differences(found))]
    if found.vcd:
        lines.append(f"    waveform: {found.vcd}")
    return lines


def _step(found: Parity) -> list[str]:
    lines = []
    for name, (error, bound) in found.step_error.items():
        judged = [c for c in found.verdict if c.what in _of_a_step(name)]
        most = found.criteria.bound * found.budgets[name]
        said = f"{name}: {error:.4f} LSB of {found.formats[name]} at most, bound {bound:.4f}"
        if not bound <= most:
            said += f", which may be {most:.4g}"
        lines.append(level_line("step", all(c.ok for c in judged), said))
    if found.decisions[1]:
        said = (
            f"{found.decisions[1]} comparisons decided against float, further from a tie than the "
            "bound"
        )
        lines.append(level_line("step", False, said))
    return lines


def _of_a_step(name: str) -> tuple[str, str]:
    return f"step error of {name}, LSB", f"bound of {name}, LSB"


# -- level 3 --------------------------------------------------------------------------------------
def _trace(found: Parity) -> list[str]:
    judged = {c.what: c for c in found.verdict if c.level == "trace" and c.ok is not None}
    lines = []
    finite = judged.pop("first step at which float is not finite")
    if not finite.ok:
        lines.append(level_line("trace", False, f"float is not finite: {finite.note}"))
    dt, spikes = found.float_run.dt, found.spikes
    free = []
    if c := judged.get("difference in spikes"):
        said = f"spikes float {spikes['float']}, integers {spikes['fixed']}"
        free.append((c, said, f"{c.limit:.0f} apart at most"))
    if c := judged.get("mean spike-time error, steps"):
        said = f"{_number(c.figure, dt)} ms apart on average"
        free.append((c, said, f"{_number(c.limit, dt)} at most"))
    if c := judged.get("drift"):
        said = f"drift {_number(found.alike.drift, 100)} %"
        free.append((c, said, f"{_number(c.limit, 100)} at most"))
    if c := judged.get("coincidence without the drift"):
        least = f" of at least {c.limit:.2f}" if found.chaotic and c.ok else ""
        free.append((c, f"coincidence {c.figure:.4f}{least}", f"at least {c.limit:.2f}"))
    lines.append(_joined(free))
    between = _rms(found, judged, "rms of {} between spikes, LSB")
    if not max(spikes.values()):
        lines.append(_joined(between, "silent, so judged by rms alone, LSB: "))
        return lines
    lines.append(_joined(_rms(found, judged, "rms of {}, LSB"), "rms of the run, LSB: "))
    if c := judged.get("intervals that disagree"):
        count = len(found.between.error)
        said = f"from spike to spike {count - int(c.figure or 0):,} of {count:,} intervals agree"
        lines.append(_joined([(c, said, f"{c.limit:.0f} may not"), *between], rms="rms, LSB: "))
    elif between:
        lines.append(_joined(between, "rms between spikes, LSB: "))
    return lines


_Said = tuple[Criterion, str, str]


def _rms(found: Parity, judged: dict[str, Criterion], what: str) -> list[_Said]:
    rows = []
    for name in found.step_error:
        if (c := judged.get(what.format(name))) is None:
            continue
        lsb, unit = found.lsb(name), found.unit(name)
        real = f" ({_number(c.figure, lsb)} {unit})" if unit else ""
        rows.append((c, f"{name} {_number(c.figure)}{real}", f"{_number(c.limit)} at most"))
    return rows


def _joined(rows: list[_Said], before: str = "", rms: str = "") -> str:
    """One line of several figures; the limit is said of those that fail."""
    ok = all(c.ok for c, _, _ in rows)
    parts = [said if c.ok else f"{said} ({limit})" for c, said, limit in rows]
    if rms and parts[1:]:
        parts[1:] = [rms + ", ".join(parts[1:])]
    return level_line("trace", ok, before + ("; " if not before else ", ").join(parts))


def _beside(found: Parity) -> list[str]:
    """What belongs to the verdict without being judged."""
    dt, reference, lines = found.float_run.dt, found.rounded_alike, []
    reasons: dict[str, list[str]] = {}
    for c in found.verdict:
        if c.ok is None:
            figure = "" if c.figure is None else f" {_number(c.figure)}"
            reasons.setdefault(c.note, []).append(c.what.partition(",")[0] + figure)
    for note, whats in reasons.items():
        lines.append(_beneath("not judged", f"{', '.join(whats)}: {note}"))
    if found.alike.drift:
        worst = _number(float(found.spike_time_errors.max()), dt)
        said = f"with it, spikes are {worst} ms apart at most; coincidence {found.coincidence:.4f}"
        lines.append(_beneath("drift", said))
    counts = sorted({len(s) for s in found.rounded.spikes})
    said = f"spikes {' to '.join(str(c) for c in dict.fromkeys((counts[0], counts[-1])))}"
    if found.spikes["float"] and counts[0]:
        least = min(a.coincidence for a in reference)
        said += (
            f"; {_number(max(apart(found, a) for a in reference), dt)} ms apart on average; drift "
            f"{_number(max((a.drift for a in reference), key=abs), 100)} %"
            + (f"; coincidence {least:.4f}" if math.isfinite(least) else "")
        )
    lines.append(_beneath("rounded float", f"{said} (the worst of {len(reference)} runs)"))
    if found.chaotic:
        costs = "its spikes" if found.spikes["float"] else "its time course"
        said = f"rounding alone costs float {costs} here: judged by what rounded float does"
        lines.append(_beneath("chaotic", said))
    for name, count in found.saturated.items():
        what = "stopped by its limits" if name in found.step_error else "at the end of its word"
        said = f"{name} {what} in {count:,} of {found.steps:,} steps"
        lines.append(_beneath("saturated", said))
    return lines


def _number(value: float | None, unit: float = 1.0) -> str:
    if value is None or not math.isfinite(value):
        return "not finite"
    value *= unit
    return f"{value:,.0f}" if 1e3 <= abs(value) < 1e6 else f"{value:.3g}"


# -- level 1, where it fails ----------------------------------------------------------------------
def _differences(found: Parity) -> list[str]:
    """The failing step: every state in float, as a word and in bits."""
    assert found.mismatch is not None
    bad, registers = found.mismatch, found.fixed.lowered.registers
    words = found.fixed.lowered.input_words
    given = ", ".join(f"{n} = {w * words[n].lsb:.6g}" for n, w in bad.inputs.items())
    rows = [f"inputs: {given}"]
    for label, values in (
        ("before", bad.before),
        ("model", bad.model),
        ("gates", bad.hardware),
    ):
        for name, r in registers.items():
            value = values[name]
            word = int(r.to_word(value))
            bits = format(value & ((1 << r.width) - 1), f"0{r.width}b")
            mark = "" if label != "gates" or value == bad.model[name] else "  <- differs"
            rows.append(
                f"{label:7s}{name} = {float(r.to_real(value)):<14.8g} "
                f"{r.word} {word:6d}  {bits[:16]} {bits[16:]}{mark}"
            )
        if "spike" in values:
            mark = (
                ""
                if label != "gates" or values["spike"] == bad.model["spike"]
                else ("  <- differs")
            )
            rows.append(f"{label:7s}spike = {int(values['spike'])}{mark}")
    if bad.word[0] != bad.word[1]:
        rows.append(f"gates  output word {bad.word[1]}, not {bad.word[0]}  <- differs")
    return rows
