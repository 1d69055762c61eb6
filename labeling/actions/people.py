"""People, their roles, invitations and keys for programs."""

from __future__ import annotations

import secrets
from datetime import timedelta

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from labeling.actions.authors import claim_authorship
from labeling.actions.refusals import Refused
from labeling.audit import record
from labeling.models import ApiToken, Invitation, Membership, Project, User
from labeling.models.users import digest, normal_email

LONGEST_TOKEN_DAYS = 365


@transaction.atomic
def create_person(
    *, email: str, name: str = "", password: str | None = None, superuser: bool = False, by: User | None = None
) -> User:
    """A new person. Without a password they sign in only after a password reset."""
    email = checked_email(email)
    if User.objects.filter(email=email).exists():
        raise Refused(
            "email_taken",
            _("There is already a person with the address %(email)s.") % {"email": email},
            {"email": "taken"},
        )
    user = User.objects.create_user(email, password, name=name, is_superuser=superuser, is_staff=superuser)
    record(by or user, "person.created", user, project_id=None, superuser=superuser)
    return user


def find_person(*, email: str) -> User:
    """The person with this address who can sign in, or Refused with what to do instead."""
    found = User.objects.filter(email=normal_email(email), is_external=False, is_active=True).first()
    if found is None:
        raise Refused(
            "no_such_person",
            _("Nobody has an account with the address %(email)s. Make one, or send an invitation link.")
            % {"email": normal_email(email)},
            {"email": "no account"},
        )
    return found


def find_raters(*, project: Project, emails: list[str]) -> list[User]:
    """The project's raters with these addresses, or Refused that names who is none. One query."""
    wanted = {normal_email(email) for email in emails}
    rating = Membership.objects.filter(project=project, role=Membership.Role.RATER)
    found = list(User.objects.filter(email__in=wanted, pk__in=rating.values("user")).order_by("pk"))
    if missing := sorted(wanted - {user.email for user in found}):
        said = _("Not raters of this project: %(emails)s. Invite them first, or leave them out.") % {
            "emails": ", ".join(missing)
        }
        raise Refused("invalid", said, {"raters": said})
    return found


@transaction.atomic
def add_member(*, project: Project, user: User, role: str, by: User | None) -> Membership:
    """Give a role; giving it again changes nothing."""
    if role not in Membership.Role.values:
        raise Refused("unknown_role", _role_help(role), {"role": _one_of_roles()})
    membership, made = Membership.objects.get_or_create(project=project, user=user, role=role)
    if made:
        Project.objects.select_for_update(no_key=True).get(pk=project.pk)
        claim_authorship(project_id=project.pk, user_id=user.pk, name=user.email)
        record(by, "member.added", membership, project_id=project.pk, user=user.pk, role=role)
    return membership


@transaction.atomic
def remove_member(*, membership: Membership, by: User) -> None:
    """Take a role away; what the person did stays. A project keeps at least one manager."""
    project, role = membership.project, membership.role
    managers = Membership.objects.select_for_update().filter(project=project, role=Membership.Role.MANAGER)
    if role == Membership.Role.MANAGER and len(managers) == 1:
        raise Refused("last_manager", _("This is the project’s only manager. Make someone else a manager first."))
    record(by, "member.removed", membership, project_id=project.pk, user=membership.user_id, role=role)
    membership.delete()


@transaction.atomic
def invite(*, project: Project, role: str, by: User, email: str = "") -> tuple[Invitation, str]:
    """An invitation and the secret part of its link, which is stored only as a digest."""
    if role not in Membership.Role.values:
        raise Refused("unknown_role", _role_help(role), {"role": _one_of_roles()})
    secret = secrets.token_urlsafe(32)
    invitation = Invitation.objects.create(
        project=project,
        role=role,
        email=checked_email(email) if email else "",
        token_digest=digest(secret),
        created_by=by,
        expires_at=timezone.now() + timedelta(days=settings.INVITATION_DAYS),
    )
    record(by, "invitation.made", invitation, project_id=project.pk, role=role)
    return invitation, secret


def find_invitation(secret: str) -> Invitation:
    """The invitation of a link, or Refused: one message for used, expired, revoked and unknown links."""
    found = Invitation.objects.select_related("project").filter(token_digest=digest(secret)).first()
    if found is None or not found.is_open:
        raise Refused(
            "invitation_over", _("This invitation was used already, has expired, or was withdrawn. Ask for a new one.")
        )
    return found


@transaction.atomic
def accept_invitation(*, secret: str, user: User) -> Membership:
    """Use an invitation, once, even when its link is opened twice at the same time."""
    found = find_invitation(secret)
    if found.email and found.email != user.email:
        raise Refused(
            "invitation_for_other",
            _("This invitation is for %(email)s. Sign in with that address.") % {"email": found.email},
        )
    used = Invitation.objects.filter(pk=found.pk, used_at=None, revoked_at=None).update(
        used_at=timezone.now(), used_by=user
    )
    if not used:
        raise Refused("invitation_over", _("This invitation was used already. Ask for a new one."))
    record(user, "invitation.accepted", found, project_id=found.project_id, role=found.role)
    return add_member(project=found.project, user=user, role=found.role, by=found.created_by)


@transaction.atomic
def join(*, secret: str, email: str, name: str, password: str) -> User:
    """Make a new person and accept an invitation with them, both or neither."""
    find_invitation(secret)
    user = create_person(email=email, name=name, password=password)
    accept_invitation(secret=secret, user=user)
    return user


@transaction.atomic
def revoke_invitation(*, invitation: Invitation, by: User) -> None:
    if Invitation.objects.filter(pk=invitation.pk, used_at=None, revoked_at=None).update(revoked_at=timezone.now()):
        record(by, "invitation.revoked", invitation, project_id=invitation.project_id)


@transaction.atomic
def create_token(*, user: User, name: str, days: int = 90) -> tuple[ApiToken, str]:
    """A key for programs with the user's own rights, and its text, shown once."""
    if user.is_crowd:
        raise Refused("crowd_account", _("An account of a crowd platform has no keys for programs."))
    if not 1 <= days <= LONGEST_TOKEN_DAYS:
        raise Refused(
            "invalid",
            _("A token lasts from 1 to %(most)s days.") % {"most": LONGEST_TOKEN_DAYS},
            {"days": "out of range"},
        )
    token, text = ApiToken.issue(user, name, timezone.now() + timedelta(days=days))
    record(user, "token.created", token, project_id=None, name=name, days=days)
    return token, text


@transaction.atomic
def revoke_token(*, token: ApiToken, by: User) -> None:
    if ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now()):
        record(by, "token.revoked", token, project_id=None)


def checked_email(email: str) -> str:
    email = normal_email(email)
    try:
        validate_email(email)
    except ValidationError:
        raise Refused(
            "invalid", _("“%(email)s” is not an e-mail address.") % {"email": email}, {"email": "not an e-mail address"}
        ) from None
    return email


def _role_help(role: str) -> str:
    if role == "operator":
        return _("The operator is no role of a project: make a superuser with `create_person EMAIL --superuser`.")
    known = ", ".join(Membership.Role.values)
    return _("There is no role “%(role)s”. Roles: %(known)s.") % {"role": role, "known": known}


def _one_of_roles() -> str:
    return _("One of: %(choices)s.") % {"choices": ", ".join(Membership.Role.values)}
