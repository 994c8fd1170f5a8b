"""The pages, built and opened in a browser as a reader would: from files, without a network."""

import functools
import http.server
import io
import itertools
import json
import re
import subprocess
import sys
import threading
from pathlib import Path
from urllib.parse import unquote, urlsplit

import browser
import lxml.html
import numpy as np
import pytest
import sample
from needs import missing
from PIL import Image
from places import ROOT

from tendays.publish import readme
from tendays.publish.ledger import headlines, machine, read_ledgers

AXE = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
STEMS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
SIZE = 15_000_000  # bytes of the whole site
FIRST_PAGE = 500_000  # bytes of the first page, without its figures
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}
FETCHED = re.compile(r"""(?:\bsrc=|<link[^>]*\bhref=|@import|\burl\()\s*["']?(?:https?:)?//""")

# Elements that the Tab key should reach: those a reader can see and act on.
TABBABLE = """() => [...document.querySelectorAll('a[href], button, input, select, summary, [tabindex="0"]')]
  .filter(e => !e.disabled && e.tabIndex >= 0 && e.checkVisibility({visibilityProperty: true})
               && e.getClientRects().length)
  .map((e, i) => { e.dataset.reach = i; return e.outerHTML.slice(0, 120); })"""
# Notes what has the focus, by the numbers that TABBABLE gives.
REACHED = """() => {
  window.reached = [];
  document.addEventListener('focusin', event => window.reached.push(event.target.dataset.reach ?? -1));
}"""
# Of a page's formulas and code blocks, each kind made by one program, the first few stand for all.
THIN = """() => ['mjx-container', '.highlight pre'].forEach(
  kind => [...document.querySelectorAll(kind)].slice(20).forEach(element => element.replaceChildren()))"""
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
VIOLATIONS = """async (only) => (await axe.run(document, {runOnly: only}))
  .violations.filter(v => ['serious', 'critical'].includes(v.impact))
  .map(v => `${v.id}: ${v.nodes.length} × ${v.nodes[0].html.slice(0, 160)} ${v.nodes[0].failureSummary}`)"""


def run(folder, *arguments):
    """Runs Python in a folder to its end."""
    said = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True)
    assert said.returncode == 0, said.stderr


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """The folder of the pages, made as `make site` makes them, with two more: `sample`, and a notebook never run."""
    folder = tmp_path_factory.mktemp("pages")
    out, checkout = folder / "site", folder / "checkout"
    sample.copy(checkout)
    run(checkout, "-m", "tendays", "new-notebook", "Entirely new")
    sample.add(checkout)
    run(checkout, "site/make_site.py", "--out", str(out))
    return out


@pytest.fixture(scope="module")
def pages(site):
    """The HTML files, as paths inside of the site."""
    return sorted(path.relative_to(site).as_posix() for path in site.rglob("*.html"))


@pytest.fixture(scope="module")
def chromium():
    with browser.launched() as started:
        yield started


def watched(context, path):
    """A page opened from its file, offline; what goes wrong in it is collected in ``page.complaints``."""
    page = context.new_page()
    page.complaints = []
    page.on("console", lambda m: page.complaints.append(m.text) if m.type in ("error", "warning") else None)
    page.on("pageerror", lambda error: page.complaints.append(str(error)))
    page.on("request", lambda r: None if r.url.startswith(("file:", "data:")) else page.complaints.append(r.url))
    page.on("requestfailed", lambda request: page.complaints.append(f"failed: {request.url}"))
    page.goto(path.as_uri())
    typeset(page)
    return page


@pytest.fixture
def open_page(chromium, site):
    """Opens a page of the site for one test."""
    contexts = []

    def opened(name, *, viewport=DESK, **options):
        context = chromium.new_context(viewport=viewport, offline=True, **options)
        contexts.append(context)
        return watched(context, site / name)

    yield opened
    for context in contexts:
        context.close()


@pytest.fixture(scope="module")
def at_desk(chromium, site, pages):
    """All pages by name, opened once on a desk's screen for the tests that read them."""
    context = chromium.new_context(viewport=DESK, offline=True, color_scheme="light")
    yield {name: watched(context, site / name) for name in pages}
    context.close()


@pytest.fixture(scope="module")
def thinned(at_desk):
    """The same pages, most formulas and code blocks emptied. Its tests stand behind those of ``at_desk``."""
    for page in at_desk.values():
        page.evaluate(THIN)
    return at_desk


