"""The hall: the only place that knows both wings, and leads a request from one to the other."""

VERSION = "0.1.0"
"""The product's own, as `/health` tells it and CHANGELOG.md describes it."""
