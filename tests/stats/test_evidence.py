"""Evidence by hand, beside the model without grades that exports use, and beside a crowd whose truth is known."""

from math import log2

import numpy as np
import pytest

from labeling.stats.evidence import (
    Crowd,
    chosen_by,
    expected_gain,
    first_better,
    foretell,
    learn,
    people_differ,
    posterior,
    usual_crowd,
)
from labeling.stats.one_coin import KINDS, PULL, USUAL, believe, one_coin
from labeling.stats.stopping import COLLECTING, CONTESTED, FULL, SETTLED, Known, Rules, decide
from labeling.stats.votes import FIRST, NEITHER, SECOND, Votes, votes_of


def made(*rows):
    """(pair, rater, side) or (pair, rater, side, grade)."""
    table = np.array([(*row, 0)[:4] for row in rows]).reshape(-1, 4)
    return Votes(*table.T)


def drawn(pairs=400, raters=12, votes_each=3, seed=7):
    chance = np.random.default_rng(seed)
    better, share = chance.integers(0, 2, pairs), chance.uniform(0.55, 0.95, raters)
    rows = [
        (pair, rater, int(better[pair] if chance.random() < share[rater] else 1 - better[pair]))
        for pair in range(pairs)
        for rater in chance.choice(raters, votes_each, replace=False)
    ]
    return made(*rows), share


NOTHING = np.zeros(12, dtype=int)


def test_without_grades_ties_and_known_answers_it_is_the_one_coin():
    votes, _ = drawn()
    crowd, standing = learn(votes, pairs=400, raters=12, right=NOTHING, known=NOTHING, graded=False)
    usual = one_coin(votes.pair, votes.rater, votes.side, pairs=400, raters=12)
    np.testing.assert_allclose(crowd.share, usual.share, atol=1e-9)
    np.testing.assert_allclose(crowd.kinds, usual.kinds, atol=1e-9)
    np.testing.assert_allclose(standing.mean, crowd.share, atol=1e-12)


def test_a_pair_is_believed_as_exports_believe_it():
    votes = made((0, 0, FIRST), (0, 1, SECOND), (0, 2, FIRST), (1, 0, SECOND))
    share = np.array([0.9, 0.6, 0.75])
    belief = posterior(votes, Crowd(share, np.array(KINDS)), pairs=3)
    usual = believe([(0.9, 1), (0.6, 0), (0.75, 1)], KINDS)
    assert first_better(belief)[0] == pytest.approx(usual.first_is_better)
    assert chosen_by(belief, 0.8)[0] == pytest.approx(usual.chosen_by(0.8))
    assert first_better(belief)[1] == pytest.approx(believe([(0.9, 0)], KINDS).first_is_better)
    assert first_better(belief)[2] == pytest.approx(0.5)


def test_who_met_known_answers_is_trusted_more_and_the_interval_is_around_the_mean():
    votes, _ = drawn(votes_each=1)
    right, known = np.full(12, 30), np.full(12, 30)
    right[0] = 15
    _, standing = learn(votes, pairs=400, raters=12, right=right, known=known, graded=False)
    assert standing.mean[0] < 0.62 < 0.85 < standing.mean[1:].min()
    assert standing.poor[0] > 0.5 > 0.01 > standing.poor[1:].max()
    assert (standing.low < standing.mean).all() and (standing.mean < standing.high).all()
    assert standing.judgments[0] == 30, "a vote on a pair that nobody else judged tells nothing of the rater"


def test_reliability_is_found_and_the_interval_holds_it():
    votes, share = drawn(pairs=1500, votes_each=4)
    _, standing = learn(votes, pairs=1500, raters=12, right=NOTHING, known=NOTHING, graded=False)
    assert np.corrcoef(standing.mean, share)[0, 1] > 0.85
    assert (standing.low < standing.mean).all() and (standing.high - standing.low < 0.2).all()


def test_a_tie_leaves_open_which_is_better_and_makes_a_split_likelier():
    crowd = usual_crowd(3, graded=False)
    belief = posterior(
        made((0, 0, NEITHER), (0, 1, NEITHER), (1, 0, FIRST), (2, 0, FIRST), (2, 1, NEITHER)), crowd, pairs=4
    )
    first, differ = first_better(belief), people_differ(belief, USUAL)
    assert first[0] == pytest.approx(0.5) and 0.5 < first[2] < first[1]
    assert differ[0] > differ[3] and differ[2] > differ[1]


def test_a_stronger_grade_tells_more_and_a_habit_of_strong_words_less():
    votes = made((0, 0, FIRST, 0), (1, 0, FIRST, 2))
    crowd = usual_crowd(1, graded=True)
    weak, strong = first_better(posterior(votes, crowd, pairs=2))
    assert 0.5 < weak < strong
    loud = Crowd(crowd.share, crowd.kinds, crowd.grades, np.array([[0.3, 0.8, 2.5]]))
    assert first_better(posterior(votes, loud, pairs=2))[1] < strong


