"""Which annotations count: the one place that says so, for every report, statistic and queue.

An annotation counts while it is current and neither its rater nor its item is withdrawn. Of a rater is withdrawn what
they gave until then, so that who comes back counts again with what they judge afterwards; a withdrawal that was lifted
says nothing. Work done, as it is paid for and shown in progress, is not asked this: it was done.

Exports have their own form of it (exports/queries.py), which names the withdrawals it knew, so that a build that was
interrupted reads the same judgments again.
"""

from __future__ import annotations

# To be put behind WHERE or AND; `a` is labeling_annotation. It names no parameter, and every alias in it is its own.
COUNTS = """
    a.current
    AND NOT EXISTS (
        SELECT 1 FROM labeling_withdrawal gone_rater
        WHERE gone_rater.project_id = a.project_id AND gone_rater.rater_id = a.rater_id
          AND gone_rater.lifted_at IS NULL AND a.created_at <= gone_rater.created_at)
    AND NOT EXISTS (
        SELECT 1 FROM labeling_withdrawal gone_item
        JOIN labeling_pair gone_pair ON gone_pair.item_id = gone_item.item_id
        WHERE gone_item.project_id = a.project_id AND gone_item.lifted_at IS NULL AND gone_pair.id = a.pair_id)
"""

# The same of one rater for good: whoever takes consent back expects that nobody is given their answers any more.
CONSENT_STANDS = """
    NOT EXISTS (
        SELECT 1 FROM labeling_withdrawal gone_consent
        WHERE gone_consent.project_id = a.project_id AND gone_consent.rater_id = a.rater_id
          AND gone_consent.why = 'consent' AND gone_consent.lifted_at IS NULL
          AND a.created_at <= gone_consent.created_at)
"""
