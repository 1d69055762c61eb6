"""A recipe: how judgments become rows. It is JSON that a person can keep beside their training code.

docs/recipes.md says what every choice does, with its formula and where it comes from.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from exports.recipes.reading import Reading, either, is_number
from exports.recipes.votes import Needs
from labeling.actions.refusals import Refused
from labeling.models.entry import DEMOGRAPHICS

ANY, LINES, SHEET = ("parquet", "jsonl"), ("jsonl",), ("parquet", "jsonl", "csv")
# The files that each format's readers take, the usual one first.
FORMATS: dict[str, tuple[str, ...]] = {
    "dpo": ANY, "dpo-implicit": ANY, "dpo-plain": ANY, "reward": ANY, "kto": ANY, "sft": ANY, "prompts": ANY,
    "ranking": ANY, "safe-rlhf": ANY, "safety": ANY, "critiques": ANY, "votes": SHEET, "hh-rlhf": ANY,
    "ultrafeedback": ANY, "helpsteer3": LINES, "openai": LINES, "llama-factory": LINES, "llama-factory-alpaca": LINES,
    "llama-factory-kto": LINES, "openrlhf": ANY, "axolotl": ANY, "axolotl-reward": ANY, "nemo-rl": LINES,
}  # fmt: skip
FILES = SHEET
# Formats whose readers pass over columns that they do not know: there may be more, of how sure a label is and whose.
WIDE = ("dpo", "dpo-implicit", "dpo-plain", "reward", "ultrafeedback")
# Formats of plain pairs, of which a row may stand several times, some of them turned around.
REPEATED = ("dpo", "dpo-implicit", "dpo-plain", "hh-rlhf", "openai", "llama-factory", "axolotl")
# Formats whose rows are made of everything that was said of a comparison, or of a conversation, at once.
WHOLE = ("prompts", "ranking", "safe-rlhf", "safety", "critiques", "votes", "helpsteer3")

MAJORITY, EACH, ONE_COIN, DAWID_SKENE = "majority", "each", "one_coin", "dawid_skene"
AGGREGATES = (MAJORITY, "mean", "helpsteer", "hh", EACH, ONE_COIN, DAWID_SKENE)
SURE = (ONE_COIN, DAWID_SKENE)  # say how likely a label is right, from how reliable each rater is
ADJUDICATED = "adjudicated"  # an adjudicator’s decision first, “otherwise” one of the others
KNOWN = (*AGGREGATES, ADJUDICATED)
WEIGHTED, SAFER_WINS = "weighted", "safer_wins"
MARGINS = ("mean", "llama2", "llama2_small", "log_odds", "none")
HARD, SOFT, COPIES = "hard", "soft", "copies"
LABELS = (HARD, SOFT, COPIES)
EXCLUDED = ("conflict", "preferred_unsafe", "unsafe")
APART = ("language", *DEMOGRAPHICS)
COPIES_A_PAIR = 10
LEAST_CERTAINTY = 0.55
MOST_TEST = 0.5
LARGEST_SEED = 2**32 - 1
MOST_JUDGMENTS = 50
HEAVIEST = 1000


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pairs are looked at; an empty list takes all. Queues and batches go by name.

    `raters` are (profile field, its values): only what those said counts who consented to the use of such answers.
    `exclude` leaves out labels: where preferences point different ways, or by what was said of safety.
    """

    queues: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    min_judgments: int = 1
    raters: tuple[tuple[str, tuple[str, ...]], ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Split:
    """`test` is the share of conversations held out, drawn by a hash of the conversation and `seed`."""

    test: float = 0.05
    by: str = "item"
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Combination:
    """Several preferences as one, by the keys of their criteria.

    `weighted`: each rater's weighted mean, `weights` as (key, weight). `safer_wins`: the side of `harmless` where it
    has one, else the one response marked safe, else the side of `helpful`.
    """

    how: str
    weights: tuple[tuple[str, float], ...] = ()
    helpful: str = ""
    harmless: str = ""

    @property
    def keys(self) -> tuple[str, ...]:
        return tuple(key for key, _ in self.weights) or (self.helpful, self.harmless)

    def as_json(self) -> dict[str, Any]:
        if self.how == WEIGHTED:
            return {"combine": WEIGHTED, "weights": dict(self.weights)}
        return {"combine": SAFER_WINS, "helpful": self.helpful, "harmless": self.harmless}


@dataclass(frozen=True, slots=True)
class Recipe:
    """`criterion` is the one that decides, of a combination the first. `threshold` is the least certainty of a label,
    for aggregates in SURE. `apart` keeps the judgments of a language or group for themselves.
    With `decided_first` an adjudicator's decision goes before the aggregate, where there is one."""

    format: str
    criterion: str = "helpfulness"
    aggregate: str = MAJORITY
    filters: Filters = field(default_factory=Filters)
    split: Split = field(default_factory=Split)
    file: str = "parquet"
    rationales: bool = True
    combine: Combination | None = None
    threshold: float | None = None
    margin: str = "mean"
    labels: str = HARD
    apart: str | None = None
    decided_first: bool = False

    @property
    def plain(self) -> bool:
        """Whether sums of votes are all it needs."""
        told = self.aggregate == MAJORITY and not self.combine and not self.apart and self.margin == "mean"
        return told and self.labels == HARD and "conflict" not in self.filters.exclude and not self.decided_first

    @property
    def needs(self) -> Needs:
        """What must be known of each comparison beyond sums."""
        safer = self.combine is not None and self.combine.how == SAFER_WINS
        several = safer or self.apart is not None or "conflict" in self.filters.exclude
        return Needs(votes=several or self.aggregate == EACH, answers=not self.plain)

    @property
    def certainty(self) -> float:
        return LEAST_CERTAINTY if self.threshold is None else self.threshold

    @property
    def criteria(self) -> tuple[str, ...]:
        return self.combine.keys if self.combine else (self.criterion,)

    def as_json(self) -> dict[str, Any]:
        """Every field, also those left to their default, as plain JSON."""
        plain = asdict(self)
        del plain["combine"]
        plain["criterion"] = self.combine.as_json() if self.combine else self.criterion
        plain["threshold"] = self.certainty if self.aggregate in SURE else None
        plain["filters"] = {name: list(v) if isinstance(v, tuple) else v for name, v in plain["filters"].items()}
        plain["filters"]["raters"] = {name: list(values) for name, values in self.filters.raters}
        if plain.pop("decided_first"):
            plain["aggregate"], plain["otherwise"] = ADJUDICATED, self.aggregate
        return plain


FIELDS = {
    "format", "criterion", "aggregate", "filters", "split", "file", "rationales", "threshold", "margin", "labels",
    "apart", "otherwise",
}  # fmt: skip


def read_recipe(data: Any) -> Recipe:
    """The recipe of a JSON object; raises Refused("invalid") naming every unknown or wrong field by its path."""
    reading = Reading()
    fields = reading.object("", data, FIELDS)
    if "format" not in fields and not reading.errors:
        reading.errors["format"] = f"Say which: {either(tuple(FORMATS))}."
    criterion, combine = _criterion(reading, fields)
    decided = fields.get("aggregate") == ADJUDICATED
    values = {
        "format": reading.one_of(fields, "format", tuple(FORMATS)),
        "criterion": criterion,
        "combine": combine,
        "aggregate": _otherwise(reading, fields) if decided else reading.one_of(fields, "aggregate", KNOWN),
        "decided_first": decided,
        "file": reading.one_of(fields, "file", FILES),
        "rationales": reading.truth(fields, "rationales"),
        "filters": _filters(reading, fields.get("filters", {})),
        "split": _split(reading, fields.get("split", {})),
        "threshold": _unless_null(fields, "threshold") and reading.number(fields, "threshold", 0.5, 0.999),
        "margin": reading.one_of(fields, "margin", MARGINS),
        "labels": reading.one_of(fields, "labels", LABELS),
        "apart": _unless_null(fields, "apart") and reading.one_of(fields, "apart", APART),
    }
    recipe = _whole(values)
    for path, remedy in _misfits(recipe, fields):
        reading.errors.setdefault(path, remedy)
    if reading.errors:
        raise Refused("invalid", "This recipe is not understood.", reading.errors)
    return recipe


def _whole(values: Mapping[str, Any]) -> Recipe:
    """What was read, with defaults for what was left out or wrong."""
    found = {name: value for name, value in values.items() if value is not None and value is not False}
    if values["rationales"] is False:
        found["rationales"] = False
    found.setdefault("format", "dpo")
    found.setdefault("file", FORMATS[found["format"]][0])
    return Recipe(**found)


def _misfits(recipe: Recipe, fields: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Choices that are right each for itself, and do not go together."""
    files, sure = FORMATS[recipe.format], f"“aggregate” (or “otherwise”) must be {either(SURE)} for this."
    found = {
        "file": (recipe.file not in files, f"The readers of {recipe.format} take {either(files)}."),
        "threshold": (recipe.threshold is not None and recipe.aggregate not in SURE, sure),
        "margin": (recipe.margin == "log_odds" and recipe.aggregate not in SURE, sure),
        "aggregate": (
            recipe.aggregate == EACH and recipe.format in WHOLE,
            f"A row of {recipe.format} is made of all that was said already. Choose another aggregate, or format.",
        ),
        "labels": (
            recipe.labels == SOFT and recipe.format not in WIDE,
            f"Only these formats take more columns: {', '.join(WIDE)}.",
        ),
        "labels ": (
            recipe.labels == COPIES and recipe.format not in REPEATED,
            f"Only these formats take a pair several times: {', '.join(REPEATED)}.",
        ),
        "labels  ": (
            recipe.labels != HARD and recipe.aggregate == EACH,
            "A single judgment has no doubt to tell of: choose “hard”, or another aggregate.",
        ),
        "apart": (
            recipe.apart is not None and recipe.format not in WIDE,
            f"Only these formats take the column that names the group: {', '.join(WIDE)}.",
        ),
        "apart ": (
            recipe.apart is not None and recipe.decided_first,
            "A decision is of no group: keep groups apart, or put decisions first.",
        ),
        "otherwise": (
            not recipe.decided_first and fields.get("otherwise") is not None,
            f"Only for “aggregate”: “{ADJUDICATED}”: the rule where there is no decision.",
        ),
    }
    return [(path.strip(), remedy) for path, (wrong, remedy) in found.items() if wrong and path.strip() in fields]


def _otherwise(reading: Reading, fields: Mapping[str, Any]) -> Any:
    """The rule where there is no decision."""
    rules = tuple(rule for rule in AGGREGATES if rule != EACH)
    return reading.one_of(fields, "otherwise", rules) if _unless_null(fields, "otherwise") else None


def _criterion(reading: Reading, fields: Mapping[str, Any]) -> tuple[Any, Combination | None]:
    """The key of the criterion that decides, and the combination if it is one."""
    if not isinstance(fields.get("criterion"), Mapping):
        return reading.text(fields, "criterion"), None
    inner = fields["criterion"]
    how = inner.get("combine")
    known = {WEIGHTED: {"weights"}, SAFER_WINS: {"helpful", "harmless"}}.get(how if isinstance(how, str) else "")
    if known is None:
        reading.errors["criterion.combine"] = f"Must be {either((WEIGHTED, SAFER_WINS))}."
        return None, None
    inner = reading.object("criterion.", inner, known | {"combine"})
    combine = _weighted(reading, inner) if how == WEIGHTED else _safer(reading, inner)
    return combine and combine.keys[0], combine


def _weighted(reading: Reading, inner: Mapping[str, Any]) -> Combination | None:
    path, weights = "criterion.weights", inner.get("weights")
    if not isinstance(weights, Mapping) or not 1 <= len(weights) <= 20:
        reading.errors[path] = "Must be an object of weights by criterion, as in {“helpfulness”: 1, “harmlessness”: 2}."
        return None
    for key, weight in weights.items():
        if not is_number(weight) or not 0 < weight <= HEAVIEST:
            reading.errors[f"{path}.{key}"] = f"Must be a number above 0, at most {HEAVIEST}."
            return None
    return Combination(WEIGHTED, tuple((key, float(weights[key])) for key in sorted(weights)))


def _safer(reading: Reading, inner: Mapping[str, Any]) -> Combination | None:
    helpful = reading.text(inner, "criterion.helpful") or "helpfulness"
    harmless = reading.text(inner, "criterion.harmless") or "harmlessness"
    if helpful == harmless:
        reading.errors["criterion.harmless"] = "Must be another criterion than “helpful”."
        return None
    return Combination(SAFER_WINS, helpful=helpful, harmless=harmless)


def _filters(reading: Reading, data: Any) -> Filters:
    names = ("queues", "batches", "languages", "tags")
    fields = reading.object("filters.", data, {*names, "min_judgments", "raters", "exclude"})
    lists = {name: reading.texts(fields, f"filters.{name}") for name in names}
    least = reading.whole(fields, "filters.min_judgments", 1, MOST_JUDGMENTS)
    exclude = reading.texts(fields, "filters.exclude")
    if set(exclude) - set(EXCLUDED):
        reading.errors["filters.exclude"] = f"Must be a list of some of: {', '.join(EXCLUDED)}."
    groups = reading.object("filters.raters.", fields.get("raters", {}), set(DEMOGRAPHICS))
    raters = tuple(
        (name, found) for name in sorted(groups) if (found := reading.texts(groups, f"filters.raters.{name}"))
    )
    return Filters(**lists, min_judgments=least or 1, raters=raters, exclude=exclude)


def _split(reading: Reading, data: Any) -> Split:
    fields = reading.object("split.", data, {"test", "by", "seed"})
    found = {
        "test": reading.number(fields, "split.test", 0, MOST_TEST, " (nothing held out)"),
        "by": reading.one_of(fields, "split.by", ("item",)),
        "seed": reading.whole(fields, "split.seed", 0, LARGEST_SEED),
    }
    return Split(**{name: value for name, value in found.items() if value is not None})


def _unless_null(fields: Mapping[str, Any], name: str) -> bool:
    return fields.get(name) is not None
