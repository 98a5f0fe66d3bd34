"""Names by which headset players know the view of a file: reading them, and taking markers off."""

from __future__ import annotations

from matting.media.view_markers import SEPARATOR, is_view_marker, parse_view_name

__all__ = ["parse_view_name", "strip_view_markers"]

NAMELESS = "video"  # what is left of a name that was nothing but markers


def strip_view_markers(stem: str) -> str:
    """Return a name without the markers that any player may read, so that others can be added.

    Args:
        stem: the name without its suffix.
    """
    first, *others = SEPARATOR.split(stem)
    kept = [("", first), *zip(others[::2], others[1::2], strict=True)]
    own = [(separator, word) for separator, word in kept if not is_view_marker(word)]
    if len(own) == len(kept):
        return stem or NAMELESS
    return "".join(separator + word for separator, word in own).strip("_- ") or NAMELESS
