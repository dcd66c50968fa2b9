"""Q8.8 against float: spike counts and spike times over one second.

python benchmarks/accuracy.py      # about three minutes; prints the table of docs/numbers.md
"""

from collections.abc import Iterator, Sequence

import numpy as np

from scneuro import AdEx, Neuron
from scneuro.neurons import builtin, builtins
from scneuro.signals.spikes import time_errors
from scneuro.signals.stimulus import as_words, ornstein_uhlenbeck

HEAD = (
    "| neuron | stimulus | spikes float | spikes Q8.8 | worst, ms | mean, ms |\n"
    "|---|---|---|---|---|---|"
)


def accuracy(neuron: Neuron, stimuli: np.ndarray) -> Iterator[tuple[int, int, float, float]]:
    """Spikes of float and Q8.8, and the worst and mean spike-time error in ms, per stimulus.

    Parameters
    ----------
    neuron
    stimuli : array of shape (T, N)
        The first input; every fidelity is given the Q8.8 words nearest to it.
    """
    words = as_words(stimuli)
    reference = neuron.run(words, progress=False).spike
    fixed = neuron.fixed().run(words, progress=False).spike
    for k in range(words.shape[1]):
        a, b = np.flatnonzero(reference[:, k]), np.flatnonzero(fixed[:, k])
        errors = neuron.dt * time_errors(a, b)
        worst, mean = (errors.max(), errors.mean()) if len(errors) else (0.0, 0.0)
        yield len(a), len(b), float(worst), float(mean)


def held(neuron: Neuron, currents: Sequence[float], duration: float = 1000.0) -> np.ndarray:
    """Currents held for ``duration`` ms, shape (T, N)."""
    return np.tile(np.array(currents), (round(duration / neuron.dt), 1))


def row(name: str, stimulus: str, found: tuple[int, int, float, float]) -> str:
    """A row of the table."""
    spikes, fixed, worst, mean = found
    return f"| {name} | {stimulus} | {spikes} | {fixed} | {worst:.2f} | {mean:.3f} |"


def main() -> None:
    print(HEAD)
    for name in builtins():
        kind = builtin(name)
        neuron = kind()
        unit = next(neuron.units[n] for n in neuron.input_defaults)
        found = accuracy(neuron, held(neuron, sorted(neuron.currents)))
        for current, figures in zip(sorted(neuron.currents), found, strict=True):
            print(row(neuron.name, f"{current} {unit}".strip(), figures), flush=True)
        for preset in kind.presets:
            neuron = kind.preset(preset)
            current = neuron.currents[0]
            for figures in accuracy(neuron, held(neuron, [current])):
                label = f"{preset}, {current} {unit}".strip()
                print(row(neuron.name, label, figures), flush=True)
    for seed in range(4):
        neuron = AdEx()
        noise = ornstein_uhlenbeck(0.8, 0.4, 20, dt=neuron.dt, steps=10_000, seed=seed)
        for figures in accuracy(neuron, noise[:, None]):
            print(row(neuron.name, f"OU 0.8 +- 0.4 nA, seed {seed}", figures), flush=True)


if __name__ == "__main__":
    main()
