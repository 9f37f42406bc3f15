"""Hooks of MkDocs (mkdocs.yml): documents outside of docs/, and the links between documents.

The documents are written for the repository, so their links are relative paths there. On the site,
a link to a document leads to its page. A link to any other file leads to the repository on GitHub
if GitHub builds the site, and is plain text otherwise.
"""

from __future__ import annotations

import os
import posixpath
import re
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parents[2]
OUTSIDE = {
    "index.md": "README.md",
    "client.md": "client/README.md",
    "benchmarks.md": "benchmarks/README.md",
    "training.md": "training/README.md",
    "security.md": "SECURITY.md",
    "contributing.md": "CONTRIBUTING.md",
    "changelog.md": "CHANGELOG.md",
} | {
    f"model-cards/{card.parent.name}.md": f"models/{card.parent.name}/{card.name}"
    for card in sorted(ROOT.glob("models/*/MODEL_CARD.md"))
}
"""Page of the site -> document in the repository."""
PAGES = {document: page for page, document in OUTSIDE.items()}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)\s]+)\)")
FENCE = re.compile(r"^```.*?^```", re.MULTILINE | re.DOTALL)
ABSOLUTE = re.compile(r"[a-z]+:")


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the documents outside of docs/."""
    for page, document in OUTSIDE.items():
        text = (ROOT / document).read_text(encoding="utf-8")
        files.append(File.generated(config, page, content=text))
    return files


def on_page_markdown(markdown: str, page: Page, **_: object) -> str:
    """Return the Markdown of a page with links that work on the site."""
    return site_links(markdown, page.file.src_uri)


def site_links(markdown: str, page: str) -> str:
    """Return the Markdown of a page with links that work on the site. Code stays unchanged."""
    document = OUTSIDE.get(page, f"docs/{page}")
    parts, end = [], 0
    for fence in FENCE.finditer(markdown):
        parts += [_replaced(markdown[end : fence.start()], document, page), fence[0]]
        end = fence.end()
    return "".join([*parts, _replaced(markdown[end:], document, page)])


def _replaced(text: str, document: str, page: str) -> str:
    def replace(match: re.Match[str]) -> str:
        image, label, link = match.groups()
        label = _replaced(label, document, page)
        if ABSOLUTE.match(link) or link.startswith("#"):
            return f"{image}[{label}]({link})"
        name, hash_sign, fragment = link.partition("#")
        path = posixpath.normpath(posixpath.join(posixpath.dirname(document), name))
        target = _target(path, page)
        return f"{image}[{label}]({target}{hash_sign}{fragment})" if target else label

    return LINK.sub(replace, text)


def _target(path: str, page: str) -> str:
    """Return the link from a page to a path of the repository, or "" for none."""
    inside = PAGES.get(path) or (path.removeprefix("docs/") if path.startswith("docs/") else "")
    if inside and not inside.endswith(".ipynb"):
        return posixpath.relpath(inside, posixpath.dirname(page) or ".")
    repository = os.environ.get("GITHUB_REPOSITORY")
    if not repository:
        return ""
    kind = "tree" if (ROOT / path).is_dir() else "blob"
    return f"https://github.com/{repository}/{kind}/main/{path}"
