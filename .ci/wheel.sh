#!/bin/sh
# The wheel on its own: build it, install it into an empty environment, see that every file is in it
# and every module imports, run every command, and type-check what was installed.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/source" "$work/here"
for name in pyproject.toml README.md LICENSE scneuro hdl boards sim; do
  cp -r "$here/$name" "$work/source"
done
"$PYTHON" -m build --wheel --outdir "$work" "$work/source" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$PYTHON" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check "$work"/*.whl mypy 2>"$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work/here"

"$work/env/bin/python" - "$work" <<'PYTHON'
import importlib, pkgutil, sys, zipfile
from pathlib import Path

import scneuro
from scneuro.errors import ScneuroError

# every file: also what is no Python, such as the models of cells and the compiled engine's driver
work = Path(sys.argv[1])
(wheel,) = work.glob("*.whl")
inside, there = set(zipfile.ZipFile(wheel).namelist()), set()
for folder in ("scneuro", "hdl", "boards", "sim"):
    for file in (work / "source" / folder).rglob("*"):
        if file.is_file() and "__pycache__" not in file.parts:
            name = file.relative_to(work / "source").as_posix()
            there.add(name if folder == "scneuro" else f"scneuro/{name}")
assert there <= inside, f"not in the wheel: {sorted(there - inside)}"

packages = pkgutil.walk_packages(scneuro.__path__, "scneuro.", onerror=lambda name: None)
names = [m.name for m in packages if m.name != "scneuro.__main__"]
for name in names:
    try:
        importlib.import_module(name)
    except ScneuroError as error:
        extra = {"scneuro.sim.proof": "proof", "scneuro.sim.watch.web": "live"}.get(name)
        assert f"scneuro[{extra}]" in str(error), (name, error)
for generic in ("hdl", "sim", "boards"):
    assert importlib.util.find_spec(generic) is None, f"{generic} leaked to the top level"
print(f"wheel: {len(there)} files are in it, {len(names)} modules import")
PYTHON

run() {
  "$work/env/bin/scneuro" "$@" >out 2>&1 || { echo "scneuro $*"; cat out; exit 1; }
}
run list
run show lif
run simulate lif --steps 500
run simulate lif --steps 500 --backend fixed -o lif.npz
run simulate lif --steps 50 --backend amaranth
run parity lif --steps 200

# what needs an extra or a tool says so in two lines, and exits with 2
mkdir nothing
refused() {
  wanted=$1 code=0
  shift
  PATH=$PWD/nothing "$work/env/bin/scneuro" "$@" >out 2>&1 || code=$?
  if [ "$code" != 2 ] || ! grep -qF "$wanted" out || [ "$(wc -l <out)" -gt 2 ]; then
    echo "scneuro $*: exit $code"; cat out; exit 1
  fi
}
refused 'scneuro[plots]' plot lif -o lif.png
refused 'scneuro[plots]' demo
refused 'scneuro[proof]' prove lif
refused 'scneuro[reference]' reference lif
refused 'scneuro[toolchain]' build lif --board icebreaker -o out.d
refused 'scneuro[toolchain]' export lif --verilog out.d
refused 'scneuro[nir]' show net.nir --dt 1
refused 'scneuro[explore]' explore lif --board icebreaker -o out.d
refused 'scneuro[live]' live lif --board icebreaker --port simulated
refused 'g++' simulate lif --steps 50 --backend cxxrtl
echo "wheel: commands run, or say what they need"

"$work/env/bin/mypy" --config-file "$here/pyproject.toml" -p scneuro
