"""Numbers as people read them."""

from __future__ import annotations

from datetime import datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from matting.system.humanize import clock, duration, gigabytes, time_of_day, time_taken


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
    sizes = [gigabytes(size) for size in (0, 7, 5.2e3, 4e6, 999e6, 1.25e9, 99.94e9, 1234e9)]
    small, large = sizes[:3], sizes[3:]
    assert small == ["0 KB", "1 KB", "6 KB"]
    assert large == ["4 MB", "999 MB", "1.2 GB", "99.9 GB", "1234 GB"]


def test_a_clock_shows_the_nearest_second() -> None:
    assert [clock(s) for s in (8.07, 8.93, 59.7, 3599.4)] == ["0:08", "0:09", "1:00", "59:59"]


@given(seconds=st.floats(0, 10**6))
@settings(deadline=None, max_examples=50)
def test_no_duration_is_rounded_up_by_more_than_half(seconds: float) -> None:
    hours, minutes, rest = map(int, f"0:0:{clock(seconds)}".split(":")[-3:])
    assert abs(hours * 3600 + minutes * 60 + rest - seconds) <= 0.5
    units = {"day": 86400, "days": 86400, "h": 3600, "min": 60, "s": 1}
    words = time_taken(seconds).split()
    if words[0] != "less":
        shown = sum(int(n) * units[unit] for n, unit in zip(words[::2], words[1::2], strict=True))
        assert abs(shown - seconds) <= units[words[-1]] / 2
