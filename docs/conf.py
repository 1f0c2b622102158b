"""How Sphinx makes the site of these pages: `make docs`."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

project = "NC64C co-simulation"
author = "the NC64C project"
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3
nb_execution_mode = "off"  # tests/architecture/test_tutorial.py runs it
# Links to source files lead out of the site; tests/architecture/test_docs.py follows them.
suppress_warnings = ["myst.xref_missing", "misc.highlighting_failure"]
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "description"
default_role = "code"  # of backticks in docstrings
html_theme = "furo"
html_title = project
