"""The address of this page with one thing of its query changed."""

from __future__ import annotations

from django import template
from django.template.context import Context

register = template.Library()


@register.simple_tag(takes_context=True)
def query_with(context: Context, name: str, value: str) -> str:
    """The query of the request with `name` set to `value`, the page's own cursor left out."""
    query = context["request"].GET.copy()
    query.pop("before", None)
    query[name] = value
    return str(query.urlencode())
