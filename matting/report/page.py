"""Pages: each one HTML file that opens with a double click, without a server or the network.

A page is made by `render_page` of a template beside this module, in the folder `page`, that extends
`page.html.j2`; of style sheets and scripts from there, which are put into the file; of variables,
which are escaped, whatever a file's name holds; and of data for the scripts, which `pageData()` of
`page.js` returns. What is in the file is all that a browser may use: the page's own policy (Content
Security Policy) forbids the network, and every script and style but these, by their hashes. So a
template holds no `style=` and no `on...=`; scripts may set `element.style`. Pictures are data URIs.

`curves.js` draws the curves: the one package with uPlot in it has that of 2021, and needs IPython.
"""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from matting.system.invocation import VERSION
from matting.system.text import printable

if TYPE_CHECKING:
    from jinja2 import Environment

FOLDER = Path(__file__).resolve().parent / "page"
MARK, HEAD_BYTES = b'<meta name="generator" content="RVM on Segments">', 2048  # of our pages
STYLES, SCRIPTS = ("page.css",), ("page.js",)  # of every page
# What could end the element that JSON stands in; there it is the same as a sequence of escape.
UNSAFE_IN_ELEMENT = re.compile("[<>&]")


def render_page(
    template: str,
    *,
    title: str,
    styles: Sequence[str] = (),
    scripts: Sequence[str] = (),
    data: object = None,
    refresh_seconds: int | None = None,
    **variables: Any,
) -> str:
    """Return a page.

    Args:
        template: the name of a file in `page`, as the others are.
        styles, scripts: what the page needs beside `page.css` and `page.js`, in order.
        data: for the scripts: what JSON can hold, without NaN.
        refresh_seconds: after how long the page reads its file again, which grows; None: it is
            finished.
        variables: for the template.
    Raises:
        jinja2.TemplateError: the template and its variables do not fit.
        ValueError: JSON cannot hold the data.
    """
    style = _joined((*STYLES, *styles))
    script = _joined((*SCRIPTS, *scripts))
    return (
        _environment(FOLDER)
        .get_template(template)
        .render(
            {
                **variables,
                "title": title,
                "version": VERSION,
                "policy": _policy(style, script),
                "style": style,
                "script": script,
                "data": json_in_element(data),
                "refresh_seconds": refresh_seconds,
            }
        )
    )


def is_own_page(path: Path) -> bool:
    """Return whether there is a page that this program made: a readable file that says so."""
    if not path.is_file():
        return False
    try:
        with path.open("rb") as file:
            return MARK in file.read(HEAD_BYTES)
    except OSError:
        return False


def json_in_element(value: object) -> str:
    """Return JSON that may stand in a `script` element, in ASCII.

    Raises:
        ValueError: JSON cannot hold it.
    """
    text = json.dumps(value, separators=(",", ":"), allow_nan=False)
    return UNSAFE_IN_ELEMENT.sub(lambda match: f"\\u{ord(match[0]):04x}", text)


@cache  # a template takes longer to compile than to fill, and a job writes its page many times
def _environment(folder: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(folder, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_printable,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def _printable(value: object) -> object:
    """Return a name from outside without what turns or hides the text after it."""
    return printable(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def _joined(names: Sequence[str]) -> str:
    return "".join((FOLDER / name).read_text(encoding="utf-8") for name in names)


def _policy(style: str, script: str) -> str:
    return "; ".join(
        [
            "default-src 'none'",
            "img-src data:",
            f"style-src {_hash(style)}",
            f"script-src {_hash(script)}",
            "base-uri 'none'",
            "form-action 'none'",
        ]
    )


def _hash(text: str) -> str:
    """Return how a policy names the content of an element."""
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
