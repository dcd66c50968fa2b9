"""Spike-frequency adaptation of AdEx under a step, as in Brette and Gerstner (2005), fig. 2.

    python examples/frequency_adaptation.py

Prints the interspike intervals of float and Q8.8 side by side: they grow, and agree.
"""

import numpy as np

from scneuro import AdEx


def main() -> None:
    neuron = AdEx()
    current = np.concatenate([np.zeros(500), np.full(5000, 1.0)])
    intervals = {}
    for label, runner in (("float", neuron), ("Q8.8", neuron.fixed())):
        recording = runner.run(current)
        intervals[label] = neuron.dt * np.diff(recording.spike_steps)
        print(f"{label:6s}", " ".join(f"{interval:5.1f}" for interval in intervals[label]), "ms")
    assert len(intervals["float"]) == len(intervals["Q8.8"])
    assert np.all(np.diff(intervals["float"]) >= 0), "the intervals grow"


if __name__ == "__main__":
    main()
