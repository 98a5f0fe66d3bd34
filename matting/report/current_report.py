"""What a report says of itself, by which it need not be made again: of which records it is."""

from __future__ import annotations

import hashlib
import html
import re
from pathlib import Path

from matting.project.paths import MattedFolder
from matting.report.page import is_own_page

HEAD_BYTES = 8192  # in which a page says it
MADE_OF = re.compile(r'<meta name="made-of" content="([0-9a-f]{64})">')
SUMMARY = re.compile(r'<meta name="description" content="([^"<>]*)">')


def records_sha256(folder: MattedFolder) -> str:
    """Return the hash of a job's records; "" where they are still changing, or cannot be read."""
    if folder.journal.exists():
        return ""
    digest = hashlib.sha256()
    try:
        for path in (folder.manifest, folder.processed):
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    except OSError:
        return ""
    return digest.hexdigest()


def current_summary(folder: MattedFolder) -> str:
    """Return what the report of a job says of the whole; "" where it is not of today's records."""
    if not is_own_page(folder.report):
        return ""
    head = _head(folder.report)
    made_of, summary = MADE_OF.search(head), SUMMARY.search(head)
    if made_of is None or summary is None or made_of[1] != records_sha256(folder):
        return ""
    return html.unescape(summary[1])


def _head(page: Path) -> str:
    try:
        with page.open("rb") as file:
            return file.read(HEAD_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
