"""Real judgments, through the real doors: the llmfao crowd (8,931 judgments, ties, 124 raters) rates again over HTTP.

Not a speed: it shows that what comes out of an export is what the crowd said. Each rater's pairs are a queue of their
own (by tag), so that everyone is offered exactly the pairs they judged. Some pairs have the same texts
under other models' names; an export pools those, and so does the expectation here. Exports stay in `var/replay/` for
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
Row = dict[str, Any]


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
    expected = _majority(votes, rows)
    for name in ("dpo", "reward"):
        _export(project, name)
        found = _outcome(OUT / name)
        wrong = sum(expected.get(texts) != chosen for texts, chosen in found.items())
        print(f"{name}: {len(found):,} rows, {len(expected):,} expected, {wrong} wrong, in var/replay/{name}")


def _import(project: Project, rows: dict[str, Row], votes: Votes) -> None:
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


def _rate(port: int, project: Project, name: str, said: dict[str, int], rows: dict[str, Row]) -> int:
    """One rater, who finds each shown pair by its texts and answers as they once did. Returns how many were sent."""
    rater = create_person(email=f"{name}@replay.example")
    add_member(project=project, user=rater, role="rater", by=None)
    queue = create_queue(project=project, by=None, name=name, tags=[name], overlap=1)
    meant = defaultdict(list)
    for item, sign in said.items():
        meant[_texts(rows[item])].append((rows[item]["response_a"], sign))
    browser = Browser(port, User.objects.get(pk=rater.pk))
    status, shown = browser.api("POST", f"/queues/{queue.pk}/claim/")
    sent = 0
    while status != 204 and shown:
        left, right = shown["left"]["content"], shown["right"]["content"]
        first, sign = meant[_key(shown["conversation"], left, right)].pop()
        body = {"judgments": {"helpfulness": {"preference": sign if left == first else -sign}}}
        status, answer = browser.api("POST", f"/assignments/{shown['id']}/annotation/?claim=next", body)
        assert status == 201, answer
        sent, shown = sent + 1, answer["next"]
    return sent


def _majority(votes: Votes, rows: dict[str, Row]) -> dict[str, str]:
    """{texts: the response that more raters preferred}. Ties drop out, and so do texts that no trainer could use."""
    lead: dict[str, Counter[str]] = defaultdict(Counter)
    for said in votes.values():
        for item, sign in said.items():
            if sign:
                lead[_texts(rows[item])][rows[item]["response_a" if sign < 0 else "response_b"]] += 1
    blank = {_texts(row) for row in rows.values() if not (row["response_a"].strip() and row["response_b"].strip())}
    return {
        texts: counts.most_common(1)[0][0]
        for texts, counts in lead.items()
        if texts not in blank and len(set(counts.values())) == len(counts)
    }


def _export(project: Project, name: str) -> None:
    shutil.rmtree(OUT / name, ignore_errors=True)
    OUT.mkdir(parents=True, exist_ok=True)
    recipe = {"format": name, "criterion": "helpfulness", "aggregate": "majority", "file": "jsonl"}
    path = OUT / f"{name}.json"
    path.write_text(json.dumps(recipe))
    call_command("build_export", project.slug, "--recipe", str(path), "--to", str(OUT / name), stdout=io.StringIO())


def _outcome(folder: Path) -> dict[str, str]:
    """{texts: the chosen response}"""
    found = {}
    for path in sorted((folder / "data").glob("*.jsonl")):
        for line in _lines(path):
            chosen, rejected = line["chosen"][-1]["content"], line["rejected"][-1]["content"]
            found[_key(line.get("prompt") or line["chosen"][:-1], chosen, rejected)] = chosen
    return found


def _texts(row: Row) -> str:
    return _key(row["prompt"], row["response_a"], row["response_b"])


def _key(prompt: object, *responses: str) -> str:
    return json.dumps([prompt, sorted(responses)])


def _lines(path: Path) -> list[dict[str, Any]]:
    with path.open("rb") as lines:
        return [orjson.loads(line) for line in lines]
