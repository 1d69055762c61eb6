"""The same examples in every run: what a run finds by chance belongs into the suite, not into somebody's afternoon."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("same", derandomize=True)
settings.load_profile("same")
