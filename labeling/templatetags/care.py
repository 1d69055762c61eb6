"""What a rater chose, and whom they can talk to, for pages of other parts.

{% load care %}{% topics_of_home user %}
"""

from __future__ import annotations

from typing import Any

from django import template

from labeling.models import User
from labeling.reports.topics import topic_choices

register = template.Library()


@register.inclusion_tag("labeling/_home_topics.html")
def topics_of_home(user: User) -> dict[str, Any]:
    """A card with the topics of every project of this rater; nothing where no project has any. Three queries."""
    return {"choices": topic_choices(user)}
