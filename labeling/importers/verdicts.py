"""Public preference datasets. Their verdicts stay in the item's metadata as `imported_verdict`, in stored order.

Where a file calls the responses chosen and rejected, their stored order is drawn from their contents, so that the
order tells a rater nothing.
"""

from __future__ import annotations

import re
from typing import Any

from labeling.importers.checks import Problem, storable_json, text
from labeling.importers.drafts import ItemDraft, Message, Row, conversation, item_draft, response
from labeling.importers.parts import Content

_CHOSEN = frozenset({"prompt", "chosen", "rejected", "chosen_model", "rejected_model"})
_TURN = re.compile(r"\n\n(Human|Assistant):")
_HH_ROLES = {"Human": "user", "Assistant": "assistant"}


def is_hh_rlhf(row: Row) -> bool:
    return _is_transcript(row.get("chosen")) and _is_transcript(row.get("rejected"))


def hh_rlhf(line: int, row: Row) -> ItemDraft:
    """`chosen` and `rejected` as whole transcripts that differ in their last turn."""
    return _of_messages(
        line, row, _transcript(row.get("chosen"), "chosen"), _transcript(row.get("rejected"), "rejected")
    )


def is_ultrafeedback(row: Row) -> bool:
    return isinstance(row.get("prompt"), str) and isinstance(row.get("chosen"), list) and "score_chosen" in row


def ultrafeedback(line: int, row: Row) -> ItemDraft:
    """`chosen` and `rejected` as conversations; `prompt` repeats their first message and `messages` the chosen one."""
    verdict = {
        name: storable_json(row[name], name) for name in ("score_chosen", "score_rejected") if row.get(name) is not None
    }
    chosen, rejected = _messages(row.get("chosen"), "chosen"), _messages(row.get("rejected"), "rejected")
    return _of_messages(line, row, chosen, rejected, used=_CHOSEN | {"messages", *verdict}, verdict=verdict)


def is_trl(row: Row) -> bool:
    return "chosen" in row and "rejected" in row


def trl(line: int, row: Row) -> ItemDraft:
    """The four shapes: text or messages, with the prompt in its own column or at the beginning of both."""
    chosen, rejected, prompt = row.get("chosen"), row.get("rejected"), row.get("prompt")
    if isinstance(chosen, list) or isinstance(rejected, list):
        before = [] if prompt is None else conversation(prompt, "prompt")
        return _of_messages(line, row, _messages(chosen, "chosen", before), _messages(rejected, "rejected", before))
    chosen, rejected = text(chosen, "chosen", blank=True), text(rejected, "rejected", blank=True)
    if prompt is None and _is_transcript(chosen):
        return hh_rlhf(line, row)
    if prompt is None:
        prompt, chosen, rejected = _split(chosen, rejected)
    elif _is_transcript(prompt) and prompt.endswith("\n\nAssistant:"):
        messages = _transcript(prompt.removesuffix("\n\nAssistant:"), "prompt")
        return _ordered(line, row, messages, chosen.removeprefix(" "), rejected.removeprefix(" "))
    return _ordered(line, row, conversation(prompt, "prompt"), chosen, rejected)


def is_pku_saferlhf(row: Row) -> bool:
    return "prompt" in row and "response_0" in row and "response_1" in row


def pku_saferlhf(line: int, row: Row) -> ItemDraft:
    """`prompt`, `response_0`, `response_1`; what it says of better and safer becomes the verdict."""
    sides, models = ("response_0", "response_1"), ("response_0_source", "response_1_source")
    return _of_two(line, row, "prompt", sides, models, [name for name in row if _PKU_VERDICT.fullmatch(name)])


_PKU_VERDICT = re.compile(
    r"(better|safer)_response_id|is_response_[01]_safe|response_[01]_(severity_level|harm_category)"
)


def is_helpsteer(row: Row) -> bool:
    return ("context" in row or "prompt" in row) and _sides(row) is not None


def helpsteer(line: int, row: Row) -> ItemDraft:
    """HelpSteer3 (`context`, `response1`, …) and HelpSteer2-Preference (`prompt`, `response_1`, …).

    HelpSteer3 names languages in words, and programming languages too; those stay in the metadata.
    """
    name = "context" if "context" in row else "prompt"
    before, stated = row.get(name), row.get("language")
    changed = {name: _special_turns(before) if isinstance(before, str) else before}
    language = LANGUAGES.get(str(stated or "").lower())
    if language is None:
        changed |= {"language": None, "stated_language": stated}
    judged = [each for each in row if "preference" in each]
    sides = _sides(row) or ("response1", "response2")
    return _of_two(line, {**row, **changed}, name, sides, ("model1", "model2"), judged, language)


