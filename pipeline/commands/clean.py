"""The command `clean`: lists what a root no longer needs, and removes it where that is wanted."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import filelock

from components.errors import MOST_LINES, ConfigError
from components.files.space import size_of
from components.settings import metadata
from components.trainer import unfinished
from pipeline.launch import scratch
from pipeline.store import metadata_store, unneeded
from pipeline.store.root import locked
from serving.names import shown


class Leftover(NamedTuple):
    """A folder that nothing needs."""

    path: Path
    kind: str  # artifact | training | scratch
    size: int  # bytes


def clean(root: Path, *, yes: bool, as_json: bool) -> None:
    """Prints what the root no longer needs, and removes it with `yes`.

    Raises:
      ConfigError: the folder is not a root of runs.
      RootBusy: a run uses the root, and `yes` is given.
    """
    if not (root / "metadata.sqlite").is_file():
        raise ConfigError(
            f"--root: {root} has no metadata.sqlite; no run was made there. Where "
            "runtime.metadata names another store, nothing says what other machines need: clean "
            "removes nothing there."
        )
    if not yes:
        _print(list(_leftovers(root)), removed=None, as_json=as_json)
        return
    with locked(root):
        found = list(_leftovers(root))
        removed = [each for each in found if _remove(each)]
    _print(found, removed=removed, as_json=as_json)


def _leftovers(root: Path) -> Iterator[Leftover]:
    connection = metadata.connection_config(str(root / "metadata.sqlite"))
    with metadata_store.opened(connection) as store:
        artifacts = unneeded.find(store, root)
        ended = unneeded.trained(store, root)
    for path in artifacts:
        yield Leftover(path, "artifact", size_of(str(path)))
    for node, seconds in ended.items():
        for path in _dead_trainings(node / unfinished.NAME, seconds):
            yield Leftover(path, "training", size_of(str(path)))
    for path in scratch.leftovers(Path(tempfile.gettempdir())):
        yield Leftover(path, "scratch", size_of(str(path)))


def _dead_trainings(folder: Path, ended: float) -> Iterator[Path]:
    """Yields states of killed trainings that are older than a training that ended well.

    Args:
      folder: of the states.
      ended: when the newest did, in seconds since the epoch.
    """
    for path in sorted(folder.glob("*")) if folder.is_dir() else ():
        if path.is_dir() and not path.is_symlink() and _changed(path) < ended:
            yield path


def _changed(folder: Path) -> float:
    return max(path.lstat().st_mtime for path in (folder, *folder.rglob("*")))


def _remove(leftover: Leftover) -> bool:
    """Removes a folder, and returns whether it is gone.

    An artifact is renamed first: a half of one would pass for a whole in the cache.
    """
    path = leftover.path
    if leftover.kind == "scratch":
        scratch.remove_leftovers(path.parent)
        return not path.exists()
    try:
        if leftover.kind == "training":
            with filelock.FileLock(f"{path}.lock", blocking=False):
                shutil.rmtree(path)
            path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
            return True
        if not path.name.endswith(unneeded.REMOVED):
            path = path.rename(path.with_name(f"{path.name}{unneeded.REMOVED}"))
        shutil.rmtree(path)
    except (OSError, filelock.Timeout):
        return False
    return True


def _print(found: list[Leftover], removed: list[Leftover] | None, as_json: bool) -> None:
    size = sum(each.size for each in found)
    freed = sum(each.size for each in removed or ())
    if as_json:
        rows = [{**each._asdict(), "path": str(each.path)} for each in found]
        gone = {"removed": len(removed or ()), "freed": freed}
        print(json.dumps({"found": rows, "bytes": size, **gone}))
        return
    for each in found[:MOST_LINES]:
        print(f"{each.kind}  {each.size / 1e6:.1f} MB  {shown(each.path)}")
    if len(found) > MOST_LINES:
        print(f"{len(found) - MOST_LINES} more; --json lists all.")
    if removed is None:
        hint = "--yes removes them." if found else ""
        print(f"{len(found)} folders, {size / 1e6:.1f} MB, are not needed. {hint}".rstrip())
        return
    print(f"{len(removed)} of {len(found)} folders were removed, {freed / 1e6:.1f} MB.")
    if len(removed) < len(found):
        print("The others are in use, or this user may not remove them.")