@pytest.fixture(scope="module")
def served(site):
    """The address of the pages on a server of their own, which does not compress them."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=site)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


def typeset(page):
    """Wait until mathematics, where there is some, is set."""
    page.evaluate("() => window.MathJax && MathJax.startup.promise")


def test_every_page_loads_without_errors_and_without_a_request_elsewhere(at_desk):
    assert len(at_desk) >= 7 + len(STEMS)
    assert {name: page.complaints for name, page in at_desk.items() if page.complaints} == {}


def test_mathematics_is_typeset(at_desk):
    count = "() => [document.querySelectorAll('.math').length, document.querySelectorAll('.math mjx-container').length]"
    found = {}
    for name, page in at_desk.items():
        found[name] = page.evaluate(count)
        assert page.evaluate("() => document.querySelectorAll('mjx-merror, [data-mjx-error]').length") == 0, name
        assert page.evaluate("() => [...document.fonts].every(font => font.status != 'error')"), name
    assert all(written == shown for written, shown in found.values()), found
    assert sum(found["notebooks/04_transducer.html"]) > 100


def test_figures_show_and_say_what_they_show(at_desk):
    look = """() => [...document.querySelectorAll('article img')].map(
      i => [i.src, i.alt, i.complete && i.naturalWidth, i.getBoundingClientRect().width])"""
    figures = [figure for page in at_desk.values() for figure in page.evaluate(look)]
    assert len(figures) > 10
    for source, alt, pixels, width in figures:
        assert pixels > 0, source
        assert 200 < width <= pixels + 1, source  # neither a speck nor blown up
        assert len(alt.split()) > 5, f"{source}: {alt}"


def test_no_page_is_wider_than_a_telephone(at_desk):
    widths = {}
    for name, page in at_desk.items():
        page.set_viewport_size(PHONE)
        widths[name] = page.evaluate("document.documentElement.scrollWidth")
        page.set_viewport_size(DESK)
    assert {name: width for name, width in widths.items() if width > PHONE["width"]} == {}


def test_figures_are_legible_on_a_dark_page(open_page):
    page = open_page("notebooks/04_transducer.html", color_scheme="dark")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor")
    assert max(map(int, re.findall(r"\d+", ground)[:3])) < 60
    figures = page.locator("article img")
    assert figures.count() > 3
    for index in range(figures.count()):
        with Image.open(io.BytesIO(figures.nth(index).screenshot())) as shown:
            darkest, lightest = (value / 255 for value in shown.convert("L").getextrema())
        assert (lightest**2.2 + 0.05) / (darkest**2.2 + 0.05) > 7  # WCAG's ratio for its level AAA


@pytest.mark.parametrize(("other", "scheme"), [("light", "dark"), ("dark", "light")])
def test_light_and_dark_can_be_chosen_and_are_remembered(open_page, other, scheme):
    page = open_page("index.html", color_scheme=other)
    page.locator(".theme-switch-button").click()
    page.locator(f".theme-change-button[data-mode={scheme}]").click()
    assert page.evaluate("document.documentElement.dataset.theme") == scheme
    page.get_by_role("link", name="Results", exact=True).first.click()
    page.wait_for_url("**/results.html")
    assert page.evaluate("document.documentElement.dataset.theme") == scheme


def test_search_finds_beam_search_in_every_notebook_that_has_it(open_page):
    page = open_page("index.html")
    page.locator(".search-button__button:visible").first.click()
    page.keyboard.type("beam search")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html*")
    page.wait_for_selector("#search-results ul.search li")
    page.wait_for_function("document.querySelector('.search-summary')?.textContent.includes('found')")
    found = " ".join(page.evaluate("[...document.querySelectorAll('#search-results li a')].map(a => a.href)"))
    having = [
        stem for stem in STEMS if "beam search" in (ROOT / "notebooks" / f"{stem}.ipynb").read_text("utf-8").lower()
    ]
    assert len(having) >= 2
    assert [stem for stem in having if stem not in found] == []
    assert page.complaints == []


@pytest.mark.parametrize("stem", STEMS)
def test_the_download_button_gives_the_committed_notebook(chromium, served, stem):
    page = chromium.new_page()
    page.goto(f"{served}/notebooks/{stem}.html")
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the notebook").click()
    assert download.value.suggested_filename == f"{stem}.ipynb"
    assert Path(download.value.path()).read_bytes() == (ROOT / "notebooks" / f"{stem}.ipynb").read_bytes()
    page.close()


@pytest.mark.parametrize("stem", STEMS)
def test_the_button_for_colab_leads_to_this_notebook(open_page, stem):
    address = open_page(f"notebooks/{stem}.html").get_by_role("link", name="Open in Colab").first.get_attribute("href")
    assert address in (ROOT / "notebooks" / f"{stem}.ipynb").read_text("utf-8")


def test_the_keyboard_reaches_everything(thinned):
    missed = {}
    for name, page in thinned.items():
        wanted = dict(enumerate(page.evaluate(TABBABLE)))
        assert len(wanted) > 15, name
        page.evaluate(REACHED)
        for _ in range(len(wanted) + 20):
            page.keyboard.press("Tab")
        for reached in page.evaluate("() => window.reached"):
            wanted.pop(int(reached), None)
        missed[name] = list(wanted.values())
    assert {name: elements for name, elements in missed.items() if elements} == {}


def test_axe_finds_nothing_serious_and_text_has_contrast_in_light_and_dark(thinned):
    if not AXE.exists():
        missing(f"{AXE.relative_to(ROOT)} is not there: install Node.js, then run `make test` again")
    found = {}
    for name, page in thinned.items():
        page.add_script_tag(path=AXE)
        page.add_style_tag(content="* { transition: none !important; }")  # no colour half-way between light and dark
        # What a page is made of is the same in the dark; its colours are not.
        for scheme, only in (("light", RULES), ("dark", {"type": "rule", "values": ["color-contrast"]})):
            page.evaluate("scheme => { document.documentElement.dataset.theme = scheme; }", scheme)
            found[name, scheme] = page.evaluate(VIOLATIONS, only)
        page.evaluate("document.documentElement.dataset.theme = 'light'")
    assert {place: violations for place, violations in found.items() if violations} == {}


def test_what_has_the_focus_is_seen(open_page):
    page = open_page("index.html")
    for _ in range(12):
        page.keyboard.press("Tab")
        style = page.evaluate("(s => [s.outlineStyle, s.boxShadow])(getComputedStyle(document.activeElement))")
        assert style != ["none", "none"], page.evaluate("document.activeElement.outerHTML")


def test_the_first_page_is_light(chromium, served):
    received = {}
    page = chromium.new_page()
    page.on("response", lambda response: received.__setitem__(response.url, response))
    page.goto(f"{served}/index.html", wait_until="networkidle")
    sizes = {url: len(response.body()) for url, response in received.items()}
    page.close()
    assert any(url.endswith(".css") for url in sizes)
    assert sum(size for url, size in sizes.items() if not url.endswith(".png")) < FIRST_PAGE, sizes


@pytest.mark.parametrize("stem", STEMS)
def test_a_printed_page_is_the_article_alone_and_whole(open_page, stem):
    page = open_page(f"notebooks/{stem}.html")
    page.emulate_media(media="print")
    for aside in (".bd-sidebar-primary", ".bd-header-article", ".prev-next-footer", ".bar .action"):
        assert not page.locator(aside).first.is_visible(), aside
    assert page.get_by_role("heading", level=1).first.is_visible()
    page.set_viewport_size({"width": 700, "height": 900})  # about the width of a sheet
    assert page.evaluate("document.documentElement.scrollWidth") <= 700
    clipped = """[...document.querySelectorAll('article pre, article div.math, article mjx-container[display]')].filter(
      e => e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 200))"""
    assert page.evaluate(clipped) == []


# --- frames -----------------------------------------------------------------------------------------------------------

SAMPLE = f"notebooks/{sample.STEM}.html"


def frame_seen(page, scheme="light"):
    """The number of the frame that is in the window of the sample's slider, by its colour; nothing else may be."""
    with Image.open(io.BytesIO(page.locator(".frames-view").screenshot())) as shown:
        pixels = np.asarray(shown.convert("RGB"), dtype=float)
    brightness = {"light": 1, "dark": 0.88}[scheme]
    shares = [(abs(pixels - brightness * np.array(colour)) <= 3).all(axis=2).mean() for colour in sample.COLOURS]
    (seen,) = [index for index, share in enumerate(shares) if share > 0.001]
    assert shares[seen] > 0.4  # the whole of its panel
    return seen


