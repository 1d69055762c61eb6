"""Who may reach which row: a row is only ever fetched for a user, and what a user may not know is a 404.

Every function here takes the user first and raises Http404. Roles are read at the time of the request, so a
withdrawn role ends at the next click. An operator (superuser) may do what a manager and a researcher may; to
rate, also an operator needs the rater's membership, because judgments must come from people meant to give them.
"""

from __future__ import annotations

from typing import TypeVar

from django.db.models import Exists, Model, OuterRef, Q, QuerySet
from django.http import Http404

from labeling.models import (
    Assignment,
    Batch,
    Criterion,
    CrowdEntry,
    CrowdLink,
    Delivery,
    Dispute,
    Escalation,
    GoldPair,
    Guideline,
    Image,
    Invitation,
    Lesson,
    Membership,
    Pair,
    Participation,
    Project,
    Queue,
    StudyPlan,
    Topic,
    User,
    Webhook,
    Withdrawal,
)

Row = TypeVar("Row", bound=Model)
Role = Membership.Role
RATERS = (Role.RATER,)
MANAGERS = (Role.MANAGER,)
RESEARCHERS = (Role.RESEARCHER, Role.MANAGER)
ADJUDICATORS = (Role.ADJUDICATOR, Role.MANAGER)
MEMBERS = tuple(Role)


def holds(user: User, roles: tuple[str, ...], project_ref: str = "project") -> Q:
    """A condition: `user` holds one of `roles` in the project that `project_ref` points at."""
    if not user.is_active:
        return Q(pk__in=[])
    if user.is_superuser and set(roles) & {Role.MANAGER, Role.RESEARCHER, Role.ADJUDICATOR}:
        return Q()
    return Q(Exists(Membership.objects.filter(user=user, role__in=roles, project=OuterRef(project_ref))))


def roles_in(user: User, project: Project) -> set[str]:
    """The user's roles in the project; an operator's include manager and researcher. One query."""
    roles = set(Membership.objects.filter(user=user, project=project).values_list("role", flat=True))
    return roles | {Role.MANAGER, Role.RESEARCHER} if user.is_superuser else roles


def projects_for(user: User, roles: tuple[str, ...] = MEMBERS) -> QuerySet[Project]:
    return Project.objects.filter(holds(user, roles, "pk"))


def project_for(user: User, slug: str, roles: tuple[str, ...] = MEMBERS) -> Project:
    return _only(projects_for(user, roles).filter(slug=slug))


def may_create_projects(user: User) -> bool:
    """Operators, and people who manage a project already. One query."""
    return user.is_superuser or projects_for(user, MANAGERS).exists()


def queues_for(user: User, roles: tuple[str, ...]) -> QuerySet[Queue]:
    return Queue.objects.filter(holds(user, roles)).select_related("project")


def queue_for(user: User, pk: int, roles: tuple[str, ...] = MANAGERS) -> Queue:
    return _only(queues_for(user, roles).filter(pk=pk))


def assignment_for(user: User, pk: int) -> Assignment:
    """The rater's own assignment, while they are a rater of its project. One query with queue and project."""
    mine = Assignment.objects.filter(holds(user, RATERS), pk=pk, rater=user)
    return _only(mine.select_related("queue", "project"))


def batch_for(user: User, pk: int) -> Batch:
    batches: QuerySet[Batch] = Batch.objects.filter(holds(user, MANAGERS), pk=pk).select_related("project")
    return _only(batches)


def image_for(user: User, token: str) -> Image:
    """By its address, for the members of its project in any role."""
    name = f"images/{token[:2]}/{token}"
    return _only(Image.objects.filter(holds(user, MEMBERS), storage_name=name))


def membership_for(user: User, pk: int) -> Membership:
    return _only(Membership.objects.filter(holds(user, MANAGERS), pk=pk).select_related("project", "user"))


def invitation_for(user: User, pk: int) -> Invitation:
    return _only(Invitation.objects.filter(holds(user, MANAGERS), pk=pk).select_related("project"))


def criterion_for(user: User, project: Project, key: str) -> Criterion:
    found = Criterion.objects.filter(holds(user, MANAGERS), project=project, key=key)
    return _only(found.select_related("project"))


def guideline_for(user: User, project: Project, version: int) -> Guideline:
    return _only(Guideline.objects.filter(holds(user, MEMBERS), project=project, version=version))


def lesson_for(user: User, slug: str, pk: int, roles: tuple[str, ...] = RATERS) -> Lesson:
    lessons: QuerySet[Lesson] = Lesson.objects.filter(holds(user, roles), project__slug=slug, pk=pk)
    return _only(lessons.select_related("project", "pair"))


