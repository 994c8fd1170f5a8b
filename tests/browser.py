"""A browser for tests that look at what a reader sees: the machine's own Chromium, without a window."""

from collections.abc import Iterator
from contextlib import contextmanager

import needs
from playwright.sync_api import Browser, sync_playwright

NAMES = (
    *("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome"),
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)
# It runs as root in CI, on machines without a GPU, and has nothing to ask of anyone else's.
FLAGS = (
    *("--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
)


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with an empty profile, closed when the block ends."""
    path = needs.program(*NAMES, package="chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
