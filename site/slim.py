"""Makes built pages small: `slim` takes out of their files what no page uses.

The theme brings 1,600 kB of scripts for icons, of which pages show a dozen, and style sheets for components that
pages do not have.
"""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import tinycss2

UNUSED = (
    "_static/locales",
    "_static/scripts/fontawesome.js",
    "_static/sbt-webpack-macros.html",
    "_static/webpack-macros.html",
    ".doctrees",
    ".buildinfo",
)
ICON_SCRIPT = re.compile(r"<script[^>]*fontawesome\.js[^>]*></script>\n?")
ICON = re.compile(r"\bfa-([a-z0-9-]+)")
CLASS = re.compile(r"\.(-?[_a-zA-Z][\w-]*)")
WORD = re.compile(r"[\w-]+")
NESTED = ("media", "supports")
# Shapes take the colour of the text around them.
ICON_BASE = """.fa-solid, .fas, .fa-brands, .fab, .fa-regular, .far {
  display: inline-block; width: 1.25em; height: 1em; vertical-align: -0.125em; background: currentColor;
  -webkit-mask: var(--icon) center / contain no-repeat; mask: var(--icon) center / contain no-repeat;
}
.fa-lg { font-size: 1.25em; }
@media (forced-colors: active) { .fa-solid, .fas, .fa-brands, .fab, .fa-regular, .far { background: CanvasText; } }
"""


def slim(site: Path) -> None:
    """Take out of the pages in a folder what they do not use."""
    shapes = (site / "_static" / "scripts" / "fontawesome.js").read_text("utf-8")
    for path in [*site.rglob("*.map"), *(site / name for name in UNUSED)]:
        shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    for page in site.rglob("*.html"):
        page.write_text(ICON_SCRIPT.sub("", page.read_text("utf-8")), "utf-8")
    texts = [path.read_text("utf-8") for kind in ("html", "js") for path in site.rglob(f"*.{kind}")]
    words = {word for text in texts for word in WORD.findall(text)}
    for sheet in (site / "_static").rglob("*.css"):
        sheet.write_text(used_rules(sheet.read_text("utf-8"), words), "utf-8")
    names = {name for text in texts for name in ICON.findall(text)}
    (site / "_static" / "icons.css").write_text(icon_sheet(shapes, names), "utf-8")


def used_rules(sheet: str, words: set[str]) -> str:
    """A style sheet without the rules whose classes occur as words in no page and no script."""
    return "".join(_used(tinycss2.parse_stylesheet(sheet, skip_comments=True, skip_whitespace=True), words))


def _used(rules: list, words: set[str]) -> Iterator[str]:
    """The text of each rule that is used; of nested ones too."""
    for rule in rules:
        if rule.type == "at-rule" and rule.lower_at_keyword in NESTED and rule.content is not None:
            inner = "".join(_used(tinycss2.parse_rule_list(rule.content, True, True), words))
            if inner:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{inner}}}\n"
        elif rule.type != "qualified-rule":
            yield rule.serialize() + "\n"
        elif kept := [part for part in _selectors(rule) if _possible(part, words)]:
            yield f"{','.join(kept)}{{{tinycss2.serialize(rule.content)}}}\n"


def _selectors(rule: tinycss2.ast.QualifiedRule) -> list[str]:
    """The selectors of a rule; commas inside brackets belong to one of them."""
    parts = [[]]
    for token in rule.prelude:
        if token == ",":
            parts.append([])
        else:
            parts[-1].append(token)
    return [tinycss2.serialize(part).strip() for part in parts]


def _possible(selector: str, words: set[str]) -> bool:
    """Whether some page may have what a selector selects. Icons have a sheet of their own."""
    plain = re.sub(r"\\.|:(not|is|where)\(.*\)", "", selector)
    classes = CLASS.findall(plain)
    return words.issuperset(classes) and not any(name.startswith("fa-") for name in classes)


def icon_sheet(shapes: str, names: set[str]) -> str:
    """A style sheet with the shapes of icons, taken from the script of Font Awesome Free."""
    rules = [ICON_BASE]
    for name in sorted(names):
        if found := re.search(rf'[{{,]"?{name}"?:\[(\d+),(\d+),\[[^]]*\],"[0-9a-f]+","([^"]+)"\]', shapes):
            width, height, path = found.groups()
            image = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}"><path d="{path}"/></svg>'
            rules.append(f'.fa-{name} {{ --icon: url("data:image/svg+xml,{quote(image)}"); }}\n')
    return "".join(rules)
