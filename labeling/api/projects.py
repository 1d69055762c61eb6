"""Projects and their members."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import PermissionDenied
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from labeling.access import MANAGERS, may_create_projects, project_for, projects_for
from labeling.actions.criteria import fields_of
from labeling.actions.guidelines import current_guideline
from labeling.actions.people import add_member, find_person
from labeling.actions.projects import change_project, create_project
from labeling.api.base import LIST_PARAMETERS, Endpoint, StrictSerializer, page_of, paged, read
from labeling.api.queues import QueueLine, queue_line
from labeling.models import Criterion, Guideline, Membership, Project, User
from labeling.presets import PRESETS, USUAL
from labeling.reports.entry import Step, step_of_rater
from labeling.reports.guidelines import principles_of

LONGEST_REVISING = 10 * 365 * 24 * 60


class NewProject(StrictSerializer):
    slug = serializers.CharField(max_length=60, help_text="Small letters, digits and hyphens; part of every address.")
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000, allow_blank=True, default="")
    preset = serializers.ChoiceField(
        choices=[(preset.key, preset.name) for preset in PRESETS.values()],
        default=USUAL,
        help_text="The questions it starts with; a manager changes them on the project's page.",
    )


class ProjectChanges(StrictSerializer):
    name = serializers.CharField(max_length=120)
    description = serializers.CharField(max_length=2000, allow_blank=True)
    revise_minutes = serializers.IntegerField(
        min_value=0, max_value=LONGEST_REVISING, help_text="How long a rater may change an answer; 0 forbids it."
    )


class NewMember(StrictSerializer):
    email = serializers.EmailField(max_length=254, help_text="Of a person who has an account here.")
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class CriterionShape(serializers.Serializer[Criterion]):
    """One question with its scale. Which of the last fields are there depends on `kind`."""

    key = serializers.CharField()
    name = serializers.CharField()
    question = serializers.CharField()
    kind = serializers.ChoiceField(choices=Criterion.Kind.choices)
    asked = serializers.ChoiceField(choices=Criterion.Asked.choices)
    required = serializers.BooleanField()  # type: ignore[assignment]
    guideline_section = serializers.CharField(help_text="Heading of the guideline that explains it, or empty.")
    strengths = serializers.IntegerField(
        required=False, help_text="Preference: grades a side; values run from -n to n."
    )
    allow_tie = serializers.BooleanField(required=False, help_text="Preference: whether 0 is an answer.")
    allow_both_bad = serializers.BooleanField(
        required=False, help_text="Preference: whether neither may be acceptable."
    )
    better_word = serializers.CharField(required=False, help_text="Preference: as in “A is clearly …”.")
    grades = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Words of a preference's grades from the weakest, or of the ratings from the lowest; may be empty.",
    )
    minimum = serializers.IntegerField(required=False, help_text="Rating: the lowest.")
    maximum = serializers.IntegerField(required=False, help_text="Rating: the highest.")
    taxonomy = serializers.CharField(required=False, help_text="Safety: where the categories come from, or empty.")
    categories = serializers.ListField(
        child=serializers.CharField(),
        required=False,
        help_text="Safety: harms to choose from, “Domain › Part” below its domain. Reasons: what to choose from.",
    )
    severities = serializers.IntegerField(required=False, help_text="Safety: grades of harm; 0 asks none.")
    min_words = serializers.IntegerField(required=False, help_text="Text: the fewest words; 0 sets no limit.")
    max_words = serializers.IntegerField(required=False, help_text="Text: the most words; 0 sets no limit.")


class PrincipleShape(serializers.Serializer[Any]):
    number = serializers.IntegerField()
    text = serializers.CharField()
    section = serializers.CharField(help_text="The heading above it; may be empty.")


class GuidelineShape(serializers.Serializer[Guideline]):
    version = serializers.IntegerField()
    text = serializers.CharField(help_text="Markdown.")
    principles = PrincipleShape(many=True, help_text="Its numbered sentences: what an annotation may name.")
    published_at = serializers.DateTimeField()


class ProjectLine(serializers.Serializer[Project]):
    slug = serializers.CharField()
    name = serializers.CharField()
    description = serializers.CharField()
    revise_minutes = serializers.IntegerField()
    created_at = serializers.DateTimeField()


class RationaleShape(serializers.Serializer[Any]):
    """When raters are asked for a reason in their own words: the rationale of a preference."""

    when = serializers.ListField(child=serializers.CharField(), help_text="Of: always, conflict, severe, sample.")
    percent = serializers.IntegerField(help_text="The share of comparisons in the sample.")
    required = serializers.BooleanField(help_text="Refuse an answer without it.")  # type: ignore[assignment]
    min_words = serializers.IntegerField()
    max_words = serializers.IntegerField(help_text="0 sets no limit.")


class ProjectShape(ProjectLine):
    preset = serializers.CharField(help_text="What its criteria were made from.")
    instrument = serializers.IntegerField(help_text="Raised whenever what raters are asked changes.")
    hints = serializers.ListField(
        child=serializers.DictField(), help_text="Contradictions that a rater is asked about: {rule, …}."
    )
    rationale = RationaleShape()
    criteria = CriterionShape(many=True)
    guideline = GuidelineShape(allow_null=True)
    queues = QueueLine(many=True)
    next_step = serializers.ChoiceField(
        choices=[step.value for step in Step],
        allow_null=True,
        help_text="What you do next as its rater: `ready` to work, or a step on its pages; null for others.",
    )


class MemberShape(serializers.Serializer[Membership]):
    email = serializers.EmailField()
    name = serializers.CharField()
    role = serializers.ChoiceField(choices=Membership.Role.choices)
    since = serializers.DateTimeField()


class Projects(Endpoint):
    @extend_schema(operation_id="list_projects", responses=page_of(ProjectLine), parameters=LIST_PARAMETERS)
    def get(self, request: Request) -> Response:
        """The projects you are a member of, in any role."""
        return Response(paged(request, projects_for(self.user), project_line))

    @extend_schema(
        operation_id="create_project", request=NewProject, responses={201: ProjectShape},
        extensions={"x-problems": ["forbidden", "slug_taken"]},
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """A new project with the questions of a preset, a guideline, and one queue of overlap 3.

        For operators and for people who manage a project already. Its maker becomes its manager and researcher.
        """
        if not may_create_projects(self.user):
            raise PermissionDenied("New projects are made by operators and by people who manage a project.")
        project = create_project(by=self.user, **read(NewProject, request))
        return Response(project_shape(project, self.user), status=201)


class OneProject(Endpoint):
    @extend_schema(operation_id="read_project", responses=ProjectShape)
    def get(self, request: Request, slug: str) -> Response:
        """A project with its criteria and their scales, the current guideline, and its queues."""
        return Response(project_shape(project_for(self.user, slug), self.user))

    @extend_schema(operation_id="change_project", request=ProjectChanges, responses=ProjectShape)
    def patch(self, request: Request, slug: str) -> Response:
        """Change name, description or the time in which answers may be revised. Send only what changes."""
        project = project_for(self.user, slug, MANAGERS)
        changes = read(ProjectChanges, request, partial=True)
        changed = change_project(project=project, by=self.user, **changes) if changes else project
        return Response(project_shape(changed, self.user))


class Members(Endpoint):
    @extend_schema(
        operation_id="add_member",
        request=NewMember,
        responses={201: MemberShape},
        extensions={"x-problems": ["no_such_person"]},
    )
    def post(self, request: Request, slug: str) -> Response:
        """Give a person with an account a role. A person may hold several; giving one again changes nothing.

        Someone without an account joins by an invitation link, made on the project's people page.
        """
        project = project_for(self.user, slug, MANAGERS)
        wanted = read(NewMember, request)
        person = find_person(email=wanted["email"])
        membership = add_member(project=project, user=person, role=wanted["role"], by=self.user)
        since = membership.created_at
        return Response(
            {"email": person.email, "name": person.name, "role": membership.role, "since": since}, status=201
        )


def project_line(project: Project) -> dict[str, Any]:
    names = ("slug", "name", "description", "revise_minutes", "created_at")
    return {name: getattr(project, name) for name in names}


def project_shape(project: Project, user: User) -> dict[str, Any]:
    """Four queries: criteria, guideline, queues, and of a rater the next step."""
    guideline = current_guideline(project)
    return project_line(project) | {
        "preset": project.preset,
        "instrument": project.instrument,
        "hints": project.hints,
        "rationale": project.rationale,
        "criteria": [criterion_shape(criterion) for criterion in project.criteria.all()],
        "guideline": guideline and guideline_shape(guideline),
        "queues": [queue_line(queue) for queue in project.queues.order_by("id")],
        "next_step": step_of_rater(project, user),
    }


def guideline_shape(guideline: Guideline) -> dict[str, Any]:
    principles = [{"number": one.number, "text": one.text, "section": one.section} for one in principles_of(guideline)]
    line = {"version": guideline.version, "text": guideline.text, "published_at": guideline.published_at}
    return line | {"principles": principles}


def criterion_shape(criterion: Criterion) -> dict[str, Any]:
    return {name: getattr(criterion, name) for name in ("key", "kind", *fields_of(criterion.kind))}
