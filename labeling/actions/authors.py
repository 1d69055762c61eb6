"""Who wrote an item, so that nobody judges their own text. Files name people by e-mail or by a crowd worker's id.

Whoever is not there yet stays in the item's metadata as `author`, and is found when they come into the project.
"""

from __future__ import annotations

from collections.abc import Collection

from django.db import connection

from labeling.models import CrowdEntry, Membership


def find_authors(project_id: int, names: Collection[str]) -> dict[str, int]:
    """The people of the project among `names`, by name. Two queries, none without names."""
    if not names:
        return {}
    members = Membership.objects.filter(project=project_id, user__email__in=names)
    workers = CrowdEntry.objects.filter(link__project=project_id, worker_id__in=names)
    found = dict(workers.values_list("worker_id", "user_id"))
    return found | dict(members.values_list("user__email", "user_id"))


def claim_authorship(*, project_id: int, user_id: int, name: str) -> int:
    """Note that the person who is `name` in files wrote what these say. Returns how many items; a look in an index.

    Runs in the transaction that brings the person in, which holds the project's row: an import that runs meanwhile has
    either stored its items by now, or will find the person.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE labeling_item SET author_id = %s, metadata = metadata - 'author'
            WHERE project_id = %s AND author_id IS NULL AND metadata ? 'author' AND metadata->>'author' = %s
            """,
            [user_id, project_id, name],
        )
        return int(cursor.rowcount)
