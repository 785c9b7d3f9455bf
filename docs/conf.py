"""How Sphinx builds the pages (``make docs``). The source is the whole repository, so that links between files hold."""

from edge_arseg import __version__

project = "edge_arseg"
author = "the edge_arseg contributors"
project_copyright = "the edge_arseg contributors, Apache-2.0"
version = release = __version__
language = "en"
smartquotes = False  # they make a dash of the two hyphens of an option

extensions = ["myst_parser", "sphinx_copybutton"]
root_doc = "docs/index"
include_patterns = [
    "docs/**.md",
    "*.md",
    "benchmarks/README.md",
    "benchmarks/workloads/README.md",
    "calibration/README.md",
    "examples/README.md",
    "edge_arseg/zoo/*.md",
]
exclude_patterns = ["README.md", "docs/README.md"]
suppress_warnings = ["toc.not_included"]  # sections of generated pages; tests/docs look at the order of reading

myst_enable_extensions = ["colon_fence", "attrs_inline"]
myst_heading_anchors = 4
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = False

html_theme = "furo"
html_title = f"edge_arseg {__version__}"
html_static_path = ["_static"]
html_css_files = ["pages.css"]
html_extra_path = ["_extra"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "navigation_with_keys": True,
    "light_css_variables": {"color-brand-primary": "#00557f", "color-brand-content": "#00557f"},
    "dark_css_variables": {"color-brand-primary": "#7fc8f8", "color-brand-content": "#7fc8f8"},
}
