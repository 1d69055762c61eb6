"""Take a person's judgments, or an item, out of every dataset made from now on. Nothing is deleted.

What was made before is told by the exports themselves (exports/actions/withdrawn.py): they are marked, closed where
`closes` says so, and made again without what was withdrawn.
"""

from __future__ import annotations

from django.db import transaction
from django.utils.translation import gettext as _

from labeling.actions.lanes import hide
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Annotation, Item, Project, User, Withdrawal
from labeling.reports.pseudonyms import pseudonym

LONGEST_NOTE = 300


@transaction.atomic
def withdraw_rater(*, project: Project, rater: User, by: User, note: str = "", closes: bool = False) -> Withdrawal:
    """What the person judged until now counts no more. They stay a member; what they judge later counts."""
    if not Annotation.objects.filter(project=project, rater=rater).exists():
        raise Refused("invalid", _("This person has judged nothing here."), {"rater": "no judgments"})
    return _withdraw(project, Withdrawal.Why.RATER, by, note, closes, rater=rater)


@transaction.atomic
def withdraw_item(*, item: Item, by: User, note: str = "", closes: bool = False) -> Withdrawal:
    """No judgment of the item counts any more, and no rater is given it again."""
    Project.objects.select_for_update(no_key=True).get(pk=item.project_id)
    if item.withdrawals.filter(lifted_at=None).exists():
        raise Refused("withdrawn", _("This item has been withdrawn already."))
    for pair in item.pairs.order_by("pk"):
        hide(pair=pair)
    return _withdraw(item.project, Withdrawal.Why.ITEM, by, note, closes, item=item)


def find_item(*, project: Project, name: str) -> Item:
    """By its own id, as it was imported; raises Refused where none or several have it."""
    found = list(project.items.filter(external_id=name.strip())[:2]) if name.strip() else []
    if len(found) != 1:
        said = _("Several items have this id.") if found else _("No item has this id.")
        raise Refused("invalid", said, {"item": said})
    return found[0]


def find_rater(*, project: Project, name: str) -> User:
    """By e-mail address, or by the pseudonym of reports and exports; raises Refused. One query."""
    wanted = name.strip().lower()
    for rater in User.objects.filter(annotations__project=project).distinct().order_by("pk"):
        if wanted and wanted in (rater.email, pseudonym(project, rater.pk)):
            return rater
    said = _("Nobody who judged here has this address or pseudonym.")
    raise Refused("invalid", said, {"rater": said})


def withdraw_for_consent(*, project: Project, rater: User) -> Withdrawal | None:
    """Who takes consent back expects that nobody is given their judgments any more, so files that hold them close.

    None where they judged nothing. Runs in the transaction that takes the consent back.
    """
    if not Annotation.objects.filter(project=project, rater=rater).exists():
        return None
    return _withdraw(project, Withdrawal.Why.CONSENT, rater, "", closes=True, rater=rater)


def _withdraw(
    project: Project, why: str, by: User, note: str, closes: bool, rater: User | None = None, item: Item | None = None
) -> Withdrawal:
    # What follows a withdrawal goes by its number, so in one project a later one must not commit first.
    Project.objects.select_for_update(no_key=True).get(pk=project.pk)
    made = Withdrawal.objects.create(
        project=project, why=why, rater=rater, item=item, note=" ".join(note.split())[:LONGEST_NOTE], closes=closes,
        created_by=by,
    )  # fmt: skip
    record(by, f"withdrawn.{why}", made, project_id=project.pk, closes=closes)
    return made
