"""What the built-in neurons cost: the neuron itself, and the whole board design.

python benchmarks/area.py          # about five minutes; prints the tables of docs/numbers.md
"""

import tempfile

from scneuro import LIF, AdEx, Izhikevich
from scneuro.boards import BOARDS, build_bitstream
from scneuro.boards.area import measure_area
from scneuro.boards.devices import DEVICES


def main() -> None:
    print("| neuron alone | " + " | ".join(DEVICES) + " |\n|" + "---|" * (len(DEVICES) + 1))
    for neuron in (LIF(), Izhikevich(), AdEx()):
        cells = []
        for device in DEVICES:
            area = measure_area(neuron, device)
            used = ", ".join(f"{count} {kind}" for kind, count in area["used"].items() if count)
            cells.append(f"{used}, {area['fmax_mhz']} MHz")
        print(f"| {neuron.name} | " + " | ".join(cells) + " |", flush=True)
    print("\n| board design | " + " | ".join(BOARDS) + " |\n|" + "---|" * (len(BOARDS) + 1))
    with tempfile.TemporaryDirectory() as folder:
        for neuron in (LIF(), Izhikevich(), AdEx()):
            cells = []
            for board in BOARDS.values():
                report = build_bitstream(neuron, board, folder)
                used = ", ".join(f"{v['used']} {k}" for k, v in report.utilization.items())
                cells.append(f"{used}, {report.fmax_mhz} of {report.clock_mhz:g} MHz")
            print(f"| {neuron.name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
