"""Projects: made from a preset, found, changed."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.actions.criteria import find_preset, preset_criteria
from labeling.actions.guidelines import publish_default
from labeling.actions.people import add_member
from labeling.actions.queues import create_queue
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Criterion, Membership, Project, User
from labeling.presets import USUAL

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
RESERVED = {"new"}  # /projects/new/ is where one is made


@transaction.atomic
def create_project(*, slug: str, name: str, by: User | None, description: str = "", preset: str = USUAL) -> Project:
    """A project with a preset's questions, a published guideline and one queue that takes every pair, overlap 3.

    Its maker, if there is one, becomes its manager and researcher.
    """
    if not SLUG.fullmatch(slug) or slug in RESERVED:
        raise Refused(
            "invalid", _("A short name has small letters, digits and hyphens, at most 60."), {"slug": "not a slug"}
        )
    if Project.objects.filter(slug=slug).exists():
        said = _("There is already a project “%(slug)s”. Choose another short name.")
        raise Refused("slug_taken", said % {"slug": slug}, {"slug": "taken"})
    if not name.strip():
        raise Refused("invalid", _("A project needs a name."), {"name": "empty"})
    start = find_preset(preset)
    project = Project.objects.create(
        slug=slug, name=name.strip()[:120], description=description, created_by=by,
        preset=start.key, hints=start.hints, rationale=start.rationale,
    )  # fmt: skip
    criteria = preset_criteria(start)
    for criterion in criteria:
        criterion.project = project
    Criterion.objects.bulk_create(criteria)
    record(by, "project.created", project, project_id=project.pk, slug=slug, preset=start.key)
    publish_default(project=project, by=by)
    create_queue(project=project, by=by, name=_("Every pair"))
    if by is not None:
        for role in (Membership.Role.MANAGER, Membership.Role.RESEARCHER):
            add_member(project=project, user=by, role=role, by=by)
    return project


def find_project(*, slug: str) -> Project:
    """The project with this slug, for the operator's commands; raises Refused."""
    found = Project.objects.filter(slug=slug).first()
    if found is None:
        known = ", ".join(Project.objects.order_by("slug").values_list("slug", flat=True)[:20]) or "none yet"
        said = _("There is no project “%(slug)s”. Projects: %(known)s.") % {"slug": slug, "known": known}
        raise Refused("no_such_project", said, {"project": "unknown"})
    return found


@transaction.atomic
def change_project(*, project: Project, by: User, **changes: str | int) -> Project:
    """Change name, description or the time in which answers may be revised."""
    unknown = changes.keys() - {"name", "description", "revise_minutes"}
    if unknown:
        raise Refused("unchangeable", _("These stay as they are."), dict.fromkeys(unknown, "fixed"))
    before = {name: getattr(project, name) for name in changes}
    for name, value in changes.items():
        setattr(project, name, value)
    project.save(update_fields=list(changes))
    record(by, "project.changed", project, project_id=project.pk, before=before, after=changes)
    return project
