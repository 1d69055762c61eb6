"""A rater holds a known answer, or the guideline behind it, to be wrong; a manager or an adjudicator answers."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.gold_pairs import retire_gold
from labeling.actions.gold_results import have_told
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import Assignment, Dispute, GoldResult, User

LONGEST = 2000
Outcome = Dispute.Outcome


@transaction.atomic
def disagree(*, assignment: Assignment, rater: User, text: str) -> Dispute:
    """Say why a known answer is wrong, or its guideline; once for each answer that was not the known one.

    Refused: "nothing_to_dispute", "disputed_already", "invalid".
    """
    text = _read(text, _("Say in a few words what is wrong about it."), "text")
    wrong = GoldResult.objects.filter(annotation__assignment=assignment, rater=rater, right=False, set_aside=False)
    result = wrong.select_related("annotation").first()
    if result is None:
        raise Refused("nothing_to_dispute", _("There is no known answer here that differs from yours."))
    if Dispute.objects.filter(annotation__assignment=assignment).exists():
        raise Refused("disputed_already", _("You have said so already. You will read the answer here."))
    made = Dispute.objects.create(
        project_id=assignment.project_id, annotation=result.annotation, gold_pair_id=result.gold_pair_id, rater=rater,
        text=text,
    )  # fmt: skip
    have_told(project_id=assignment.project_id, rater=rater, assignment_id=assignment.pk)
    record(rater, "dispute.made", made, project_id=made.project_id, gold=made.gold_pair_id)
    return made


@transaction.atomic
def answer_dispute(*, dispute: Dispute, by: User, outcome: str, answer: str) -> Dispute:
    """Decide. Upheld: what was measured by the pair counts for nobody, and it is shown no more.

    A manager may correct its known answer and mix it in again. The rater reads the `answer` either way. Other open
    disputes about the pair stay, each for its own answer. Refused: "unchanged", "invalid".
    """
    if outcome not in Outcome.values:
        said = _("Choose who is right.")
        raise Refused("invalid", said, {"outcome": said})
    answer = _read(answer, _("Write an answer for the rater."), "answer")
    held = Dispute.objects.select_for_update(of=("self",)).select_related("gold_pair").get(pk=dispute.pk)
    if held.outcome:
        raise Refused("unchanged", _("This was answered already."))
    held.outcome, held.answer, held.answered_by, held.answered_at = outcome, answer, by, timezone.now()
    held.save(update_fields=["outcome", "answer", "answered_by", "answered_at"])
    if outcome == Outcome.UPHELD:
        retire_gold(gold=held.gold_pair, by=by, why=_("A rater’s objection was upheld"))
        GoldResult.objects.filter(gold_pair=held.gold_pair_id).update(set_aside=True)
    record(by, "dispute.answered", held, project_id=held.project_id, user=held.rater_id, outcome=outcome)
    return held


def _read(text: str, missing: str, field: str) -> str:
    text = text.replace("\r\n", "\n").strip()
    wrong = missing if not text else _("At most 2,000 characters, without NUL.")
    if not text or len(text) > LONGEST or "\0" in text:
        raise Refused("invalid", wrong, {field: wrong})
    return text
