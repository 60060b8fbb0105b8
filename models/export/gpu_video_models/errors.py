"""The one error that the command turns into a sentence without a traceback."""

from __future__ import annotations


class ExportError(Exception):
    """Something that the user can put right: the message names what was found, what was expected and what to do."""
