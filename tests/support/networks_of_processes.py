"""A process that has imported this loads networks for its jobs as the tests' own process does."""

from __future__ import annotations

import pytest

from tests.support.loaded_networks import use_loaded_networks

use_loaded_networks(pytest.MonkeyPatch())
