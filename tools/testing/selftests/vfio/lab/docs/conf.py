# SPDX-License-Identifier: GPL-2.0
"""Sphinx's configuration for build.sh, which sets the variables of the environment below.

The kernel's own extensions, so that the pages are read as "make htmldocs" reads them.
"""
# pylint: disable=invalid-name

import os
import sys

sys.path[:0] = [os.environ['DOCS_DIR'], os.environ['KERNEL_SPHINX']]

project = 'mtty'
author = 'the authors of mtty'
root_doc = 'index'
needs_sphinx = '5.3'

extensions = ['kerneldoc', 'automarkup', 'rows', 'sphinx.ext.autosectionlabel']
autosectionlabel_prefix_document = True
autosectionlabel_maxdepth = 2
kerneldoc_bin = os.environ['KERNEL_DOC']
kerneldoc_srctree = os.environ['REPO']
# Descriptions that are missing are findings of make lint.
kerneldoc_verbosity = 0

primary_domain = 'c'
highlight_language = 'none'

html_theme = 'alabaster'
html_static_path = ['static']
html_css_files = ['pages.css']
html_copy_source = False
html_show_copyright = False
html_theme_options = {
    'description': 'a VFIO migration device without hardware, and tests for the uAPI',
    'body_min_width': 0,
    'page_width': '1210px',
    'sidebar_width': '240px',
    'fixed_sidebar': False,
}
html_sidebars = {'**': ['about.html', 'navigation.html', 'searchbox.html']}
