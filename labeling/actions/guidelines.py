"""The guideline of a project: drafted, published for good, and read by its raters."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Acknowledgement, Guideline, Project, User
from labeling.rendering import render
from labeling.rendering.outline import outline
from labeling.reports.guidelines import principles_of

LONGEST = 200_000
DEFAULT = Path(__file__).resolve().parent.parent / "presets" / "guideline.md"


@transaction.atomic
def save_guideline_draft(*, project: Project, by: User, text: str) -> Guideline:
    """Keep the one draft of the project's next guideline."""
    draft, _made = Guideline.objects.update_or_create(
        project=project, version=None, defaults={"author": by, **_written(text)}
    )
    record(by, "guideline.drafted", draft, project_id=project.pk)
    return draft


@transaction.atomic
def publish_guideline(*, project: Project, by: User | None, text: str, change_note: str = "") -> Guideline:
    """A new version, from now on shown to raters and named by their annotations. It never changes again.

    Who holds a pair finishes it under the version it was given out with.
    """
    written = _written(text)
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    last = current_guideline(project)
    if last is not None and last.text == written["text"]:
        raise Refused(
            "unchanged",
            _("This is the text of version %(version)s. Change it before you publish.") % {"version": last.version},
        )
    project.guidelines.filter(version=None).delete()
    guideline = Guideline.objects.create(
        project=project,
        version=(last.version or 0) + 1 if last else 1,
        change_note=change_note[:300],
        author=by,
        published_at=timezone.now(),
        **written,
    )
    record(by, "guideline.published", guideline, project_id=project.pk, version=guideline.version)
    return guideline


def publish_default(*, project: Project, by: User | None) -> Guideline:
    """The guideline that a new project starts with."""
    text = DEFAULT.read_text(encoding="utf-8")
    return publish_guideline(project=project, by=by, text=text, change_note=_("Default guideline"))


@transaction.atomic
def acknowledge(*, guideline: Guideline, user: User) -> Acknowledgement:
    """The user has read this published version. Saying so again changes nothing."""
    if guideline.version is None:
        raise Refused("invalid", _("This is a draft: there is nothing to acknowledge yet."))
    read, made = Acknowledgement.objects.get_or_create(guideline=guideline, user=user)
    if made:
        record(user, "guideline.read", guideline, project_id=guideline.project_id, version=guideline.version)
    return read


def cited_principle(guideline: Guideline | None, body: Any) -> int | None:
    """The principle that a body says decided, among those of the version that it was judged under; or None.

    Raises Refused("invalid") with what there is to cite.
    """
    number = body.get("principle") if isinstance(body, dict) else None
    if number is None:
        return None
    known = [one.number for one in principles_of(guideline)]
    if isinstance(number, int) and not isinstance(number, bool) and number in known:
        return number
    version = guideline.version if guideline else None
    if not known:
        wrong = _("The guideline that this pair is judged under has no numbered principles.")
    else:
        numbers = {"version": version, "numbers": ", ".join(map(str, known))}
        wrong = _("Not a principle of version %(version)s of the guideline, which has: %(numbers)s.") % numbers
    raise Refused("invalid", _("Some answers are not understood."), {"principle": wrong})


def current_guideline(project: Project) -> Guideline | None:
    return project.guidelines.filter(version__isnull=False).order_by("-version").first()


def _written(text: str) -> dict[str, Any]:
    """The fields that follow from the text: itself, its HTML with anchors, its principles."""
    if not text.strip():
        raise Refused("invalid", _("A guideline needs some text."), {"text": "empty"})
    if len(text) > LONGEST or "\0" in text:
        raise Refused("invalid", _("A guideline has at most 200,000 characters and no NUL."), {"text": "too long"})
    text = text.replace("\r\n", "\n")
    found = outline(render(text).html)
    return {"text": text, "html": found.html, "principles": found.stored()}
