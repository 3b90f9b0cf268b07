from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from serving.client.batches import cut


@given(st.lists(st.integers(0, 9)), st.integers(1, 5), st.integers(1, 12))
def test_batches_hold_everything_in_order_and_within_the_limits(
    weights: list[int], max_items: int, max_weight: int
) -> None:
    batches = list(cut(weights, lambda weight: weight, max_items, max_weight))
    assert [weight for batch in batches for weight in batch] == weights
    assert all(0 < len(batch) <= max_items for batch in batches)
    assert all(sum(batch) <= max_weight or len(batch) == 1 for batch in batches)


def test_no_more_than_one_item_is_taken_ahead() -> None:
    taken = []
    items = (taken.append(number) or number for number in range(100))
    assert next(cut(items, lambda _: 1, 3, 100)) == [0, 1, 2]
    assert taken == [0, 1, 2, 3]
