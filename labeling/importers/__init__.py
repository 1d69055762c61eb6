"""Files in: any known container and format → item drafts and refusals, streamed. Knows no model and no Django."""

from labeling.importers.drafts import ItemDraft, Refused, ResponseDraft
from labeling.importers.packing import Unreadable
from labeling.importers.reading import FORMATS, Format, ItemFile

__all__ = ["FORMATS", "Format", "ItemDraft", "ItemFile", "Refused", "ResponseDraft", "Unreadable"]
