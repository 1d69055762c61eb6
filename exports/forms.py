"""The choices of the new-export page, as a recipe."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from exports.formats import FORMATS, Format
from exports.recipes import Recipe
from exports.recipes.recipe import (
    ADJUDICATED,
    APART,
    EACH,
    EXCLUDED,
    LABELS,
    MARGINS,
    MOST_JUDGMENTS,
    REPEATED,
    SAFER_WINS,
    SURE,
    WEIGHTED,
    WHOLE,
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
# The formats by what they are for, each group with a sentence; whatever is in none of them comes last.
_METHODS = [
    (
        _("Preference optimisation"), _("A prompt with a better and a worse answer, for DPO and its kin."),
        ("dpo", "dpo-implicit", "dpo-plain", "hh-rlhf", "ultrafeedback", "openai", "llama-factory",
         "llama-factory-alpaca", "axolotl", "nemo-rl"),
    ),
    (
        _("Reward models"), _("What teaches a model to score answers: pairs with margins, ranks, grades."),
        ("reward", "openrlhf", "axolotl-reward", "helpsteer3", "ranking"),
    ),
    (
        _("Single answers and prompts"), _("Answers that are good or bad alone, to imitate, or yet to be given."),
        ("kto", "llama-factory-kto", "sft", "prompts"),
    ),
    (
        _("Safety and principles"), _("Which answer is safe, which is safer, and what principle decided."),
        ("safe-rlhf", "safety", "critiques"),
    ),
    (_("For your own analysis"), _("Everything that was said, row by row."), ("votes",)),
]  # fmt: skip
_FILES = [("parquet", "Parquet"), ("jsonl", "JSON Lines"), ("csv", "CSV")]
_TESTS = [("0", _("none")), ("0.05", "5%"), ("0.1", "10%"), ("0.2", "20%")]
_YES_NO = [("yes", _("Yes")), ("no", _("No"))]
_MARGINS = {
    "mean": _("Mean grade"), "llama2": _("Llama 2: 3, 2, 1, 0"), "llama2_small": _("Llama 2: 1, ⅔, ⅓, 0"),
    "log_odds": _("Log-odds"), "none": _("None"),
}  # fmt: skip
_LABELS = {"hard": _("Hard"), "soft": _("With p_chosen"), "copies": _("Ten copies")}
_EXCLUDED = {
    "conflict": _("Preferences point different ways"), "preferred_unsafe": _("Chosen unsafe, the other safe"),
    "unsafe": _("Chosen is unsafe"),
}  # fmt: skip
_DECIDED = [("no", _("No")), ("yes", _("Before what raters said"))]
_APART = {
    "language": _("Language of the pair"), "age": _("Age"), "gender": _("Gender"), "region": _("Region"),
    "education": _("Education"), "first_language": _("First language"),
}  # fmt: skip
_HEAVIEST = 100


def _radios(label: Any, choices: Iterable[tuple[str, Any]] = ()) -> forms.ChoiceField:
    return forms.ChoiceField(label=label, choices=list(choices), widget=forms.RadioSelect)


def _select(label: Any, choices: Iterable[tuple[str, Any]] = (), *, names: bool = False) -> forms.ChoiceField:
    """`names`: of things that are called the same in every language."""
    widget = forms.Select(attrs={"class": "input mono" if names else "input"})
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
    decided = _radios(_("Decisions of adjudicators"), _DECIDED)
    threshold = _number(_("Least certainty of a label, in percent"), 50, 99)
    margin = _radios(_("Margin"), [(key, _MARGINS[key]) for key in MARGINS])
    labels = _radios(_("Labels"), [(key, _LABELS[key]) for key in LABELS])
    exclude = forms.MultipleChoiceField(
        label=_("Leave out"), choices=[(key, _EXCLUDED[key]) for key in EXCLUDED], required=False,
        widget=forms.CheckboxSelectMultiple,
    )  # fmt: skip
    min_judgments = _number(_("Judgments a pair needs"), 1, MOST_JUDGMENTS)
    queue = _select(_("Queue"))
    languages = forms.CharField(
        label=_("Languages"), required=False, max_length=400,
        widget=forms.TextInput(attrs={"class": "input", "placeholder": _("every language; or en, zh-Hans")}),
    )  # fmt: skip
    apart = _select(_("Keep apart"), [("", _("Nothing: all together")), *((key, _APART[key]) for key in APART)])
    file = _radios(_("File"), _FILES)
    test = _radios(_("Held out as test"), _TESTS)
    rationales = _radios(_("Raters’ words"), _YES_NO)
    against = _select(_("Compare with"), names=True)

    def __init__(self, project: Project, data: Any, base: Recipe, others: Iterable[str] = ()) -> None:
        preferences = list(project.criteria.filter(kind=Criterion.Kind.PREFERENCE))
        self.base, self.keys = base, [criterion.key for criterion in preferences]
        first = _initial(base, self.keys)
        given = {name: data[name] for name in first if name in data}
        if "format" in data:  # a form that was sent: unticked boxes are not in it
            given["exclude"] = data.getlist("exclude")
        super().__init__(first | given)
        self._choose("criterion", [*((c.key, str(_(c.name))) for c in preferences), *_combinations(self.keys)])
        for criterion in preferences if len(preferences) > 1 else ():
            self.fields[f"weight_{criterion.key}"] = _number(_(criterion.name), 0, _HEAVIEST)
        queues = project.queues.order_by("name").values_list("name", flat=True)
        self._choose("queue", [("", _("Every pair of the project")), *((str(q), q) for q in queues)])
        self._choose("against", [("", _("No other recipe")), *((name, name) for name in ["dpo", *others])])

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
        each = given["aggregate"] == EACH
        rule = "majority" if each and kind in WHOLE else given["aggregate"]
        first = given["decided"] == "yes" and rule != EACH
        aggregate = {"aggregate": ADJUDICATED, "otherwise": rule} if first else {"aggregate": rule, "otherwise": None}
        filters["queues"] = _one(given["queue"], filters["queues"])
        filters["languages"] = [tag for tag in given["languages"].replace(",", " ").split() if tag]
        return plain | {
            "format": kind,
            "criterion": self._criterion(),
            **aggregate,
            "threshold": (given["threshold"] or 55) / 100 if sure else None,
            "margin": given["margin"] if sure or given["margin"] != "log_odds" else "mean",
            "labels": _fitting(given["labels"], kind, given["aggregate"]),
            "apart": (given["apart"] or None) if kind in WIDE and not first else None,
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
        "against": "", "format": base.format, "criterion": criterion, "aggregate": base.aggregate,
        "decided": "yes" if base.decided_first else "no", "threshold": str(round(100 * base.certainty)),
        "margin": base.margin, "labels": base.labels,
        "exclude": list(base.filters.exclude), "min_judgments": str(base.filters.min_judgments),
        "queue": _only(base.filters.queues), "languages": ", ".join(base.filters.languages), "apart": base.apart or "",
        "file": base.file, "test": shares.get(base.split.test, "0.05"),
        "rationales": "yes" if base.rationales else "no",
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


def by_method() -> list[tuple[Any, Any, list[Format]]]:
    """The formats, grouped: (what for, a sentence, the formats)."""
    listed = {name for _title, _text, names in _METHODS for name in names}
    rest = tuple(name for name in FORMATS if name not in listed)
    groups = [*_METHODS, (_("Others"), "", rest)]
    found = [(title, text, [FORMATS[name] for name in names if name in FORMATS]) for title, text, names in groups]
    return [group for group in found if group[2]]
