"""Settings of the pages; `make_site.py` prepares what they are made from, and calls Sphinx."""

import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "src")]

from tendays.publish import address  # noqa: E402 - found through the line above

project = "Tendays"
author = "the authors of Tendays"
project_copyright = f"{author}. Text and figures: CC BY 4.0; code: MIT"
html_title = project
language = "en"

extensions = ["myst_nb", "sphinx.ext.mathjax", "notebook_pages"]
templates_path = ["templates"]
exclude_patterns = ["templates"]
nitpicky = True

# The pages show what was run and tested, so nothing is executed.
nb_execution_mode = "off"
nb_render_markdown_format = "myst"
nb_merge_streams = True
nb_number_source_lines = False
myst_enable_extensions = ["attrs_block", "attrs_inline", "colon_fence", "deflist", "dollarmath"]
myst_heading_anchors = 3
myst_heading_slug_func = "tendays.journal.slug"
myst_links_external_new_tab = False

# A copy of it travels with the pages, put there by make_site.py.
mathjax_path = "mathjax/tex-chtml.js"
mathjax3_config = {"chtml": {"displayAlign": "left"}, "options": {"enableMenu": False}}

html_theme = "sphinx_book_theme"
html_static_path = ["static"]
html_css_files = ["tendays.css", "icons.css"]
html_context = {"default_mode": "auto"}
html_js_files = ["tendays.js"]
html_favicon = "static/favicon.svg"
html_copy_source = True
html_show_sourcelink = False
html_show_search_summary = False  # its lines come from the other pages by fetch, which file:// refuses
html_use_index = False  # the index of terms is a page of its own
html_theme_options = {
    "repository_url": address.repository(HERE.parent),
    "repository_branch": "main",
    "path_to_docs": "",
    "use_repository_button": True,
    "launch_buttons": {"colab_url": address.COLAB},
    "home_page_in_toc": True,
    "show_navbar_depth": 1,
    "show_toc_level": 2,
    "navigation_with_keys": False,
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
    "logo": {"text": project},
    "navbar_persistent": [],  # the search button is in the sidebar
}

linkcheck_workers = 4
linkcheck_timeout = 20  # seconds
linkcheck_retries = 2
linkcheck_anchors = False  # headings on pages of others come and go
