"""JSON as TensorFlow Serving writes it: rapidjson's PrettyWriter, floats of at most nine digits.

The functions join what is written already; a level is the number of brackets around it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import numpy as np

_INDENT = "    "
_ESCAPES = {
    **{code: f"\\u{code:04X}" for code in range(32)},
    **{ord(letter): f"\\{name}" for letter, name in zip('"\\\b\f\n\r\t', '"\\bfnrt', strict=True)},
}
_MAX_FLOAT = float(np.finfo(np.float32).max)


def string(text: str) -> str:
    """Writes a string; bytes that are no UTF-8 are in it as `surrogateescape` has them."""
    return f'"{text.translate(_ESCAPES)}"'


def decimal(value: float, dtype: type[np.floating] = np.float64) -> str:
    """Writes a number that is no integer: six digits, all of the dtype's if they are not enough."""
    if not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' if value < 0 else ''}Infinity"
    value = float(dtype(value))
    text = f"{value:g}"
    if float(dtype(text)) != value:
        text = f"{value:.9g}" if dtype is np.float32 else f"{value:.17g}"
    return text if "." in text or "e" in text else f"{text}.0"


def array(items: Iterable[str], level: int) -> str:
    """Writes an array of one item per line."""
    lines = [f"\n{_INDENT * (level + 1)}{item}" for item in items]
    return f"[{','.join(lines)}\n{_INDENT * level}]" if lines else "[]"


def line(items: Iterable[str]) -> str:
    """Writes an array in one line (kFormatSingleLineArray)."""
    return f"[{', '.join(items)}]"


def opened_line(items: list[str], level: int) -> str:
    """Writes an array in one line but for its closing bracket: the option was taken back there."""
    return f"[{', '.join(items)}\n{_INDENT * level}]" if items else "[]"


def mapping(members: Mapping[str, str], level: int) -> str:
    """Writes an object of one member per line."""
    lines = [f"\n{_INDENT * (level + 1)}{string(key)}: {text}" for key, text in members.items()]
    return f"{{{','.join(lines)}\n{_INDENT * level}}}" if lines else "{}"


def value(found: Any) -> str:
    """Writes a value of a request for a message about it."""
    if not isinstance(found, float):
        return _pretty(found, 0)
    return decimal(found, np.float32 if abs(found) <= _MAX_FLOAT else np.float64)


def kind(found: Any) -> str:
    """Returns the JSON type of a value as rapidjson names it."""
    if isinstance(found, bool) or found is None:
        return {True: "True", False: "False", None: "Null"}[found]
    names: dict[type, str] = {dict: "Object", list: "Array", str: "String"}
    return names.get(type(found), "Number")


def _pretty(found: Any, level: int) -> str:
    match found:
        case dict():
            members = {key: _pretty(member, level + 1) for key, member in found.items()}
            return mapping(members, level)
        case list():
            return array([_pretty(item, level + 1) for item in found], level)
        case str():
            return string(found)
        case float():
            return _shortest(found) if math.isfinite(found) else decimal(found)
        case bool() | None:
            return {True: "true", False: "false", None: "null"}[found]
    return str(found)


def _shortest(found: float) -> str:
    """The fewest digits that read back as the number (rapidjson's dtoa.h, Prettify)."""
    sign, places, exponent = Decimal(repr(found)).normalize().as_tuple()
    digits = "".join(map(str, places))
    point = len(digits) + int(exponent)  # digits before it
    if len(digits) <= point <= 21:
        text = f"{digits.ljust(point, '0')}.0"
    elif 0 < point <= 21:
        text = f"{digits[:point]}.{digits[point:]}"
    elif -6 < point <= 0:
        text = f"0.{'0' * -point}{digits}"
    else:
        fraction = f".{digits[1:]}" if digits[1:] else ""
        text = f"{digits[0]}{fraction}e{point - 1}"
    return f"{'-' * sign}{text}"
