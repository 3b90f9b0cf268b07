"""Columns of the ledger that more than its writer names."""

from __future__ import annotations

CORRECTED_BY = "corrected_by"
"""The entry of `data.corrections` that names the picture."""

PLACE, OFFSET = "place", "offset"
"""Of an accepted picture: the file of its split that holds it, by its name alone, and the byte at
which its record begins."""
