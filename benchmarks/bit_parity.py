"""Bit parity over 100,000 steps for each neuron: gates against integers, both forms.

    python benchmarks/bit_parity.py    # about ten minutes

The single neuron runs freely on an adversarial stimulus (full-scale steps, ramps, one-LSB wiggles,
noise); the pipeline starts every clock from another state, a quarter of them at an extreme.
"""

from scneuro import LIF, AdEx, Izhikevich
from scneuro.signals.stimulus import adversarial
from scneuro.sim import parity, vector_parity

STEPS = 100_000


def main() -> None:
    for neuron in (LIF(), Izhikevich(), AdEx()):
        fixed = neuron.fixed()
        run = parity(neuron, adversarial(STEPS), fixed=fixed)
        print(
            f"{neuron.name}: running freely, {run.steps:,} steps, "
            f"{'0 differing bits' if run.bit_exact else run.mismatch}",
            flush=True,
        )
        for dsp in (True, False):
            any_state = vector_parity(fixed, STEPS, dsp=dsp)
            print(
                f"{neuron.name}: any state, {'DSP' if dsp else 'logic'} form, "
                f"{any_state.vectors:,} steps, {any_state.mismatches} that differ",
                flush=True,
            )


if __name__ == "__main__":
    main()
