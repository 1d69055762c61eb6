"""`prompts`: conversations without an answer, for methods that generate their own: GRPO, online DPO."""

from __future__ import annotations

from collections.abc import Iterator
from hashlib import sha256

import orjson
import pyarrow as pa
from django.utils.translation import gettext_noop as _

from exports.formats.columns import MESSAGES, Format, Made
from exports.recipes.majority import BOTH_BAD, SIDE, TIE, Outcome
from exports.recipes.votes import Needs


def _once(outcomes: list[Outcome]) -> Iterator[Made]:
    """A conversation is one row, however often it was judged."""
    prompt = outcomes[0].prompt
    yield outcomes, [{"prompt": prompt, "prompt_id": sha256(orjson.dumps(prompt)).hexdigest()}]


FORMAT = Format(
    name="prompts",
    title=_("Prompts only"),
    description=_("Each judged conversation once, without an answer."),
    trainer="trl GRPOTrainer, OnlineDPOTrainer",
    schema=pa.schema([("prompt", MESSAGES), ("prompt_id", pa.string())]),
    gather=_once,
    takes=frozenset({SIDE, TIE, BOTH_BAD, "unjudged", "same_text"}),
    needs=Needs(singles=True, whole=True),
    columns={
        "prompt": _("the conversation up to the responses, as a list of role and content"),
        "prompt_id": _("SHA-256 of `prompt` as compact JSON"),
    },
    use="""\
from datasets import load_dataset
from trl import GRPOConfig, GRPOTrainer

rows = load_dataset("{directory}", split="train")
trainer = GRPOTrainer(
    model="Qwen/Qwen3-0.6B",
    reward_funcs=your_reward_model,
    args=GRPOConfig(output_dir="grpo"),
    train_dataset=rows,
)
trainer.train()
""",
)
