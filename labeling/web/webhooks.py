"""A project's webhooks, for its managers: who is told of what, what was sent, and what came back."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from labeling.access import MANAGERS, delivery_for, project_for, webhook_for
from labeling.actions.refusals import Refused
from labeling.actions.webhooks import (
    add_webhook,
    delete_webhook,
    pause_webhook,
    resume_webhook,
    rotate_secret,
    send_again,
    send_test,
)
from labeling.models import Project, Webhook
from labeling.models.webhooks import LONGEST_URL
from labeling.tasks import enqueue_delivery
from labeling.web.guards import PersonRequest
from labeling.web.project_forms import add_refusal

PAGE = 30


class WebhookForm(forms.Form):
    url = forms.CharField(
        max_length=LONGEST_URL, label=gettext_lazy("Address"),
        help_text=gettext_lazy("An https address of your own that takes a POST."),
        widget=forms.URLInput(attrs={"autocomplete": "off", "placeholder": "https://"}),
    )  # fmt: skip
    events = forms.MultipleChoiceField(
        label=gettext_lazy("Tell it when"),
        choices=Webhook.Event.choices,
        initial=Webhook.Event.values,
        widget=forms.CheckboxSelectMultiple,
    )


@require_http_methods(["GET", "HEAD", "POST"])
@sensitive_variables("secret")
def webhooks(request: PersonRequest, slug: str) -> HttpResponse:
    """The secret of a new one is in this answer and nowhere else, so a post does not redirect."""
    project = project_for(request.user, slug, MANAGERS)
    form = WebhookForm(request.POST or None)
    if form.is_valid():
        try:
            made, secret = add_webhook(project=project, by=request.user, **form.cleaned_data)
        except Refused as refused:
            add_refusal(form, refused)
        else:
            return _page(request, project, WebhookForm(), made=made, secret=secret)
    return _page(request, project, form)


@require_safe
def webhook(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    return _one(request, webhook_for(request.user, slug, pk))


@require_POST
def webhook_test(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    hook = webhook_for(request.user, slug, pk)
    enqueue_delivery(send_test(webhook=hook, by=request.user))
    messages.success(request, _("A test is on its way. Load the page again to see what came back."))
    return redirect("webhook", slug, pk)


@require_POST
def webhook_pause(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    hook = webhook_for(request.user, slug, pk)
    if request.POST.get("resume"):
        resume_webhook(webhook=hook, by=request.user)
        messages.success(request, _("It is told again, of what waited too."))
    else:
        pause_webhook(webhook=hook, by=request.user)
        messages.success(request, _("Paused: it is told of nothing that happens from now on."))
    return redirect("webhook", slug, pk)


@require_POST
@sensitive_variables("secret")
def webhook_secret(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    """The new secret is in this answer and nowhere else, so this one does not redirect."""
    hook = webhook_for(request.user, slug, pk)
    return _one(request, hook, secret=rotate_secret(webhook=hook, by=request.user))


@require_POST
def webhook_delete(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    delete_webhook(webhook=webhook_for(request.user, slug, pk), by=request.user)
    messages.success(request, _("The webhook is gone, with what was waiting for it."))
    return redirect("webhooks", slug)


@require_POST
def delivery_again(request: PersonRequest, slug: str, pk: int) -> HttpResponse:
    delivery = delivery_for(request.user, slug, pk)
    send_again(delivery=delivery, by=request.user)
    enqueue_delivery(delivery)
    messages.success(request, _("It is sent again."))
    return redirect("webhook", slug, delivery.webhook_id)


def _page(request: PersonRequest, project: Project, form: WebhookForm, **context: Any) -> HttpResponse:
    found = project.webhooks.order_by("pk")
    context |= {"project": project, "form": form, "webhooks": found, "labels": dict(Webhook.Event.choices)}
    return render(request, "labeling/webhooks.html", context, status=422 if form.errors else 200)


def _one(request: PersonRequest, hook: Webhook, **context: Any) -> HttpResponse:
    page = Paginator(hook.deliveries.order_by("-pk"), PAGE).get_page(request.GET.get("page"))
    labels = dict(Webhook.Event.choices)
    context |= {"project": hook.project, "webhook": hook, "page": page, "events": [labels[e] for e in hook.events]}
    return render(request, "labeling/webhook.html", context)
