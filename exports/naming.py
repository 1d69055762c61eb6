"""What a snapshot is called from outside: `project/name`, and `v1`, `v2`, … of it, or its commit.

The name is that of the export as far as a hub's names allow it. Two names that come to the same are told apart by a
number, the older one first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from django.db.models import QuerySet
from django.utils.text import slugify

from exports.models import Export

NEWEST = "main"
LONGEST_NAME = 90
DIGITS_OF_A_COMMIT = 40


@dataclass(frozen=True, slots=True)
class Snapshot:
    """An export whose files can be fetched, under its name."""

    export: Export
    repository: str

    @property
    def version(self) -> str:
        return self.export.version

    @property
    def commit(self) -> str:
        """What stands for a git commit: forty hex digits of the content, the same wherever and whenever it was made."""
        known = self.export.content_hash or _hash(self.export)
        return known[:DIGITS_OF_A_COMMIT]


def snapshots(exports: QuerySet[Export]) -> list[Snapshot]:
    """Those among the exports of one project whose files can be fetched, oldest first. Two queries."""
    names: dict[str, str] = {}
    numbered = exports.filter(number__isnull=False).order_by("pk")
    for name in numbered.values_list("name", flat=True):
        if name not in names:
            names[name] = _fresh(name, set(names.values()))
    fetchable = numbered.fetchable().defer("manifest")  # type: ignore[attr-defined]
    return [Snapshot(export, names[export.name]) for export in fetchable]


def snapshot_of(export: Export) -> Snapshot | None:
    """An export under its name; None while it is not finished, or when its files are closed."""
    found = snapshots(Export.objects.filter(project=export.project_id))
    return next((one for one in found if one.export.pk == export.pk), None)


def _hash(export: Export) -> str:
    """Of an export from before it was stored."""
    known = sorted(export.files.values_list("path", "sha256"))
    return sha256("\n".join(f"{digest} {path}" for path, digest in known).encode()).hexdigest()


def _fresh(name: str, taken: set[str]) -> str:
    plain = slugify(name)[:LONGEST_NAME].strip("-_") or "export"
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}-{number}"
    return found
