"""The command `evaluate`: a pushed model on labelled pictures that training never saw."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from components.artifacts.rate_interval import wilson
from components.errors import MOST_LINES, ConfigError, UserError
from components.evaluator.paired import Pairs
from components.image_example_gen import sources
from components.settings.data import Data
from pipeline.commands.evaluate_answer import Answer
from serving import versions
from serving.access import OPEN, Access
from serving.names import shown, some

_BATCH = 16


@dataclasses.dataclass(frozen=True, kw_only=True)
class Request:
    """The options of `evaluate`."""

    data: str
    model_dir: Path | None = None
    version: int | None = None
    server: str | None = None
    name: str = "classifier"
    access: Access = OPEN
    """How the server is reached."""
    against: int | None = None
    page: Path | None = None
    as_json: bool = False


Asked = Callable[[Sequence[sources.SourceFile]], "Iterator[Answer | str]"]
"""Yields each picture's answer, or why it has none."""


def evaluate(request: Request) -> None:
    """Prints accuracy, recalls, confusion and the worst mistakes; writes the page if asked for.

    Raises:
      UserError: no picture can be classified, or the model can't be asked.
      ConfigError: options that exclude each other, or no such version.
    """
    if (request.model_dir is None) == (request.server is None):
        raise ConfigError("Name the model: either --model-dir DIR or --server HOST:PORT.")
    if request.page and request.page.exists():
        raise ConfigError(f"{shown(request.page)} is there already; name another file with --page.")
    files = sources.scan(Data(source=request.data)).files
    answers = list(_asked(request, request.version)(files))
    found = summary(files, answers)
    found |= {"model": _model_name(request, request.version), "against": None}
    if request.against is not None:
        others = list(_asked(request, request.against)(files))
        found["against"] = {"version": request.against, **paired(files, answers, others)}
    if request.page:
        from pipeline.commands.evaluate_page import page

        request.page.write_text(page(found), "utf-8")
        found["page"] = str(request.page.absolute())
    if request.as_json:
        print(json.dumps(found, ensure_ascii=False))
        return
    for line in lines(found):
        print(shown(line))


def summary(files: Sequence[sources.SourceFile], answers: Sequence[Answer | str]) -> dict[str, Any]:
    """Returns what `evaluate --json` prints of one model.

    Raises:
      UserError: no picture has an answer.
    """
    refused = [
        {"file": file.name, "reason": answer}
        for file, answer in zip(files, answers, strict=True)
        if isinstance(answer, str)
    ]
    pairs = [
        (file, answer)
        for file, answer in zip(files, answers, strict=True)
        if isinstance(answer, Answer)
    ]
    if not pairs:
        raise UserError(
            f"No picture of {len(refused)} could be classified; the first, "
            f"{shown(refused[0]['file'])}: {refused[0]['reason']}. At least one is needed: mend "
            "the files, or name another folder."
        )
    confusion: dict[str, dict[str, int]] = {}
    for file, answer in pairs:
        row = confusion.setdefault(file.label, {})
        row[answer.predicted] = row.get(answer.predicted, 0) + 1
    right = sum(row.get(label, 0) for label, row in confusion.items())
    mistakes = [
        {"file": file.path, "truth": file.label, "prediction": a.predicted, "score": a.score}
        for file, a in pairs
        if a.predicted != file.label
    ]
    return {
        "pictures": len(pairs),
        "accuracy": right / len(pairs),
        "accuracy_interval": list(wilson(right, len(pairs))),
        "class_recall": {
            label: {
                "recall": row.get(label, 0) / sum(row.values()),
                "interval": list(wilson(row.get(label, 0), sum(row.values()))),
                "pictures": sum(row.values()),
            }
            for label, row in sorted(confusion.items())
        },
        "confusion": dict(sorted(confusion.items())),
        "mistakes": sorted(mistakes, key=lambda row: -float(str(row["score"]))),
        "refused": refused,
    }


def paired(
    files: Sequence[sources.SourceFile],
    answers: Sequence[Answer | str],
    others: Sequence[Answer | str],
) -> dict[str, Any]:
    """Returns the exact McNemar test of two models on the pictures that both classified."""
    both = [
        (one.predicted == file.label, other.predicted == file.label)
        for file, one, other in zip(files, answers, others, strict=True)
        if isinstance(one, Answer) and isinstance(other, Answer)
    ]
    if not both:
        raise UserError("No picture was classified by both models.")
    gained = sum(one and not other for one, other in both)
    lost = sum(other and not one for one, other in both)
    pairs = Pairs(len(both), gained, lost)
    return {
        "accuracy": sum(other for _, other in both) / len(both),
        "gained": gained,
        "lost": lost,
        "difference": pairs.difference,
        "p_value": pairs.p_value,
    }


