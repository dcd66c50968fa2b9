"""The rungs for a fault in the gates: each, on its own, whether the faulty gates pass it."""

import dataclasses
import importlib
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from amaranth import Cat, ClockSignal, Instance, Module, ResetSignal
from amaranth.back import rtlil

from scneuro.fixed import FixedNeuron
from scneuro.hdl import Neuron, Step
from scneuro.load import make_neuron
from scneuro.signals.stimulus import adversarial
from scneuro.sim import vector_parity
from scneuro.sim.compare.bits import compare_bits
from scneuro.sim.compare.decisions import at_decisions
from scneuro.sim.contracts.neuron import NeuronContract
from scneuro.sim.engines.compiled import compile_design
from scneuro.sim.proof import invariants, prove
from scneuro.words import quantize

from .fault import NEURONS, Fault
from .gates import DrawsSwapped, FaultyStep, HastyStep, ShiftedStep, StuckLFSR, WrongTap
from .nodes import with_lowered
from .text import mutated

_VECTORS = 2000
_STEPS = 3000
_prover = importlib.import_module("scneuro.sim.proof.prove")
_gates = importlib.import_module("scneuro.hdl.signature")


class _Boxed(Step):
    """A Step whose gates are a module of that name, to be added to the RTLIL."""

    def elaborate(self, platform: object) -> Module:
        m = Module()
        ports = {"i_clk": ClockSignal(), "i_rst": ResetSignal(), "o_spike": self.spike}
        ports |= {f"i_{n}": Cat(getattr(self, n).as_value()) for n in ("state", "inputs")}
        ports |= {f"o_{n}": getattr(self, n).as_value() for n in ("next", "words")}
        if self.lowered.noise:
            ports["i_noise"] = self.noise
        m.submodules.box = Instance("faulty_step", **ports)
        return m


def _stimulus(fixed: FixedNeuron, count: int) -> dict[str, np.ndarray]:
    """Typical and adversarial input words, in turns."""
    words = {}
    for k, name in enumerate(fixed.lowered.inputs):
        typical = make_neuron(_name(fixed)).currents[0] if k == 0 else 0.0
        wild = quantize(adversarial(count, seed=k), name).astype(int)
        calm = np.arange(count) % 1000 < 500
        words[name] = np.where(calm, quantize(typical, name).astype(int), wild)
    return words


def _name(fixed: FixedNeuron) -> str:
    return next(n for n in NEURONS if n.replace("_", "") == fixed.name.lower())


def _same_run(
    fixed: FixedNeuron, gates: Neuron | None, words: dict[str, np.ndarray], **options: Any
) -> bool:
    """Whether gates that run freely keep to the integer model, bit for bit."""
    found = compare_bits(NeuronContract(gates, fixed), words, to_the_end=False, **options)
    return found.first is None


