"""The HTTP API of Annotate, version 1, from Python. No dependencies.

from annotate_client import Annotate

annotate = Annotate("https://annotate.example.org", token="ann_…")
export = annotate.wait_for_export(annotate.create_export("advice", "dpo"))
annotate.download(export, "data/advice")
"""

from annotate_client.client import Annotate, Download
from annotate_client.errors import AnnotateError, JobFailed, NoAnswer, WrongBytes
from annotate_client.shapes import (
    Annotation,
    Assignment,
    Batch,
    Criterion,
    Export,
    ExportFile,
    FeedAnnotation,
    Project,
    Queue,
    Refusal,
    Submitted,
)
from annotate_client.webhooks import NotGenuine, WebhookMessage, verify

__all__ = [
    "Annotate",
    "AnnotateError",
    "Annotation",
    "Assignment",
    "Batch",
    "Criterion",
    "Download",
    "Export",
    "ExportFile",
    "FeedAnnotation",
    "JobFailed",
    "NoAnswer",
    "NotGenuine",
    "Project",
    "Queue",
    "Refusal",
    "Submitted",
    "WebhookMessage",
    "WrongBytes",
    "verify",
]
