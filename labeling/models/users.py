"""Who a person is, and what they may do in a project."""

from __future__ import annotations

import secrets
from datetime import datetime
from hashlib import sha256
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

# Of the accounts of crowd workers: reserved by RFC 2606, so no mail to it goes anywhere.
CROWD_DOMAIN = "crowd.invalid"


def normal_email(email: str) -> str:
    """One person, one spelling: addresses are stored in lower case without surrounding space."""
    return email.strip().lower()


def digest(secret: str) -> str:
    """What is stored of a token: its SHA-256 in hex. The secret has 256 random bits, so no slow hash is needed."""
    return sha256(secret.encode()).hexdigest()


class UserManager(BaseUserManager["User"]):
    def create_user(self, email: str, password: str | None = None, **fields: Any) -> User:
        user = self.model(email=normal_email(email), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> User:
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)

    def get_by_natural_key(self, username: str | None) -> User:
        return self.get(email=normal_email(username or ""))


class User(AbstractBaseUser, PermissionsMixin):
    """A person, named by e-mail address. An external rater is a row without a password that can never sign in."""

    class Theme(models.TextChoices):
        AUTO = "auto", _("As the system")
        LIGHT = "light", _("Light")
        DARK = "dark", _("Dark")

    email = models.EmailField(unique=True, max_length=254)
    name = models.CharField(max_length=120, blank=True)
    language = models.CharField(max_length=10, blank=True, help_text="Of the interface; empty asks the browser.")
    theme = models.CharField(max_length=5, choices=Theme.choices, default=Theme.AUTO)
    is_external = models.BooleanField(default=False, help_text="A rater of an imported study; cannot sign in.")
    is_active = models.BooleanField(default=True)
    is_staff = models.BooleanField(default=False)
    date_joined = models.DateTimeField(default=timezone.now, editable=False)

    USERNAME_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    objects: ClassVar[UserManager] = UserManager()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(email=Lower("email")), name="user_email_lower"),
        ]

    def __str__(self) -> str:
        return self.email

    @property
    def display_name(self) -> str:
        return self.name or self.email.partition("@")[0]

    @property
    def is_crowd(self) -> bool:
        """Whether this account was made by a crowd link: it has no password, and works only as far as a link says."""
        return self.email.endswith(f"@{CROWD_DOMAIN}")

    @property
    def initials(self) -> str:
        words = self.display_name.split()
        return "".join(word[0] for word in words[:2]).upper()


class Membership(models.Model):
    """A person's role in a project. A person may hold several; the operator of the installation is a superuser."""

    class Role(models.TextChoices):
        RATER = "rater", _("Rater")
        ADJUDICATOR = "adjudicator", _("Adjudicator")
        MANAGER = "manager", _("Manager")
        RESEARCHER = "researcher", _("Researcher")

    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=12, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "user", "role"], name="membership_once"),
            models.CheckConstraint(
                condition=models.Q(role__in=["rater", "adjudicator", "manager", "researcher"]), name="membership_role"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.user} as {self.role}"


class Invitation(models.Model):
    """A link that makes whoever opens it a member, once, until it expires. Only the digest of its token is stored."""

    project = models.ForeignKey("labeling.Project", on_delete=models.CASCADE, related_name="invitations")
    role = models.CharField(max_length=12, choices=Membership.Role.choices)
    email = models.EmailField(blank=True, help_text="If given, only a person with this address can use the link.")
    token_digest = models.CharField(max_length=64, unique=True)
    created_by = models.ForeignKey(User, on_delete=models.CASCADE, related_name="+")
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)
    used_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.role} in {self.project_id}"

    @property
    def is_open(self) -> bool:
        return self.used_at is None and self.revoked_at is None and self.expires_at > timezone.now()


class ApiToken(models.Model):
    """A key for programs, shown once. `ann_` + 8 characters to find it by + `_` + 43 characters of secret."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=8, unique=True)
    secret_digest = models.CharField(max_length=64)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    @property
    def is_live(self) -> bool:
        return self.revoked_at is None and self.expires_at > timezone.now()

    @classmethod
    def issue(cls, user: User, name: str, expires_at: datetime) -> tuple[ApiToken, str]:
        """Store a new token and return it with its text, which cannot be recovered later."""
        prefix, secret = secrets.token_hex(4), secrets.token_urlsafe(32)
        token = cls.objects.create(
            user=user, name=name, prefix=prefix, secret_digest=digest(secret), expires_at=expires_at
        )
        return token, f"ann_{prefix}_{secret}"
