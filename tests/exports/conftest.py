from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from labeling.models import Project
from tests.exports.study import study as make_study


@pytest.fixture
def stored() -> Path:
    """Where this test's exports are kept, in the storage that a worker process shares; empty at first."""
    folder = Path(os.environ["STORAGE_URL"]) / "exports"
    shutil.rmtree(folder, ignore_errors=True)
    return folder


@pytest.fixture
def study(transactional_db: None, tmp_path: Path) -> Project:
    """The known study. A build reads through a connection of its own, so what it reads must be committed."""
    return make_study(tmp_path)
