"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime

import pytest

from matting.system.humanize import duration, gigabytes, time_of_day


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (0, "less than a minute"),
        (59, "less than a minute"),
        (61, "1 min"),
        (3569, "59 min"),
        (3599, "1 h 0 min"),
        (19200, "5 h 20 min"),
        (86390, "1 day 0 h"),
        (200000, "2 days 8 h"),
    ],
)
def test_a_length_of_time_in_words(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_a_time_of_day_has_its_day_where_it_is_not_todays() -> None:
    now = datetime(2026, 12, 30, 22, 5)
    assert time_of_day(datetime(2026, 12, 30, 23, 59), now) == "23:59"
    assert time_of_day(datetime(2026, 12, 31, 3, 40), now) == "03:40 tomorrow"
    assert time_of_day(datetime(2027, 1, 2, 0, 1), now) == "00:01 on 2027-01-02"


def test_sizes_in_words() -> None:
    sizes = [gigabytes(size) for size in (0, 4e6, 999e6, 1.25e9, 99.94e9, 1234e9)]
    assert sizes == ["1 MB", "4 MB", "999 MB", "1.2 GB", "99.9 GB", "1234 GB"]
