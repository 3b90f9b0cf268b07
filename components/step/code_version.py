"""The version of the project's own code behind a step, as part of its cache key.

TFX hashes neither imported functions nor files named by a path. This is the SHA-256 over the syntax
trees of a module and of every module of this project that it imports, so a release reruns exactly
the steps whose code it changed: docstrings, comments and formatting rerun nothing.
"""

from __future__ import annotations

import ast
import functools
import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_TREE = Path(__file__).resolve().parents[2]
_PACKAGES = ("components", "serving")


def code_version(*modules: str, files: str = "") -> str:
    """Returns 16 hexadecimal digits that change with the code reachable from the modules.

    Args:
      modules: their names, the step's own first.
      files: a pattern of names; the files below the first module's folder that it matches count
        byte by byte, since no import leads to them.
    """
    digest = hashlib.sha256()
    for name in sorted(_reachable(modules)):
        digest.update(f"{name}\0{_parsed(_source(name).read_bytes())[0]}\n".encode())
    folder = _source(modules[0]).parent
    for path in sorted(folder.rglob(files)) if files else ():
        content = hashlib.sha256(path.read_bytes()).hexdigest()
        digest.update(f"{path.relative_to(folder).as_posix()}\0{content}\n".encode())
    return digest.hexdigest()[:16]


def _reachable(modules: Iterable[str]) -> set[str]:
    found: set[str] = set()
    waiting = list(modules)
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            imported = _parsed(_source(name).read_bytes())[1]
            waiting.extend(each for each in imported if _source(each).is_file())
    return found


def _source(module: str) -> Path:
    path = _TREE.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


@functools.cache
def _parsed(source: bytes) -> tuple[str, tuple[str, ...]]:
    """Returns the digest of what the source does, and the names in this project it may import."""
    shape: list[str] = []
    imported: list[str] = []
    _walk(ast.parse(source), shape, imported)
    return hashlib.sha256("\0".join(shape).encode()).hexdigest(), tuple(imported)


def _walk(part: Any, shape: list[str], imported: list[str]) -> None:
    """Adds a part of a tree to its shape and its imports, in one pass: a run reads 300 modules.

    The shape leaves out the strings that stand as statements: docstrings of modules, functions and
    fields.
    """
    if isinstance(part, list):
        shape.append("[")
        for item in part:
            if not _is_text(item):
                _walk(item, shape, imported)
        shape.append("]")
    elif isinstance(part, ast.AST):
        shape.append(type(part).__name__)
        for name in part._fields:
            _walk(getattr(part, name, None), shape, imported)
        imported.extend(_project_imports(part))
    else:
        shape.append(repr(part))


def _is_text(item: Any) -> bool:
    if not isinstance(item, ast.Expr) or not isinstance(item.value, ast.Constant):
        return False
    return isinstance(item.value.value, str)


def _project_imports(statement: ast.AST) -> Iterator[str]:
    if isinstance(statement, ast.Import):
        candidates = [alias.name for alias in statement.names]
    elif isinstance(statement, ast.ImportFrom) and statement.module:
        module = statement.module
        candidates = [module, *(f"{module}.{alias.name}" for alias in statement.names)]
    else:
        return
    yield from (name for name in candidates if name.split(".")[0] in _PACKAGES)
