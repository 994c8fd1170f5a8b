"""A browser for tests that look at what a reader sees: the machine's own Chromium, without a window."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from needs import missing
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


def executable() -> str:
    """Where the browser is; without one, the test that asks is skipped, or fails in CI."""
    found = filter(None, map(shutil.which, NAMES))
    return next(found, None) or missing("there is no Chromium on PATH; on Debian: apt-get install chromium")


@contextmanager
def launched() -> Iterator[Browser]:
    """A browser with an empty profile, closed when the block ends."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        try:
            yield browser
        finally:
            browser.close()
