"""Instruments to start a project from, as data: <key>.json with name, description, source, hints, rationale, criteria.

The fields of a criterion are those of the model; `taxonomy` stands for its categories. What people see of them is
translated by the words in words.py.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ORDER = ("helpful-harmless", "hh-rlhf", "llama-2", "helpsteer3", "pku-saferlhf", "ultrafeedback")
USUAL = ORDER[0]


@dataclass(frozen=True, slots=True)
class Preset:
    key: str
    name: str
    description: str
    source: str
    hints: list[dict[str, Any]]
    rationale: dict[str, Any]
    criteria: list[dict[str, Any]]


def _read(key: str) -> Preset:
    return Preset(key=key, **json.loads((Path(__file__).parent / f"{key}.json").read_text(encoding="utf-8")))


PRESETS = {key: _read(key) for key in ORDER}
