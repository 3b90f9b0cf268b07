"""The command `classify`: asks a server what pictures show, and goes on past broken ones."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from components.errors import UserError


def classify(images: list[Path], server: str, name: str, top: int, as_json: bool) -> bool:
    """Prints a line per picture; gives whether all of them were answered.

    Raises:
      UserError: the server or the model is absent.
    """
    from serving.client import Client, ClientError, PictureRefused
    from serving.quiet import quiet_import

    complete = True
    try:
        with quiet_import():
            client = Client(server, name=name)
        with client:
            for image, answer in zip(images, client.classify_each(images), strict=True):
                if isinstance(answer, PictureRefused):
                    complete = False
                    _print_error(image, answer.reason, as_json)
                else:
                    best = list(zip(answer.classes, answer.scores, strict=True))[:top]
                    _print_answer(image, best, as_json)
    except ClientError as error:
        raise UserError(str(error)) from error
    return complete


def _print_answer(image: Path, best: list[tuple[str, float]], as_json: bool) -> None:
    if as_json:
        classes, scores = [name for name, _ in best], [score for _, score in best]
        answer = {"file": str(image), "classes": classes, "scores": scores}
        print(json.dumps(answer, ensure_ascii=False), flush=True)
    else:
        print(f"{image}  " + "  ".join(f"{name} {score:.4f}" for name, score in best), flush=True)


def _print_error(image: Path, reason: str, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"file": str(image), "error": reason}, ensure_ascii=False), flush=True)
    else:
        print(f"{image}  error: {reason}", file=sys.stderr, flush=True)
