"""The bound of one step's error, and the largest error that a directed search finds.

python benchmarks/bounds.py    # some seconds; prints the table of docs/numbers.md
"""

import runpy
from pathlib import Path

from scneuro.neurons import builtin, builtins

CHECKS = runpy.run_path(str(Path(__file__).parents[1] / "tests" / "checks.py"))


def main() -> None:
    print("| neuron | state | bound, LSB | largest found, LSB | of the bound |")
    print("|---|---|---|---|---|")
    for name in builtins():
        neuron = builtin(name)()
        lowered = neuron.fixed().lowered
        for state, share in CHECKS["attack"](neuron).items():
            bound = lowered.bounds[state] / lowered.registers[state].word.lsb
            print(f"| {neuron.name} | {state} | {bound:.4f} | {bound * share:.4f} | {share:.0%} |")


if __name__ == "__main__":
    main()
