"""A recipe: how judgments become rows. It is JSON that a person can keep beside their training code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from labeling.actions.refusals import Refused

ANY, LINES, SHEET = ("parquet", "jsonl"), ("jsonl",), ("parquet", "jsonl", "csv")
# The files that each format's readers take, the usual one first.
FORMATS: dict[str, tuple[str, ...]] = {
    "dpo": ANY, "dpo-implicit": ANY, "dpo-plain": ANY, "reward": ANY, "kto": ANY, "sft": ANY, "prompts": ANY,
    "ranking": ANY, "safe-rlhf": ANY, "safety": ANY, "critiques": ANY, "votes": SHEET, "hh-rlhf": ANY,
    "ultrafeedback": ANY, "helpsteer3": LINES, "openai": LINES, "llama-factory": LINES, "llama-factory-alpaca": LINES,
    "llama-factory-kto": LINES, "openrlhf": ANY, "axolotl": ANY, "axolotl-reward": ANY, "nemo-rl": LINES,
}  # fmt: skip
FILES = SHEET
AGGREGATES = ("majority",)
MOST_TEST = 0.5
LARGEST_SEED = 2**32 - 1
MOST_JUDGMENTS = 50


@dataclass(frozen=True, slots=True)
class Filters:
    """Which pairs are looked at; an empty list takes all. Queues and batches go by name."""

    queues: tuple[str, ...] = ()
    batches: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    min_judgments: int = 1


@dataclass(frozen=True, slots=True)
class Split:
    """`test` is the share of conversations held out, drawn by a hash of the conversation and `seed`."""

    test: float = 0.05
    by: str = "item"
    seed: int = 7


@dataclass(frozen=True, slots=True)
class Recipe:
    format: str
    criterion: str = "helpfulness"
    aggregate: str = "majority"
    filters: Filters = field(default_factory=Filters)
    split: Split = field(default_factory=Split)
    file: str = "parquet"
    rationales: bool = True

    def as_json(self) -> dict[str, Any]:
        """Every field, also those left to their default, as plain JSON."""
        plain = asdict(self)
        plain["filters"] = {name: list(v) if isinstance(v, tuple) else v for name, v in plain["filters"].items()}
        return plain


def read_recipe(data: Any) -> Recipe:
    """The recipe of a JSON object; raises Refused("invalid") naming every unknown or wrong field by its path."""
    reading = _Reading()
    fields = reading.object("", data, {"format", "criterion", "aggregate", "filters", "split", "file", "rationales"})
    if "format" not in fields and not reading.errors:
        reading.errors.setdefault("format", f"Say which: {_either(tuple(FORMATS))}.")
    values = {
        "format": reading.one_of(fields, "format", tuple(FORMATS)),
        "criterion": reading.text(fields, "criterion"),
        "aggregate": reading.one_of(fields, "aggregate", AGGREGATES),
        "file": reading.one_of(fields, "file", FILES),
        "rationales": reading.value(fields, "rationales", "Must be true or false.", lambda v: isinstance(v, bool)),
        "filters": reading.filters(fields.get("filters", {})),
        "split": reading.split(fields.get("split", {})),
    }
    files = FORMATS.get(values["format"] or "", ANY)
    values["file"] = values["file"] or files[0]
    if values["file"] not in files:
        reading.errors.setdefault("file", f"The readers of {values['format']} take {_either(files)}.")
    if reading.errors:
        raise Refused("invalid", "This recipe is not understood.", reading.errors)
    return Recipe(**{name: value for name, value in values.items() if value is not None})


class _Reading:
    """Reads field by field; None stands for “left out, or wrong and noted in `errors`”."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def object(self, path: str, data: Any, known: set[str]) -> Mapping[str, Any]:
        if not isinstance(data, Mapping):
            self.errors[path.rstrip(".") or "recipe"] = "Must be a JSON object."
            return {}
        for name in data.keys() - known:
            self.errors[f"{path}{name}"] = f"There is no such field. Known here: {', '.join(sorted(known))}."
        return data

    def value(self, fields: Mapping[str, Any], path: str, remedy: str, fits: Callable[[Any], bool]) -> Any:
        name = path.rpartition(".")[2]
        if name not in fields:
            return None
        if fits(fields[name]):
            return fields[name]
        self.errors[path] = remedy
        return None

    def one_of(self, fields: Mapping[str, Any], path: str, choices: tuple[str, ...]) -> Any:
        return self.value(fields, path, f"Must be {_either(choices)}.", lambda v: isinstance(v, str) and v in choices)

    def text(self, fields: Mapping[str, Any], path: str) -> Any:
        return self.value(fields, path, "Must be the key of a criterion.", _is_text)

    def whole(self, fields: Mapping[str, Any], path: str, least: int, most: int) -> Any:
        remedy = f"Must be a whole number from {least} to {most}."
        return self.value(fields, path, remedy, lambda v: type(v) is int and least <= v <= most)

    def filters(self, data: Any) -> Filters:
        names = ("queues", "batches", "languages", "tags")
        fields = self.object("filters.", data, {*names, "min_judgments"})
        remedy = "Must be a list of text."
        lists = {name: self.value(fields, f"filters.{name}", remedy, _is_texts) for name in names}
        found: dict[str, Any] = {name: tuple(sorted(set(v))) for name, v in lists.items() if v}
        least = self.whole(fields, "filters.min_judgments", 1, MOST_JUDGMENTS)
        return Filters(**found, min_judgments=least or 1)

    def split(self, data: Any) -> Split:
        fields = self.object("split.", data, {"test", "by", "seed"})
        remedy = f"Must be a number from 0 (nothing held out) to {MOST_TEST}."
        found = {
            "test": self.value(fields, "split.test", remedy, _is_share),
            "by": self.one_of(fields, "split.by", ("item",)),
            "seed": self.whole(fields, "split.seed", 0, LARGEST_SEED),
        }
        return Split(**{name: value for name, value in found.items() if value is not None})


def _either(choices: tuple[str, ...]) -> str:
    return " or ".join(f"“{choice}”" for choice in choices) if len(choices) < 4 else f"one of: {', '.join(choices)}"


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 200 and "\0" not in value


def _is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= 100 and all(map(_is_text, value))


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value <= MOST_TEST
