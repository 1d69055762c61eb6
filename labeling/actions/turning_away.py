"""What a person is told whom a queue gives no pair: why, kindly, and what they or somebody else can do about it."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from labeling.actions.refusals import Refused
from labeling.models import Membership, Participation, Queue, User
from labeling.reports.admission import Why, why_not

_SAYS = {
    Why.PAUSED: (
        gettext_lazy("Your work here is paused"),
        gettext_lazy("A manager looks at it with you before you go on. All that you judged is kept."),
    ),
    Why.CLOSED: (
        gettext_lazy("This queue is closed"),
        gettext_lazy("It gives out no more comparisons. Thank you for your work on it."),
    ),
    Why.NOT_NAMED: (
        gettext_lazy("This queue is for a small group"),
        gettext_lazy("Its manager chose who works on it. If you should be one of them, ask to be added."),
    ),
    Why.ROLE: (
        gettext_lazy("This queue is for people with another role"),
        gettext_lazy("Whoever works on it has a second role in the project: %(role)s. A manager can give it to you."),
    ),
    Why.LANGUAGE: (
        gettext_lazy("This queue is in languages you did not name"),
        gettext_lazy("If you read them well, add them to your profile, and its comparisons come to you."),
    ),
    Why.NOT_QUALIFIED: (
        gettext_lazy("This queue is for raters who have qualified"),
        gettext_lazy("You have not done the project’s qualification. Ask its manager whether you can."),
    ),
    Why.RELIABILITY: (
        gettext_lazy("This queue is for raters with more experience here"),
        gettext_lazy("It opens by itself once there are enough comparisons that you and others answered alike."),
    ),
    Why.QUOTA: (
        gettext_lazy("That is all for today"),
        gettext_lazy("You had the day’s %(daily)s comparisons of this queue. More come tomorrow, at midnight UTC."),
    ),
}


@dataclass(frozen=True, slots=True)
class Explained:
    """`reason` is what was noted when the person was paused; `managers` are names, only where they are needed."""

    why: Why
    title: str
    text: str
    reason: str
    managers: list[str]


def explain(*, queue: Queue, rater: User, why: Why) -> Explained:
    """At most two queries, for who is paused or has to ask somebody."""
    title, text = _SAYS[why]
    told = {"daily": queue.daily_pairs, "role": dict(Membership.Role.choices).get(queue.role, queue.role)}
    reason = ""
    if why == Why.PAUSED:
        mine = Participation.objects.filter(project=queue.project_id, user=rater)
        reason = mine.values_list("paused_why", flat=True).first() or ""
    names: list[str] = []
    if why not in (Why.CLOSED, Why.LANGUAGE, Why.RELIABILITY, Why.QUOTA):
        managers = Membership.objects.filter(project=queue.project_id, role=Membership.Role.MANAGER)
        names = [one.user.display_name for one in managers.select_related("user").order_by("created_at")[:3]]
    return Explained(why, str(title), str(text) % told, reason, names)


def refuse_if_not_for(queue: Queue, rater: User) -> None:
    """For programs, when a claim found nothing: Refused with the reason, unless there just is nothing."""
    why = why_not(queue, rater)
    if why is None:
        return
    told = explain(queue=queue, rater=rater, why=why)
    sentences = [told.text, told.reason]
    if told.managers:
        sentences.append(_("Its managers: %(names)s.") % {"names": _(", ").join(told.managers)})
    raise Refused(why.value, " ".join(one for one in sentences if one))
