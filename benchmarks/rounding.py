"""What rounding and guard bits do to the tutorial's AdEx, and where its own integer version fails.

python benchmarks/rounding.py      # about half a minute; prints figures of docs/numbers.md
"""

import contextlib
import io
from typing import Any

import numpy as np

from scneuro import SCAdExNeuron, verify_adex_parity
from scneuro.signals.stimulus import as_words

CURRENTS = (0.03, 0.1, 0.15, 0.3)
STEPS = 2000
WAYS: dict[str, dict[str, Any]] = {
    "floor, no guard bits": {"rounding": "floor", "guard": 0},
    "nearest, no guard bits": {"rounding": "nearest", "guard": 0},
    "stochastic, no guard bits": {"rounding": "stochastic", "guard": 0},
    "nearest, 4 guard bits": {"guard": 4},
    "nearest, 8 guard bits (ours)": {"guard": 8},
    "nearest, 12 guard bits": {"guard": 12},
}


def shifted(
    words: np.ndarray, *, halved: int = 1, quartered: int = 2
) -> list[tuple[int, int, int]]:
    """The published integer AdEx, for comparison: spike, V and w after every step.

    ``halved`` and ``quartered`` are the bits by which it shifts its input and its adaptation;
    its equations shift neither.
    """
    rest, threshold, peak, reset = 77, 128, 205, 72
    leak, pull, kick = 26, 5, 13
    potential, tired, trace = rest, 0, []
    for word in words.tolist():
        above = max(potential - threshold, 0)
        fall = (leak * (potential - rest) >> 8) + (tired >> quartered)
        potential += (leak * above >> 7) + (word >> halved) - fall
        tired += (pull * (potential - rest) >> 8) - (tired >> 5)
        spike = int(potential >= peak)
        if spike:
            potential, tired = reset, tired + kick
        trace.append((spike, potential, tired))
    return trace


def differences() -> list[int]:
    """The difference that ``verify_adex_parity`` prints, at I = n/256 from 0.02 to 1."""
    found = []
    for n in range(6, 257):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            verify_adex_parity(current=n / 256)
        found.append(int(out.getvalue().split()[-1]))
    return found


def main() -> None:
    neuron = SCAdExNeuron()
    stimuli = np.tile(as_words(np.array(CURRENTS)), (STEPS, 1))
    reference = neuron.run(stimuli, progress=False)
    print(f"| registers | spikes at I = {', '.join(map(str, CURRENTS))} | worst error, steps |")
    print("|---|---|---|")
    print(f"| float | {' / '.join(map(str, reference.spikes))} | |")
    for label, options in WAYS.items():
        run = neuron.fixed(**options).run(stimuli, progress=False)
        worst = 0
        for k in range(len(CURRENTS)):  # the k-th spike against the k-th
            a, b = (np.flatnonzero(r.spike[:, k]) for r in (reference, run))
            common = min(len(a), len(b))
            worst = max(worst, int(np.max(np.abs(a[:common] - b[:common]), initial=0)))
        print(f"| {label} | {' / '.join(map(str, run.spikes))} | {worst} |", flush=True)

    words = np.where((np.arange(200) > 50) & (np.arange(200) < 150), int(0.15 * 256), 0)
    print("\nThe tutorial's comparison: 38/256 for 99 of 200 steps")
    print(
        f"  float {neuron.run(words / 256).spikes}, Q8.8 {neuron.fixed().run(words / 256).spikes}"
    )
    for label, options in (
        ("as published", {}),
        ("its input not halved", {"halved": 0}),
        ("its adaptation not quartered", {"quartered": 0}),
        ("neither", {"halved": 0, "quartered": 0}),
    ):
        trace = shifted(words, **options)
        print(f"  {label}: {sum(s for s, *_ in trace)} spikes, ends at V = {trace[-1][1]}/256")
    found = differences()
    print(f"  verify_adex_parity at {len(found)} currents: largest difference {max(found)}")
    words = np.arange(5, 256, 5)
    held = np.tile(words / 256, (5_000, 1))
    model = SCAdExNeuron()
    counts = [runner.run(held, progress=False).spikes for runner in (model, model.fixed())]
    apart = [
        f"{a} and {b} at {word}/256" for word, a, b in zip(words, *counts, strict=True) if a != b
    ]
    print(f"  5,000 steps at {len(words)} currents, float and Q8.8 differ in: {', '.join(apart)}")


if __name__ == "__main__":
    main()
