"""`tf.data`: what `jkeras.data` has, and sources of data that scripts of TensorFlow use."""

from __future__ import annotations

import csv
import itertools
import random as python_random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from jkeras.data import AUTOTUNE as AUTOTUNE
from jkeras.data import INFINITE_CARDINALITY as INFINITE_CARDINALITY
from jkeras.data import UNKNOWN_CARDINALITY as UNKNOWN_CARDINALITY
from jkeras.data import Dataset as Dataset
from jkeras.data import TensorSpec
from jkeras.errors import ArgumentError, InputError
from jkeras.scripts.patches import Patches
from jkeras.scripts.tensorflow import files, strings
from jkeras.scripts.tensorflow.tensors import as_numpy, as_tensors


def install(patches: Patches) -> None:
    """`Dataset.list_files`, `Dataset.sample_from_datasets` and similar functions; elements with `.numpy()`."""
    patches.around(Dataset, "__iter__", as_tensors)
    patches.around(Dataset, "as_numpy_iterator", as_numpy)
    function: Callable[..., Any]
    for function in (list_files, sample_from_datasets, choose_from_datasets):
        patches.set(Dataset, function.__name__, staticmethod(function))


def list_files(
    file_pattern: Any, shuffle: bool | None = None, seed: int | None = None, name: str | None = None
) -> Dataset:
    """The paths that a pattern, or several, match, in random order unless `shuffle` is False.

    Raises:
        InputError: there are none.
    """
    patterns = [file_pattern] if isinstance(file_pattern, str) else [*strings.texts(file_pattern).reshape(-1)]
    paths = files.glob(patterns)
    if not paths:
        raise InputError(f"list_files({file_pattern!r}): no files match.")
    dataset = Dataset.from_tensor_slices(np.array(paths))
    return dataset.shuffle(len(paths), seed=seed) if shuffle or shuffle is None else dataset


class TextLineDataset:
    """The lines of files, without their ends; makes a `Dataset`.

    Args:
        filenames: one file or several.
        compression_type: not supported.
    """

    def __new__(cls, filenames: Any, compression_type: str | None = None, *_: Any, **__: Any) -> Any:
        if compression_type:
            raise ArgumentError(f"TextLineDataset(compression_type={compression_type!r}) is not supported.")
        paths = [str(path) for path in strings.texts(filenames).reshape(-1)]

        def lines() -> Iterator[np.ndarray]:
            for path in paths:
                with open(path, encoding="utf-8", newline=None) as file:
                    for line in file:
                        yield np.array(line.rstrip("\n"))

        return Dataset.from_generator(lines, output_signature=TensorSpec((), "str"))


def sample_from_datasets(
    datasets: Sequence[Dataset],
    weights: Sequence[float] | None = None,
    seed: int | None = None,
    stop_on_empty_dataset: bool = False,
    rerandomize_each_iteration: bool | None = None,
) -> Dataset:
    """Elements drawn from several data sets.

    Args:
        datasets: the data sets.
        weights: the probability of each; None means equal probabilities.
        seed: the seed of the draws.
        stop_on_empty_dataset: ends with the first that has ended, else with the last.
        rerandomize_each_iteration: whether each pass has a new order; by default without a seed.
    """
    shares = [1.0] * len(datasets) if weights is None else [float(weight) for weight in np.asarray(weights)]
    if len(shares) != len(datasets):
        raise ArgumentError(f"sample_from_datasets: {len(datasets)} data sets, but {len(shares)} weights.")
    passes = itertools.count()
    again = seed is None if rerandomize_each_iteration is None else rerandomize_each_iteration
    first = python_random.randrange(2**31) if seed is None else seed

    def choices(exhausted: set[int]) -> Iterator[int]:
        draws = np.random.default_rng((first, next(passes) if again else 0))
        while remaining := [number for number in range(len(shares)) if number not in exhausted]:
            likely = np.array([shares[number] for number in remaining])
            yield remaining[int(draws.choice(len(remaining), p=likely / likely.sum()))]

    return _interleaved(datasets, choices, stop_on_empty_dataset)


def choose_from_datasets(
    datasets: Sequence[Dataset], choice_dataset: Dataset, stop_on_empty_dataset: bool = True
) -> Dataset:
    """Elements from several data sets, by the numbers that another yields."""
    return _interleaved(datasets, lambda _: (int(choice) for choice in choice_dataset), stop_on_empty_dataset)


def _interleaved(datasets: Sequence[Dataset], choices: Callable[[set[int]], Iterator[int]], stop: bool) -> Dataset:
    """Elements by the numbers of data sets; `choices` gets the set of those that are exhausted."""

    def elements() -> Iterator[Any]:
        sources = [dataset.iterate(next(dataset.passes)) for dataset in datasets]
        exhausted: set[int] = set()
        for number in choices(exhausted):
            element = next(sources[number], _END)
            if element is not _END:
                yield element
            elif stop:
                return
            else:
                exhausted.add(number)

    return Dataset.from_generator(elements, output_signature=datasets[0].element_spec)


_END: Any = object()


