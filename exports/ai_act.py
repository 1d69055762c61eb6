"""What the EU's AI Act asks of training data (Regulation (EU) 2024/1689), as far as this application knows it.

Annex IV(2)(d) and Article 10(2) are what the technical documentation of a high-risk system describes; the public
summary of training content is what Article 53(1)(d) asks of providers of general-purpose models. An answer of None is
written as missing: only whoever trains or publishes can give it.
"""

from __future__ import annotations

from dataclasses import dataclass

from exports.account import Account
from labeling.models import Project


@dataclass(frozen=True, slots=True)
class Asked:
    where: str
    what: str
    answer: str | None


def documentation(account: Account) -> list[Asked]:
    """Annex IV(2)(d) with the data governance of Article 10(2)."""
    found, totals = account.facts, account.totals
    labelled = (
        f"Two responses side by side; criterion `{account.criterion.key}` on {account.criterion.strengths} grades a "
        f"side; guideline {_versions(account)}; {len(found.raters)} raters; labels by the recipe below"
    )
    left_out = sum(totals.dropped.values())
    return [
        Asked("Annex IV(2)(d)", "General description", f"{account.rows} rows, format `{account.format.name}`"),
        Asked("Annex IV(2)(d)", "Provenance", _provenance(account)),
        Asked(
            "Annex IV(2)(d)", "How the data was obtained and selected", f"{account.pairs} pairs, see *What was kept*"
        ),
        Asked("Annex IV(2)(d), Art. 10(2)(c)", "Labelling procedure", labelled),
        Asked("Annex IV(2)(d), Art. 10(2)(c)", "Cleaning", f"{left_out} pairs left out, each with its reason"),
        Asked("Art. 10(2)(a)", "Design choices", "the recipe below, with every field"),
        Asked("Art. 10(2)(b)", "Origin of the prompts and responses, and their original purpose", None),
        Asked("Art. 10(2)(d)", "Assumptions: what the data is meant to measure", _question(account)),
        Asked(
            "Art. 10(2)(e)", "Availability, quantity and suitability", f"{account.rows} rows; suitability: see *Limits*"
        ),
        Asked("Art. 10(2)(f)", "Examination of possible biases", _biases(account)),
        Asked(
            "Art. 10(2)(g)", "Measures against the biases found", "left and right are shuffled; nothing is reweighted"
        ),
        Asked("Art. 10(2)(h)", "Gaps and shortcomings", "see *Limits* and the reasons in *What was kept*"),
        Asked("Art. 10(3)", "Representativeness for the intended purpose", None),
        Asked("Art. 10(4)", "Geographical, behavioural or functional setting", None),
        Asked("Art. 10(5)", "Special categories of personal data", None),
    ]


def public_summary(account: Account) -> list[Asked]:
    """The parts of the template for the public summary that a preference dataset can fill."""
    days = [str(day) for day in (account.facts.first_day, account.facts.last_day) if day]
    return [
        Asked("1.1", "Provider and contact", None),
        Asked("1.2", "Model that was trained", None),
        Asked("1.3", "Modality and size", f"text, {account.rows} rows, {sum(f.size for f in account.files)} bytes"),
        Asked("1.3", "Languages", ", ".join(account.languages) or None),
        Asked("1.3", "Collected from and to", " to ".join(days) or None),
        Asked("2.1", "Publicly available datasets", None),
        Asked("2.2", "Private datasets and licences", None),
        Asked("2.3", "Data crawled and scraped", None),
        Asked("2.4", "User data of the provider's services", None),
        Asked("2.5", "Synthetic data", "the responses were written by language models; which ones: missing"),
        Asked("2.6", "Other data", f"preferences of {len(account.facts.raters)} people, given for this purpose"),
        Asked("3.1", "Respect of copyright reservations", None),
        Asked("3.2", "Removal of illegal content", None),
    ]


def care(project: Project) -> list[str]:
    """What a project does for its raters, in sentences."""
    told = []
    topics = list(project.topics.order_by("key"))
    for topic in topics:
        told.append(
            f"Pairs about “{' '.join(topic.name.split())}” are shown only to raters who chose to see them, at most "
            f"{topic.daily_pairs} pairs and {topic.daily_minutes} minutes a day."
        )
    if project.break_after_minutes or project.break_after_pairs:
        told.append(
            f"A break is offered after {project.break_after_minutes} minutes or {project.break_after_pairs} pairs."
        )
    if project.support.strip():
        told.append("Raters were told whom they can talk to.")
    return told


def _provenance(account: Account) -> str:
    days = [str(day) for day in (account.facts.first_day, account.facts.last_day) if day]
    return f"judgments of {len(account.facts.raters)} raters, {' to '.join(days)}; origin of the texts: missing"


def _versions(account: Account) -> str:
    return ", ".join(f"v{version}" for version in account.facts.guidelines) or "missing"


def _question(account: Account) -> str | None:
    return " ".join(account.criterion.question.split()) or None


def _biases(account: Account) -> str:
    said = []
    if account.position.share is not None:
        said.append(f"the left response was chosen in {account.position.share:.1%}")
    if account.length.longer is not None:
        said.append(f"the longer one in {account.length.longer:.1%}")
    return "; ".join(said) or "position and length: too few judgments to say"
