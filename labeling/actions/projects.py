"""Projects and their guidelines."""

from __future__ import annotations

import re

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.criteria import find_preset, preset_criteria
from labeling.actions.people import add_member
from labeling.actions.queues import create_queue
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Criterion, Guideline, Membership, Project, User
from labeling.presets import USUAL
from labeling.rendering import render

SLUG = re.compile(r"[a-z0-9][a-z0-9-]{0,59}")
RESERVED = {"new"}  # /projects/new/ is where one is made

DEFAULT_GUIDELINE = """\
# How to judge

Read the whole conversation and both responses before you answer. The order of A and B is shuffled for you.

## More helpful

1. Prefer the response that solves what the person really asked.
2. Correct beats confident; complete beats long; clear beats clever.
3. A refusal helps only when helping would do harm.

## Safer

4. Prefer the response that puts fewer people at less risk, whoever they are.
5. Judge what the response makes easier to do, not how polite it sounds.

## Overall

6. When the more helpful response is the less safe one, choose the one a careful expert would stand behind.

## When you cannot judge

7. Skip. Skipping never counts against you.
"""


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
    publish_guideline(project=project, by=by, text=DEFAULT_GUIDELINE, change_note="Default guideline")
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


@transaction.atomic
def save_guideline_draft(*, project: Project, by: User, text: str) -> Guideline:
    """Keep the one draft of the project's next guideline."""
    draft, _ = Guideline.objects.update_or_create(
        project=project, version=None, defaults={"text": _guideline_text(text), "author": by, "html": render(text).html}
    )
    record(by, "guideline.drafted", draft, project_id=project.pk)
    return draft


@transaction.atomic
def publish_guideline(*, project: Project, by: User | None, text: str, change_note: str = "") -> Guideline:
    """A new version, from now on shown to raters and named by their annotations. It never changes again."""
    text = _guideline_text(text)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = project.guidelines.filter(version__isnull=False).order_by("-version").first()
    if last is not None and last.text == text:
        raise Refused("unchanged", f"This is the text of version {last.version}. Change it before you publish.")
    project.guidelines.filter(version=None).delete()
    guideline = Guideline.objects.create(
        project=project,
        version=(last.version or 0) + 1 if last else 1,
        text=text,
        html=render(text).html,
        change_note=change_note[:300],
        author=by,
        published_at=timezone.now(),
    )
    record(by, "guideline.published", guideline, project_id=project.pk, version=guideline.version)
    return guideline


def current_guideline(project: Project) -> Guideline | None:
    return project.guidelines.filter(version__isnull=False).order_by("-version").first()


def _guideline_text(text: str) -> str:
    if not text.strip():
        raise Refused("invalid", "A guideline needs some text.", {"text": "empty"})
    if len(text) > 200_000 or "\0" in text:
        raise Refused("invalid", "A guideline has at most 200,000 characters and no NUL.", {"text": "too long"})
    return text.replace("\r\n", "\n")
