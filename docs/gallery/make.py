"""Makes the gallery: every picture, by the very command the page shows, and the page."""

import os
import shlex
import sys
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scneuro import cli
from scneuro.neurons import builtin, builtins

FOLDER = Path(__file__).parent
PLANES = (
    ("adex", "adapting", "Every spike lifts w, until the trajectory has to turn around below."),
    ("adex", "bursting", "Spikes lift w above the V-nullcline; then V falls, and w decays."),
    ("adex", "transient", "One spike, and then rest where the nullclines cross."),
    ("izhikevich", "RS", "Each spike lifts u by d; the way back to threshold is long."),
    ("izhikevich", "CH", "The reset lies right of the parabola: spikes, until u is above it."),
    ("izhikevich", "FS", "A fast u: spikes with hardly any adaptation."),
)
STEPS = {"Izhikevich": 2000}  # of presets that fire too fast to be told apart in 500 ms
HEAD = """# Gallery

Float is the wide, pale line and the integers are the thin, dark one on it. Each picture is made by
the command or the call below it, in this folder; `python docs/gallery/make.py` makes them all, and
this page.
"""


@dataclass(frozen=True)
class Picture:
    """One file, what it shows in a sentence, and the command or Python that draws it."""

    file: str
    sentence: str
    code: str

    def draw(self) -> None:
        if self.code.startswith("scneuro "):
            if cli.main(shlex.split(self.code)[1:]):
                sys.exit(f"{self.code}: failed")
        else:
            exec(self.code, {})
        with Image.open(self.file) as image:  # 256 colours are plenty, and half the bytes
            small = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
        small.save(self.file, optimize=True)

    def __str__(self) -> str:
        language = "sh" if self.code.startswith("scneuro ") else "python"
        image = f"![{self.sentence}]({self.file})"
        return f"{self.sentence}\n\n{image}\n\n```{language}\n{self.code}\n```\n"


def first_line(name: str) -> str:
    """What a neuron is, in its own words."""
    return (builtin(name).__doc__ or name).strip().splitlines()[0]


def command(name: str, kind: str, sentence: str, preset: str = "") -> Picture:
    """A picture from the command line."""
    file = f"{'-'.join(filter(None, (name, preset.lower(), kind)))}.png"
    options = (f" --preset {preset}" if preset else "") + (
        f" --kind {kind}" if kind != "trace" else ""
    )
    return Picture(file, sentence, f"scneuro plot {name}{options} -o {file}")


def presets(name: str) -> Picture:
    """All presets of a neuron."""
    cls = builtin(name)
    file = f"{name}-presets.png"
    steps = f", steps={STEPS[cls.__name__]}" if cls.__name__ in STEPS else ""
    code = (
        f"from scneuro import {cls.__name__}\n"
        "from scneuro.plot import plot_presets\n\n"
        f'plot_presets({cls.__name__}, "{file}"{steps})'
    )
    sentence = f"The {len(cls.presets)} presets of {cls.__name__}, each under its own current."
    return Picture(file, sentence, code)


def gallery() -> dict[str, list[Picture]]:
    """The pictures by section."""
    names = builtins()
    return {
        "Traces": [command(n, "trace", first_line(n)) for n in names],
        "Presets": [presets(n) for n in names if len(builtin(n).presets) > 1],
        "Phase planes": [
            command(n, "phase", f"{builtin(n).__name__}, {preset}: {text}", preset)
            for n, preset, text in PLANES
        ],
        "Firing rate over current": [
            command(n, "fi", f"How fast {builtin(n).__name__} fires, and where the counts differ.")
            for n in names
        ],
    }


def main() -> None:
    os.chdir(FOLDER)
    sections = gallery()
    pictures = [picture for section in sections.values() for picture in section]
    for picture in pictures:
        picture.draw()
    for stale in {path.name for path in FOLDER.glob("*.png")} - {p.file for p in pictures}:
        (FOLDER / stale).unlink()
    parts = [HEAD]
    for title, section in sections.items():
        parts += [f"## {title}\n", *map(str, section)]
    (FOLDER / "README.md").write_text("\n".join(parts))


if __name__ == "__main__":
    main()
