"""The nouns, in foreign-key order: a file imports only files listed above it."""

from labeling.models.users import ApiToken, Invitation, Membership, User
from labeling.models.projects import Acknowledgement, Criterion, Guideline, Project
from labeling.models.jobs import Job, LostJob
from labeling.models.items import Batch, Image, Item, Pair, Refusal, Response
from labeling.models.queues import Assignment, Passage, Queue, Slot
from labeling.models.settling import QueuedPair, RaterStanding, Settling
from labeling.models.annotations import Annotation, Judgment
from labeling.models.gold import Dispute, GoldAnswer, GoldPair, GoldResult, SecondLook
from labeling.models.adjudication import Adjudication, Disagreement, DisagreementSearch, Escalation
from labeling.models.analysis import Analysis, Finding, StudyPlan
from labeling.models.care import CheckIn, Exposure, Topic
from labeling.models.entry import (
    Attempt,
    ConsentText,
    CrowdEntry,
    CrowdLink,
    Lesson,
    Participation,
    RaterProfile,
)
from labeling.models.webhooks import Delivery, FinishedQueue, Webhook
from labeling.models.withdrawals import Withdrawal
from labeling.models.audit import AuditEntry

__all__ = [
    "Acknowledgement", "Adjudication", "Analysis", "Annotation", "ApiToken", "Assignment", "Attempt", "AuditEntry",
    "Batch", "CheckIn", "ConsentText", "Criterion", "CrowdEntry", "CrowdLink", "Delivery", "Disagreement",
    "DisagreementSearch", "Dispute", "Escalation", "Exposure", "Finding", "FinishedQueue", "GoldAnswer", "GoldPair",
    "GoldResult", "Guideline", "Image", "Invitation", "Item", "Job", "Judgment", "Lesson", "LostJob", "Membership",
    "Pair", "Participation", "Passage", "Project", "Queue", "QueuedPair", "RaterProfile", "RaterStanding",
    "Refusal", "Response", "SecondLook", "Settling", "Slot", "StudyPlan", "Topic", "User", "Webhook", "Withdrawal",
]  # fmt: skip
