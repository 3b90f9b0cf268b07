"""The mistakes that the model was surest of, as pictures."""

from __future__ import annotations

import base64
import io
from typing import Any

from PIL import Image

from components.report.run import Run, Section

_SIDE = 320  # pixels: sharp on a phone, some 15 kB


def _values(run: Run) -> dict[str, Any]:
    wrong = len(run.answers) - int(run.confusion.trace())
    cards = [
        {
            "file": mistake.file,
            "label": run.classes[mistake.label],
            "label_score": mistake.label_score,
            "predicted": run.classes[mistake.predicted],
            "score": mistake.score,
            "image": thumbnail(run.pictures[mistake.file]),
        }
        for mistake in run.mistakes
    ]
    return {"wrong": wrong, "pictures": len(run.answers), "cards": cards}


def thumbnail(encoded: bytes) -> str:
    """Gives an encoded picture, made small, as the `data:` address of a JPEG."""
    picture = Image.open(io.BytesIO(encoded)).convert("RGB")
    picture.thumbnail((_SIDE, _SIDE))
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(file.getvalue()).decode()}"


SECTION = Section("mistakes", "Worst mistakes", _values)
