"""A NIR file as one flat graph: nested graphs resolved, every node known by name."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ...errors import FileTrouble, ScneuroError, did_you_mean

__all__ = ["LINEAR", "NEURONS", "Flat", "flat", "kind", "load", "package"]

#: Those whose state goes nowhere but to a threshold or out.
ANALOG = ("CubaLI", "I", "LI")
NEURONS = ("CubaLIF", "IF", "LIF", "Threshold", *ANALOG)
LINEAR = (
    "Affine",
    "AvgPool2d",
    "Conv1d",
    "Conv2d",
    "Delay",
    "Flatten",
    "Linear",
    "Scale",
    "SumPool2d",
)
_KNOWN = (*NEURONS, *LINEAR, "Input", "Output", "NIRGraph")
_RESETS = ("CubaLIF", "IF", "LIF")
_DEEPEST = 64  # groups in groups
_DENSEST = 2_000  # bytes that one of a file may stand for: deflate makes 1,032 at most
_SMALL = 2**20


def package() -> Any:
    """The package ``nir``.

    Raises
    ------
    ScneuroError
        If it is missing.
    """
    try:
        import nir
    except ImportError:
        raise ScneuroError("NIR files need the package nir", "pip install 'scneuro[nir]'") from None
    return nir


def kind(node: Any) -> str:
    """The name of a node's primitive."""
    return type(node).__name__


@dataclass
class Flat:
    """A graph without nested ones.

    Attributes
    ----------
    name : str
        Of the file.
    nodes : dict of str to nir.NIRNode
        Those of a nested graph as ``graph.node``; inputs and outputs only where the net's are.
    edges : list of (str, str)
    thresholds : dict of str to ndarray
        Of the integrators whose threshold is a node of its own, which is left out.
    notes : list of str
        What was assumed.
    """

    name: str
    nodes: dict[str, Any] = field(default_factory=dict)
    edges: list[tuple[str, str]] = field(default_factory=list)
    thresholds: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def after(self, name: str) -> list[str]:
        """Where a node's edges lead to."""
        return [b for a, b in self.edges if a == name]

    def before(self, name: str) -> list[str]:
        """Where a node's edges come from."""
        return [a for a, b in self.edges if b == name]

    def trouble(self, name: str, what: Any, hint: str = "") -> ScneuroError:
        """The error to raise for a node."""
        return ScneuroError(f"{self.name}: {name} ({kind(self.nodes[name])}): {what}", hint)


# -- the file -------------------------------------------------------------------------------------
def load(path: Path | str) -> tuple[Any, list[str]]:
    """The graph of a file, and what was assumed of it.

    Raises
    ------
    FileTrouble
        If it is missing, or damaged, or has nodes that are not supported.
    """
    nir = package()
    import h5py

    path = Path(path)
    if not path.is_file():
        raise FileTrouble(f"there is no file {path}", "a NIR file is named net.nir")
    try:
        with h5py.File(path, "r") as file:
            largest = max(_SMALL, _DENSEST * path.stat().st_size)
            found = _contents(file["node"], h5py.Group, largest)
    except (ArithmeticError, AttributeError, LookupError, MemoryError, OSError, RuntimeError,
            TypeError, ValueError) as error:  # fmt: skip
        said = " ".join(str(error).split())
        raise FileTrouble(
            f"{path} is no NIR file, or damaged: {said}", "nir.write(path, graph) makes one"
        ) from None
    notes: list[str] = []
    return _node(nir, str(path), "", found, notes), notes


def _contents(group: Any, kind_of_group: type, largest: int, depth: int = 0) -> dict[str, Any]:
    """What is in a group of a file, and in all groups in it."""
    if depth > _DEEPEST:
        raise ValueError(f"{group.name} lies too deep")
    found: dict[str, Any] = {}
    for name, item in group.items():
        if isinstance(item, kind_of_group):
            found[name] = _contents(item, kind_of_group, largest, depth + 1)
        elif item.nbytes > largest:
            raise ValueError(
                f"{item.name} claims {item.nbytes:,} bytes, more than the file can hold"
            )
        else:
            value = item[()]
            found[name] = value.decode() if isinstance(value, bytes) else value
    return found


def _node(nir: Any, path: str, name: str, found: Any, notes: list[str]) -> Any:
    """A node of what was in a file, and all in it."""
    what = f"{path}: {name}" if name else path
    primitive = found.get("type") if isinstance(found, dict) else None
    if not name and primitive != "NIRGraph":
        raise FileTrouble(f"{path} has no graph", "nir.write(path, graph) makes one")
    if primitive not in _KNOWN:
        near = did_you_mean(str(primitive), _KNOWN)
        raise FileTrouble(
            f"{what}: {primitive or 'what has no type'} is not supported"
            + f"; {near}" * bool(near),
            f"supported are {', '.join(_KNOWN)}",
        )
    if primitive in _RESETS and "v_reset" not in found:
        notes.append(f"{name}: the file has no v_reset: 0")
    try:
        if primitive != "NIRGraph":
            return nir.dict2NIRNode(found)
        nodes = {
            n: _node(nir, path, f"{name}.{n}" if name else n, inner, notes)
            for n, inner in found["nodes"].items()
        }
        edges = [tuple(_text(end) for end in edge) for edge in found["edges"]]
        return nir.NIRGraph(nodes=nodes, edges=edges, type_check=False)
    except ScneuroError:
        raise
    except Exception as error:
        said = " ".join(str(error).split()) or type(error).__name__
        raise FileTrouble(f"{what} ({primitive}) is damaged: {said}") from None


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


