"""How both doors hand out an image: exactly as what it is, to this person only, and never as a page of this site."""

from __future__ import annotations

from django.core.files.storage import default_storage
from django.http import FileResponse, Http404

from labeling.models import Image

# Its bytes never change under an address, so a browser need not ask again; nobody in between may keep it.
_HEADERS = {
    "Cache-Control": "private, max-age=31536000, immutable",
    "Content-Disposition": "inline",
    "Content-Security-Policy": "sandbox; default-src 'none'",
    "X-Content-Type-Options": "nosniff",
}


def image_response(image: Image) -> FileResponse:
    """Says neither what the file was called nor when it was stored, which would tell what came first."""
    try:
        file = default_storage.open(image.storage_name)
    except FileNotFoundError as missing:
        raise Http404("the stored file is gone") from missing
    response = FileResponse(file, content_type=image.media_type)
    for name, value in _HEADERS.items():  # after it has guessed its own
        response.headers[name] = value
    return response
