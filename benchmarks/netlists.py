"""Every neuron's synthesised netlist against the integer model, cell by cell.

python benchmarks/netlists.py [NEURON ...]   # half an hour: two thirds are the C++ compiler
"""

import sys

from scneuro.load import make_neuron
from scneuro.neurons import builtins
from scneuro.sim.chip import netlist_parity

DEVICES = ("up5k", "ecp5-85k")
STEPS = 100_000


def main() -> None:
    print("| neuron | device | steps | bits compared | differing |\n|---|---|---|---|---|")
    for name in sys.argv[1:] or builtins():
        for device in DEVICES:
            found = netlist_parity(make_neuron(name), device, steps=STEPS)
            differing = "0" if found.ok else str(found.mismatch)
            print(
                f"| {found.neuron} | {device} | {found.steps:,} | {found.bits:,} | {differing} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
