"""What is claimed of a population at power-on and after a reset, whenever it comes."""

from __future__ import annotations

from .....hdl.population import Population, plain
from .....population import FixedPopulation
from ..harness import Harness, implies
from .around import cut

__all__ = ["reset"]


def reset(dut: Population, fixed: FixedPopulation) -> Harness:
    """The claims of a population's registers, outside its datapath and its memories."""
    h = cut(dut, fixed, search=2 * dut.latency + 8, reset=True)
    single = dut.form.single
    fresh = ~h.begun | h.was(h.rst)
    blocks = ["dut", "dut.queue"]
    blocks += [f"dut.{name}" for name in ("noise", "dither") if h.has(f"dut.{name}")]
    blocks += [
        f"dut.{n.replace('.', '_')}" for n in fixed.lowered.inputs if n in dut.pipeline.reads
    ]
    behind = {"kept", *(f"kept_{b}_{k}" for b in range(2) for k in range(dut._lanes))}
    behind |= {f"{plain(name)}_{k}_read" for name in dut.pipeline.reads for k in range(dut._lanes)}
    registers = [
        register
        for block in blocks
        for register in h.registers(block)
        if not (dut.form.first and register.name in behind)
    ]
    h.claim(
        "reset",
        "at power-on and after a reset all registers around the datapath have their initial "
        f"values; memories{' and the registers behind them' if dut.form.first else ''} do not: "
        + (
            "states are written anew, but "
            if single
            else "states go on from what was written last, and "
        )
        + "words that were accepted and whose rows have not been written since still count",
        *(implies(fresh, register == register.init) for register in registers),
    )
    writes = [dut.written[name].valid for name in dut.written.shape().members]
    h.claim(
        "reset_idle",
        "at power-on and after a reset no step is under way and no spike waits: "
        + ("words are taken" if single else "words are taken, and so is a tick"),
        implies(fresh, ~dut.done & ~dut.o.valid),
        *([] if single else [implies(fresh, dut.ready)]),
        *(implies(fresh, ~valid) for valid in writes),
        implies(fresh & ~dut.tick, dut.i.ready),
    )
    return h
