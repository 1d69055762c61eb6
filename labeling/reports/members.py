"""Who is in a project, and who holds what just now."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Count, QuerySet, Value, When

from labeling.models import Assignment, Membership, Project, Queue

ROLES = (Membership.Role.MANAGER, Membership.Role.RESEARCHER, Membership.Role.ADJUDICATOR, Membership.Role.RATER)
MOST_HOLDS = 200


@dataclass(frozen=True, slots=True)
class Member:
    membership: Membership
    judged: int


def members_of(project: Project) -> QuerySet[Membership]:
    """Memberships with their people: managers first, raters last, by name."""
    place = Case(*[When(role=role, then=Value(place)) for place, role in enumerate(ROLES)])
    memberships = project.memberships.select_related("user").alias(place=place)
    return memberships.order_by("place", "user__name", "user__email")


def with_judged(project: Project, memberships: Iterable[Membership]) -> list[Member]:
    """Each with the number of pairs that the person has judged in the project. One query."""
    memberships = list(memberships)
    judged = (
        Assignment.objects.filter(project=project, state=Assignment.State.SUBMITTED)
        .filter(rater__in=[one.user_id for one in memberships])
        .values_list("rater")
        .annotate(n=Count("id"))
    )
    counts = dict(judged)
    return [Member(one, counts.get(one.user_id, 0)) for one in memberships]


def holds_now(queue: Queue) -> list[Assignment]:
    """Open assignments with their raters, those that end first on top; at most MOST_HOLDS. One query."""
    open_now = Assignment.objects.filter(queue=queue, state=Assignment.State.OPEN).select_related("rater")
    return list(open_now.order_by("lease_until")[:MOST_HOLDS])
