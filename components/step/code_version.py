"""The version of the project's own code behind a component, as part of its cache key.

TFX hashes neither imported functions nor files named by a path. This is the SHA-256 over the
sources of a module and of every module of this project that it imports, so a release reruns
exactly the components it touched.
"""

from __future__ import annotations

import ast
import hashlib
from collections.abc import Iterator
from pathlib import Path

_TREE = Path(__file__).resolve().parents[2]
_PACKAGES = ("components", "serving")


def code_version(module: str) -> str:
    """Gives 16 hexadecimal digits that change with the code reachable from `module`."""
    digest = hashlib.sha256()
    for name in sorted(_reachable(module)):
        digest.update(name.encode())
        digest.update(_source(name).read_bytes())
    return digest.hexdigest()[:16]


def _reachable(module: str) -> set[str]:
    found: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting.extend(_project_imports(_source(name)))
    return found


def _source(module: str) -> Path:
    path = _TREE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def _project_imports(source: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(source.read_bytes())):
        if isinstance(node, ast.Import):
            candidates = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            candidates = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        for name in candidates:
            if name.split(".")[0] in _PACKAGES and _source(name).is_file():
                yield name
