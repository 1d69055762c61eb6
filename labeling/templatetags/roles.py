"""What the person at the page may do in a project, for the links around it.

{% roles_in_project project as roles %}{% if "manager" in roles %}…{% endif %}
"""

from __future__ import annotations

from django import template
from django.template.context import Context

from labeling.access import roles_in
from labeling.models import Project

register = template.Library()


@register.simple_tag(takes_context=True)
def roles_in_project(context: Context, project: Project) -> set[str]:
    """The roles as the view found them, in `roles`, or with one query of its own."""
    found: set[str] | None = context.get("roles")
    return roles_in(context["request"].user, project) if found is None else found
