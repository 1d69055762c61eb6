"""Files in: any known container and format → item drafts and refusals, streamed. Knows no model and no Django."""

from labeling.importers.bundle import bundle
from labeling.importers.drafts import ItemDraft, Refused, ResponseDraft
from labeling.importers.packing import Unreadable
from labeling.importers.parts import Content
from labeling.importers.pictures import Picture
from labeling.importers.reading import FORMATS, Format, ItemFile

__all__ = [
    "FORMATS", "Content", "Format", "ItemDraft", "ItemFile", "Picture", "Refused", "ResponseDraft", "Unreadable",
    "bundle",
]  # fmt: skip
