"""Put pip into a virtual environment on a Python that ships without ensurepip (bare Debian).

Called by the Makefile when ``python -m venv`` could only make an environment without pip. It uses
the system's pip if there is one, else fetches pip's wheel from PyPI and lets it install itself.
"""

import json
import subprocess
import sys
import tempfile
import urllib.request
from pathlib import Path
from urllib.parse import urljoin

INDEX = "https://pypi.org/pypi/pip/json"


def main(python: str) -> int:
    quiet = ["-q", "--disable-pip-version-check"]
    system = [sys.executable, "-m", "pip", "--python", python, "install", *quiet, "pip"]
    if subprocess.run(system, capture_output=True, check=False).returncode == 0:
        return 0
    try:
        with urllib.request.urlopen(INDEX, timeout=60) as reply:
            files = json.load(reply)["urls"]
        wheel = next(f for f in files if f["packagetype"] == "bdist_wheel")
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / wheel["filename"]
            with urllib.request.urlopen(urljoin(INDEX, wheel["url"]), timeout=60) as reply:
                path.write_bytes(reply.read())
            install = [python, f"{path}/pip", "install", *quiet, str(path)]
            return subprocess.run(install, check=False).returncode
    except (OSError, StopIteration, ValueError) as error:
        print(f"no pip, and none to be had ({error}): apt install python3-venv", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
