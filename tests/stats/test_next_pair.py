"""Which pair of an item's responses to ask next."""

import numpy as np
import pytest

from labeling.stats.next_pair import next_pair


def table(responses, *won):
    """Wins (row over column) and which pairs there are, from (winner, loser, times)."""
    wins, there = np.zeros((responses, responses)), np.zeros((responses, responses))
    for winner, loser, times in won:
        wins[winner, loser] += times
        there[min(winner, loser), max(winner, loser)] = 1
    return wins, there


def test_of_a_chain_the_closest_that_were_not_compared_tell_most():
    """0 beats 1 beats 2, and 3 loses to all but clearly: what is open is between neighbours of the order."""
    wins, there = table(4, (0, 1, 3), (1, 2, 3), (2, 3, 30))
    assert next_pair(wins, there, sure=0.99) == (0, 2)


def test_two_that_both_lost_to_the_same_are_asked_of():
    assert next_pair(*table(3, (0, 1, 5), (0, 2, 5)), sure=0.8) == (1, 2)


def test_a_clear_order_needs_no_more():
    wins, there = table(3, (0, 1, 40), (1, 2, 40))
    assert next_pair(wins, there, sure=0.95) is None


def test_every_pair_there_is_none_left():
    assert next_pair(*table(3, (0, 1, 1), (1, 2, 1), (2, 0, 1)), sure=0.99) is None


@pytest.mark.parametrize("times", [0.5, 1, 2])
def test_a_circle_of_ties_is_not_clear(times):
    wins, there = table(4, (0, 1, times), (1, 0, times), (1, 2, times), (2, 1, times), (2, 3, times), (3, 2, times))
    assert next_pair(wins, there, sure=0.8) == (0, 3), "the two that are furthest apart are known least"


def test_numbers_do_not_matter():
    wins, there = table(5, (0, 1, 4), (1, 2, 2), (2, 3, 1), (3, 4, 2))
    found = next_pair(wins, there, sure=0.9)
    order = [3, 1, 4, 0, 2]
    there = np.maximum(there, there.T)
    again = next_pair(wins[np.ix_(order, order)], there[np.ix_(order, order)], sure=0.9)
    assert found and again and {order[place] for place in again} == set(found)
