"""The character set of old subtitles, guessed by their language, as players do."""

from __future__ import annotations

from collections.abc import Sequence

# By ISO 639-2; any other language is one of the west.
BY_LANGUAGE = {
    "CP1250": ("bos", "ces", "cze", "hrv", "hun", "pol", "ron", "rum", "slk", "slo", "slv", "sqi"),
    "CP1251": ("bel", "bul", "mac", "mkd", "rus", "srp", "ukr"),
    "CP1253": ("ell", "gre"),
    "CP1254": ("aze", "tur"),
    "CP1255": ("heb",),
    "CP1256": ("ara", "fas", "per", "urd"),
    "CP1257": ("est", "lav", "lit"),
    "CP1258": ("vie",),
    "CP874": ("tha",),
    "CP932": ("jpn",),
    "CP949": ("kor",),
    "GB18030": ("chi", "zho"),
}
WESTERN = "CP1252"
ANY_BYTES = "ISO-8859-1"  # it has a character for every byte
BYTE_ORDER_MARKS = {b"\xff\xfe": "UTF-16LE", b"\xfe\xff": "UTF-16BE"}


def charset_of(lines: Sequence[bytes], language: str) -> str:
    """Return the character set in which all lines can be read; "": they are in UTF-8.

    Args:
        language: of the text, three letters; "": not known.
    """
    text = b"\n".join(lines)
    if _is_in(text, "UTF-8"):
        return ""
    marked = [charset for mark, charset in BYTE_ORDER_MARKS.items() if text.startswith(mark)]
    likely = [charset for charset, languages in BY_LANGUAGE.items() if language in languages]
    candidates = [*marked, *likely, WESTERN, ANY_BYTES]
    return next(charset for charset in candidates if _is_in(text, charset))


def _is_in(text: bytes, charset: str) -> bool:
    try:
        text.decode(charset)
    except UnicodeDecodeError:
        return False
    return True