def text_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs, each whether it passes, for a change of the RTLIL of a held Step."""
    step = Step(fixed.lowered, held=True, dsp=True)
    text = _prover.elaborated(step)
    faulty = mutated(text, fault.operator, fault.site)

    def bits() -> bool:
        with patch.object(Neuron, "step_type", _Boxed):
            around = rtlil.convert(Neuron(fixed), emit_src=False)
        inside = faulty.replace("module \\top", "module \\faulty_step").replace(
            "attribute \\top 1\n", ""
        )
        script = _script()
        with tempfile.TemporaryDirectory() as folder:
            library = compile_design(
                {"design.il": around, "step.il": inside},
                script,
                optimize="-O0",
                cache=Path(folder),
            )
            words = _stimulus(fixed, 2 * _STEPS)
            return _same_run(fixed, None, words, library=library)

    def proof() -> bool:
        with ExitStack() as stack:
            stack.enter_context(patch.object(_prover, "elaborated", lambda _: faulty))
            stack.enter_context(patch.object(_prover, "_counterexample", lambda *_: None))
            return prove(fixed, held=True, step=step, progress=False).ok

    return {"bits": bits, "proof": proof}


def _script() -> str:
    script = importlib.import_module("scneuro.sim.engines.compiled")._SCRIPT
    return f"read_rtlil step.il\n{script}"


def _other_init(fixed: FixedNeuron) -> FixedNeuron:
    registers = {
        n: dataclasses.replace(r, init=r.init + 1) for n, r in fixed.lowered.registers.items()
    }
    return with_lowered(fixed, dataclasses.replace(fixed.lowered, registers=registers))


def _other_seed(fixed: FixedNeuron) -> FixedNeuron:
    return FixedNeuron(fixed.name, fixed.dt, fixed.input_defaults, fixed.lowered, seed=2)


#: A fault around the datapath: what is replaced in :mod:`scneuro.hdl.signature`, or the model that
#: the hardware is made from.
AROUND: dict[str, tuple[str, Any]] = {
    "initial register": ("fixed", _other_init),
    "result too early": ("step_type", HastyStep),
    "seed": ("fixed", _other_seed),
    "tap of the LFSR": ("LFSR", WrongTap),
    "LFSR never waits": ("LFSR", StuckLFSR),
    "draws swapped": ("step_type", DrawsSwapped),
}
WITH_NOISE = ("seed", "tap of the LFSR", "LFSR never waits", "draws swapped")


def around_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs for a fault around the datapath; its proof is that of the invariants."""
    what, by = AROUND[fault.operator]

    def made() -> Neuron:
        return Neuron(by(fixed) if what == "fixed" else fixed)

    @contextmanager
    def planted() -> Iterator[None]:
        if what == "fixed":
            yield
        else:
            with (
                patch.object(Neuron, what, by)
                if what == "step_type"
                else patch.object(_gates, what, by)
            ):
                yield

    def bits() -> bool:
        words = _stimulus(fixed, 300)
        with planted():
            return _same_run(fixed, made(), words, engine="amaranth")

    def proof() -> bool:
        with planted():
            for claims in (invariants.neuron, invariants.neuron_reset):
                if not all(i.ok for i in invariants.check(claims(made(), fixed))):
                    return False
            if what == "LFSR":
                draws = len(fixed.lowered.noise)
                return all(i.ok for i in invariants.check(invariants.lfsr(by(draws), draws)))
            if what == "step_type" and by is not HastyStep:
                step = by(fixed.lowered, held=True, dsp=True)
                return prove(fixed, held=True, step=step, progress=False).ok
        return True

    return {"bits": bits, "proof": proof}


def step_fault(fixed: FixedNeuron, fault: Fault) -> dict[str, Callable[[], bool]]:
    """The rungs for a fault in one operation or one stage of the pipeline."""

    def made(**given: Any) -> Step:
        options: dict[str, Any] = given or {"held": fault.held, "dsp": True}
        if fault.layer == "stage":
            by = -1 if fault.operator == "register too few" else 1
            return ShiftedStep(fixed.lowered, fault.site, by, **options)
        return FaultyStep(fixed.lowered, fault.site, fault.operator, **options)

    def bits() -> bool:
        count = _VECTORS // 4 if fault.held else _VECTORS
        if not vector_parity(fixed, count, step=made(), progress=False).ok:
            return False
        words = _stimulus(fixed, 300)
        with patch.object(Neuron, "step_type", staticmethod(lambda _, **options: made(**options))):
            gates = Neuron(fixed)
            return fault.layer == "stage" or _same_run(fixed, gates, words, engine="amaranth")

    def ties() -> bool:
        vectors = at_decisions(fixed, 50, 0)
        return vector_parity(fixed, step=made(), vectors=vectors, progress=False).ok

    def proof() -> bool:
        with patch.object(_prover, "_counterexample", lambda *_: None):
            return prove(fixed, held=fault.held, step=made(), progress=False).ok

    return {"bits": bits, "ties": ties, "proof": proof}
