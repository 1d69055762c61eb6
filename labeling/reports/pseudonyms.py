"""Raters without their names: the same in every report and export of one project, and unlike in any other."""

from __future__ import annotations

import hmac
from base64 import b32encode

from django.db.models import Exists, OuterRef

from labeling.models import Assignment, Project, User

LENGTH = 16


def pseudonym(project: Project, user_id: int) -> str:
    """HMAC-SHA-256 of the user's id under the project's key: 16 characters of base32 in lower case (80 bits)."""
    mac = hmac.digest(bytes(project.pseudonym_key), str(user_id).encode(), "sha256")
    return b32encode(mac)[:LENGTH].decode().lower()


def people_by_pseudonym(project: Project) -> dict[str, User]:
    """Everybody who judged here, for pages of managers, who may know. One query: a probe of an index a person."""
    done = [Assignment.State.SUBMITTED, Assignment.State.SKIPPED]  # as the index has them
    work = Assignment.objects.filter(rater=OuterRef("pk"), project=project, state__in=done)
    people = User.objects.filter(Exists(work)).only("pk", "name", "email", "is_external")
    return {pseudonym(project, person.pk): person for person in people}
