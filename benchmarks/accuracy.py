"""Q8.8 against float: spike counts and spike times over one second.

python benchmarks/accuracy.py      # about a minute; prints the table of docs/numbers.md
"""

import numpy as np

from scneuro import LIF, AdEx, Izhikevich
from scneuro.spikes import time_errors
from scneuro.stimulus import as_words, ornstein_uhlenbeck


def stimuli():
    for current in (0.6, 0.8, 1.0, 1.5):
        yield AdEx(), f"{current} nA", np.full(10_000, current)
    for seed in range(4):
        noise = ornstein_uhlenbeck(0.8, 0.4, 20, dt=0.1, steps=10_000, seed=seed)
        yield AdEx(), f"OU 0.8 +- 0.4 nA, seed {seed}", noise
    for preset in Izhikevich.presets:
        yield Izhikevich.preset(preset), f"{preset}, 10", np.full(10_000, 10.0)
    for current in (2.1, 2.5, 3.0, 4.0):
        yield LIF(), f"{current} nA", np.full(10_000, current)


def main() -> None:
    print("| neuron | stimulus | spikes float | spikes Q8.8 | worst, ms | mean, ms |")
    print("|---|---|---|---|---|---|")
    for neuron, label, current in stimuli():
        current = as_words(current)
        reference = neuron.run(current, progress=False).spike_steps
        fixed = neuron.fixed().run(current, progress=False).spike_steps
        errors = neuron.dt * time_errors(reference, fixed)
        print(
            f"| {neuron.name} | {label} | {len(reference)} | {len(fixed)} "
            f"| {errors.max():.1f} | {errors.mean():.3f} |"
        )


if __name__ == "__main__":
    main()