def assert_frame(page, index, scheme="light"):
    """A frame is seen, said, and the slider's value."""
    slider = page.get_by_role("slider", name=sample.TITLE)
    assert frame_seen(page, scheme) == index
    assert slider.get_attribute("aria-valuetext") == sample.LABELS[index]
    assert slider.input_value() == str(index)


@pytest.mark.parametrize(("viewport", "scheme"), [(DESK, "light"), (PHONE, "dark")], ids=["desk", "phone"])
def test_the_keyboard_turns_frames(open_page, viewport, scheme):
    page = open_page(SAMPLE, viewport=viewport, color_scheme=scheme)
    assert_frame(page, 0, scheme)
    page.get_by_role("slider", name=sample.TITLE).focus()
    keys = ["ArrowRight", "ArrowRight", "ArrowLeft", "End", "ArrowRight", "Home", "ArrowUp"]
    for key, index in zip(keys, [1, 2, 1, 4, 4, 0, 1], strict=True):
        page.keyboard.press(key)
        assert_frame(page, index, scheme)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.complaints == []


def test_the_mouse_drags_frames(open_page):
    page = open_page(SAMPLE)
    page.locator(".frames").scroll_into_view_if_needed()
    box = page.get_by_role("slider", name=sample.TITLE).bounding_box()
    y = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + 8, y)
    page.mouse.down()
    for share, index in ((0.25, 1), (0.75, 3), (1.2, 4), (0.5, 2)):
        page.mouse.move(box["x"] + share * box["width"], y, steps=5)
        assert_frame(page, index)
    page.mouse.up()
    assert_frame(page, 2)


