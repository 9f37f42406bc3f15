"""Joins `gateway` and `inference`: the only package that imports both."""

VERSION = "0.2.0"
"""Version of the product, as in CHANGELOG.md and the answer of `/health`."""
