"""The images of a chunk: files first, then their rows in the transaction that stores the items that show them.

A file that no row names, because a worker was killed between the two, shows nowhere and is swept a day later. The name
of a file is drawn at random and is also its address: it tells nothing of the image, of where it came from, or of
which came first.
"""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from datetime import timedelta

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.utils import timezone

from labeling.importers import ItemDraft, Picture
from labeling.models import Image

FOLDER = "images"
SHELVES = [f"{number:02x}" for number in range(256)]
SHELVES_AN_HOUR = 11  # so that a day sees them all


class Album:
    """Images of one project by the hash of what was sent: those it has, and those whose files were just written."""

    def __init__(self, project_id: int) -> None:
        self._project_id = project_id
        self._written: dict[str, Image] = {}

    def write(self, drafts: Iterable[ItemDraft]) -> None:
        """Write the files of pictures that the project does not have yet."""
        wanted = {sha256: picture for draft in drafts for sha256, picture in draft.pictures.items()}
        known = self._known(wanted)
        self._written = {key: self._stored(picture) for key, picture in wanted.items() if key not in known}

    def tokens(self, drafts: Iterable[ItemDraft]) -> dict[str, str]:
        """The addresses of the drafts' images by hash; new ones get their rows. Needs the lock of the project."""
        wanted = {sha256 for draft in drafts for sha256 in draft.pictures}
        known = self._known(wanted)
        # in the order of their hashes, so that not even their ids tell where in an item they stand
        new = [self._written.pop(sha256) for sha256 in sorted(wanted - known.keys())]
        return known | {image.sha256: image.token for image in Image.objects.bulk_create(new)}

    def discard(self) -> None:
        """Delete the files that got no row: their items were there already, or another import was faster.

        For after the commit only. Where it failed nobody knows whether a file is needed, so the sweep decides.
        """
        for image in self._written.values():
            default_storage.delete(image.storage_name)

    def _known(self, hashes: Collection[str]) -> dict[str, str]:
        if not hashes:
            return {}
        known = Image.objects.filter(project_id=self._project_id, sha256__in=hashes)
        return {image.sha256: image.token for image in known}

    def _stored(self, picture: Picture) -> Image:
        token = secrets.token_hex(16)
        name = default_storage.save(f"{FOLDER}/{token[:2]}/{token}", ContentFile(picture.data))
        size = {"width": picture.width, "height": picture.height}
        return Image(
            project_id=self._project_id,
            sha256=picture.sha256,
            storage_name=name,
            media_type=picture.media_type,
            **size,
        )


def shelves_of_the_hour() -> list[str]:
    """The folders whose turn it is to be swept."""
    hour = int(timezone.now().timestamp()) // 3600
    return [SHELVES[(hour * SHELVES_AN_HOUR + place) % len(SHELVES)] for place in range(SHELVES_AN_HOUR)]


def sweep_images(shelves: Iterable[str], *, older_than: timedelta = timedelta(days=1)) -> int:
    """Delete files of images that no row names. Returns how many."""
    swept, before = 0, timezone.now() - older_than
    for shelf in shelves:
        try:
            names = [f"{FOLDER}/{shelf}/{name}" for name in default_storage.listdir(f"{FOLDER}/{shelf}")[1]]
        except FileNotFoundError:  # on a disk, until its first image; object storage has no folders
            continue
        used = set(Image.objects.filter(storage_name__in=names).values_list("storage_name", flat=True))
        for name in names:
            if name not in used and default_storage.get_modified_time(name) < before:
                default_storage.delete(name)
                swept += 1
    return swept
