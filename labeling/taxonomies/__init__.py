"""Lists of harms to choose from, as data: <key>.json with name, source, licence and categories, some with parts.

A category is stored by its words. A part stands below its domain: "Domain › Part".
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

BELOW = " › "
ORDER = ("short", "beavertails", "pku-saferlhf", "ailuminate", "siuo")


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """`categories` are in order, each domain followed by its parts."""

    key: str
    name: str
    source: str
    licence: str
    categories: list[str]


def _read(key: str) -> Taxonomy:
    data = json.loads((Path(__file__).parent / f"{key}.json").read_text(encoding="utf-8"))
    categories = [
        name
        for domain in data["categories"]
        for name in (domain["name"], *(f"{domain['name']}{BELOW}{part}" for part in domain.get("parts", [])))
    ]
    return Taxonomy(key, data["name"], data["source"], data["licence"], categories)


TAXONOMIES = {key: _read(key) for key in ORDER}


def domains(categories: Iterable[str]) -> dict[str, list[str]]:
    """The parts below each domain, by the domain's name, in order; a category without parts has none."""
    found: dict[str, list[str]] = {}
    for name in categories:
        domain, below, _ = name.partition(BELOW)
        parts = found.setdefault(domain, [])
        if below:
            parts.append(name)
    return found
