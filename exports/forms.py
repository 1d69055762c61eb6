"""The choices of the new-export page, as a recipe."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exports.formats import FORMATS
from exports.recipes import NAMED, PRESETS, Recipe
from exports.recipes.recipe import (
    APART,
    EXCLUDED,
    LABELS,
    MARGINS,
    MOST_JUDGMENTS,
    REPEATED,
    SAFER_WINS,
    SURE,
    WEIGHTED,
    WIDE,
)
from exports.recipes.recipe import FORMATS as FILES
from labeling.models import Criterion, Project

# What each aggregate does, in a sentence; docs/recipes.md has the formulas.
AGGREGATES = {
    "majority": (_("Majority"), _("The side of more raters.")),
    "mean": (_("Mean of grades"), _("Whoever is sure outweighs whoever is not.")),
    "one_coin": (_("Reliability"), _("Each rater counts as much as they proved reliable.")),
    "dawid_skene": (_("Dawid–Skene"), _("As that, and learns how each rater errs, ties too.")),
    "helpsteer": (_("HelpSteer"), _("The three most similar grades, at most two apart.")),
    "hh": (_("Drop the weakest"), _("Majority without judgments of the weakest grade, as HH-RLHF.")),
    "each": (_("Each judgment"), _("Every judgment gives its own row.")),
}
_FILES = [("parquet", "Parquet"), ("jsonl", "JSON Lines")]
_TESTS = [("0", _("none")), ("0.05", "5%"), ("0.1", "10%"), ("0.2", "20%")]
_YES_NO = [("yes", _("Yes")), ("no", _("No"))]
_MARGINS = {
    "mean": _("Mean grade"), "llama2": "Llama 2: 3, 2, 1, 0", "llama2_small": "Llama 2: 1, ⅔, ⅓, 0",
    "log_odds": _("Log-odds"), "none": _("None"),
}  # fmt: skip
_LABELS = {"hard": _("Hard"), "soft": _("With p_chosen"), "copies": _("Ten copies")}
_EXCLUDED = {
    "conflict": _("Preferences point different ways"), "preferred_unsafe": _("Chosen unsafe, the other safe"),
    "unsafe": _("Chosen is unsafe"),
}  # fmt: skip
_APART = {
    "language": _("Language of the pair"), "age": _("Age"), "gender": _("Gender"), "region": _("Region"),
    "education": _("Education"), "first_language": _("First language"),
}  # fmt: skip
_HEAVIEST = 100


def _radios(label: Any, choices: Iterable[tuple[str, Any]] = ()) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), widget=forms.RadioSelect)


def _select(label: Any, choices: Iterable[tuple[str, Any]] = ()) -> forms.ChoiceField:
    widget = forms.Select(attrs={"class": "input"})
    return forms.ChoiceField(label=label, choices=list(choices), required=False, widget=widget)


def _number(label: Any, least: int, most: int) -> forms.IntegerField:
    widget = forms.NumberInput(attrs={"class": "input"})
    return forms.IntegerField(label=label, min_value=least, max_value=most, required=False, widget=widget)


class RecipeForm(forms.Form):
    """Always bound: what the address leaves out is as the recipe that it starts from, so the page opens with a preview.

    `base` names that recipe; what the form has no field for stays as it is there. Fields that a choice makes pointless
    are passed over, not refused.
    """

    format = _radios(_("Format"), [(f.name, f.title) for f in FORMATS.values()])
    criterion = _radios(_("Criterion"))
    aggregate = _radios(_("Several judgments become one"), [(key, words[0]) for key, words in AGGREGATES.items()])
    threshold = _number(_("Least certainty of a label, in percent"), 50, 99)
    margin = _radios(_("Margin"), [(key, _MARGINS[key]) for key in MARGINS])
    labels = _radios(_("Labels"), [(key, _LABELS[key]) for key in LABELS])
    exclude = forms.MultipleChoiceField(
        label=_("Leave out"), choices=[(key, _EXCLUDED[key]) for key in EXCLUDED], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    min_judgments = _number(_("Judgments a pair needs"), 1, MOST_JUDGMENTS)
    queue = _select(_("Queue"))
    language = _select(_("Language"))
    apart = _select(_("Keep apart"), [("", _("Nothing: all together")), *((key, _APART[key]) for key in APART)])
    file = _radios(_("File"), _FILES)
    test = _radios(_("Held out as test"), _TESTS)
    rationales = _radios(_("Raters’ words"), _YES_NO)

    def __init__(self, project: Project, data: Any, base: Recipe) -> None:
        preferences = list(project.criteria.filter(kind=Criterion.Kind.PREFERENCE))
        self.base, self.keys = base, [criterion.key for criterion in preferences]
        first = _initial(base, self.keys)
        lists = {"exclude"}
        given = {name: data.getlist(name) if name in lists else data[name] for name in first if name in data}
        if "format" in data and "exclude" not in data:
            given["exclude"] = []  # a form that was sent; unticked boxes are not in it
        super().__init__(first | given)
        self._choose("criterion", [(c.key, _(c.name)) for c in preferences] + _combinations(self.keys))
        for criterion in preferences if len(preferences) > 1 else ():
            self.fields[f"weight_{criterion.key}"] = _number(_(criterion.name), 0, _HEAVIEST)
        queues = project.queues.order_by("name").values_list("name", flat=True)
        self._choose("queue", [("", _("Every pair of the project")), *((q, q) for q in queues)])
        languages = set(project.queues.values_list("languages", flat=True)[:0]) | set(base.filters.languages)
        languages |= set(
            project.items.exclude(language="").order_by().values_list("language", flat=True).distinct()[:60]
        )
        self._choose("language", [("", _("Every language")), *((tag, tag) for tag in sorted(languages))])

    @property
    def weights(self) -> list[forms.BoundField]:
        return [self[name] for name in self.fields if name.startswith("weight_")]

    @property
    def choices(self) -> list[forms.BoundField]:
        """The fields below the formats, in order."""
        return [self[name] for name in self.fields if name != "format" and not name.startswith("weight_")]

    def recipe(self) -> dict[str, Any]:
        """The recipe as JSON: the one it starts from, with what was chosen."""
        given, plain = self.cleaned_data, self.base.as_json()
        kind, sure = given["format"], given["aggregate"] in SURE
        filters = plain["filters"] | {"exclude": given["exclude"], "min_judgments": given["min_judgments"] or 1}
        filters["queues"] = _one(given["queue"], filters["queues"])
        filters["languages"] = _one(given["language"], filters["languages"])
        return plain | {
            "format": kind,
            "criterion": self._criterion(),
            "aggregate": given["aggregate"],
            "threshold": (given["threshold"] or 55) / 100 if sure else None,
            "margin": given["margin"] if sure or given["margin"] != "log_odds" else "mean",
            "labels": _fitting(given["labels"], kind, given["aggregate"]),
            "apart": (given["apart"] or None) if kind in WIDE else None,
            # Some readers take one kind of file only, whichever was chosen for another format.
            "file": given["file"] if given["file"] in FILES[kind] else FILES[kind][0],
            "rationales": given["rationales"] == "yes",
            "split": plain["split"] | {"test": float(given["test"])},
            "filters": filters,
        }

    def _criterion(self) -> Any:
        chosen = self.cleaned_data["criterion"]
        if chosen == WEIGHTED:
            weights = {key: self.cleaned_data.get(f"weight_{key}") or 0 for key in self.keys}
            return {"combine": WEIGHTED, "weights": {key: weight for key, weight in weights.items() if weight}}
        if chosen == SAFER_WINS:
            combine = self.base.combine
            same = combine.as_json() if combine and combine.how == SAFER_WINS else {}
            return same or {"combine": SAFER_WINS}
        return chosen

    def _choose(self, name: str, choices: list[tuple[str, Any]]) -> None:
        self.fields[name].choices = choices  # type: ignore[attr-defined]


def _initial(base: Recipe, keys: list[str]) -> dict[str, Any]:
    """The values of the fields that stand for `base`."""
    weights = dict(base.combine.weights) if base.combine else {}
    criterion = base.combine.how if base.combine else base.criterion
    if not base.combine and keys and criterion not in keys:
        criterion = keys[0]
    shares = {float(value): value for value, _words in _TESTS}
    return {
        "format": base.format, "criterion": criterion, "aggregate": base.aggregate,
        "threshold": str(round(100 * base.certainty)), "margin": base.margin, "labels": base.labels,
        "exclude": list(base.filters.exclude), "min_judgments": str(base.filters.min_judgments),
        "queue": _only(base.filters.queues), "language": _only(base.filters.languages), "apart": base.apart or "",
        "file": base.file, "test": shares.get(base.split.test, "0.05"), "rationales": "yes" if base.rationales else "no",
    } | {f"weight_{key}": f"{weights.get(key, 1):g}" for key in keys}  # fmt: skip


def _combinations(keys: list[str]) -> list[tuple[str, Any]]:
    safer = [(SAFER_WINS, _("Safer wins"))] if {"helpfulness", "harmlessness"} <= set(keys) else []
    return [*safer, (WEIGHTED, _("Weighted"))] if len(keys) > 1 else []


def _fitting(labels: str, kind: str, aggregate: str) -> str:
    """The kind of labels that the format and the aggregate take."""
    takes = {"soft": kind in WIDE, "copies": kind in REPEATED}
    return labels if aggregate != "each" and takes.get(labels) else "hard"


def _only(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ""


def _one(chosen: str, before: list[str]) -> list[str]:
    """The one that was chosen; several, which the page cannot show, stay until one is."""
    return [chosen] if chosen else before if len(before) > 1 else []


def starts(stored: Iterable[Any]) -> list[Mapping[str, str]]:
    """What the page offers to start from: the usual recipes, then those of the project."""
    usual = [{"name": name, "title": name} for name in PRESETS]
    return usual + [{"name": one.name, "title": f"{one.name}@{one.version}"} for one in stored]


__all__ = ["AGGREGATES", "NAMED", "RecipeForm", "starts"]
