"""An empty page for each test of pages, in the one browser of its worker."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.browser import Browser, ShownPage


@pytest.fixture
def shown(browser: Browser) -> Iterator[ShownPage]:
    """Provide an empty page, which at the end must have had no error."""
    with ShownPage.of(browser) as page:
        yield page
        assert page.errors == []
