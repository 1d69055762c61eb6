"""What a snapshot is called from outside: `project/name`, and `v1`, `v2`, … of it, or its commit.

The name is that of the export as far as a hub's names allow it. Two names that come to the same are told apart by a
number, the older one first.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha1

from django.db.models import QuerySet
from django.utils.text import slugify

from exports.models import Export, ExportFile

NEWEST = "main"
LONGEST_NAME = 90


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A finished export under its name; `number` counts those of the same name in one project."""

    export: Export
    repository: str
    number: int

    @property
    def version(self) -> str:
        return f"v{self.number}"


def snapshots(exports: QuerySet[Export]) -> list[Snapshot]:
    """The finished ones among the exports of one project, oldest first. One query."""
    names: dict[str, str] = {}
    counts: dict[str, int] = {}
    found = []
    for export in exports.filter(state=Export.State.DONE).order_by("pk").defer("manifest"):
        repository = names.get(export.name) or _fresh(export.name, set(names.values()))
        names[export.name] = repository
        counts[repository] = counts.get(repository, 0) + 1
        found.append(Snapshot(export, repository, counts[repository]))
    return found


def snapshot_of(export: Export) -> Snapshot | None:
    """A finished export under its name; None while it is not finished."""
    found = snapshots(Export.objects.filter(project=export.project_id))
    return next((one for one in found if one.export.pk == export.pk), None)


def commit_of(files: list[ExportFile]) -> str:
    """What stands for a git commit: forty hex digits of the content, the same wherever and whenever it was made."""
    known = "\n".join(sorted(f"{file.sha256} {file.path}" for file in files))
    return sha1(known.encode(), usedforsecurity=False).hexdigest()


def _fresh(name: str, taken: set[str]) -> str:
    plain = slugify(name)[:LONGEST_NAME].strip("-_") or "export"
    number, found = 1, plain
    while found in taken:
        number += 1
        found = f"{plain}-{number}"
    return found
