"""What a withdrawal does to snapshots that were made before: they are marked, closed if it says so, and made again.

Nothing published changes. The successor reads the judgments of the older one, but for what was withdrawn. Every
snapshot keeps the number of the last withdrawal that was settled for it, so this can run at any time, and twice. One
that was lifted before that does nothing; what it did stays, and the next snapshot holds the judgments again.
"""

from __future__ import annotations

from contextlib import suppress

from django.db import connection, transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from exports.actions import request_export
from exports.formats import FORMATS
from exports.models import Export
from exports.recipes import read_recipe
from exports.rows import Reader
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Project, Withdrawal


def settle_withdrawals() -> list[Export]:
    """Work in every withdrawal that some snapshot has not heard of; the successors, which wait to be built."""
    later = Withdrawal.objects.filter(project=OuterRef("project"), pk__gt=OuterRef("withdrawals_seen"))
    behind = Export.objects.filter(Exists(later), state=Export.State.DONE)
    projects = behind.order_by("project").values_list("project", flat=True).distinct()
    return [made for project_id in projects for made in _settle(project_id)]


@transaction.atomic
def _settle(project_id: int) -> list[Export]:
    project = Project.objects.select_for_update(no_key=True).get(pk=project_id)
    withdrawals = list(project.withdrawals.order_by("pk"))
    done = project.exports.filter(state=Export.State.DONE, withdrawals_seen__lt=withdrawals[-1].pk)
    touched = []
    for export in done.select_for_update(of=("self",)).order_by("-pk"):
        hits = [w for w in withdrawals if w.lifted_at is None and w.pk > export.withdrawals_seen and _holds(export, w)]
        export.withdrawals_seen = withdrawals[-1].pk
        if hits:
            touched.append(export)
            _mark(export, hits)
        export.save(update_fields=["withdrawals_seen", "superseded_at", "superseded_why", "closed_at"])
    return _successors(project, touched)


def _mark(export: Export, hits: list[Withdrawal]) -> None:
    export.superseded_at = export.superseded_at or timezone.now()
    export.superseded_why = export.superseded_why or hits[0].why
    if any(withdrawal.closes for withdrawal in hits):
        export.closed_at = export.closed_at or timezone.now()
    record(
        None, "export.superseded", export, project_id=export.project_id, why=export.superseded_why,
        closed=export.closed_at is not None, withdrawals=[withdrawal.pk for withdrawal in hits],
    )  # fmt: skip


def _holds(export: Export, withdrawal: Withdrawal) -> bool:
    """Whether something that was withdrawn counts in the snapshot."""
    if withdrawal.rater_id is not None:
        return withdrawal.rater_id in export.raters
    recipe = read_recipe(export.recipe)
    needs = FORMATS[recipe.format].needs
    reader = Reader(export.project, recipe, export.judgments_as_of, connection, needs, export.withdrawals)
    return reader.has(withdrawal.item_id or 0)


def _successors(project: Project, touched: list[Export]) -> list[Export]:
    """One for the newest of each name and recipe; the older ones of the same point to it too. `touched`: newest first.

    A recipe that does not fit the project any more has none: the snapshot is marked, and nothing takes its place.
    """
    made: dict[str, Export] = {}
    for export in touched:
        if export.superseded_by_id is not None:
            continue
        key = repr((export.name, export.since_id, sorted(export.recipe.items(), key=repr)))
        if key not in made:
            with suppress(Refused):
                made[key] = request_export(
                    project=project, by=None, recipe=export.recipe, name=export.name, as_of=export,
                    since=export.since,
                )  # fmt: skip
        if key in made:
            Export.objects.filter(pk=export.pk).update(superseded_by=made[key])
    return list(made.values())


def successor_of(export: Export) -> Export | None:
    """The last of the chain that takes the place of a superseded snapshot, done or still waiting."""
    found = export
    while found.superseded_by is not None:
        found = found.superseded_by
    return None if found == export else found
