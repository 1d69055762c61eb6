"""Reads a JSON object field by field, and notes what is wrong with it by path, each with what would be right."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from math import isfinite
from typing import Any

LONGEST_TEXT, MOST_TEXTS = 200, 100


class Reading:
    """None stands for “left out, or wrong and noted in `errors`”."""

    def __init__(self) -> None:
        self.errors: dict[str, str] = {}

    def object(self, path: str, data: Any, known: set[str]) -> Mapping[str, Any]:
        """The fields of the object at `path`, which is empty or ends with a dot."""
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
        return self.value(fields, path, f"Must be {either(choices)}.", lambda v: isinstance(v, str) and v in choices)

    def text(self, fields: Mapping[str, Any], path: str, remedy: str = "Must be the key of a criterion.") -> Any:
        return self.value(fields, path, remedy, is_text)

    def texts(self, fields: Mapping[str, Any], path: str) -> tuple[str, ...]:
        return tuple(sorted(set(self.value(fields, path, "Must be a list of text.", is_texts) or ())))

    def truth(self, fields: Mapping[str, Any], path: str) -> Any:
        return self.value(fields, path, "Must be true or false.", lambda v: isinstance(v, bool))

    def whole(self, fields: Mapping[str, Any], path: str, least: int, most: int) -> Any:
        remedy = f"Must be a whole number from {least} to {most}."
        return self.value(fields, path, remedy, lambda v: type(v) is int and least <= v <= most)

    def number(self, fields: Mapping[str, Any], path: str, least: float, most: float, hint: str = "") -> Any:
        remedy = f"Must be a number from {least:g}{hint} to {most:g}."
        return self.value(fields, path, remedy, lambda v: is_number(v) and least <= v <= most)


def either(choices: tuple[str, ...]) -> str:
    return " or ".join(f"“{choice}”" for choice in choices) if len(choices) < 4 else f"one of: {', '.join(choices)}"


def is_text(value: Any) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_TEXT and "\0" not in value


def is_texts(value: Any) -> bool:
    return isinstance(value, list) and len(value) <= MOST_TEXTS and all(map(is_text, value))


def is_number(value: Any) -> bool:
    return type(value) in (int, float) and isfinite(value)
