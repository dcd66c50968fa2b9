#!/bin/sh
# The wheel on its own: build it, install it into an empty environment, import every module, run
# one parity, and type-check what was installed.
set -eu
here=$(cd "$(dirname "$0")/.." && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r "$here" "$work/source"
rm -rf "$work/source/build" "$work/source/.venv" "$work/source"/*.egg-info
"$PYTHON" -m build --wheel --outdir "$work" "$work/source" >"$work/build.log" 2>&1 || { cat "$work/build.log"; exit 1; }
"$PYTHON" -m venv "$work/env"
"$work/env/bin/python" -m pip install -q --disable-pip-version-check "$work"/*.whl mypy 2>"$work/pip.log" || { cat "$work/pip.log"; exit 1; }
cd "$work"
"$work/env/bin/python" - <<'PYTHON'
import importlib, pkgutil, scneuro
from scneuro.errors import ScneuroError
packages = pkgutil.walk_packages(scneuro.__path__, "scneuro.", onerror=lambda name: None)
names = [m.name for m in packages if m.name != "scneuro.__main__"]
for name in names:
    try:
        importlib.import_module(name)
    except ScneuroError as error:
        assert name == "scneuro.sim.proof" and "scneuro[proof]" in str(error), (name, error)
for generic in ("hdl", "sim", "boards"):
    assert importlib.util.find_spec(generic) is None, f"{generic} leaked to the top level"
from scneuro.sim import parity
result = parity(scneuro.LIF(), steps=200, progress=False)
assert result.ok, result
print(f"wheel: {len(names)} modules import, {result.steps} steps of parity pass")
PYTHON
"$work/env/bin/scneuro" list >/dev/null
"$work/env/bin/mypy" --config-file "$here/pyproject.toml" -p scneuro
