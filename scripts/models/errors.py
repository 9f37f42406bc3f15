"""The error of the model tools."""

from __future__ import annotations


class ToolError(Exception):
    """A file, option or download is wrong; the message says what to change."""
