"""The export formats. To add one: a module with a `FORMAT`, an example, a line here and a golden test."""

from __future__ import annotations

from exports.formats import preference, reward
from exports.formats.columns import Format

FORMATS: dict[str, Format] = {each.name: each for each in (preference.FORMAT, reward.FORMAT)}

__all__ = ["FORMATS", "Format"]
