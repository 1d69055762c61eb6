"""The nouns, in foreign-key order: a file imports only files listed above it."""

from labeling.models.users import ApiToken, Invitation, Membership, User
from labeling.models.projects import Criterion, Guideline, Project
from labeling.models.jobs import Job, LostJob
from labeling.models.items import Batch, Item, Pair, Refusal, Response
from labeling.models.queues import Assignment, Passage, Queue, Slot
from labeling.models.annotations import Annotation, Judgment
from labeling.models.audit import AuditEntry

__all__ = [
    "Annotation", "ApiToken", "Assignment", "AuditEntry", "Batch", "Criterion", "Guideline", "Invitation", "Item",
    "Job", "Judgment", "LostJob", "Membership", "Pair", "Passage", "Project", "Queue", "Refusal", "Response", "Slot",
    "User",
]  # fmt: skip
