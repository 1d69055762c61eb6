"""Real judgments, through the real doors: the llmfao crowd (8,931 judgments, ties, 124 raters) rates again over HTTP.

Not a speed: it shows that what comes out of an export is what the crowd said. Each rater's pairs are a queue of their
own (by tag), so that everyone is offered exactly the pairs they judged. Exports stay in `var/replay/` for
`./run check-trainers var/replay/dpo`.
"""

from __future__ import annotations

import io
import json
import shutil
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
from django.core.management import call_command

from annotate.local.var import ROOT
from benchmarks.site import Browser, site
from benchmarks.stage import Stage
from labeling.actions.people import add_member, create_person
from labeling.actions.projects import create_project
from labeling.actions.queues import create_queue
from labeling.models import Annotation, Project, User

DATA = ROOT.parent / "shared" / "data" / "llmfao"
OUT = ROOT / "var" / "replay"
SIGN = {"a": -1, "b": 1, "tie": 0}
Votes = dict[str, dict[str, int]]


def main(stage: Stage) -> None:
    if not DATA.exists():
        print(f"no {DATA.name} data beside this checkout; nothing replayed")
        return
    rows = {row["item_id"]: row for row in _lines(DATA / "pairs.jsonl")}
    votes: Votes = defaultdict(dict)
    for line in _lines(DATA / "judgments.jsonl"):
        votes[line["rater_id"]][line["item_id"]] = SIGN[line["choice"]]
    project = create_project(slug="llmfao", name="llmfao", by=None)
    _import(project, rows, votes)
    with site(stage) as running, ThreadPoolExecutor(16) as crowd:
        counts = crowd.map(lambda rater: _rate(running.port, project, rater, votes[rater], rows), sorted(votes))
        print(
            f"sent {sum(counts):,}, stored {Annotation.objects.filter(project=project).count():,}, "
            f"from {len(votes)} raters"
        )
    expected = _majority(votes)
    for name in ("dpo", "reward"):
        _export(project, name)
        found = _outcome(OUT / name, rows)
        wrong = sum(expected.get(item) != sign for item, sign in found.items())
        print(
            f"{name}: {len(found):,} rows, {len(expected):,} expected, {wrong} on the wrong side, in var/replay/{name}"
        )


def _import(project: Project, rows: dict[str, dict[str, Any]], votes: Votes) -> None:
    """The pairs as they are, each tagged with those who judged it."""
    judges = defaultdict(list)
    for rater, said in votes.items():
        for item in said:
            judges[item].append(rater)
    path = ROOT / "var" / "bench" / "tagged.jsonl"
    with path.open("wb") as out:
        for item, row in rows.items():
            native = {
                "id": item, "conversation": row["prompt"], "tags": judges[item],
                "responses": [{"content": row[f"response_{side}"], "model": row.get(f"model_{side}")} for side in "ab"],
            }  # fmt: skip
            out.write(orjson.dumps(native) + b"\n")
    call_command("import_items", project.slug, str(path))


def _rate(port: int, project: Project, name: str, said: dict[str, int], rows: dict[str, dict[str, Any]]) -> int:
    """One rater, who finds each shown pair by its texts and answers as they once did. Returns how many were sent."""
    rater = create_person(email=f"{name}@replay.example")
    add_member(project=project, user=rater, role="rater", by=None)
    queue = create_queue(project=project, by=None, name=name, tags=[name], overlap=1)
    meant = {(rows[item]["response_a"], rows[item]["response_b"]): sign for item, sign in said.items()}
    browser = Browser(port, User.objects.get(pk=rater.pk))
    status, shown = browser.api("POST", f"/queues/{queue.pk}/claim/")
    sent = 0
    while status != 204 and shown:
        left, right = shown["left"]["content"], shown["right"]["content"]
        sign = meant[left, right] if (left, right) in meant else -meant[right, left]
        body = {"judgments": {"helpfulness": {"preference": sign}}}
        status, answer = browser.api("POST", f"/assignments/{shown['id']}/annotation/?claim=next", body)
        assert status == 201, answer
        sent, shown = sent + 1, answer["next"]
    return sent


def _majority(votes: Votes) -> dict[str, int]:
    lead: Counter[str] = Counter()
    for said in votes.values():
        lead.update(said)
    return {item: 1 if total > 0 else -1 for item, total in lead.items() if total}


def _export(project: Project, name: str) -> None:
    shutil.rmtree(OUT / name, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    recipe = {"format": name, "criterion": "helpfulness", "aggregate": "majority", "file": "jsonl"}
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(recipe))
    call_command("build_export", project.slug, "--recipe", str(path), "--to", str(OUT / name), stdout=io.StringIO())


def _outcome(folder: Path, rows: dict[str, dict[str, Any]]) -> dict[str, int]:
    """{item: -1 when its response_a was chosen, else 1}, found by the texts."""
    texts = {}
    for item, row in rows.items():
        texts[json.dumps(row["prompt"]), row["response_a"], row["response_b"]] = (item, -1)
        texts[json.dumps(row["prompt"]), row["response_b"], row["response_a"]] = (item, 1)
    found = {}
    for path in sorted((folder / "data").glob("*.jsonl")):
        for line in _lines(path):
            prompt = line.get("prompt") or line["chosen"][:-1]
            item, sign = texts[json.dumps(prompt), line["chosen"][-1]["content"], line["rejected"][-1]["content"]]
            found[item] = sign
    return found


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as lines:
        return [orjson.loads(line) for line in lines]