def test_a_finger_turns_frames(open_page):
    page = open_page(SAMPLE, viewport=PHONE, has_touch=True, is_mobile=True)
    slider = page.get_by_role("slider", name=sample.TITLE)
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box["height"] >= 24  # WCAG 2.2 asks for as much
    page.touchscreen.tap(box["x"] + 0.75 * box["width"], box["y"] + box["height"] / 2)
    assert_frame(page, 3)


@pytest.mark.parametrize(("viewport", "width"), [(DESK, 504), (PHONE, 358)], ids=["desk", "phone"])
def test_a_frame_is_as_wide_as_it_is_sharp_or_as_the_page(open_page, viewport, width):
    page = open_page(SAMPLE, viewport=viewport)
    view, slider = (page.locator(f".frames {part}").bounding_box() for part in ("div", "input"))
    assert view["width"] == pytest.approx(width, abs=1)
    assert view["width"] / view["height"] == pytest.approx(504 / 403, rel=0.01)
    assert slider["width"] == pytest.approx(view["width"], abs=1)
    assert slider["y"] + slider["height"] <= view["y"] + 1


def frames_seen(page):
    """The numbers of all frames that are in the sample's image."""
    with Image.open(io.BytesIO(page.locator(".frames img").screenshot())) as shown:
        colours = {tuple(colour) for _, colour in shown.convert("RGB").getcolors(1 << 24)}
    return [index for index, colour in enumerate(sample.COLOURS) if colour in colours]


def test_all_frames_are_printed(open_page):
    page = open_page(SAMPLE, viewport={"width": 700, "height": 1800})
    assert frames_seen(page) == [0]
    page.emulate_media(media="print")
    assert not page.locator(".frames input").is_visible()
    assert frames_seen(page) == [0, 1, 2, 3, 4]
    assert page.locator(".frames img").bounding_box()["width"] == pytest.approx(632, abs=40)


def test_without_script_all_frames_are_shown(chromium, site):
    context = chromium.new_context(viewport={"width": 1280, "height": 1800}, offline=True, java_script_enabled=False)
    page = context.new_page()
    page.goto((site / SAMPLE).as_uri())
    assert page.locator(".frames input").count() == 0
    assert frames_seen(page) == [0, 1, 2, 3, 4]
    context.close()


def test_frames_are_saved_once(site):
    (image,) = lxml.html.parse(site / SAMPLE).getroot().xpath("//article//img/@src")
    png = (site / SAMPLE).parent.joinpath(image).read_bytes()
    assert [path.name for path in site.rglob("*.png") if path.read_bytes() == png] == [Path(image).name]


# --- code -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "code"), [("the set-up", "import tendays"), ("the drawing", "plots.frames"), ("a solution", "1 + 1")]
)
def test_a_fold_opens_by_the_keyboard_and_says_what_is_in_it(open_page, name, code):
    page = open_page(SAMPLE)
    fold = page.locator("details", has=page.get_by_text(f"Show {name}"))
    assert not fold.get_by_text(code).is_visible()
    fold.locator("summary").focus()
    page.keyboard.press("Enter")
    assert fold.get_by_text(code).is_visible()
    assert fold.get_by_text(f"Hide {name}").is_visible()
    assert not fold.get_by_text(f"Show {name}").is_visible()


@pytest.mark.parametrize("stem", [*STEMS, sample.STEM])
def test_a_line_of_88_columns_is_shown_whole(open_page, stem):
    narrow = """() => {
      for (const fold of document.querySelectorAll('details')) fold.open = true;
      const blocks = [...document.querySelectorAll('article .highlight pre')];
      for (const block of blocks) block.textContent = 'm'.repeat(88);
      const oneLine = Math.min(...blocks.map(block => block.offsetHeight));
      return [blocks.length, blocks.filter(
        block => block.scrollWidth > block.clientWidth || block.offsetHeight > 1.5 * oneLine).length];
    }"""
    blocks, cut_or_broken = open_page(f"notebooks/{stem}.html").evaluate(narrow)
    assert blocks >= 3
    assert cut_or_broken == 0


