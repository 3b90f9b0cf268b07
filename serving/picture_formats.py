"""Which picture formats this installation reads, and by what the others are known."""

from __future__ import annotations

import functools
import importlib
import importlib.util

from PIL import features

_PLAIN = ("JPEG", "PNG", "GIF", "BMP", "WEBP", "TIFF")  # none that runs a program (EPS does)
_PLAIN_SUFFIXES = frozenset(
    {".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".gif", ".bmp", ".dib", ".webp", ".tif", ".tiff"}
)
_JPEG_2000 = frozenset({".jp2", ".j2k", ".jpf", ".jpx", ".j2c"})
_AVIF, _HEIF = frozenset({".avif"}), frozenset({".heic", ".heif", ".hif"})
_HOW_HEIF = "read with the extra `heif` (pip install 'transfer-pipeline[heif]')"
_HOW_AVIF = "read with Pillow 11.3 or newer"


def _has_heif() -> bool:
    return importlib.util.find_spec("pi_heif") is not None


def _suffixes() -> frozenset[str]:
    found = _PLAIN_SUFFIXES
    found |= _AVIF if "avif" in features.modules and features.check("avif") else frozenset()
    found |= _JPEG_2000 if features.check("jpg_2000") else frozenset()
    return found | (_HEIF if _has_heif() else frozenset())


SUFFIXES = _suffixes()
"""Suffixes (lower case, with the dot) of the files that ingest and the client take for pictures."""

_OTHERS = {
    **dict.fromkeys(_HEIF, f"HEIC: {_HOW_HEIF}"),
    **dict.fromkeys(_AVIF, f"AVIF: {_HOW_AVIF}"),
    **dict.fromkeys(_JPEG_2000, "JPEG 2000: read where Pillow has OpenJPEG"),
    ".jxl": "JPEG XL",
    ".jxr": "JPEG XR",
    ".wdp": "JPEG XR",
    ".psd": "Photoshop",
    ".svg": "SVG, a drawing",
    ".eps": "EPS, a drawing",
    ".dcm": "DICOM",
    ".exr": "OpenEXR",
    ".hdr": "Radiance HDR",
    ".tga": "TGA",
    ".ico": "icons",
    **dict.fromkeys((".ppm", ".pgm", ".pbm", ".pnm"), "Netpbm"),
    **dict.fromkeys((".dng", ".cr2", ".cr3", ".nef", ".arw", ".raf", ".orf", ".rw2"), "camera raw"),
}
UNREAD = {suffix: kind for suffix, kind in _OTHERS.items() if suffix not in SUFFIXES}
"""Of pictures that this installation does not read: their suffix, and what they are."""


@functools.cache
def readable() -> tuple[str, ...]:
    """Returns Pillow's names of the formats that are read; loads the plugin for HEIC."""
    found = list(_PLAIN)
    if ".avif" in SUFFIXES:
        found.append("AVIF")
    if ".jp2" in SUFFIXES:
        found.append("JPEG2000")
    if _has_heif():
        importlib.import_module("pi_heif").register_heif_opener()  # brings no types
        found.append("HEIF")
    return tuple(found)


_HEIF_BRANDS = (b"heic", b"heix", b"hevc", b"heim", b"heis", b"mif1", b"msf1")
_BEGINNINGS = {
    b"\xff\x0a": "JPEG XL",
    b"\0\0\0\x0cJXL \r\n\x87\n": "JPEG XL",
    b"\0\0\0\x0cjP  \r\n\x87\n": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"8BPS": "Photoshop",
    b"%PDF": "PDF",
    b"%!PS": "PostScript",
    b"<svg": "SVG",
    b"<?xml": "XML or SVG",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"RIFF": "RIFF",
    b"PK\x03\x04": "a ZIP archive",
    b"version https://git-lfs": "a Git LFS pointer: run `git lfs pull`",
}


def kind_of(data: bytes) -> str | None:
    """Returns what a file is by its first bytes, where it is none that is read; None: not known."""
    if data[4:8] == b"ftyp":
        brand = data[8:12]
        if brand.startswith(b"avi"):
            return "AVIF" if ".avif" in SUFFIXES else f"AVIF, {_HOW_AVIF}"
        if brand in _HEIF_BRANDS:
            return "HEIC" if ".heic" in SUFFIXES else f"HEIC, {_HOW_HEIF}"
        return "a video"
    return next((kind for start, kind in _BEGINNINGS.items() if data.startswith(start)), None)
