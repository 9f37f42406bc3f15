"""What the user of the model tools can do something about."""

from __future__ import annotations


class ToolError(Exception):
    """A file, a flag or a download is not what it should be; the message says what to change."""