def make_csv_dataset(
    file_pattern: Any,
    batch_size: int,
    column_names: Sequence[str] | None = None,
    column_defaults: Sequence[Any] | None = None,
    label_name: str | None = None,
    select_columns: Sequence[Any] | None = None,
    field_delim: str = ",",
    na_value: str = "",
    header: bool = True,
    num_epochs: int | None = None,
    shuffle: bool = True,
    shuffle_buffer_size: int = 10000,
    shuffle_seed: int | None = None,
    num_rows_for_inference: int | None = 100,
    ignore_errors: bool = False,
    **kwargs: Any,
) -> Dataset:
    """Batches of the rows of CSV files: columns by name, and the label beside them if there is one.

    Args:
        file_pattern: the files.
        batch_size: rows in a batch.
        column_names: names of the columns; by default those of the first line.
        column_defaults: for each column a type, or a value for empty fields.
        label_name: the column that is the label.
        select_columns: names or numbers of the columns to read.
        field_delim: between two fields.
        na_value: what is written in an empty field.
        header: whether the first line has names.
        num_epochs: how often; None for ever.
        shuffle, shuffle_buffer_size, shuffle_seed: of the rows.
        num_rows_for_inference: rows that decide the types of columns; None for all.
        ignore_errors: leaves out rows that cannot be read.

    Raises:
        InputError: no files match, a row has another number of fields, or a field is not a number where numbers were before.
        ArgumentError: there is no column of a name.
    """
    names, rows = _table(files.glob(file_pattern), column_names, field_delim, header, file_pattern, ignore_errors)
    positions = list(range(len(names))) if select_columns is None else [
        names.index(c) if isinstance(c, str) and c in names else c for c in select_columns
    ]  # fmt: skip
    if any(not isinstance(number, int) or not 0 <= number < len(names) for number in positions):
        raise ArgumentError(f"make_csv_dataset(select_columns={select_columns!r}): the columns are {names}.")
    if column_defaults is not None and len(column_defaults) != len(positions):
        raise ArgumentError(
            f"make_csv_dataset: {len(positions)} columns, but {len(column_defaults)} `column_defaults`."
        )
    columns: dict[str, Any] = {}
    for place, number in enumerate(positions):
        fields = ["" if row[number] == na_value else row[number] for row in rows]
        default = None if column_defaults is None else column_defaults[place]
        columns[names[number]] = _column(names[number], fields, default, num_rows_for_inference)
    if label_name is not None and label_name not in columns:
        raise ArgumentError(f"make_csv_dataset(label_name={label_name!r}): the columns are {list(columns)}.")
    label = None if label_name is None else columns.pop(label_name)
    dataset = Dataset.from_tensor_slices(columns if label is None else (columns, label))
    if shuffle:
        dataset = dataset.shuffle(shuffle_buffer_size, seed=shuffle_seed)
    return dataset.repeat(num_epochs).batch(batch_size, drop_remainder=num_epochs is None)


def _table(
    paths: Sequence[str], column_names: Sequence[str] | None, delimiter: str, header: bool, pattern: Any, ignore: bool
) -> tuple[list[str], list[list[str]]]:
    if not paths:
        raise InputError(f"make_csv_dataset({pattern!r}): no files match.")
    names, rows = list(column_names or ()), []
    for path in paths:
        with open(path, encoding="utf-8", newline="") as file:
            lines = [line for line in csv.reader(file, delimiter=delimiter) if line]
        if header and lines:
            names = names or lines[0]
            lines = lines[1:]
        for number, line in enumerate(lines, 1 + header):
            if not names:
                raise ArgumentError("make_csv_dataset(header=False): give `column_names`.")
            if len(line) == len(names):
                rows.append(line)
            elif not ignore:
                raise InputError(f"{path}, row {number}: {len(line)} fields for {len(names)} columns.")
    return names, rows


def _column(name: str, fields: list[str], default: Any, looked_at: int | None) -> np.ndarray:
    """The fields of a column, in the type that was said or that the first ones suggest."""
    values = (
        default is not None
        and not isinstance(default, (type, np.dtype))
        and default != "string"
        and not (isinstance(default, str) and default in ("int32", "int64", "float32", "float64"))
    )
    if default is None:
        kind = _kind([field for field in fields[:looked_at] if field])
    elif values:
        value = np.asarray(default).reshape(-1)[0]
        kind = {"U": "str", "S": "str", "f": "float32"}.get(np.asarray(value).dtype.kind, "int32")
    else:
        kind = "str" if default in ("string", str) else np.dtype(default).name
    empty = np.asarray(default).reshape(-1)[0] if values else "" if kind == "str" else 0
    if kind == "str":
        return np.array([field or str(empty) for field in fields])
    try:
        return np.array([field or empty for field in fields]).astype(kind)
    except ValueError as error:
        raise InputError(f"make_csv_dataset: the column {name!r} has {kind} values, but {error}.") from None


def _kind(fields: list[str]) -> str:
    for kind, read in (("int32", int), ("float32", float)):
        try:
            for field in fields:
                read(field)
        except ValueError:
            continue
        return kind
    return "str"


class experimental:  # noqa: N801  the name of a module
    """`tf.data.experimental`."""

    AUTOTUNE = AUTOTUNE
    INFINITE_CARDINALITY = INFINITE_CARDINALITY
    UNKNOWN_CARDINALITY = UNKNOWN_CARDINALITY
    make_csv_dataset = staticmethod(make_csv_dataset)
    sample_from_datasets = staticmethod(sample_from_datasets)
    choose_from_datasets = staticmethod(choose_from_datasets)

    @staticmethod
    def cardinality(dataset: Dataset) -> int:
        """The number of elements."""
        return dataset.cardinality()
