"""One browser for all tests of pages in a worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, ShownPage, running_browser
from tests.support.chromium import MISSING, PROGRAM


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Provide Chromium; skip where there is none."""
    if PROGRAM is None:
        pytest.skip(MISSING)
    with running_browser(PROGRAM) as browser:
        yield browser


@pytest.fixture
def shown(browser: Browser) -> Iterator[ShownPage]:
    """Provide an empty page, which at the end must have had no error."""
    with ShownPage.of(browser) as page:
        yield page
        assert page.errors == []
