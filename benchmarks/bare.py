"""Machines without the packages that only image sequences, audio and progress bars need."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path

SILENT_BARS = """
class tqdm:
    total = 0
    def __init__(self, *_, **__): ...
    def __getattr__(self, _): return lambda *_, **__: None
    @staticmethod
    def write(text, file=None): print(text, file=file)
"""
# Enough to be imported; what uses them is not measured here.
STUBS = {
    "OpenImageIO": {"OpenImageIO/__init__.py": ""},
    "imageio_ffmpeg": {"imageio_ffmpeg.py": ""},
    "tqdm": {"tqdm.py": SILENT_BARS},
}


def environment_with_stubs(folder: Path) -> dict[str, str]:
    """Return this process's environment, with stubs in `folder` for packages that are missing."""
    for package, files in STUBS.items():
        if importlib.util.find_spec(package) is None:
            for name, content in files.items():
                path = folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
    paths = [os.environ.get("PYTHONPATH", ""), str(folder)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths))}