def own_participation(user: User, slug: str) -> Participation:
    return _only(Participation.objects.filter(user=user, project__slug=slug).select_related("project"))


def participation_for(user: User, slug: str, pk: int) -> Participation:
    people: QuerySet[Participation] = Participation.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(people.select_related("project", "user"))


def crowd_link_for(user: User, slug: str, pk: int) -> CrowdLink:
    links: QuerySet[CrowdLink] = CrowdLink.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(links.select_related("project", "queue"))


def crowd_entry_for(user: User, slug: str, pk: int) -> CrowdEntry:
    """An entry, for the managers of its link's project."""
    entries: QuerySet[CrowdEntry] = CrowdEntry.objects.filter(holds(user, MANAGERS, "link__project"), pk=pk)
    return _only(entries.filter(link__project__slug=slug).select_related("link", "user"))


def own_crowd_entry(user: User, link: CrowdLink) -> CrowdEntry:
    """The entry by which this very account came through the link."""
    entries: QuerySet[CrowdEntry] = CrowdEntry.objects.filter(user=user, link=link)
    return _only(entries.select_related("link__queue__project"))


def topic_for(user: User, slug: str, pk: int) -> Topic:
    topics = Topic.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(topics.select_related("project"))


def pair_for(user: User, slug: str, pk: int) -> Pair:
    return _only(Pair.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk))


def gold_pair_for(user: User, slug: str, pk: int) -> GoldPair:
    found: QuerySet[GoldPair] = GoldPair.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(found.select_related("project", "pair"))


def dispute_for(user: User, slug: str, pk: int) -> Dispute:
    found: QuerySet[Dispute] = Dispute.objects.filter(holds(user, ADJUDICATORS), project__slug=slug, pk=pk)
    return _only(found.select_related("project", "gold_pair", "rater"))


def any_gold_pair_for(user: User, pk: int) -> GoldPair:
    found: QuerySet[GoldPair] = GoldPair.objects.filter(holds(user, MANAGERS), pk=pk)
    return _only(found.select_related("project", "pair__item"))


def any_dispute_for(user: User, pk: int) -> Dispute:
    found: QuerySet[Dispute] = Dispute.objects.filter(holds(user, ADJUDICATORS), pk=pk)
    return _only(found.select_related("project", "gold_pair"))


def withdrawal_for(user: User, pk: int) -> Withdrawal:
    found: QuerySet[Withdrawal] = Withdrawal.objects.filter(holds(user, MANAGERS), pk=pk)
    return _only(found.select_related("project", "rater"))


def rater_of(project: Project, pk: int) -> User:
    """A person who rates in the project, or has judged in it, whose page a manager looks at."""
    rates = Membership.objects.filter(project=project, user=OuterRef("pk"), role=Role.RATER)
    judged = Assignment.objects.filter(project=project, rater=OuterRef("pk"), state=Assignment.State.SUBMITTED)
    return _only(User.objects.filter(Exists(rates) | Exists(judged), pk=pk))


def pair_to_decide(user: User, slug: str, pk: int) -> Pair:
    """A pair, for those who decide where raters differ; with its texts, and with its disagreement if there is one."""
    pairs: QuerySet[Pair] = Pair.objects.filter(holds(user, ADJUDICATORS), project__slug=slug, pk=pk)
    return _only(pairs.select_related("project", "item", "first", "second", "disagreement__held_by"))


def escalation_for(user: User, slug: str, pk: int) -> Escalation:
    """What was passed on about a pair, by the pair's id: the newest."""
    found: QuerySet[Escalation] = Escalation.objects.filter(holds(user, MANAGERS), project__slug=slug, pair=pk)
    return _only(found.select_related("pair").order_by("-pk"))


def plan_for(user: User, slug: str, pk: int) -> StudyPlan:
    plans: QuerySet[StudyPlan] = StudyPlan.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(plans.select_related("project", "queue", "created_by"))


def webhook_for(user: User, slug: str, pk: int) -> Webhook:
    hooks = Webhook.objects.filter(holds(user, MANAGERS), project__slug=slug, pk=pk)
    return _only(hooks.select_related("project", "created_by"))


def delivery_for(user: User, slug: str, pk: int) -> Delivery:
    deliveries = Delivery.objects.filter(holds(user, MANAGERS, "webhook__project"), webhook__project__slug=slug, pk=pk)
    return _only(deliveries.select_related("webhook__project"))


def _only(rows: QuerySet[Row]) -> Row:
    row = rows.first()
    if row is None:
        raise Http404
    return row