def lines(found: dict[str, Any]) -> Iterator[str]:
    """Yields what people read."""
    low, high = found["accuracy_interval"]
    yield f"{found['model']} on {found['pictures']} pictures"
    yield f"Accuracy  {found['accuracy']:.4f}  (95 %: {low:.4f} to {high:.4f})"
    predicted = {name for row in found["confusion"].values() for name in row}
    if predicted.isdisjoint(found["confusion"]):
        yield (
            f"None of the pictures' classes ({some(sorted(found['confusion']))}) was ever "
            f"predicted, but {some(sorted(predicted))}: maybe the model knows other classes."
        )
    recalls = sorted(found["class_recall"].items(), key=lambda item: float(item[1]["recall"]))
    for label, row in recalls[:MOST_LINES]:
        low, high = row["interval"]
        yield (
            f"Recall    {row['recall']:.4f}  ({low:.4f} to {high:.4f}, "
            f"{row['pictures']} pictures)  {label}"
        )
    if (more := len(recalls) - MOST_LINES) > 0:
        yield f"{more} more classes with a higher recall; --json lists all."
    for row in found["mistakes"][:MOST_LINES]:
        yield f"Mistake   {row['prediction']} {row['score']:.4f}, is {row['truth']}  {row['file']}"
    for row in found["refused"][:MOST_LINES]:
        yield f"Not read  {row['file']}: {row['reason']}"
    if against := found["against"]:
        yield (
            f"Version {against['version']}: accuracy {against['accuracy']:.4f}; this one gains "
            f"{against['gained']} pictures and loses {against['lost']}: "
            f"{against['difference']:+.4f}, p = {against['p_value']:.3f} (exact McNemar test)"
        )
    if "page" in found:
        yield f"Page      {found['page']}"


def _model_name(request: Request, version: int | None) -> str:
    if request.server:
        return f"{request.name} at {request.server}"
    assert request.model_dir is not None
    return f"version {_version_folder(request.model_dir, version).name} of {request.model_dir}"


def _version_folder(model_dir: Path, number: int | None) -> Path:
    versions.check_is_push_directory(model_dir)
    if number is None:
        if (served := versions.served(model_dir)) is None:
            raise ConfigError(f"{model_dir} serves no version. Name one with --version N.")
        return served
    versions.check_has(model_dir, number)
    return next(each.path for each in versions.published(model_dir) if each.number == number)


def _asked(request: Request, version: int | None) -> Asked:
    if request.server is not None:
        return lambda files: _by_server(request, version, files)
    assert request.model_dir is not None
    folder = _version_folder(request.model_dir, version)
    return lambda files: _by_session(folder, files)


def _by_server(
    request: Request, version: int | None, files: Sequence[sources.SourceFile]
) -> Iterator[Answer | str]:
    from serving.client import Client, ClientError, PictureRefused

    assert request.server is not None
    try:
        client = Client(request.server, request.name, version, **request.access.read())
    except (ValueError, OSError) as error:
        raise ConfigError(f"{error}.") from error
    try:
        with client:
            for answer in client.classify_each(map(_Opened, files)):
                if isinstance(answer, PictureRefused):
                    yield answer.reason
                else:
                    yield Answer(answer.classes[0], answer.scores[0])
    except ClientError as error:
        raise UserError(str(error)) from error


@dataclasses.dataclass(frozen=True)
class _Opened:
    """A picture's file that the client reads: one that it can't read is a refused picture."""

    file: sources.SourceFile

    def read(self) -> bytes:
        return sources.content(self.file)


def _by_session(folder: Path, files: Sequence[sources.SourceFile]) -> Iterator[Answer | str]:
    """Asks a SavedModel as TensorFlow Serving would, picture by picture made canonical."""
    from serving.quiet_imports import quiet_import

    with quiet_import():
        from serving.saved_model_session import SavedModelSession

        session = SavedModelSession(folder)
    with session as loaded:
        from pipeline.commands.evaluate_batches import answers

        yield from answers(loaded, files, _BATCH)
