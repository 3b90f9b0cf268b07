"""The command `classify`: asks a server for the classes of pictures, and skips broken ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from components.errors import ConfigError, UserError
from pipeline.commands.classify_output import STYLES, Write
from pipeline.commands.named_pictures import ByPicture, named_pictures
from serving.access import OPEN, Access
from serving.labels import CANARY, DEFAULT_NAME, STABLE
from serving.names import shown

if TYPE_CHECKING:
    from serving.client import Client, PictureRefused, Prediction

_CONNECT_SECONDS = 8.0


@dataclass(frozen=True)
class Request:
    """Pictures, the server that is asked, and how its predictions are shown."""

    images: Sequence[str | Path]
    """Pictures, and folders of them at any depth; addresses of an object store, too."""
    server: str
    name: str
    version: int | None = None
    label: str | None = None
    access: Access = OPEN
    """How the server is reached."""
    top: int = 3
    style: str = "text"
    """text, json (a line per picture) or csv."""
    output: Path | None = None
    """A file instead of standard output."""
    imagenet: str | None = None
    """A backbone whose unchanged ImageNet classifier predicts instead of a server."""
    certain: bool = False
    """Leaves out the predictions that the model is not certain of."""


def classify(request: Request) -> bool:
    """Writes a prediction per picture; returns whether all pictures have one.

    Raises:
      UserError: the server or the model is absent, or a folder has no pictures.
      ConfigError: options that exclude each other.
    """
    from serving.client import ClientError, ModelNotFound, PictureRefused
    from serving.quiet_imports import quiet_import, quiet_pillow

    quiet_pillow()
    found = list(named_pictures(request.images))
    images, folders = [image for image, _ in found], dict(found)
    refused: list[PictureRefused] = []
    try:
        with quiet_import():
            client: Any = _imagenet(request.imagenet) if request.imagenet else _client(request)
        if not request.imagenet:
            client.connect(_CONNECT_SECONDS)
        with (
            client as asked,
            _writer(request, folders) as write,
            _progress(request, len(images)) as advance,
        ):
            for image, answer in zip(images, asked.classify_each(images), strict=True):
                if isinstance(answer, PictureRefused):
                    refused.append(answer)
                    write(image, None, answer.reason)
                elif not request.certain or _is_certain(answer):
                    write(image, answer, "")
                advance()
    except ModelNotFound as error:
        raise UserError(f"{error} {_known(request)}") from error
    except ClientError as error:
        raise UserError(str(error)) from error
    _list(refused, len(images), request)
    return not refused


def _is_certain(answer: Prediction) -> bool:
    """Returns whether the model is certain.

    Raises:
      UserError: it does not tell.
    """
    if answer.certain is None:
        raise UserError(
            "--certain: the model does not say whether it is certain: only one with "
            "export.certain does. Train it with --set export.certain.accuracy=0.95."
        )
    return answer.certain


def _known(request: Request) -> str:
    """Returns a sentence about the versions and labels that the server has.

    TensorFlow Serving lists neither its models nor its labels: those that the pipeline sets are
    tried.
    """
    from serving.client import ClientError

    plain = replace(request, version=None, label=None)
    for name in dict.fromkeys((request.name, DEFAULT_NAME)):
        try:
            with _client(replace(plain, name=name)) as client:
                states = ", ".join(f"{each.version} ({each.state})" for each in client.status())
        except ClientError:
            continue
        labels = []
        for label in (STABLE, CANARY):
            with suppress(ClientError), _client(replace(plain, name=name, label=label)) as client:
                client.metadata()
                labels.append(label)
        found = f"labels {', '.join(labels)}" if labels else f"no label {STABLE} or {CANARY}"
        return f"It has the model {name!r} with the versions {states}, and {found}."
    return f"It has no model {DEFAULT_NAME!r} either: give its own with --name."


def _client(request: Request) -> Client:
    from serving.client import Client

    asked = (request.server, request.name, request.version, request.label)
    try:
        return Client(*asked, **request.access.read())
    except (ValueError, OSError) as error:
        raise ConfigError(str(error)) from error


def _imagenet(backbone: str) -> AbstractContextManager[Any]:
    from components.pretrained.published_network import ImageNet
    from pipeline.launch import environment

    environment.prepare()
    return nullcontext(ImageNet(backbone))


@contextmanager
def _writer(request: Request, folders: ByPicture) -> Iterator[Write]:
    if request.output is None:
        with STYLES[request.style](sys.stdout, request.top, folders) as write:
            yield write
        return
    try:
        with (
            request.output.open("w", encoding="utf-8", newline="") as file,
            STYLES[request.style](file, request.top, folders) as write,
        ):
            yield write
    except OSError as error:
        raise UserError(
            f"{shown(request.output)} can't be written: {error.strerror}. Name a file that can."
        ) from error


@contextmanager
def _progress(request: Request, total: int) -> Iterator[Callable[[], None]]:
    """A bar on a terminal, unless the predictions themselves go there."""
    if not sys.stderr.isatty() or (request.output is None and sys.stdout.isatty()):
        yield lambda: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TimeRemainingColumn

    columns = ("Classifying", BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("", total=total)
        yield lambda: bar.advance(task)


def _list(refused: list[PictureRefused], total: int, request: Request) -> None:
    """Names the skipped pictures, where the output does not show them or lies in a file."""
    if not refused or (request.output is None and request.style != "text"):
        return
    print(f"{len(refused)} of {total} pictures could not be classified", file=sys.stderr)
    for picture in refused if request.output else ():
        print(f"  {shown(picture.file)}: {shown(picture.reason)}", file=sys.stderr)
