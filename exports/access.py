"""Which exports a user may reach: those of the projects where they are a researcher or a manager."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import Http404
from django.utils.translation import gettext as _

from exports.models import Export, ExportFile
from labeling.access import RESEARCHERS, holds
from labeling.actions.refusals import Refused
from labeling.models import User


def exports_for(user: User) -> QuerySet[Export]:
    return Export.objects.filter(holds(user, RESEARCHERS)).select_related("project", "created_by")


def export_for(user: User, pk: int) -> Export:
    export = exports_for(user).filter(pk=pk).first()
    if export is None:
        raise Http404
    return export


def file_for(user: User, pk: int, path: str) -> ExportFile:
    """A file of a finished export; raises Refused("closed") if nobody may fetch it any more.

    The path is looked up among the rows, never in the storage.
    """
    files = ExportFile.objects.filter(export__in=exports_for(user).filter(pk=pk, state=Export.State.DONE), path=path)
    file = files.select_related("export__project").first()
    if file is None:
        raise Http404
    check_open(file.export)
    return file


def check_open(export: Export) -> None:
    """Raises Refused("closed") where a withdrawal closed the files, also one that was not worked in yet. One query."""
    if not Export.objects.fetchable().filter(pk=export.pk).exists():
        raise Refused("closed", _("These files hold what was withdrawn since, so nobody can fetch them any more."))
