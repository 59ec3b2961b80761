"""The API reference as Markdown, from the live objects: names, signatures, defaults and completed docstrings."""
