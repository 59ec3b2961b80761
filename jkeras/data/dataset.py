"""`Dataset`: pipelines with the names of `tf.data`, as immutable values."""

from __future__ import annotations

import dataclasses
import itertools
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, ClassVar, TypeVar

import numpy as np

from jkeras import arguments, config
from jkeras.data import cardinality, stages
from jkeras.data.cardinality import INFINITE_CARDINALITY, UNKNOWN_CARDINALITY
from jkeras.data.elements import (
    Element,
    Structure,
    describe,
    leaves,
    map_leaves,
    spec_of,
    stack,
    stack_padded,
    structure_of,
    to_array,
    to_tensors,
)
from jkeras.data.generators import generated
from jkeras.data.iterator import DatasetIterator
from jkeras.data.passes import Pass
from jkeras.data.stages import Stage
from jkeras.data.threads import AUTOTUNE, ELEMENTS_AHEAD, check_numbers, processors, thread_count
from jkeras.dtypes import array_dtype
from jkeras.errors import ArgumentError, InputError
from jkeras.types import DTypeLike
from jkeras.utils.samples import Samples

State = TypeVar("State")


@dataclasses.dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """A description of a pipeline. Every method returns a new one, and nothing is read until you iterate over it.

    Created by `from_tensor_slices`, `from_tensors`, `from_generator`, `range` or `zip`. Elements are NumPy arrays, or nested
    tuples and dicts of them. Functions receive a tuple as separate arguments: `ds.map(lambda x, y: ...)`.

    Each pass through the data has a number, which determines the order of shuffles. `for` loops count passes from 0, and
    `iterate(number)` is the pass with that number. So a script sees the same data every time, whatever the number of threads.

    >>> ds = Dataset.from_tensor_slices(([1, 2, 3, 4, 5], [0, 1, 0, 1, 0]))
    >>> ds = ds.map(lambda x, y: (x * 10, y)).batch(2)
    >>> for x, y in ds:
    ...     print(x.tolist(), y.tolist())
    [10, 20] [0, 1]
    [30, 40] [0, 1]
    [50] [0]

    Attributes:
        stage: builds the pipeline for a pass.
        size: the number of elements; -1 if infinite, -2 if unknown.
        spec: shapes and dtypes of elements, if they were declared.
        ragged: whether the last element may have fewer rows than the others.
        passes: the numbers of the passes of `for` loops.

    Raises:
        ArgumentError: a method got an argument that it cannot take.
        InputError: the data do not match each other or the declaration.
    """

    stage: Callable[[Pass], Stage]
    size: int = UNKNOWN_CARDINALITY
    spec: Structure = None
    ragged: bool = False
    passes: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    # As in `tf.data`, for scripts that use them.
    AUTOTUNE: ClassVar[int] = AUTOTUNE

    # -- sources --------------------------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Element, name: str | None = None) -> Dataset:
        """The rows of an array, of a tuple or dict of arrays, or of a data frame (which becomes a dict of columns).

        Lists are converted to arrays. If `batch` follows without a `map` in between, rows are gathered a batch at a time.

        Args:
            tensors: the data.
            name: accepted for compatibility with `tf.data`.

        Raises:
            InputError: the arrays have different numbers of rows, or there are no arrays.
        """
        whole = stages.rows(to_tensors(tensors, "from_tensor_slices"))
        return Dataset(lambda _: whole, len(whole.data))

    @staticmethod
    def from_tensors(tensors: Element, name: str | None = None) -> Dataset:
        """A data set with one element.

        Args:
            tensors: the element: an array, or a tuple or dict of arrays.
            name: accepted for compatibility with `tf.data`.
        """
        whole = stages.rows(map_leaves(lambda array: array[None], to_tensors(tensors, "from_tensors")))
        return Dataset(lambda _: whole, 1)

    @staticmethod
    def from_generator(
        generator: Callable[..., Iterable[Element]],
        output_types: Structure = None,
        output_shapes: Structure = None,
        args: Iterable[Any] | None = None,
        output_signature: Structure = None,
        name: str | None = None,
    ) -> Dataset:
        """The elements that a generator function yields; the function is called again for every pass.

        Args:
            generator: a function that returns an iterable.
            output_types: the dtypes of an element's arrays, in the structure of an element; elements are converted to them.
            output_shapes: the shapes, in the same structure, with None for any size.
            args: arguments for the generator function.
            output_signature: `TensorSpec`s with shapes and dtypes, instead of `output_types` and `output_shapes`.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: `generator` is not callable: pass the function, not what it returned.
            InputError: while reading, an element does not match the declaration; the message has its index.
        """
        stage, spec = generated(generator, output_types, output_shapes, args, output_signature)
        return Dataset(lambda _: stage, UNKNOWN_CARDINALITY, spec)

    @staticmethod
    def range(*args: int, output_type: DTypeLike = "int64", name: str | None = None) -> Dataset:
        """Integers, with the arguments of Python's `range`.

        Args:
            args: `stop`, or `start, stop`, or `start, stop, step`.
            output_type: the dtype of the elements.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: the arguments are not integers, or the step is 0.

        >>> [int(i) for i in Dataset.range(2, 8, 3)]
        [2, 5]
        """
        bounds = [arguments.checked("range", "args", number, arguments.integer) for number in args]
        dtype = arguments.checked("range", "output_type", output_type, array_dtype)
        if not 1 <= len(bounds) <= 3 or (len(bounds) == 3 and bounds[2] == 0):
            raise ArgumentError(
                f"range{tuple(bounds)}: expected `stop`, or `start, stop`, or `start, stop, step` with a step other than 0."
            )
        return Dataset.from_tensor_slices(np.arange(*bounds, dtype=dtype))

    @staticmethod
    def zip(*args: Structure, datasets: Structure = None, name: str | None = None) -> Dataset:
        """Combines the elements of several data sets, until the shortest ends.

        The forms are `zip(a, b)`, `zip((a, b))` and `zip({"x": a, "y": b})`.

        Args:
            args: the data sets, or a tuple or dict of them.
            datasets: alternatively, a tuple or dict of data sets.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: an argument is not a data set.
        """
        structure = datasets if datasets is not None else args[0] if len(args) == 1 else args
        parts = leaves(structure)
        if not parts or not all(isinstance(part, Dataset) for part in parts):
            raise ArgumentError(f"zip(): expected data sets, or a tuple or dict of them, got {describe(structure)}.")
        treedef = structure_of(structure)
        return Dataset(
            lambda number: stages.zipped(
                [part.stage(number.inside(branch)) for branch, part in enumerate(parts)], treedef.unflatten
            ),
            cardinality.of_shortest(part.size for part in parts),
            ragged=any(part.ragged for part in parts),
        )

    @staticmethod
    def from_samples(samples: Samples) -> Dataset:
        """The batches (or single samples) of `jkeras.utils.Samples`, which `image_dataset_from_directory` returns.

        Args:
            samples: the samples.

        Raises:
            ArgumentError: `samples` is something else.
        """
        if not isinstance(samples, Samples):
            raise ArgumentError(f"from_samples({arguments.shown(samples)}): expected a `jkeras.utils.Samples`.")
        return Dataset(
            lambda number: Stage(stages.numbered_source(samples.of_pass(number.laps[0]))),
            len(samples),
            ragged=samples.batch_size is not None,
        )

    # -- elements -------------------------------------------------------------------------------------------------

    def map(
        self,
        map_func: Callable[..., Any],
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        synchronous: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Applies a function to each element, in order.

        `map_func` may be or call layers and models. They draw new random numbers for each element and each pass, determined by
        `jkeras.config.default_seed`, the number of the pass and the index of the element.

        Args:
            map_func: a function that returns the new element; it receives a tuple as separate arguments.
            num_parallel_calls: how many threads call it; `AUTOTUNE` is one per processor, None the reader's own thread. If
                the data has random access, each thread prepares a whole element of the end of the pipeline, such as a batch.
            deterministic: ignored: the order never depends on the threads.
            synchronous: ignored.
            name: accepted for compatibility with `tf.data`.

        Raises:
            InputError: while reading, the function returned None. Exceptions from the function itself are not changed.
        """
        function, threads = stages.applied(map_func, "map()"), thread_count("map", num_parallel_calls)

        def make(number: Pass) -> Stage:
            seeded = stages.Drawn(function, number.entropy(config.default_seed))
            return stages.mapped(self.stage(number.inside()), seeded, threads)

        return Dataset(make, self.size, ragged=self.ragged)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which a function returns true.

        Args:
            predicate: the function; it receives a tuple as separate arguments.
            name: accepted for compatibility with `tf.data`.
        """
        keep = stages.applied(predicate, "filter()")
        size = 0 if self.size == 0 else UNKNOWN_CARDINALITY
        return self._then(
            lambda stage, _: stages.kept(stage, lambda element: bool(keep(element))), size, self.spec, self.ragged
        )

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Elements `(number, element)`.

        Args:
            start: the first number.
            name: accepted for compatibility with `tf.data`.
        """
        arguments.checked("enumerate", "start", start, arguments.integer)
        return self._then(lambda stage, _: stages.numbered(stage, start), self.size, ragged=self.ragged)

    def batch(
        self,
        batch_size: int,
        drop_remainder: bool = False,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Stacks elements to batches.

        Args:
            batch_size: the number of elements per batch.
            drop_remainder: whether to drop a smaller last batch.
            num_parallel_calls: the number of threads that prepare elements; None means none.
            deterministic: ignored: the order never depends on the threads.
            name: accepted for compatibility with `tf.data`.

        Raises:
            InputError: while reading, elements differ in structure or shape; the message has the element's index.
        """
        check_numbers("batch", 1, batch_size=batch_size)
        arguments.flags("batch", drop_remainder=drop_remainder)
        threads = thread_count("batch", num_parallel_calls)

        def build(stage: Stage, _: Pass) -> Stage:
            stage = dataclasses.replace(stage, threads=max(stage.threads, threads)) if stage.numbered else stage
            return stages.batched(stage, int(batch_size), drop_remainder, stack)

        return self._then(
            build, cardinality.of_batches(self.size, batch_size, drop_remainder), ragged=not drop_remainder
        )

    def padded_batch(
        self,
        batch_size: int,
        padded_shapes: Structure = None,
        padding_values: Structure = None,
        drop_remainder: bool = False,
        name: str | None = None,
    ) -> Dataset:
        """Pads elements of different shapes at the end of each axis and stacks them.

        Args:
            batch_size: the number of elements in a batch.
            padded_shapes: the shape to pad to, for each array in the structure of an element. A size of None or -1, or None
                instead of a shape, means the largest size in the batch.
            padding_values: the values to pad with, 0 by default.
            drop_remainder: whether to drop a smaller last batch.
            name: accepted for compatibility with `tf.data`.

        >>> ds = Dataset.from_generator(lambda: ([1], [2, 3], [4, 5, 6]))
        >>> [batch.tolist() for batch in ds.padded_batch(2)]
        [[[1, 0], [2, 3]], [[4, 5, 6]]]
        """
        check_numbers("padded_batch", 1, batch_size=batch_size)
        arguments.flags("padded_batch", drop_remainder=drop_remainder)

        def pad(elements: Sequence[Element], start: int) -> Element:
            return stack_padded(elements, padded_shapes, padding_values, start)

        return self._then(
            lambda stage, _: stages.batched(stage, int(batch_size), drop_remainder, pad),
            cardinality.of_batches(self.size, batch_size, drop_remainder),
            ragged=not drop_remainder,
        )

    def unbatch(self, name: str | None = None) -> Dataset:
        """The rows of each element as separate elements.

        Args:
            name: accepted for compatibility with `tf.data`.
        """
        size = self.size if self.size in (0, INFINITE_CARDINALITY) else UNKNOWN_CARDINALITY
        return self._then(lambda stage, _: stages.unbatched(stage), size)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Dataset:
        """Regroups the rows of all elements into batches of another size.

        Args:
            batch_size: the number of rows per batch.
            drop_remainder: whether to drop a smaller last batch.
            name: accepted for compatibility with `tf.data`.

        >>> [batch.tolist() for batch in Dataset.range(7).batch(3).rebatch(2)]
        [[0, 1], [2, 3], [4, 5], [6]]
        """
        check_numbers("rebatch", 1, batch_size=batch_size)
        arguments.flags("rebatch", drop_remainder=drop_remainder)
        return self.unbatch().batch(batch_size, drop_remainder)

    # -- order ----------------------------------------------------------------------------------------------------

    def shuffle(
        self,
        buffer_size: int,
        seed: int | None = None,
        reshuffle_each_iteration: bool | None = True,
        name: str | None = None,
    ) -> Dataset:
        """Shuffles elements, in an order determined by the seed and the number of the pass.

        Data with random access (arrays, also after `map`, `batch`, `zip`, `take`, `skip`, `shard`) is shuffled as a whole,
        whatever the buffer size. Sequential data (after `from_generator`, `filter`, `unbatch`, `interleave`, `repeat`) is
        shuffled within windows of `buffer_size`.

        Args:
            buffer_size: the size of the windows, in elements.
            seed: the seed; with None, `jkeras.config.default_seed`, so the order is always reproducible.
            reshuffle_each_iteration: whether each pass has a different order.
            name: accepted for compatibility with `tf.data`.
        """
        check_numbers("shuffle", 1, buffer_size=buffer_size)
        start = config.default_seed if seed is None else seed
        check_numbers("shuffle", 0, seed=start)
        reshuffles = arguments.optional(arguments.boolean)
        arguments.checked("shuffle", "reshuffle_each_iteration", reshuffle_each_iteration, reshuffles)

        def build(stage: Stage, number: Pass) -> Stage:
            entropy = (start, *number.laps) if reshuffle_each_iteration in (True, None) else (start,)
            pass_seed = np.random.SeedSequence(entropy).generate_state(1)[0]
            return stages.shuffled(stage, int(buffer_size), int(pass_seed))

        return self._then(build, self.size, spec=self.spec, ragged=self.ragged)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """Several passes one after the other, each in its own order.

        Args:
            count: the number of passes; None or -1 means infinitely many.
            name: accepted for compatibility with `tf.data`.
        """
        laps = None if count is None or count == -1 else count
        if laps is None:
            size = INFINITE_CARDINALITY if self.size else 0
        else:
            check_numbers("repeat", 0, count=laps)
            size = self.size * laps if self.size >= 0 or laps == 0 else self.size
        return dataclasses.replace(
            self,
            stage=lambda number: stages.repeated(lambda lap: self.stage(number.lap(lap)), laps),
            size=size,
            passes=itertools.count(),
        )

    def take(self, count: int, name: str | None = None) -> Dataset:
        """The first elements.

        Args:
            count: the number of elements; -1 means all.
            name: accepted for compatibility with `tf.data`.
        """
        check_numbers("take", -1, count=count)
        return self if count == -1 else self._part(0, int(count), 1)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first elements.

        Args:
            count: the number of elements to skip; -1 skips all.
            name: accepted for compatibility with `tf.data`.
        """
        check_numbers("skip", -1, count=count)
        return self.take(0) if count == -1 else self._part(int(count), None, 1)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every n-th element; use `shard(jax.process_count(), jax.process_index())`.

        Shard before `shuffle` and `batch`, so that the shards never overlap.

        Args:
            num_shards: the number of shards.
            index: the index of the first element.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: `index` is not less than `num_shards`.

        >>> [int(i) for i in Dataset.range(7).shard(3, 1)]
        [1, 4]
        """
        check_numbers("shard", 1, num_shards=num_shards)
        check_numbers("shard", 0, index=index)
        if index >= num_shards:
            raise ArgumentError(f"shard(num_shards={num_shards}, index={index}): expected an index below num_shards.")
        return self._part(int(index), None, int(num_shards))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements of this data set, followed by those of another.

        Args:
            dataset: the other data set.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: `dataset` is something else.
        """
        if not isinstance(dataset, Dataset):
            raise ArgumentError(f"concatenate({type(dataset).__name__}): expected a jkeras.data.Dataset.")
        size = cardinality.of_all(self.size, dataset.size)
        return self._then(
            lambda stage, number: stages.chained([stage, dataset.stage(number.inside(1))]), size, ragged=self.ragged
        )

    def interleave(
        self,
        map_func: Callable[..., Dataset],
        cycle_length: int | None = None,
        block_length: int | None = None,
        num_parallel_calls: int | None = None,
        deterministic: bool | None = None,
        name: str | None = None,
    ) -> Dataset:
        """Maps each element to a data set and interleaves the elements of several of these.

        Args:
            map_func: a function that returns a `Dataset`.
            cycle_length: how many data sets are read at a time; the number of processors if None.
            block_length: how many elements are taken from each in turn.
            num_parallel_calls: with a number or AUTOTUNE, a thread reads ahead in each data set.
            deterministic: ignored: the order never depends on the threads.
            name: accepted for compatibility with `tf.data`.

        >>> ds = Dataset.range(1, 4).interleave(lambda n: Dataset.from_tensors(n).repeat(3), cycle_length=2)
        >>> [int(i) for i in ds]
        [1, 2, 1, 2, 1, 2, 3, 3, 3]
        """
        cycle = processors() if cycle_length is None or cycle_length == AUTOTUNE else cycle_length
        check_numbers("interleave", 1, cycle_length=cycle, block_length=1 if block_length is None else block_length)
        ahead = ELEMENTS_AHEAD if thread_count("interleave", num_parallel_calls) else 0
        function = stages.applied(map_func, "interleave()")

        def build(stage: Stage, number: Pass) -> Stage:
            def inner(index: int, element: Element) -> Stage:
                dataset = function(element)
                if not isinstance(dataset, Dataset):
                    raise InputError(f"interleave(): the function must return a Dataset, got {type(dataset).__name__}.")
                return dataset.stage(number.inside(int(index)))

            return stages.interleaved(stage, inner, cycle, int(block_length or 1), ahead)

        return self._then(build, UNKNOWN_CARDINALITY)

    def flat_map(self, map_func: Callable[..., Dataset], name: str | None = None) -> Dataset:
        """Maps each element to a data set and concatenates these.

        Args:
            map_func: a function that returns a `Dataset`.
            name: accepted for compatibility with `tf.data`.
        """
        arguments.checked("flat_map", "map_func", map_func, arguments.function)
        return self.interleave(map_func, cycle_length=1)

    # -- speed ----------------------------------------------------------------------------------------------------

    def prefetch(self, buffer_size: int, name: str | None = None) -> Dataset:
        """Prepares elements ahead in a separate thread. `fit` reads ahead anyway.

        Args:
            buffer_size: the number of elements; `AUTOTUNE` means 2, and 0 none.
            name: accepted for compatibility with `tf.data`.
        """
        check_numbers("prefetch", -1, buffer_size=buffer_size)
        count = ELEMENTS_AHEAD if buffer_size == AUTOTUNE else int(buffer_size)
        if not count:
            return self
        return self._then(lambda stage, _: stages.ahead(stage, count), self.size, spec=self.spec, ragged=self.ragged)

    def cache(self, filename: str | os.PathLike[str] = "", name: str | None = None) -> Dataset:
        """Stores elements in memory in the first pass; later passes read them from there.

        A `shuffle` before the cache has the same order in all passes; put it after the cache.

        Args:
            filename: must be empty: files are not supported.
            name: accepted for compatibility with `tf.data`.

        Raises:
            ArgumentError: `filename` is not empty.
        """
        if filename:
            raise ArgumentError(
                f"cache({filename!r}): only caches in memory are supported. Write arrays with `np.savez` once and read"
                " them with `from_tensor_slices`, or omit the name."
            )
        memory: dict[int, Element] = {}
        return dataclasses.replace(
            self, stage=lambda _: stages.cached(self.stage(Pass((0,))), memory), passes=itertools.count()
        )

    # -- use ------------------------------------------------------------------------------------------------------

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """The result of a function of the data set.

        Args:
            transformation_func: the function.

        Raises:
            ArgumentError: it is not a function.
        """
        if not callable(transformation_func):
            raise ArgumentError(f"apply({arguments.shown(transformation_func)}): expected a function of a data set.")
        return transformation_func(self)

    def with_options(self, options: object, name: str | None = None) -> Dataset:
        """This data set, unchanged: the options of `tf.data` have no effect.

        Args:
            options: ignored.
            name: accepted for compatibility with `tf.data`.
        """
        return self

    def reduce(
        self, initial_state: State, reduce_func: Callable[[State, Element], State], name: str | None = None
    ) -> State:
        """The final state after `state = reduce_func(state, element)` for every element.

        Args:
            initial_state: the state before the first element.
            reduce_func: a function of the state and an element that returns the next state.
            name: accepted for compatibility with `tf.data`.

        >>> int(Dataset.range(5).reduce(0, lambda total, i: total + i))
        10
        """
        arguments.checked("reduce", "reduce_func", reduce_func, arguments.function)
        state = initial_state
        for element in self.iterate():
            state = reduce_func(state, element)
        return state

    def cardinality(self) -> int:
        """The number of elements, `INFINITE_CARDINALITY` (-1) or `UNKNOWN_CARDINALITY` (-2)."""
        return self.size

    def __len__(self) -> int:
        """The number of elements.

        Raises:
            TypeError: it is infinite or unknown.
        """
        if self.size < 0:
            why = "is infinite" if self.size == INFINITE_CARDINALITY else "has an unknown length"
            raise TypeError(f"This data set {why}.")
        return self.size

    def __bool__(self) -> bool:
        return True  # as for any object without a length; `if dataset:` must not fail

    @property
    def element_spec(self) -> Structure:
        """Dtypes and shapes of elements, as `TensorSpec`s; reads the first element unless they were declared.

        >>> Dataset.range(6).batch(4).element_spec
        TensorSpec(shape=(None,), dtype=dtype('int64'))
        """
        if self.spec is not None:
            return self.spec
        iterator = self.iterate()
        try:
            return spec_of(next(iterator), self.ragged)
        except StopIteration:
            raise InputError("The data set is empty, so it has no element_spec.") from None
        finally:
            iterator.close()

    def iterate(self, number: int = 0) -> DatasetIterator:
        """The pass with the given number: always the same elements in the same order.

        Args:
            number: the number of the pass.
        """
        return DatasetIterator(self, number)

    def __iter__(self) -> DatasetIterator:
        return self.iterate(next(self.passes))

    def as_numpy_iterator(self) -> DatasetIterator:
        """The next pass; arrays of other libraries, which functions may return, become NumPy arrays."""
        return DatasetIterator(self, next(self.passes), lambda element: map_leaves(to_array, element))

    def __repr__(self) -> str:
        size = {INFINITE_CARDINALITY: "without end", UNKNOWN_CARDINALITY: "of unknown length"}.get(self.size, self.size)
        return f"Dataset({size})"

    def _then(
        self, build: Callable[[Stage, Pass], Stage], size: int, spec: Structure = None, ragged: bool = False
    ) -> Dataset:
        return Dataset(lambda number: build(self.stage(number), number), size, spec, ragged)

    def _part(self, start: int, stop: int | None, step: int) -> Dataset:
        size = cardinality.of_part(self.size, start, stop, step)
        return self._then(
            lambda stage, _: stages.part(stage, start, stop, step), size, spec=self.spec, ragged=self.ragged
        )
