"""What was done in a project lately, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from django.contrib.humanize.templatetags.humanize import intcomma
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from labeling.models import AuditEntry, Membership, Project, User

READ, SHOWN = 300, 10
# What raters do for their own sake: skipping, breaks and what they choose to see are not told beside their names.
PRIVATE = frozenset({
    "assignment.skipped", "assignment.released", "assignment.opened", "topics.chosen", "break.taken", "break.declined",
})  # fmt: skip
# A line each time would push out everything else; the page of the export counts them.
COUNTED = frozenset({"link.used"})


@dataclass(frozen=True, slots=True)
class Line:
    """`who` is empty where the clock did it and the text is a sentence of its own."""

    at: datetime
    who: str
    text: str


def recent_lines(project: Project) -> list[Line]:
    """The newest acts; raters' work of the same kind in a row is one line. Two queries, whatever the history."""
    told = AuditEntry.objects.filter(project_id=project.pk).exclude(act__in=PRIVATE | COUNTED)
    entries = list(told.order_by("-id")[:READ])
    named = {pk for entry in entries for pk in (entry.actor_id, entry.data.get("user")) if pk is not None}
    people = {user.pk: user.display_name for user in User.objects.filter(pk__in=named)}
    lines = []
    for _same_act, run in groupby(entries, key=_run):
        same = list(run)
        lines.append(Line(same[0].at, *sentence(same, people)))
        if len(lines) == SHOWN:
            break
    return lines


def sentence(run: list[AuditEntry], people: dict[int, str]) -> tuple[str, str]:
    """Who did it, and what, of entries of the same act; `people` are names by the users' ids."""
    return _who(run, people), _text(run, people)


def _run(entry: AuditEntry) -> str:
    """Judging and its like run together; what a manager does stands alone."""
    return entry.act if entry.act.startswith(("annotation.", "assignment.")) else f"{entry.act} {entry.pk}"


def _who(run: list[AuditEntry], people: dict[int, str]) -> str:
    actors = {entry.actor_id for entry in run if entry.actor_id}
    if not actors and run[0].act not in _OF_THE_CLOCK:
        return _("The operator")
    if len(actors) > 1:
        return ngettext("%(count)s person", "%(count)s people", len(actors)) % {"count": len(actors)}
    return people.get(actors.pop(), _("Someone")) if actors else ""


def _text(run: list[AuditEntry], people: dict[int, str]) -> str:
    known = _TEXTS.get(run[0].act)
    if known is None:
        return run[0].act.replace(".", " ").replace("_", " ")
    return known(
        _words(run[0].data) | {"times": len(run), "person": people.get(run[0].data.get("user", 0), _("someone"))}
    )


def _words(data: dict[str, Any]) -> dict[str, Any]:
    """What an entry noted, ready for a sentence: roles by name, numbers with commas, nothing missing."""
    roles = dict(Membership.Role.choices)
    numbers = {name: intcomma(data.get(name, 0)) for name in ("kept", "refused", "judgments", "made", "rows", "pairs")}
    words = {name: data.get(name, "") for name in ("name", "error", "version", "key")}
    return data | numbers | words | {"role": roles.get(data.get("role", ""), data.get("role", ""))}


def _named(fields: Iterable[str]) -> str:
    return _(", ").join(str(_FIELDS.get(field, field.replace("_", " "))) for field in fields)


def _queue_changed(data: dict[str, Any]) -> str:
    before, after = data.get("before", {}), data.get("after", {})
    if set(after) == {"paused"}:
        return _("paused a queue") if after["paused"] else _("resumed a queue")
    changed = [
        _named([name]) if isinstance(value, list) else f"{_named([name])} {before.get(name)} → {value}"
        for name, value in after.items()
        if before.get(name) != value
    ]
    return _("changed a queue: %(what)s") % {"what": ", ".join(changed)} if changed else _("saved a queue’s settings")


