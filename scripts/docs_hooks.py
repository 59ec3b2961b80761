"""For mkdocs: the pages of the reference and of the changes are made when the site is built."""

import logging
import sys
from pathlib import Path

from mkdocs.structure.files import File

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from scripts.reference.pages import navigation, pages  # noqa: E402

logging.getLogger("mkdocs").debug("the reference comes from %s", ROOT)


def on_config(config):
    """Puts the reference into the navigation, in the place of the page that stands for it in mkdocs.yml."""
    for part in config.nav:
        if isinstance(part, dict) and "Reference" in part:
            part["Reference"] = navigation()
    return config


def on_files(files, config):
    """Adds the generated pages."""
    for path, markdown in pages().items():
        files.append(File.generated(config, path, content=markdown))
    changes = (ROOT / "CHANGELOG.md").read_text()
    files.append(File.generated(config, "changes.md", content=changes))
    return files
