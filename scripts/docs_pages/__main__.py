"""Write the generated pages of docs/: `python -m scripts.docs_pages`.

Each page has one source in the code. tests/docs/test_pages.py fails if a page is not current.
"""

from __future__ import annotations

import sys

from scripts.docs_pages.pages import PAGES, content

if __name__ == "__main__":
    for path, page in PAGES.items():
        path.write_text(content(page), encoding="utf-8")
    sys.exit()
