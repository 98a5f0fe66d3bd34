"""What was noticed on the way, as it is listed at the end; and what came of a segment."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from matting.progress import Notice, SegmentReport, quantity

NAMED = 5  # segments; the log names all of them


def notice_lines(noticed: Mapping[Notice, Counter[str]]) -> list[str]:
    """Return the lines of the list, empty where there is nothing to list."""
    lines: list[str] = []
    for kind in Notice:
        texts = [
            text + (f" ({times} times)" if times > 1 else "")
            for text, times in noticed.get(kind, {}).items()
        ]
        if texts and all(text.endswith(".") for text in texts):
            lines += [f"{kind.value}:", *(f"  {text}" for text in texts)]
        elif texts:
            more = f" and {len(texts) - NAMED} more" if len(texts) > NAMED else ""
            lines.append(f"{kind.value}: {', '.join(texts[:NAMED])}{more}.")
    return lines


def segment_text(segment: SegmentReport) -> str:
    """Return a sentence on what came of a segment, for the log."""
    text = f"{segment.name}: {quantity(segment.frames, 'frame')} in {segment.seconds:.1f} s"
    if segment.frames and segment.seconds > 0:
        text += f", {segment.frames / segment.seconds:.1f} frames a second"
    return f"{text}; {segment.remark}" if segment.remark else text
