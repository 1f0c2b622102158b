"""What is checked of values from outside, and the sentences that say what is wrong."""

from typing import Any

import pytest

from sw.common.checks import check_choice
from sw.common.errors import InputError


@pytest.mark.parametrize(
    ("value", "choices", "sentence"),
    [
        ("c", ("a",), "unknown letter 'c': must be a"),
        ("c", ("a", "b"), "unknown letter 'c': must be a or b"),
        ("c", {"a": 1, "b": 2, "d": 4}, "unknown letter 'c': must be one of a, b, d"),
        ([], {"a": 1, "b": 2}, "unknown letter []: must be a or b"),
        ("c" * 1000, ("a",), f"unknown letter '{'c' * 79}...: must be a"),
    ],
)
def test_no_choice(value: Any, choices: Any, sentence: str) -> None:
    with pytest.raises(InputError) as caught:
        check_choice("unknown letter", value, choices)
    assert str(caught.value) == sentence


def test_a_choice_is_returned() -> None:
    assert check_choice("unknown letter", "b", ("a", "b")) == "b"
