"""Models in repositories of the Hugging Face Hub, named `hf://user/model` as in Keras.

A repository contains the unpacked members of a `.keras` file and a model card, compatible with Keras in both directions. The
package `huggingface_hub` transfers the files, from or to the server in `HF_ENDPOINT`.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from jkeras.errors import ArgumentError, RestoreError
from jkeras.files.containers.kinds import CONFIG, METADATA, WEIGHTS_FILE

PREFIX = "hf://"
CARD = "README.md"
# A user or organisation, which may be omitted for one's own repositories, and a model.
_NAME = re.compile(r"(?:[\w.-]+/)?[\w.-]+", re.ASCII)


def is_name(path: object) -> bool:
    """Whether a path names a repository rather than a file.

    >>> is_name("hf://user/model"), is_name("model.keras")
    (True, False)
    """
    return isinstance(path, (str, os.PathLike)) and os.fspath(path).startswith(PREFIX)


def _repository(path: str) -> str:
    name = path.removeprefix(PREFIX)
    if not _NAME.fullmatch(name):
        raise ArgumentError(f"{path!r} is not a repository: expected `hf://user/model`.")
    return name


def _package() -> Any:
    try:
        import huggingface_hub
    except ImportError as error:
        raise ImportError(
            f"Models of the Hugging Face Hub need the package huggingface_hub: `pip install jkeras[hub]` ({error})."
        ) from None
    return huggingface_hub


def save(path: str, write: Callable[[Path], None], card: str) -> str:
    """Uploads a model to a repository, which is created if necessary; returns the repository's name.

    Args:
        path: `hf://user/model`.
        write: a function that writes the members of the model to a folder.
        card: the model card, in Markdown.

    Raises:
        ArgumentError: `path` does not name a repository.
        ImportError: `huggingface_hub` is not installed.
    """
    name, package = _repository(path), _package()
    api = package.HfApi(library_name="jkeras")
    repository: str = api.create_repo(name, exist_ok=True).repo_id
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        Path(folder, CARD).write_text(card, encoding="utf-8")
        api.upload_folder(repo_id=repository, folder_path=folder, commit_message="Save model using jkeras.")
    return repository


@contextlib.contextmanager
def fetched(path: str) -> Iterator[Path]:
    """A folder with the members of a model in a repository, for the duration of the block.

    Raises:
        ArgumentError: `path` does not name a repository.
        RestoreError: the repository contains no model.
        ImportError: `huggingface_hub` is not installed.
    """
    name, package = _repository(path), _package()
    members = (CONFIG, METADATA, WEIGHTS_FILE, "assets/*")
    cached = Path(package.snapshot_download(repo_id=name, allow_patterns=list(members), library_name="jkeras"))
    with tempfile.TemporaryDirectory() as parent:
        # The package's own cache contains links, which readers of models refuse.
        folder = Path(parent, name.rpartition("/")[2])
        for pattern in members:
            for file in cached.glob(pattern.replace("/*", "/**/*")):
                if file.is_file():
                    target = folder / file.relative_to(cached)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
        if not (folder / WEIGHTS_FILE).is_file():
            raise RestoreError(
                f"{path} contains no model that Keras or jkeras saved: there is no {WEIGHTS_FILE} in it."
            )
        try:
            yield folder
        except Exception as error:
            error.add_note(f"This model comes from {path}.")
            raise


def model_card(name: str, title: str, facts: dict[str, Any]) -> str:
    """The model card of a model on the Hub.

    Args:
        name: the repository's path, `hf://user/model`.
        title: the name of the model.
        facts: the rows of the table.
    """
    rows = "\n".join(f"| {key} | {value} |" for key, value in facts.items())
    return f"""---
library_name: keras
tags:
- jkeras
---

# {title}

| | |
|---|---|
{rows}

Load it with jkeras, or with Keras 3:

```python
import jkeras as jk

model = jk.load_model("{name}")
```

```python
import keras

model = keras.saving.load_model("{name}")
```
"""
