"""Spike times from Brian2, as a script for the Python that has Brian2: JSON in, JSON out.

scneuro is not needed there, and is not imported. A job is ::

    {"equations": "dV/dt = ...", "threshold": "V >= V_th", "reset": "V = V_reset",
     "refractory": "False", "parameters": {"V_th": [-50.0], "I": [2.5]},
     "start": {"V": [-70.0]}, "duration": 1000.0, "dt": 0.001}

with one value per run in every list, and times in ms. The answer is
``{"spikes": [[...], ...], "versions": {...}}``. Brian2 dates a spike to the start of its step; we
date it to the end.
"""

import json
import platform
import sys
from importlib.metadata import version
from typing import Any

__all__ = ["METHOD", "main", "run"]

METHOD = "rk4"


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Do a job."""
    import brian2

    dt = job["dt"]
    constants = "".join(f"\n{name} : 1 (constant)" for name in job["parameters"])
    group = brian2.NeuronGroup(
        len(next(iter(job["parameters"].values()))),
        job["equations"] + constants,
        threshold=job["threshold"],
        reset=job["reset"],
        refractory=job["refractory"],
        method=METHOD,
        dt=dt * brian2.ms,
    )
    for name, values in {**job["parameters"], **job["start"]}.items():
        setattr(group, name, values)
    monitor = brian2.SpikeMonitor(group)
    brian2.Network(group, monitor).run(job["duration"] * brian2.ms)
    trains = monitor.spike_trains()
    return {
        "spikes": [(trains[n] / brian2.ms + dt).tolist() for n in range(len(group))],
        "versions": {
            "method": f"{METHOD}, dt {dt} ms",
            "python": platform.python_version(),
            "numpy": version("numpy"),
            "brian2": version("brian2"),
        },
    }


def main() -> None:
    """Do the job on standard input."""
    json.dump(run(json.load(sys.stdin)), sys.stdout)


if __name__ == "__main__":
    main()
