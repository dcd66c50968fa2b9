"""A single neuron: its state registers around one held :class:`~scneuro.hdl.Step`."""

from typing import Any

from amaranth import Cat, Module, Shape, Signal
from amaranth.lib import data, wiring

from ..compiler.microcode import microcode
from ..compiler.pipeline.form import Form
from ..compiler.pipeline.schedule import schedule, smaller
from ..errors import ScneuroError
from ..fixed import FixedNeuron
from ..neuron import Neuron as Model
from .microcoded import Microcoded
from .signature import draws, signature
from .step import Step

__all__ = ["Neuron", "build", "generated", "hand_written", "latency"]


class Neuron(wiring.Component):
    """One neuron with its state registers.

    Its registers hold still while a step is computed, and so does the input stream's payload,
    so the datapath needs no delay lines and the neuron no input register.

    Parameters
    ----------
    fixed : FixedNeuron
        The model, with its formats and seed.
    form : Form, optional
        Of its step, which is held; with as many multipliers as it wants by default. It folds only
        where that saves any logic.
    dsp : bool or int, optional
        The multipliers by a keyword: True for as many as it wants, False for none, or how many.

    Members
    -------
    See :func:`signature`.

    Attributes
    ----------
    latency : int
        Clocks from a valid input to its result; a step can be taken as often.
    form : Form
    dsp : bool or int
        Its multipliers, as the keyword says them.
    step_type : type
        What its datapath is an instance of: a :class:`~scneuro.hdl.Step`.

    Raises
    ------
    ValueError
        If the form is not held, or a program's.
    """

    step_type: type[Step] = Step
    i: Any
    o: Any
    state: data.View

    def __init__(
        self, fixed: FixedNeuron, form: Form | None = None, *, dsp: bool | int | None = None
    ) -> None:
        self._fixed = fixed
        self.form = Form.of(form, dsp=dsp, usual=Form(held=True))
        if self.form.microcode:
            raise ValueError(f"what runs a program is a Microcoded, or generated(): {self.form}")
        if not self.form.held:
            raise ValueError(f"a single neuron's step is held: Form(held=True), not {self.form!r}")
        self.form = smaller(fixed.lowered, self.form)
        self.dsp = self.form.dsp
        self.latency = latency(fixed, self.form)
        super().__init__(signature(fixed.lowered))

    def elaborate(self, platform: object) -> Module:
        m = Module()
        lowered = self._fixed.lowered
        m.submodules.step = step = self.step_type(lowered, form=self.form)
        for name, r in lowered.registers.items():
            register = Signal(Shape(r.width, signed=True), name=name, init=r.init)
            m.d.comb += [step.state[name].eq(register), self.state[name].eq(register)]
            with m.If(self.i.ready):
                m.d.sync += register.eq(step.next[name])
        m.d.comb += step.inputs.eq(self.i.payload)

        count = Signal(range(step.latency + 1))
        done = Signal()
        m.d.comb += [
            done.eq(count == step.latency),
            self.i.ready.eq(self.i.valid & done & (~self.o.valid | self.o.ready)),
        ]
        with m.If(self.i.ready):
            m.d.sync += [count.eq(0), self.o.valid.eq(1), self.o.payload.spike.eq(step.spike)]
        with m.Else():
            with m.If(self.i.valid & ~done):
                m.d.sync += count.eq(count + 1)
            with m.If(self.o.ready):
                m.d.sync += self.o.valid.eq(0)

        if self.form.folds:
            phase = Signal(self.form.interval, init=1)
            m.d.comb += step.enable.eq(phase)
            with m.If(self.i.ready):
                m.d.sync += phase.eq(1)
            with m.Elif(self.i.valid & ~done):
                m.d.sync += phase.eq(phase.rotate_left(1))

        first = next(iter(lowered.registers))
        m.d.comb += self.o.payload[first].eq(step.words[first])

        if found := draws(m, self._fixed, self.i.ready):
            m.d.comb += step.noise.eq(Cat(found[name] for name in lowered.noise))
        return m


def latency(fixed: FixedNeuron, form: Form) -> int:
    """Clocks that our hardware of a neuron takes for a step, in a form."""
    if form.microcode:
        return microcode(fixed.lowered).clocks
    return schedule(fixed.lowered, smaller(fixed.lowered, form)).latency + 1


def generated(fixed: FixedNeuron, form: Form | None = None) -> Neuron | Microcoded:
    """Our hardware of a neuron, in a form: held, or a program that runs.

    Raises
    ------
    ValueError
        If the form is neither.
    """
    return Microcoded(fixed, form) if form is not None and form.microcode else Neuron(fixed, form)


def build(
    neuron: Model,
    fixed: FixedNeuron,
    form: Form | None = None,
    *,
    dsp: bool | int | None = None,
) -> Any:
    """The hardware of a neuron: its own, if it hands one back, or ours.

    Parameters
    ----------
    neuron, fixed
    form, dsp
        Of ours; see :class:`Neuron` and :class:`~scneuro.hdl.microcoded.Microcoded`.

    Raises
    ------
    TypeError
        If the neuron's own hardware lacks the signature.
    """
    own = neuron.hardware(fixed)
    if own is None:
        return generated(fixed, Form.of(form, dsp=dsp, usual=Form(held=True)))
    wanted = signature(fixed.lowered)
    if not isinstance(own, wiring.Component) or not own.signature.is_compliant(own):
        raise TypeError(f"{neuron.name}.hardware() must return a wiring.Component, not {own!r}")
    if set(own.signature.members) != set(wanted.members) or not wanted.is_compliant(own):
        raise TypeError(
            f"{neuron.name}.hardware() must have the signature of scneuro.hdl.Neuron: "
            f"{', '.join(wanted.members)}"
        )
    return own


def hand_written(name: str) -> ScneuroError:
    """What is raised where hardware of a neuron's own is met and only the generated will do."""
    return ScneuroError(
        f"{name} brings its own hardware; what is proved is the generated datapath",
        "`scneuro parity` compares hand-written hardware with the same model",
    )
