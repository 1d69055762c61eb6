"""The choices of the new-export page, as a recipe."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exports.formats import FORMATS
from exports.recipes import Recipe
from exports.recipes.recipe import FORMATS as FILES
from exports.recipes.recipe import MOST_JUDGMENTS
from labeling.models import Criterion, Project

_FILES = [("parquet", "Parquet"), ("jsonl", "JSON Lines"), ("csv", "CSV")]
_TESTS = [("0", _("none")), ("0.05", "5%"), ("0.1", "10%"), ("0.2", "20%")]
_YES_NO = [("yes", _("Yes")), ("no", _("No"))]


class RecipeForm(forms.Form):
    """Always bound: what the address leaves out has the recipe's default, so the page opens with a preview."""

    format = forms.ChoiceField(
        label=_("Format"), choices=[(f.name, f.title) for f in FORMATS.values()], widget=forms.RadioSelect
    )
    criterion = forms.ChoiceField(label=_("Criterion"), widget=forms.RadioSelect)
    file = forms.ChoiceField(label=_("File"), choices=_FILES, widget=forms.RadioSelect)
    test = forms.ChoiceField(label=_("Held out as test"), choices=_TESTS, widget=forms.RadioSelect)
    rationales = forms.ChoiceField(label=_("Raters’ words"), choices=_YES_NO, widget=forms.RadioSelect)
    min_judgments = forms.IntegerField(
        label=_("Judgments a pair needs"),
        min_value=1,
        max_value=MOST_JUDGMENTS,
        widget=forms.NumberInput(attrs={"class": "input"}),
    )
    queue = forms.ChoiceField(label=_("Queue"), required=False, widget=forms.Select(attrs={"class": "input"}))

    def __init__(self, project: Project, data: Any) -> None:
        preferences = project.criteria.filter(kind=Criterion.Kind.PREFERENCE)
        default = Recipe("dpo")
        first = {
            "format": default.format, "criterion": default.criterion, "file": default.file,
            "test": str(default.split.test), "rationales": "yes", "min_judgments": "1", "queue": "",
        }  # fmt: skip
        keys = [criterion.key for criterion in preferences]
        if keys and default.criterion not in keys:
            first["criterion"] = keys[0]
        super().__init__(first | {name: data[name] for name in first if name in data})
        self.fields["criterion"].choices = [(c.key, _(c.name)) for c in preferences]  # type: ignore[attr-defined]
        queues = project.queues.order_by("name").values_list("name", flat=True)
        self.fields["queue"].choices = [("", _("Every pair of the project")), *((q, q) for q in queues)]  # type: ignore[attr-defined]

    def recipe(self) -> dict[str, Any]:
        given = self.cleaned_data
        return {
            "format": given["format"],
            "criterion": given["criterion"],
            # Some readers take one kind of file only, whichever was chosen for another format.
            "file": given["file"] if given["file"] in FILES[given["format"]] else FILES[given["format"]][0],
            "rationales": given["rationales"] == "yes",
            "split": {"test": float(given["test"])},
            "filters": {"min_judgments": given["min_judgments"]}
            | ({"queues": [given["queue"]]} if given["queue"] else {}),
        }
