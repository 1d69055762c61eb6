"""Every error of the API as RFC 9457 problem details: `type`, `title`, `status`, `detail`, `code` and `errors`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

import psycopg.errors
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.core.signals import got_request_exception
from django.db import DataError, IntegrityError, OperationalError
from django.http import Http404
from rest_framework import exceptions
from rest_framework.response import Response

from labeling.actions.refusals import Refused

log = logging.getLogger("django.request")

MEDIA_TYPE = "application/problem+json"
TYPES = "/api/v1/docs/#problem-"

# Every code a verb refuses with, and what it is in HTTP; a test looks for codes that are missing here.
STATUS = {
    "invalid": 400,
    "unknown_role": 400,
    "unknown_format": 400,
    "unknown_preset": 400,
    "no_such_person": 400,
    "no_such_project": 404,
    "unchangeable": 400,
    "unchanged": 409,
    "judged_yourself": 409,
    "decided_meanwhile": 409,
    "undecided": 409,
    "escalated": 409,
    "answered": 409,
    "already_made": 409,
    "not_worked_out": 409,
    "slug_taken": 409,
    "name_taken": 409,
    "email_taken": 409,
    "last_manager": 409,
    "invitation_over": 410,
    "invitation_for_other": 403,
    "not_open": 409,
    "not_opened": 409,
    "not_hidden": 409,
    "withdrawn": 409,
    "closed": 410,
    "topic_taken": 409,
    "lease_lost": 409,
    "skipped": 409,
    "released": 409,
    "already_submitted": 409,
    "already_yours": 409,
    "answered_already": 409,
    "revise_closed": 409,
    "has_judgments": 409,
    "hints": 422,
    "rater_paused": 403,
    "queue_closed": 409,
    "not_named": 403,
    "role_missing": 403,
    "language_missing": 403,
    "not_qualified": 403,
    "not_reliable_enough": 403,
    "quota_reached": 409,
    "not_ready": 409,
    "consent_changed": 409,
    "consent_missing": 400,
    "already_a_lesson": 409,
    "too_many": 409,
    "sensitive_pair": 409,
    "nothing_known": 409,
    "already_gold": 409,
    "shown_enough": 409,
    "found_broken": 409,
    "nothing_to_dispute": 409,
    "disputed_already": 409,
    "not_lifted": 409,
    "held_now": 409,
    "already_answered": 409,
    "enough_tries": 409,
    "no_tries_left": 409,
    "no_such_link": 404,
    "link_closed": 410,
    "worker_id": 400,
    "entered_elsewhere": 409,
    "entry_over": 403,
    "crowd_account": 403,
    "address_refused": 400,
}

TITLES = {
    "invalid": "Something in the request is not understood",
    "unknown_role": "There is no such role",
    "unknown_format": "There is no such format",
    "unknown_preset": "There is no such preset",
    "no_such_person": "Nobody has this address",
    "no_such_project": "There is no such project",
    "unchangeable": "This cannot be changed",
    "unchanged": "Nothing would change",
    "judged_yourself": "You judged or wrote this pair yourself",
    "decided_meanwhile": "Somebody else decided meanwhile",
    "undecided": "This pair is not decided",
    "escalated": "This pair is with the managers already",
    "answered": "This was answered already",
    "not_worked_out": "This plan is not worked out yet",
    "already_made": "A queue was made of this plan already",
    "slug_taken": "The slug is taken",
    "name_taken": "The name is taken",
    "email_taken": "The address is taken",
    "last_manager": "A project needs a manager",
    "invitation_over": "The invitation is over",
    "invitation_for_other": "The invitation is for someone else",
    "not_open": "The assignment is not open",
    "not_opened": "The pair was not opened",
    "not_hidden": "The pair is in rotation",
    "withdrawn": "It was withdrawn",
    "closed": "The files are closed",
    "topic_taken": "There is such a topic",
    "lease_lost": "The pair went to someone else",
    "skipped": "You skipped this pair",
    "released": "You gave this pair back",
    "already_submitted": "You already answered this pair",
    "already_yours": "You have this pair elsewhere",
    "answered_already": "You answered this pair elsewhere",
    "revise_closed": "The time to revise is over",
    "has_judgments": "There are answers that it would change",
    "hints": "Two answers may not go together",
    "not_ready": "A step of the project comes first",
    "rater_paused": "Your work in this project is paused",
    "queue_closed": "The queue is closed",
    "not_named": "The queue is for named people",
    "role_missing": "The queue is for people with another role",
    "language_missing": "The queue is in languages you did not name",
    "not_qualified": "The queue is for raters who have qualified",
    "not_reliable_enough": "The queue is for raters with more experience",
    "quota_reached": "You had the day's pairs of this queue",
    "consent_changed": "The consent text has changed",
    "consent_missing": "Consent is missing",
    "already_a_lesson": "The pair is a lesson already",
    "too_many": "There are too many",
    "sensitive_pair": "The pair is of a sensitive topic",
    "nothing_known": "Nothing is known about the pair",
    "already_gold": "The pair is mixed in already",
    "shown_enough": "The pair was shown often enough",
    "found_broken": "The pair was found broken",
    "nothing_to_dispute": "There is nothing to disagree with",
    "disputed_already": "You have said so already",
    "not_lifted": "It cannot be brought back",
    "held_now": "A rater holds the pair",
    "already_answered": "It is answered already",
    "enough_tries": "It was tried often enough",
    "no_tries_left": "No try is left",
    "no_such_link": "There is no such link",
    "link_closed": "The study is closed",
    "worker_id": "The worker is not named",
    "entered_elsewhere": "The worker began in another browser",
    "entry_over": "The worker has left",
    "crowd_account": "Not for accounts of crowd platforms",
    "address_refused": "This server may not call that address",
    "unauthenticated": "A token is needed",
    "forbidden": "Not allowed",
    "not_found": "Not found",
    "method_not_allowed": "This path does not take this method",
    "unsupported_media_type": "This content type is not read here",
    "too_large": "The body is too large",
    "conflict": "It is there already",
    "unavailable": "The database cannot answer now",
    "error": "Something went wrong here",
}


class TooLarge(exceptions.APIException):
    status_code = HTTPStatus.REQUEST_ENTITY_TOO_LARGE
    default_detail = "The body is too large."


def problem(status: int, code: str, detail: str, errors: dict[str, str] | None = None) -> Response:
    """An answer that says what is wrong. `code` is stable and for programs, `detail` is a sentence for people."""
    body: dict[str, Any] = {
        "type": f"{TYPES}{code}",
        "title": TITLES.get(code, code.replace("_", " ").capitalize()),
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return Response(body, status=status, content_type=MEDIA_TYPE)


def problem_details(exc: Exception, context: dict[str, Any]) -> Response:
    """REST framework's exception handler: whatever was raised becomes one problem."""
    if isinstance(exc, Refused):
        return problem(STATUS.get(exc.code, HTTPStatus.CONFLICT), exc.code, exc.message, exc.errors)
    if isinstance(exc, exceptions.ValidationError):
        return _invalid(exc)
    if isinstance(exc, exceptions.APIException):
        return _of_framework(exc)
    return _of_django(exc) or _of_database(exc) or _unexpected(exc, context)