# -- the graph ------------------------------------------------------------------------------------
def flat(graph: Any, name: str) -> Flat:
    """A graph with all that is nested in it, and integrators with their thresholds.

    Raises
    ------
    ScneuroError
        A node that is not supported, or an edge of a node that is not there.
    """
    found = Flat(name)
    for inner, node in _nested(graph, ""):
        if kind(node) not in _KNOWN:
            raise ScneuroError(
                f"{name}: {inner}: {kind(node)} is not supported",
                f"supported are {', '.join(_KNOWN)}",
            )
        if inner in found.nodes:
            raise ScneuroError(f"{name}: there are two nodes {inner}", "rename one")
        if kind(node) != "NIRGraph":
            found.nodes[inner] = node
    edges = list(_edges(graph, "", found))
    found.edges = list(dict.fromkeys(edges))
    if len(found.edges) < len(edges):
        found.notes.append(f"{len(edges) - len(found.edges)} edges are there twice: taken once")
    _pass_through(found)
    _with_thresholds(found)
    return found


def _nested(graph: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    for name, node in graph.nodes.items():
        yield prefix + name, node
        if kind(node) == "NIRGraph":
            yield from _nested(node, f"{prefix}{name}.")


def _edges(graph: Any, prefix: str, found: Flat) -> Iterator[tuple[str, str]]:
    """The edges of a graph and of those in it, between flat names."""
    for a, b in graph.edges:
        yield _end(graph, prefix, a, "Output", found), _end(graph, prefix, b, "Input", found)
    for name, node in graph.nodes.items():
        if kind(node) == "NIRGraph":
            yield from _edges(node, f"{prefix}{name}.", found)


def _end(graph: Any, prefix: str, name: str, port: str, found: Flat) -> str:
    """The node that an edge means: in a nested graph, its input or output."""
    node, whole = graph.nodes.get(name), prefix + name
    if node is None:
        other = _alias(graph, name, port)
        if other in graph.nodes:
            note = f"edges name {whole}, which is not there: {prefix}{other} was taken"
            if note not in found.notes:
                found.notes.append(note)
            return prefix + other
        near = did_you_mean(name, graph.nodes)
        raise ScneuroError(
            f"{found.name}: an edge names the node {whole}, which is not there"
            + f"; {near}" * bool(near),
            f"there are {', '.join(prefix + n for n in graph.nodes) or 'none'}",
        )
    if kind(node) != "NIRGraph":
        return whole
    here = 0 if port == "Output" else 1  # the side of its own edges: one that has any is inside
    inside = {_alias(node, edge[here], port) for edge in node.edges}
    ports = [n for n, i in node.nodes.items() if kind(i) == port and n not in inside]
    if len(ports) != 1:
        raise ScneuroError(
            f"{found.name}: {whole} (NIRGraph) has {len(ports)} nodes {port}, so that an edge with "
            "it means none",
            f"give the nested graph one {port}",
        )
    return _end(node, f"{whole}.", ports[0], port, found)


def _alias(graph: Any, name: str, port: str) -> str:
    """A node's name; exporters have left a layer's where its input or output was meant."""
    return name if name in graph.nodes else f"{name}.{port.lower()}"


def _pass_through(found: Flat) -> None:
    """Leave out what an edge merely passes: inputs and outputs of what was nested."""
    for name, node in list(found.nodes.items()):
        before, after = found.before(name), found.after(name)
        if (kind(node) == "Input" and before) or (kind(node) == "Output" and after):
            rest = [edge for edge in found.edges if name not in edge]
            through = [(a, b) for a in before for b in after if name not in (a, b)]
            found.edges = [*rest, *through]
            del found.nodes[name]


def _with_thresholds(found: Flat) -> None:
    """Make one neuron of an integrator and the threshold that it alone leads to."""
    for name, node in list(found.nodes.items()):
        if kind(node) != "Threshold":
            continue
        before = found.before(name)
        if len(before) != 1 or kind(found.nodes[before[0]]) not in ANALOG:
            continue
        (integrator,) = before
        if found.after(integrator) != [name]:
            continue
        found.thresholds[integrator] = node.threshold
        found.edges = [(integrator if a == name else a, b) for a, b in found.edges if b != name]
        del found.nodes[name]
