"""Makes the pictures of the guides by running their blocks: `python scripts/guide_pictures.py [guide ...]`.

What a guide writes while it runs, and shows as `../images/guides/NAME`, is copied there. Prints the time of each guide.
"""

import os
import re
import shutil
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
GUIDES = ROOT / "docs" / "guides"
IMAGES = ROOT / "docs" / "images" / "guides"


def blocks(page):
    """The blocks of Python in a page."""
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


def pictures(page):
    """The names of the pictures that a page shows."""
    return re.findall(r"\]\(\.\./images/guides/([\w.]+)\)", page.read_text())


def run(page):
    """Runs a page in an empty folder and copies its pictures."""
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        namespace = {"__name__": "__main__"}
        for block in blocks(page):
            exec(compile(block, page.name, "exec"), namespace)
        for name in pictures(page):
            if Path(name).exists():
                shutil.copy(name, IMAGES / name)
            elif not (IMAGES / name).exists():
                print(f"{page.name}: no block makes {name}")
        os.chdir(ROOT)


if __name__ == "__main__":
    for guide in sorted(GUIDES.glob("*.md")):
        if len(sys.argv) == 1 or guide.stem in sys.argv[1:]:
            begin, cpu = time.perf_counter(), time.process_time()
            run(guide)
            print(f"{guide.stem}: {time.perf_counter() - begin:.1f} s, {time.process_time() - cpu:.1f} s of CPU")