LANGUAGES = {
    "english": "en", "chinese": "zh", "korean": "ko", "french": "fr", "spanish": "es", "japanese": "ja", "german": "de",
    "russian": "ru", "portuguese": "pt", "italian": "it", "vietnamese": "vi", "dutch": "nl", "polish": "pl",
    "indonesian": "id",
}  # fmt: skip
_SPECIAL = re.compile(r"\n?<extra_id_1>(User|Assistant)\n")


def _sides(row: Row) -> tuple[str, str] | None:
    for sides in (("response1", "response2"), ("response_1", "response_2")):
        if all(side in row for side in sides):
            return sides
    return None


def _special_turns(prompt: str) -> Any:
    """HelpSteer2 writes earlier turns into one text, divided by <extra_id_1>."""
    pieces = _SPECIAL.split(prompt)
    if len(pieces) == 1:
        return prompt
    turns = [{"role": "user", "content": pieces[0]}]
    for role, content in zip(pieces[1::2], pieces[2::2], strict=True):
        turns.append({"role": role.lower(), "content": content})
    return turns


def _of_two(
    line: int,
    row: Row,
    prompt: str,
    sides: tuple[str, str],
    models: tuple[str, str],
    judged: list[str],
    language: str | None = None,
) -> ItemDraft:
    """Two responses in the file's own order, which says nothing about the verdict."""
    verdict = {name: storable_json(row[name], name) for name in judged if row[name] is not None}
    return item_draft(
        line,
        row,
        conversation=conversation(row.get(prompt), prompt),
        responses=[
            response(row.get(side), side, row.get(model), model) for side, model in zip(sides, models, strict=True)
        ],
        used=frozenset({prompt, *sides, *models, *judged}),
        language=language,
        metadata={"imported_verdict": verdict} if verdict else None,
    )


def _of_messages(
    line: int,
    row: Row,
    chosen: list[Message],
    rejected: list[Message],
    used: frozenset[str] = _CHOSEN,
    verdict: dict[str, Any] | None = None,
) -> ItemDraft:
    shared = chosen[:-1]
    if shared != rejected[:-1]:
        raise Problem("rejected", "parts from chosen before the last message; only the last one may differ")
    for name, messages in (("chosen", chosen), ("rejected", rejected)):
        if messages[-1]["role"] != "assistant":
            raise Problem(
                name, f"ends with a message of the {messages[-1]['role']}; the last one must be the assistant's"
            )
    if not shared:
        raise Problem("chosen", "has no message before the response; give the prompt, or the whole conversation")
    return _ordered(line, row, shared, chosen[-1]["content"], rejected[-1]["content"], used, verdict)


def _ordered(
    line: int,
    row: Row,
    messages: list[Message],
    chosen: Content,
    rejected: Content,
    used: frozenset[str] = _CHOSEN,
    verdict: dict[str, Any] | None = None,
) -> ItemDraft:
    better = response(chosen, "chosen", row.get("chosen_model"), "chosen_model")
    worse = response(rejected, "rejected", row.get("rejected_model"), "rejected_model")
    responses = sorted((better, worse), key=lambda each: each.fingerprint)
    stated = {"chosen": "first" if responses[0] is better else "second"} | (verdict or {})
    return item_draft(
        line, row, conversation=messages, responses=responses, used=used, metadata={"imported_verdict": stated}
    )


def _messages(value: Any, field: str, before: list[Message] | None = None) -> list[Message]:
    if not isinstance(value, list):
        raise Problem(field, "is not a list of messages, though the other response is; give both in the same way")
    return [*(before or []), *conversation(value, field)]


def _is_transcript(value: Any) -> bool:
    return isinstance(value, str) and value.startswith("\n\nHuman:")


def _transcript(value: Any, field: str) -> list[Message]:
    whole = text(value, field)
    if not _is_transcript(whole):
        raise Problem(field, "does not begin with an empty line and “Human:”, as these transcripts do")
    pieces = _TURN.split(whole)[1:]
    return [
        {
            "role": _HH_ROLES[speaker],
            "content": text(words.removeprefix(" "), f"{field}[{place}]", blank=speaker == "Assistant"),
        }
        for place, (speaker, words) in enumerate(zip(pieces[::2], pieces[1::2], strict=True))
    ]


def _split(chosen: str, rejected: str) -> tuple[str, str, str]:
    """The prompt is what both begin with, up to the last white space before they part."""
    pairs = enumerate(zip(chosen, rejected, strict=False))
    shared = chosen[: next((place for place, (one, other) in pairs if one != other), min(len(chosen), len(rejected)))]
    end = max(shared.rfind(" "), shared.rfind("\n"), 0)
    if not shared[:end].strip():
        raise Problem("chosen", "and rejected share no beginning; give the prompt in its own column")
    return shared[:end], chosen[end:], rejected[end:]
