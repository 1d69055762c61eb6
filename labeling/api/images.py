"""Images: content as the API gives it, with the addresses of its images, and their bytes."""

from __future__ import annotations

from typing import Any

from django.http import FileResponse
from django.urls import reverse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from labeling.access import image_for
from labeling.api.base import Endpoint
from labeling.delivery import image_response
from labeling.importers import Content

KINDS = ("image/png", "image/jpeg", "image/webp")
CONTENT = (
    "Text; or parts where there are images: [{type: text, text}, {type: image, image, alt, width, height}], in which "
    "`image` is the path to GET with the same token."
)


class OneImage(Endpoint):
    @extend_schema(operation_id="read_image", responses={(200, kind): OpenApiTypes.BINARY for kind in KINDS})
    def get(self, request: Request, token: str) -> FileResponse:
        """The bytes of an image whose address came with an assignment. For members of its project."""
        return image_response(image_for(self.user, token))


def content_shape(content: Content) -> Content:
    return content if isinstance(content, str) else [_part(part) for part in content]


def _part(part: dict[str, Any]) -> dict[str, Any]:
    if part["type"] != "image":
        return part
    facts = {name: part[name] for name in ("type", "alt", "width", "height")}
    return facts | {"image": reverse("api:image", args=[part["image"]])}
