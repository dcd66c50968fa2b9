"""Built-in neurons against their differential equations: the time step's error and Q8.8's.

python benchmarks/references.py    # about ten seconds; prints the table of docs/numbers.md
"""

from scneuro.neurons import builtin, builtins
from scneuro.reference import compare
from scneuro.reference.compare import stored


def main() -> None:
    print("| neuron | input | spikes | first | mean | Q8.8 mean | Q8.8 max | Brian2 mean |")
    print("|---|---|---|---|---|---|---|---|")
    for name in builtins():
        neuron = builtin(name)()
        lasts = {run.duration for run in stored() if run.neuron == name}
        for current in sorted(neuron.currents) if lasts else ():
            found = compare(neuron, current=current, duration=max(lasts), live=False)
            step, word, other = found.discretisation, found.quantisation, found.references
            counts = f"{step.expected} / {step.spikes} / {word.spikes}"
            print(
                f"| {neuron.name} | {current} {neuron.units[next(iter(neuron.input_defaults))]} "
                f"| {counts} | {step.first:.3f} | {step.mean:.3f} | {word.mean:.3f} "
                f"| {word.max:.3f} | {other.mean:.4f} |"
            )


if __name__ == "__main__":
    main()
