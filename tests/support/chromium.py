"""Pages as Chromium shows them, without a window."""

from __future__ import annotations

import shutil
import subprocess
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from matting.imaging.sample_format import Size
from matting.media.images.png import decode_png

# A page of the whole browser counts as hidden when it has no window, and then loads no video.
PROGRAM = shutil.which("chromium-headless-shell")
MISSING = "Chromium is not installed (Debian: chromium-headless-shell)"
PATIENCE_SECONDS = 60
# The picture is taken when all of a page is there; the last of it comes once both videos are shown.
PAGE = """<!doctype html>
<style>
  body {{ margin: 0 }}
  div, video {{ float: left; width: {width}px; height: {height}px }}
</style>
{videos}
<img src="held" hidden>
<script>
const shown = [...document.querySelectorAll("video")].map(
  (video) => new Promise((done) => video.requestVideoFrameCallback(done)));
Promise.all(shown).then(() => requestAnimationFrame(() => fetch("shown")));
</script>
"""


class _Handler(SimpleHTTPRequestHandler):
    """Serves a folder; what a page is held by comes when its videos are shown."""

    def __init__(self, *arguments: object, shown: threading.Event, directory: str) -> None:
        self._shown = shown
        super().__init__(*arguments, directory=directory)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        if self.path == "/shown":
            self._shown.set()
        elif self.path == "/held":
            self._shown.wait(PATIENCE_SECONDS)
        else:
            super().do_GET()
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def video_over(
    video: Path, colours: list[str], size: Size, folder: Path
) -> list[NDArray[np.uint8]]:
    """Return what Chromium shows of a video's first frame over colours of the page, [H, W, 3] each.

    Args:
        video: in `folder`.
        colours: as CSS has them.
        size: of the frames.
        folder: for the page, the browser's profile and its picture.
    """
    videos = "".join(
        f'<div style="background: {colour}"><video autoplay muted src="{video.name}"></video></div>'
        for colour in colours
    )
    page = PAGE.format(width=size.width, height=size.height, videos=videos)
    (folder / "page.html").write_text(page, encoding="utf-8")
    shown, picture = threading.Event(), folder / "page.png"
    handler = partial(_Handler, shown=shown, directory=str(folder))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        subprocess.run(
            [
                str(PROGRAM),
                *("--no-sandbox", "--disable-gpu", "--hide-scrollbars"),
                f"--user-data-dir={folder / 'profile'}",
                f"--window-size={size.width * len(colours)},{size.height}",
                f"--screenshot={picture}",
                f"http://127.0.0.1:{server.server_port}/page.html",
            ],
            check=True,
            capture_output=True,
            timeout=PATIENCE_SECONDS,
        )
    finally:
        shown.set()
        server.shutdown()
        thread.join()
        server.server_close()
    pixels = np.asarray(decode_png(picture.read_bytes()), np.uint8)[..., :3]
    return np.split(pixels, len(colours), axis=1)
