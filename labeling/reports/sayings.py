"""What findings say, in the reader's language. A finding stores codes and figures only (analysis/shape.py)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

Values = dict[str, Any]


def say(sentence: Mapping[str, Any]) -> str:
    """The sentence's code in words, with its figures; empty for a code of another version."""
    make = _SAYINGS.get(sentence["code"])
    if make is None:
        return ""
    words = _percents(dict(sentence["about"]) | dict(sentence["values"]))
    return make(words)


def _percents(values: Values) -> Values:
    """The figures as they are said: shares in whole percent under `<name>_percent`, milliseconds in seconds."""
    said = dict(values)
    for name, value in values.items():
        if isinstance(value, int | float) and not isinstance(value, bool):
            said[f"{name}_percent"] = f"{100 * value:.0f}%" if abs(value) <= 10 else ""
            said[f"{name}_seconds"] = f"{value / 1000:.0f}"
            said[f"{name}_decimal"] = f"{value:.2f}"
    return said


def _early(values: Values) -> str:
    if not values.get("early"):
        return ""
    return " " + _("This is an early estimate: under 200 pairs of the audit have been judged.")


def _agreement(band: Callable[[], str]) -> Callable[[Values], str]:
    def say_it(values: Values) -> str:
        pairs = _("Two raters choose the same side on %(percent_percent)s of pairs.") % values
        return f"{band()} {pairs}{_early(values)}"

    return say_it


def _plain(values: Values) -> str:
    return _("Two raters answer the same on %(percent_percent)s of what both judged.") % values + _early(values)


def _too_few(values: Values) -> str:
    return ngettext(
        "Too few to say: %(units)s was judged twice.", "Too few to say: %(units)s were judged twice.", values["units"]
    ) % values  # fmt: skip


def _rare(values: Values) -> str:
    said = _("%(most_common_share_percent)s of the answers are the same, so the ordinary coefficient would look worse "
             "than it is; this is Gwet’s AC1. Two raters answer the same on %(percent_percent)s.")  # fmt: skip
    return said % values + _early(values)


_SAYINGS: dict[str, Callable[[Values], str]] = {
    "agreement_usual": _agreement(lambda: _("Usual for preferences.")),
    "agreement_high": _agreement(lambda: _("High: rules are clear or pairs are easy.")),
    "agreement_low": _agreement(lambda: _("Low: read the contested pairs before collecting more.")),
    "agreement_percent": _plain,
    "agreement_plain": _plain,
    "agreement_rare": _rare,
    "agreement_too_few": _too_few,
    "rater_unreliable": lambda v: _(
        "Finds the better response %(one_percent)s of the time, by %(other)s judgments; a coin does 50%%."
    ) % v,
    "rater_too_fast": lambda v: _("Answers in %(one_seconds)s s; reading takes about %(other_seconds)s s.") % v,
    "rater_known_answers": lambda v: _("Met %(one)s of %(other)s known answers.") % v,
    "rater_same_key": lambda v: _("Pressed the same key %(one)s times in a row; %(other)s would be usual.") % v,
    "rater_only_key": lambda v: _("Pressed the same key in each of the last %(other)s answers.") % v,
    "rater_alternates": lambda v: _("Two keys take turns over %(other)s answers (correlation %(one_decimal)s).") % v,
    "rater_favours_side": lambda v: _("Chose the left %(one_percent)s of the time, in %(other)s choices.") % v,
    "rater_slipping": lambda v: _(
        "Agrees with others %(other_percent)s of the time since %(since)s; before it was %(one_percent)s."
    ) % v,
    "rater_inconsistent": lambda v: _("Answered %(one)s of %(other)s pairs that came back as before.") % v,
    "models_disconnected": lambda v: _(
        "The models fall into %(components)s groups that were never compared with each other, so there is no "
        "ranking of all."
    ) % v,
    "models_too_few": lambda v: _(
        "Some models have under %(least)s comparisons: take their places as a first look."
    ) % v,
    "models_alike": lambda v: _("%(model)s and %(other)s cannot be told apart.") % v,
    "models_leader": lambda v: _("%(model)s leads: it is preferred to %(other)s %(share_percent)s of the time.") % v,
    "position_biased": lambda v: _(
        "The left is chosen %(share_percent)s of the time, more than chance explains. "
        "Sides are shuffled, so labels stay fair."
    ) % v if v["share"] >= 0.5 else _(
        "The left is chosen %(share_percent)s of the time, less than chance explains. "
        "Sides are shuffled, so labels stay fair."
    ) % v,
    "position_fair": lambda v: _("The left is chosen %(share_percent)s of the time, as chance would have it.") % v,
    "length_matters": lambda v: _(
        "The longer response wins %(share_percent)s of the time (%(low_percent)s to %(high_percent)s). "
        "That is no error by itself."
    ) % v,
    "length_no_matter": lambda v: _(
        "The longer response wins %(share_percent)s of the time: length decides little."
    ) % v,
    "conflict_rate": lambda v: _(
        "The two point to different responses on %(share_percent)s of pairs that have both "
        "(%(low_percent)s to %(high_percent)s)."
    ) % v,
    "conflict_weights": lambda v: _(
        "In conflicts, the second weighs %(ratio_decimal)s times the first "
        "(%(ratio_low_decimal)s to %(ratio_high_decimal)s)."
    ) % v,
    "unsafe_rate": lambda v: _("%(rate_percent)s of responses are unsafe (%(low_percent)s to %(high_percent)s).") % v,
    "unsafe_too_few": lambda v: _("Too few responses to say how often they are unsafe.") % v,
    "contested_pairs": lambda v: ngettext(
        "%(pairs)s pair is contested. More judgments will not settle it.",
        "%(pairs)s pairs are contested. More judgments will not settle them.", v["pairs"],
    ) % v,
    "group_differs": lambda v: _("%(value)s: %(difference_points)s points on the same %(pairs)s pairs.") % (
        v | {"difference_points": f"{100 * v['difference']:+.0f}"}
    ),
    "week_tie": lambda v: _(
        "In the week of %(week)s, %(share_percent)s were ties; %(usual_percent)s would be usual."
    ) % v,
    "week_unsafe": lambda v: _(
        "In the week of %(week)s, %(share_percent)s were called unsafe; %(usual_percent)s would be usual."
    ) % v,
}  # fmt: skip
