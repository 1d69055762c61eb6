"""The operator's view of the data, at /operate/: to look, and to change the few things that only an operator may.

Everything a person of a project would do goes through that project's pages, where it is checked and recorded.
Here rows are read; people can be named, deactivated and made operators, tokens and invitations are read.
"""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.contrib.auth.admin import Group  # type: ignore[attr-defined]  # registered by that module
from django.db.models import Model
from django.http import HttpRequest

from labeling.models import (
    Annotation,
    ApiToken,
    Assignment,
    AuditEntry,
    Batch,
    ConsentText,
    Criterion,
    CrowdLink,
    Delivery,
    Exposure,
    GoldAnswer,
    Guideline,
    Image,
    Invitation,
    Item,
    Judgment,
    Membership,
    Pair,
    Participation,
    Project,
    Queue,
    Refusal,
    Response,
    Topic,
    User,
    Webhook,
)

admin.site.site_header = admin.site.site_title = "Annotate: operate"
admin.site.index_title = "What is stored"
admin.site.unregister(Group)


class ReadOnly(admin.ModelAdmin):  # type: ignore[type-arg]
    """Rows to look at. Large tables: no count of all rows, no list of foreign rows to choose from."""

    show_full_result_count = False
    list_per_page = 50
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def _read_only(model: type[Model], listed: tuple[str, ...], *, hidden: tuple[str, ...] = (), **more: Any) -> None:
    """Register a model to be read: the columns of its list, and fields that not even an operator sees."""
    options = {"list_display": listed, "exclude": hidden, "list_select_related": True, "ordering": ("-pk",), **more}
    admin.site.register(model, type(f"{model.__name__}Admin", (ReadOnly,), options))


_read_only(
    Project,
    ("name", "slug", "preset", "instrument", "created_by", "created_at"),
    hidden=("pseudonym_key",),
    search_fields=("name", "slug"),
)
_read_only(Guideline, ("project", "version", "author", "published_at"))
_read_only(
    Criterion, ("project", "position", "key", "kind", "asked", "required", "taxonomy"), list_filter=("kind", "asked")
)
_read_only(Queue, ("project", "name", "overlap", "lease_seconds", "paused", "pair_count"))
_read_only(Membership, ("project", "user", "role", "created_at"), search_fields=("user__email",), list_filter=("role",))
_read_only(Invitation, ("project", "role", "email", "created_by", "expires_at", "used_by"), hidden=("token_digest",))
_read_only(ApiToken, ("user", "name", "prefix", "expires_at", "last_used_at", "revoked_at"), hidden=("secret_digest",))
_read_only(
    Batch, ("project", "name", "state", "read", "kept", "duplicate", "refused", "created_at"), list_filter=("state",)
)
_read_only(Refusal, ("batch", "line", "field", "reason"))
_read_only(Item, ("project", "external_id", "language", "batch"), hidden=("conversation_html",))
_read_only(Response, ("item", "position", "model_name"), hidden=("html",))
_read_only(Pair, ("project", "item", "first", "second"))
_read_only(Assignment, ("project", "pair", "rater", "state", "claimed_at", "ended_at"), list_filter=("state",))
_read_only(Annotation, ("project", "pair", "rater", "revision", "current", "instrument", "kept_hints", "created_at"))
_read_only(Judgment, ("annotation", "criterion", "preference", "both_bad", "safe", "rating", "categories"))
_read_only(GoldAnswer, ("project", "pair", "criterion", "preference", "both_bad", "safe", "rating"))
_read_only(Image, ("project", "media_type", "width", "height"), hidden=("storage_name",))
_read_only(Topic, ("project", "key", "name", "severity", "daily_pairs", "daily_minutes"))
_read_only(Exposure, ("project", "user", "topic", "day", "shown"))
_read_only(ConsentText, ("project", "version", "author", "created_at"))
_read_only(Participation, ("project", "user", "consented_at", "practised_at", "qualified_at"), hidden=("topics",))
_read_only(CrowdLink, ("project", "name", "platform", "queue", "pairs_wanted", "expires_at", "closed_at"))
_read_only(
    Webhook,
    ("project", "url", "events", "paused_at", "failing_since", "created_at"),
    hidden=("sealed_secret", "former_secret"),
)
_read_only(Delivery, ("webhook", "event", "state", "attempts", "status", "created_at"), list_filter=("state",))
_read_only(AuditEntry, ("at", "project_id", "actor_id", "act", "target_type", "target_id"), search_fields=("=act",))


@admin.register(User)
class UserAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Names, and who may sign in or operate. People are made by invitation or `manage.py create_person`."""

    list_display = ("email", "name", "is_active", "is_superuser", "is_external", "last_login")
    list_filter = ("is_active", "is_superuser", "is_external")
    search_fields = ("email", "name")
    ordering = ("email",)
    fields = ("email", "name", "is_active", "is_staff", "is_superuser", "is_external", "date_joined", "last_login")
    readonly_fields = ("email", "is_external", "date_joined", "last_login")
    show_full_result_count = False
    actions = None

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        return False
