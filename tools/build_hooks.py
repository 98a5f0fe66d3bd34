"""What hatchling calls to build what pip installs: the packages that are needed, and the files.

It reads this file by its path, in a Python that need not look for modules here.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from hatchling.metadata.plugin.interface import MetadataHookInterface

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))

from tools.library_package import LIBRARY, write_library  # noqa: E402 - found by the lines above

EXTRA = "cluster"


class LibraryHook(BuildHookInterface[Any]):
    """Puts the library into the wheel."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Write it where hatchling takes it from.

        Args:
            version: "editable" for a link to the sources, which are used as they are.
        """
        self._folder = TemporaryDirectory(prefix="rvm-library-")
        if version == "editable":
            return
        library = Path(self._folder.name) / LIBRARY
        write_library(ROOT, library)
        build_data["force_include"][str(library)] = LIBRARY

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:
        """Remove it."""
        self._folder.cleanup()


class RequirementsHook(MetadataHookInterface):
    """Takes the packages that are needed from the lists that setup takes them from."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add them to what is known of the project."""
        metadata["dependencies"] = _listed("requirements_inference.txt")
        metadata["optional-dependencies"] = {EXTRA: _listed("requirements_cluster.txt")}


def _listed(name: str) -> list[str]:
    """Return the requirements in a file of pip's."""
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    return [words for line in lines if (words := line.partition("#")[0].strip())]
