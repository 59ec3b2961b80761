"""The attacks on the readers of files, and the table of them in docs/security.md.

`python -m tests.files.attacks` writes the table into the page.
"""

from __future__ import annotations

import dataclasses
from pathlib import Path

from tests.files import crafted
from tests.files.crafted import Craft

PAGE = Path(__file__).parents[2] / "docs" / "security.md"
START, END = "<!-- table: made by tests/files/attacks.py -->", "<!-- end of table -->"


@dataclasses.dataclass(frozen=True)
class Attack:
    """One row of the table.

    Attributes:
        name: what the row is called.
        reference: the published attacks of this kind on Keras.
        tries: what the file wants.
        answer: what happens instead.
        craft: makes the files; each comes with its name, as a path to load or an action to run.
        message: a part of every error.
    """

    name: str
    reference: str
    tries: str
    answer: str
    craft: Craft
    message: str


TABLE = (
    Attack(
        "Lambda with bytecode", "CVE-2024-3660", "run code that is marshalled in `config.json`",
        "Refused by `jkeras.load_model`, even with `safe_mode=False`", crafted.lambdas,
        "Lambda|initializer",
    ),
    Attack(
        "Lambda with bytecode in `.h5`", "CVE-2025-9905", "the same where Keras ignores `safe_mode`",
        "The same reader, the same refusal", crafted.lambdas_of_2, "Lambda",
    ),
    Attack(
        "Module and function by name", "CVE-2025-1550", "have any module imported and any function of it called",
        "Modules that a file names are never imported; names are looked up in the library's tables and among registered"
        " objects", crafted.functions, "Unknown|cannot be restored|registered|expected",
    ),
    Attack(
        "Functions of Keras as gadgets", "CVE-2025-8747", "have `get_file`, `load_model` or `save_img` applied as a layer",
        "A graph applies layers and functions of `jkeras.ops`, none of which touches a file", crafted.gadgets, "Unknown",
    ),
    Attack(
        "Switching safe mode off", "CVE-2025-9906", "call `enable_unsafe_deserialization`, then run a Lambda",
        "No file can call a function that is not part of a model", crafted.unsafe_switches, "Unknown|Lambda",
    ),
    Attack(
        "Layers that hold foreign programs", "CVE-2025-49655, CVE-2026-1462",
        "unpickle a Torch module, load a SavedModel, name a function",
        "Refused: TorchModuleWrapper, TFSMLayer, JaxLayer and FlaxLayer are made in code only", crafted.guests, "is a ",
    ),
    Attack(
        "Pickles", "", "be unpickled, as a file, a member of an archive or an array of objects",
        "jkeras unpickles nothing; the file is not an archive, JSON or HDF5", crafted.pickles, "not an HDF5|damaged|not a model",
    ),
    Attack(
        "Vocabulary by path", "CVE-2025-12058", "read `/etc/passwd` or a URL into the vocabulary of a layer",
        "Terms are in the file; a path is an error", crafted.vocabularies, "names the file|idf_weights",
    ),
    Attack(
        "Archives with `..` and long links", "CVE-2025-12060", "write outside of the folder that `get_file` unpacks into",
        "Every name is checked before anything is written; one bad member refuses the archive", crafted.traversals,
        "leaves the folder|absolute path|a link|without folders",
    ),
    Attack(
        "Archives with links and devices", "CVE-2025-12638", "write through a link that the archive made before",
        "No links, no devices", crafted.links, "a link|a device",
    ),
    Attack(
        "Folders of data with links", "", "have images, texts or sounds read from elsewhere by `image_dataset_from_directory`",
        "A link that leads out of the folder is refused, unless the program says `follow_links=True`", crafted.folders,
        "leads out of",
    ),
    Attack(
        "Names in a `.keras` file", "", "write outside when the archive is unpacked, or show two readers two files",
        "Nothing is unpacked to the disk; such names, links and double names are refused", crafted.archive_names,
        "leads out|is a link|twice",
    ),
    Attack(
        "HDF5 that points elsewhere", "CVE-2026-1669", "have HDF5 read other files: external and virtual datasets, external"
        " and soft links, loops",
        "Only plain datasets behind hard links are read; the file is checked before the first array",
        crafted.elsewhere, "another place|twice",
    ),
    Attack(
        "Directories with links", "", "have `config.json` or arrays read from elsewhere by links, pipes or `..`",
        "Only ordinary files inside of the directory are opened", crafted.directories, "is a link|does not match",
    ),
    Attack(
        "Huge shapes", "CVE-2026-0897 and its follow-up for compressed data",
        "declare arrays of terabytes with nothing, or a few zeros, behind them",
        "Sizes are compared with the bytes in the file, and shapes with the model's, before memory is taken", crafted.huge_shapes,
        "refused|does not (fit|match)",
    ),
    Attack(
        "Zip and gzip bombs", "", "unpack to gigabytes; claim false sizes; let members overlap",
        "A hundred times the packed size is the limit; sizes are checked before and while unpacking", crafted.bombs,
        "refused|damaged|take more than|cannot be unpacked",
    ),
    Attack(
        "Deep nesting", "", "exhaust the stack with JSON, layers or groups in one another",
        "Limits of depth in every reader", crafted.deep, "nested too deeply",
    ),
    Attack(
        "Truncated files", "", "(an accident) end early", "Error that names the file", crafted.truncated,
        "damaged|not an HDF5|not a model",
    ),
    Attack(
        "Files of another kind", "", "(an accident) are not files of models", "Error that names the file", crafted.wrong_kind,
        "not an HDF5|damaged|not a model|no saved model|no file|no known format",
    ),
)  # fmt: skip


def table() -> str:
    """The rows in Markdown."""
    lines = ["| file | published as | what it tries | what happens |", "|---|---|---|---|"]
    lines += [f"| {a.name} | {a.reference} | {a.tries} | {a.answer} |" for a in TABLE]
    return "\n".join(lines)


def page_with(text: str) -> str:
    """The page with today's table."""
    head, _, rest = text.partition(START)
    _, _, tail = rest.partition(END)
    return f"{head}{START}\n{table()}\n{END}{tail}"


if __name__ == "__main__":
    PAGE.write_text(page_with(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
