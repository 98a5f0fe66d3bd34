"""Pages in Chromium, as a reader has them: driven by Playwright, looked through by axe-core."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Request, sync_playwright

from matting.imaging.sample_format import Size

WINDOW = Size(1280, 800)
PATIENCE_MS = 20_000

__all__ = ["Browser", "ShownPage", "running_browser"]


@contextmanager
def running_browser(program: str) -> Iterator[Browser]:
    """Start Chromium, without a window; end it."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=program, args=["--no-sandbox", "--disable-gpu"]
        )
        try:
            yield browser
        finally:
            browser.close()


@dataclass(frozen=True)
class ShownPage:
    """A page in a browser.

    Attributes:
        page: as Playwright has it.
        errors: what was said in the console as an error, raised, or asked of the network.
    """

    page: Page
    errors: list[str]

    @classmethod
    @contextmanager
    def of(cls, browser: Browser) -> Iterator[ShownPage]:
        """Open an empty one; close it."""
        context = browser.new_context(
            viewport={"width": WINDOW.width, "height": WINDOW.height},
            permissions=["clipboard-read", "clipboard-write"],
        )
        context.set_default_timeout(PATIENCE_MS)
        page, errors = context.new_page(), list[str]()
        page.on(
            "console",
            lambda said: errors.append(said.text) if said.type in {"error", "warning"} else None,
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        for event in ("requestfinished", "requestfailed"):
            page.on(event, lambda request: errors.extend(_outside(request)))
        try:
            yield cls(page, errors)
        finally:
            context.close()

    def open(self, path: Path) -> None:
        """Show a file."""
        self.page.goto(path.as_uri())

    def processor_seconds_to_open(self, path: Path) -> float:
        """Show a file; return the processor time that all of the browser's processes took.

        Unlike the time on a clock, it hardly depends on what else the computer does. It ends when
        the page has been drawn.
        """
        browser = self.page.context.browser
        assert browser is not None
        session = browser.new_browser_cdp_session()

        def taken() -> dict[int, float]:
            processes = session.send("SystemInfo.getProcessInfo")["processInfo"]
            return {own["id"]: own["cpuTime"] for own in processes}

        before = taken()
        self.open(path)
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")
        after = taken()
        session.detach()
        return sum(seconds - before.get(process, 0.0) for process, seconds in after.items())

    def look(self, scheme: Literal["dark", "light"], size: Size = WINDOW) -> None:
        """Show the page in other colours, in a window of another size."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": size.width, "height": size.height})

    @property
    def is_wider_than_window(self) -> bool:
        """Whether the page as a whole has to be scrolled sideways."""
        return bool(
            self.page.evaluate(
                "document.documentElement.scrollWidth > document.documentElement.clientWidth"
            )
        )

    def faults(self) -> Sequence[str]:
        """Return what axe-core finds wrong: contrast, labels, structure."""
        return [
            f"{fault['id']}: {node['html']}"
            for fault in Axe().run(self.page).response["violations"]
            for node in fault["nodes"]
        ]


def _outside(request: Request) -> Iterator[str]:
    """Yield what a page asked of the network, if its own policy let it."""
    if not request.url.startswith(("file:", "data:")) and request.failure != "csp":
        yield f"asked for {request.url}"