_FIELDS = {
    "name": gettext_lazy("name"),
    "description": gettext_lazy("description"),
    "revise_minutes": gettext_lazy("minutes to change an answer"),
    "overlap": gettext_lazy("raters a pair"),
    "lease_seconds": gettext_lazy("seconds a pair is held"),
    "paused": gettext_lazy("pause"),
    "languages": gettext_lazy("languages"),
    "tags": gettext_lazy("tags"),
    "categories": gettext_lazy("categories"),
    "batches": gettext_lazy("imports"),
    "pairing": gettext_lazy("which pairs"),
    "raters": gettext_lazy("who works on it"),
    "role": gettext_lazy("role"),
    "speaks": gettext_lazy("by the raters’ languages"),
    "qualified": gettext_lazy("only who has qualified"),
    "least_reliability": gettext_lazy("least reliability"),
    "daily_pairs": gettext_lazy("comparisons a person and day"),
    "stopping": gettext_lazy("how many raters"),
    "criterion": gettext_lazy("which question decides"),
    "least": gettext_lazy("fewest raters a pair"),
    "most": gettext_lazy("most raters a pair"),
    "sure": gettext_lazy("how sure"),
    "trusted_singles": gettext_lazy("single answers"),
    "audit_percent": gettext_lazy("audited pairs in percent"),
    "audit_overlap": gettext_lazy("raters of an audited pair"),
    "gold_percent": gettext_lazy("known answers in percent"),
    "repeat_percent": gettext_lazy("pairs that come back, in percent"),
    "repeat_after_days": gettext_lazy("days before they do"),
    "order": gettext_lazy("order"),
    "priority": gettext_lazy("priority"),
    "blur_images": gettext_lazy("blurred images"),
    "support": gettext_lazy("whom raters can talk to"),
    "break_after_minutes": gettext_lazy("minutes to a break"),
    "break_after_pairs": gettext_lazy("pairs to a break"),
}
_OF_THE_CLOCK = {
    "assignments.expired", "batch.finished", "batch.failed", "export.finished", "gold.worn", "pair.hidden",
    "push.finished", "push.failed", "queue.pairs_added", "webhook.stopped",
}  # fmt: skip
_TEXTS: dict[str, Callable[[dict[str, Any]], str]] = {
    "annotation.submitted": lambda data: ngettext("judged a pair", "judged %(times)s pairs", data["times"]) % data,
    "annotation.revised": lambda data: ngettext("changed an answer", "changed %(times)s answers", data["times"]) % data,
    "assignment.renewed": lambda data: (
        ngettext("kept a pair longer", "kept pairs longer, %(times)s times", data["times"]) % data
    ),
    "assignments.expired": lambda data: (
        _("Pairs went back because their time was over: %(count)s") % {"count": len(data.get("assignments", []))}
    ),
    "project.created": lambda data: _("made the project"),
    "criterion.added": lambda data: _("added the question “%(key)s”") % {"key": data.get("key", "")},
    "criterion.changed": lambda data: _("changed the question “%(key)s”") % {"key": data.get("key", "")},
    "criterion.moved": lambda data: _("moved the question “%(key)s”") % {"key": data.get("key", "")},
    "hints.changed": lambda data: _("changed which contradictions are asked about"),
    "rationale.changed": lambda data: _("changed when own words are asked for"),
    "project.changed": lambda data: _("changed %(what)s") % {"what": _named(data.get("after", {}))},
    "guideline.drafted": lambda data: _("saved a draft of the guideline"),
    "guideline.published": lambda data: _("published version %(version)s of the guideline") % data,
    "guideline.read": lambda data: _("read version %(version)s of the guideline") % data,
    "queue.created": lambda data: _("made the queue “%(name)s”") % data,
    "queue.changed": _queue_changed,
    "queue.closed": lambda data: _("closed the queue “%(name)s”") % data,
    "queue.reopened": lambda data: _("opened the queue “%(name)s” again") % data,
    "queue.pairs_added": lambda data: _("The queue “%(name)s” took the pairs that tell most: %(pairs)s") % data,
    "pair.decided": lambda data: _("decided a pair on which raters differ"),
    "pairs.decided": lambda data: _("decided pairs together: %(pairs)s") % data,
    "pair.escalated": lambda data: _("passed a pair on to the managers"),
    "escalation.answered": lambda data: _("answered about a pair that was passed on"),
    "plan.made": lambda data: _("made the plan “%(name)s”") % data,
    "plan.queue_made": lambda data: _("made a queue of a plan"),
    "care.changed": lambda data: _("changed %(what)s") % {"what": _named(data.get("after", {}))},
    "topic.added": lambda data: _("made “%(name)s” a sensitive topic") % data,
    "topic.changed": lambda data: _("changed the sensitive topic %(key)s") % data,
    "topic.removed": lambda data: _("made “%(name)s” everyday again") % data,
    "topic.choices_taken_back": lambda data: _("took back everybody’s choice of the topic %(key)s") % data,
    "pair.hidden": lambda data: _("A pair was skipped as broken twice and is out of rotation"),
    "pair.put_back": lambda data: _("put a pair back into rotation"),
    "member.added": lambda data: _("gave %(person)s the role %(role)s") % data,
    "member.removed": lambda data: _("took the role %(role)s from %(person)s") % data,
    "invitation.made": lambda data: _("made an invitation with the role %(role)s") % data,
    "invitation.accepted": lambda data: _("accepted an invitation with the role %(role)s") % data,
    "invitation.revoked": lambda data: _("withdrew an invitation"),
    "analysis.asked": lambda data: _("asked for the figures to be computed anew"),
    "batch.started": lambda data: _("started the import of “%(name)s”") % data,
    "batch.finished": lambda data: _("An import is done: %(kept)s kept, %(refused)s refused") % data,
    "batch.failed": lambda data: _("An import failed: %(error)s") % data,
    "judgments.imported": lambda data: _("imported %(judgments)s judgments") % data,
    "export.requested": lambda data: _("asked for an export"),
    "export.finished": lambda data: _("An export is done: %(rows)s rows") % data,
    "consent.published": lambda data: _("published version %(version)s of the consent text") % data,
    "consent.ended": lambda data: _("stopped asking for consent"),
    "consent.given": lambda data: _("agreed to version %(version)s of the consent text") % data,
    "withdrawn.rater": lambda data: _("withdrew what somebody judged"),
    "withdrawn.item": lambda data: _("withdrew an item"),
    "consent.withdrawn": lambda data: _("took their consent back"),
    "gold.told": lambda data: _("said what is known about a pair"),
    "gold.made": lambda data: _("mixed a known answer into the work"),
    "gold.taken_in": lambda data: _("mixed %(made)s known answers of an import into the work") % data,
    "gold.changed": lambda data: _("changed what is known about a pair"),
    "gold.retired": lambda data: _("retired a known answer"),
    "gold.worn": lambda data: _("A known answer was shown often enough and is retired"),
    "dispute.made": lambda data: _("disagreed with a known answer"),
    "dispute.answered": lambda data: _("answered an objection"),
    "assignment.looked_again": lambda data: (
        ngettext("judged a pair again", "judged %(times)s pairs again", data["times"]) % data
    ),
    "rater.warned": lambda data: _("told %(person)s that answers differed from what is known") % data,
    "rater.paused": lambda data: _("paused %(person)s") % data,
    "rater.resumed": lambda data: _("let %(person)s go on") % data,
    "withdrawal.lifted": lambda data: _("brought the judgments of %(person)s back") % data,
    "lesson.added": lambda data: _("made a pair a lesson"),
    "lesson.changed": lambda data: _("changed a lesson"),
    "lesson.removed": lambda data: _("removed a lesson"),
    "practice.done": lambda data: _("finished the practice"),
    "qualification.passed": lambda data: _("qualified"),
    "qualification.failed": lambda data: _("did not qualify in a try"),
    "qualification.allowed": lambda data: _("allowed %(person)s another try") % data,
    "crowd_link.made": lambda data: _("made the crowd link “%(name)s”") % data,
    "crowd_link.closed": lambda data: _("closed the crowd link “%(name)s”") % data,
    "crowd.entered": lambda data: _("came in through “%(name)s”") % data,
    "crowd.finished": lambda data: _("finished what their crowd link asked for"),
    "crowd.screened": lambda data: _("was screened out"),
    "crowd.released": lambda data: _("let %(person)s in with another browser") % data,
    "export.deleted": lambda data: _("deleted the export “%(name)s”") % data,
    "link.made": lambda data: _("made a link to an export"),
    "link.revoked": lambda data: _("revoked a link to an export"),
    "push.requested": lambda data: _("asked to push an export to a hub"),
    "push.finished": lambda data: _("An export was pushed to a hub"),
    "push.failed": lambda data: _("A push of an export failed"),
    "webhook.added": lambda data: _("added a webhook"),
    "webhook.paused": lambda data: _("paused a webhook"),
    "webhook.stopped": lambda data: _("A webhook was paused: nothing that it was sent was taken"),
    "webhook.resumed": lambda data: _("resumed a webhook"),
    "webhook.secret_rotated": lambda data: _("gave a webhook a new secret"),
    "webhook.tested": lambda data: _("tested a webhook"),
    "webhook.sent_again": lambda data: _("sent a message of a webhook again"),
    "webhook.deleted": lambda data: _("deleted a webhook"),
}