def test_a_notebook_that_was_never_run_has_its_page(site):
    (page,) = (site / "notebooks").glob("*_entirely_new.html")
    assert "It was not run yet." in page.read_text("utf-8")
    assert f"notebooks/{page.name}" in (site / "index.html").read_text("utf-8")


def test_contents_of_the_results_are_in_words(open_page):
    lines = open_page("results.html").evaluate("[...document.querySelectorAll('.page-toc a')].map(a => a.innerText)")
    assert len(lines) >= 1 + len(STEMS) + len(list((ROOT / "results" / "longer").glob("*.json")))
    assert [line for line in lines if "--" in line or "python" in line] == []


# --- what needs no browser --------------------------------------------------------------------------------------------


def test_the_site_is_small_and_whole(site):
    files = [path for path in site.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < SIZE
    assert not [path for path in files if path.suffix == ".map"]


def test_no_file_asks_for_one_from_elsewhere(site):
    kinds = {".html", ".css", ".js"}
    texts = {path: path.read_text("utf-8") for path in site.rglob("*") if path.suffix in kinds}
    assert len(texts) > 10
    assert {path.name: FETCHED.findall(text) for path, text in texts.items() if FETCHED.search(text)} == {}


def test_no_link_inside_is_broken(site, pages):
    trees = {site / name: lxml.html.parse(site / name).getroot() for name in pages}
    anchors = {path: {*tree.xpath("//@id"), *tree.xpath("//a/@name")} for path, tree in trees.items()}
    broken, seen = [], 0
    for path, tree in trees.items():
        for link in tree.xpath("//a/@href | //img/@src | //script/@src | //link/@href"):
            address = urlsplit(link)
            if address.scheme or address.netloc:
                continue
            seen += 1
            target = (path.parent / unquote(address.path)).resolve() if address.path else path
            fragment = unquote(address.fragment)
            if not target.exists() or (fragment and target in anchors and fragment not in anchors[target]):
                broken.append(f"{path.relative_to(site)}: {link}")
    assert seen > 200
    assert broken == []


def test_pages_name_no_place_of_the_machine_that_made_them(site):
    texts = [path for path in site.rglob("*") if path.suffix in {".html", ".js", ".css"}]
    assert [path.name for path in texts if str(ROOT) in path.read_text("utf-8")] == []


@pytest.mark.parametrize("stem", STEMS)
def test_journal_and_notebook_link_to_each_other(site, stem):
    journal = {path.stem: lxml.html.parse(path).getroot() for path in (site / "journal").glob("*unit*.html")}
    notebook = lxml.html.parse(site / "notebooks" / f"{stem}.html").getroot()
    there = {unit for unit, tree in journal.items() if tree.xpath(f"//article//a[contains(@href, '{stem}.html')]")}
    back = {
        Path(urlsplit(link).path).stem for link in notebook.xpath("//article//a[contains(@href, 'journal/')]/@href")
    }
    assert there == back - {"index"}


def test_notebooks_are_next_to_each_other_in_reading_order(site):
    for before, after in itertools.pairwise(STEMS):
        page = lxml.html.parse(site / "notebooks" / f"{before}.html").getroot()
        assert page.xpath("//a[contains(@class, 'right-next')]/@href") == [f"{after}.html"]
        page = lxml.html.parse(site / "notebooks" / f"{after}.html").getroot()
        assert page.xpath("//a[contains(@class, 'left-prev')]/@href") == [f"{before}.html"]


def test_results_show_every_claim_with_its_value(site):
    text = " ".join(lxml.html.parse(site / "results.html").getroot().text_content().split())
    for path in (ROOT / "results").glob("*.json"):
        ledger = json.loads(path.read_text("utf-8"))
        assert f"{ledger['seconds'] / 60:.1f}" in text
        for claim in ledger["claims"]:
            assert " ".join(claim["name"].split()).replace("'", "’") in text.replace("'", "’"), claim["name"]
            assert readme.amount(claim) in text


def test_the_home_page_states_results_as_the_readme_does(site):
    text = " ".join(lxml.html.parse(site / "index.html").getroot().text_content().split()).replace("’", "'")
    ledgers = read_ledgers(ROOT / "results")
    assert ledgers
    for ledger in ledgers:
        results = "; ".join(map(readme.sentence, headlines(ledger)))
        assert f"{results}, in {ledger['seconds'] / 60:.1f} minutes on {machine(ledger)}." in text