def test_the_gain_of_one_more_answer_is_what_it_tells_on_average():
    crowd = usual_crowd(2, graded=False)
    belief = posterior(made((0, 0, FIRST)), crowd, pairs=1)
    found = [0.5 + (0.8 - 0.5) * pull for pull in PULL]
    gain = _bits(first_better(belief)[0])
    for side in (FIRST, SECOND):
        for_it = sum(belief[0, side, k] * found[k] for k in range(4))
        against = sum(belief[0, 1 - side, k] * (1 - found[k]) for k in range(4))
        gain -= (for_it + against) * _bits(for_it / (for_it + against))
    assert expected_gain(belief, crowd, 0.8)[0] == pytest.approx(gain, abs=1e-9)


def test_a_pair_of_which_little_is_known_would_gain_most():
    crowd = usual_crowd(5, graded=False)
    votes = made((1, 0, FIRST), (1, 1, FIRST), (1, 2, FIRST), (2, 0, FIRST), (2, 1, SECOND))
    new, agreed, disputed = expected_gain(posterior(votes, crowd, pairs=3), crowd, USUAL)
    assert new > disputed > agreed > 0


def test_what_two_answers_foretell_of_the_others():
    agreeing = made(*[(0, rater, FIRST) for rater in range(5)])
    early = np.array([True, True, False, False, False])
    off, answers = foretell(agreeing, early, usual_crowd(5, graded=False), pairs=1)
    assert answers == 3 and -0.5 < off < 0, "they agreed oftener than was foretold"
    assert foretell(made((0, 0, FIRST)), np.array([True]), usual_crowd(1, graded=False), pairs=1) == (0.0, 0)


def test_rows_become_votes():
    votes = votes_of([(7, 30, -3, False), (9, 20, 1, False), (9, 30, None, True), (7, 20, 0, False)], [7, 9], [20, 30])
    assert votes.side.tolist() == [FIRST, SECOND, NEITHER, NEITHER]
    assert votes.grade.tolist() == [2, 0, 0, 0]
    assert votes.pair.tolist() == [0, 1, 1, 0] and votes.rater.tolist() == [1, 0, 1, 0]


# --- when it is enough ----------------------------------------------------------------------------


def known(judgments, sure=0.5, differ=0.9, audited=False, single=False, sides=(0, 0, 0)):
    return Known(
        np.array([judgments]), np.array([sure]), np.array([differ]), np.array([audited]), np.array([single]),
        np.array([sides]),
    )  # fmt: skip


def rules(**about):
    usual = {"third": False, "fewest": 2, "least": 2, "most": 5, "sure": 0.8, "singles": False, "audit_overlap": 5}
    return Rules(**(usual | about))


SINGLES = rules(fewest=1, singles=True)
THIRD = rules(third=True)


@pytest.mark.parametrize(
    ("by", "what", "state", "wanted"),
    [
        (rules(), known(0), COLLECTING, 2),
        (rules(), known(1, sure=0.99), COLLECTING, 2),
        (rules(), known(2, sure=0.8), SETTLED, 2),
        (rules(), known(2, sure=0.79), COLLECTING, 3),
        (rules(), known(4, sure=0.7, differ=0.61), CONTESTED, 4),
        (rules(), known(4, sure=0.7, differ=0.6), COLLECTING, 5),
        (rules(), known(4, sure=0.9, differ=0.9), SETTLED, 4),
        (rules(), known(5, sure=0.7, differ=0.5), FULL, 5),
        (rules(), known(6, sure=0.7, differ=0.5), FULL, 6),
        (rules(least=3, fewest=3), known(2, sure=0.99), COLLECTING, 3),
        (rules(least=5, fewest=5), known(4, differ=0.9), COLLECTING, 5),
        (SINGLES, known(0), COLLECTING, 1),
        (SINGLES, known(1, sure=0.8, single=True), SETTLED, 1),
        (SINGLES, known(1, sure=0.79, single=True), COLLECTING, 2),
        (SINGLES, known(1, sure=0.99, single=False), COLLECTING, 2),
        (rules(), known(1, sure=0.99, single=True), COLLECTING, 2),
        (rules(), known(2, sure=0.99, audited=True), COLLECTING, 5),
        (SINGLES, known(1, sure=0.99, single=True, audited=True), COLLECTING, 5),
        (rules(), known(5, sure=0.99, audited=True), SETTLED, 5),
        (rules(most=7), known(5, sure=0.6, differ=0.5, audited=True), FULL, 5),
        (THIRD, known(1, sides=(1, 0, 0)), COLLECTING, 2),
        (THIRD, known(2, sides=(2, 0, 0)), SETTLED, 2),
        (THIRD, known(2, sides=(0, 2, 0)), SETTLED, 2),
        (THIRD, known(2, sides=(1, 0, 1)), COLLECTING, 3),
        (THIRD, known(2, sides=(1, 1, 0)), COLLECTING, 3),
        (THIRD, known(3, sides=(1, 0, 2)), SETTLED, 3),
        (THIRD, known(3, sides=(1, 1, 1)), FULL, 3),
    ],
)
def test_enough(by, what, state, wanted):
    found, goal = decide(by, what)
    assert (found[0], goal[0]) == (state, wanted)


def _bits(chance):
    return -(chance * log2(chance) + (1 - chance) * log2(1 - chance))
