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
nitpicky = True
nitpick_ignore_regex = [  # types that the reference names and does not describe
    (r"py:.*", r"(numpy|collections\.abc|pathlib)\..*"),
    (r"py:.*", r"(sw|cosim|hw)\..*"),
]
napoleon_use_ivar = True
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
python_maximum_signature_line_length = 88
add_module_names = False
default_role = "code"  # of backticks in docstrings
html_theme = "furo"
html_title = project
html_show_copyright = False
