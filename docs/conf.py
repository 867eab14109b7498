"""Sphinx configuration."""

import re
from importlib.metadata import version as installed_version

from sphinx.application import Sphinx

project = 'napari-sdcolor'
author = 'napari-sdcolor contributors'
project_copyright = f'2026, {author}'
release = version = installed_version('napari-sdcolor')

extensions = [
    'myst_parser',
    'sphinx.ext.autodoc',
    'sphinx.ext.autosummary',
    'sphinx.ext.napoleon',
    'sphinx.ext.viewcode',
]
exclude_patterns = ['_build', 'Thumbs.db', '.DS_Store']
templates_path = ['_templates']
source_suffix = {'.md': 'markdown', '.rst': 'restructuredtext'}

myst_enable_extensions = ['colon_fence', 'deflist', 'dollarmath']
myst_heading_anchors = 3

autosummary_generate = True
autosummary_ignore_module_all = False
autodoc_member_order = 'bysource'
autodoc_typehints = 'signature'
napoleon_google_docstring = False
napoleon_numpy_docstring = True
napoleon_custom_sections = [('Signals', 'params_style')]
# Small classes of different rooms may share a name (Entry, Recipe).
suppress_warnings = ['ref.python']

html_theme = 'pydata_sphinx_theme'
html_title = 'napari-sdcolor'
html_show_sourcelink = False
# One list of pages, beside all of them, instead of a row of links above.
html_sidebars = {'**': ['all-pages']}
html_theme_options = {
    'navbar_center': [],
    'navbar_persistent': ['search-button'],
    'navigation_with_keys': False,
    'show_toc_level': 2,
    'secondary_sidebar_items': ['page-toc'],
}


def keep_bars(
    app: Sphinx, what: str, name: str, thing: object, options: object, lines
) -> None:
    """Docstrings write |a| for an absolute value, not for a substitution."""
    for number, line in enumerate(lines):
        parts = re.split(r'(``.*?``)', line)
        parts[::2] = [part.replace('|', r'\|') for part in parts[::2]]
        lines[number] = ''.join(parts)


def setup(app: Sphinx) -> None:
    app.connect('autodoc-process-docstring', keep_bars)