def _invalid(exc: exceptions.ValidationError) -> Response:
    errors = dict(_flat(exc.detail))
    named = ", ".join(name for name in errors if name)
    detail = f"Look at: {named}." if named else " ".join(errors.values())
    return problem(HTTPStatus.BAD_REQUEST, "invalid", detail, {name or "body": text for name, text in errors.items()})


def _flat(detail: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Nested messages as (dotted path, one text)."""
    if isinstance(detail, dict):
        for name, inner in detail.items():
            yield from _flat(inner, path if name == "non_field_errors" else f"{path}.{name}".strip("."))
    elif isinstance(detail, list) and any(isinstance(inner, dict | list) for inner in detail):
        for place, inner in enumerate(detail):
            if inner:
                yield from _flat(inner, f"{path}.{place}".strip("."))
    else:
        yield path, " ".join(map(str, detail)) if isinstance(detail, list) else str(detail)


def _of_framework(exc: exceptions.APIException) -> Response:
    codes = {
        401: "unauthenticated", 403: "forbidden", 404: "not_found", 405: "method_not_allowed",
        413: "too_large", 415: "unsupported_media_type",
    }  # fmt: skip
    answer = problem(exc.status_code, codes.get(exc.status_code, "invalid"), str(exc.detail))
    if header := getattr(exc, "auth_header", None):
        answer["WWW-Authenticate"] = header
    return answer


def _of_django(exc: Exception) -> Response | None:
    if isinstance(exc, Http404):
        return problem(HTTPStatus.NOT_FOUND, "not_found", "There is nothing here, or nothing that this token may see.")
    if isinstance(exc, PermissionDenied):
        return problem(HTTPStatus.FORBIDDEN, "forbidden", str(exc) or "This token may not do that.")
    if isinstance(exc, RequestDataTooBig):
        return problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too_large", "The body is too large.")
    if isinstance(exc, SuspiciousOperation | BadRequest):
        return problem(HTTPStatus.BAD_REQUEST, "invalid", "The request is not well formed.")
    return None


def _of_database(exc: Exception) -> Response | None:
    """What only the database could see. Its own words stay in the log: they may hold other people's data."""
    cause = exc.__cause__
    if isinstance(cause, psycopg.errors.UniqueViolation):
        return problem(HTTPStatus.CONFLICT, "conflict", "Something with this name or number was made at the same time.")
    if isinstance(exc, IntegrityError | DataError):
        log.warning("refused by the database: %s", exc)
        return problem(
            HTTPStatus.BAD_REQUEST, "invalid", "The database refused a value: it is outside what may be stored."
        )
    if isinstance(exc, OperationalError):
        log.error("the database cannot answer", exc_info=exc)
        answer = problem(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", "Send it again in a few seconds.")
        answer["Retry-After"] = "5"
        return answer
    return None


def _unexpected(exc: Exception, context: dict[str, Any]) -> Response:
    """A defect: logged and signalled as Django does, told to the caller without its inside."""
    request = context["request"]._request
    got_request_exception.send(sender=None, request=request)
    log.error("Internal Server Error: %s", request.path, exc_info=exc)
    return problem(
        HTTPStatus.INTERNAL_SERVER_ERROR, "error", "The operator can find it in the log. Nothing was changed."
    )
