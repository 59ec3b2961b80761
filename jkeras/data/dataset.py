"""`Dataset`: pipelines in the words of `tf.data`, as values."""

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
    """A description of a pipeline; every method returns a new one, and nothing is read before it is iterated over.

    Made by `from_tensor_slices`, `from_tensors`, `from_generator`, `range` and `zip`. Elements are NumPy arrays, or tuples and
    dicts of them, nested as deep as wanted. Functions get a tuple as several arguments: `ds.map(lambda x, y: ...)`.

    Each pass through the data has a number, from which the orders of shuffles follow; `for` loops count passes from 0, and
    `iterate(number)` is one of them. So the same script sees the same data, whatever the number of threads.

    >>> ds = Dataset.from_tensor_slices(([1, 2, 3, 4, 5], [0, 1, 0, 1, 0]))
    >>> ds = ds.map(lambda x, y: (x * 10, y)).batch(2)
    >>> for x, y in ds:
    ...     print(x.tolist(), y.tolist())
    [10, 20] [0, 1]
    [30, 40] [0, 1]
    [50] [0]

    Attributes:
        stage: makes the pipeline of a pass.
        size: the number of elements, -1 without end, -2 if not known.
        spec: what elements are, if it was said.
        ragged: whether the last element may have fewer rows than the others.
    """

    stage: Callable[[Pass], Stage]
    size: int = UNKNOWN_CARDINALITY
    spec: Structure = None
    ragged: bool = False
    passes: Iterator[int] = dataclasses.field(default_factory=itertools.count)

    # As in `tf.data`, where scripts may look for them.
    AUTOTUNE: ClassVar[int] = AUTOTUNE

    # -- sources --------------------------------------------------------------------------------------------------

    @staticmethod
    def from_tensor_slices(tensors: Element, name: str | None = None) -> Dataset:
        """The rows of arrays: of one, or of a tuple or dict of them, or of a frame (a dict of its columns).

        Lists are taken for arrays. Rows are gathered a batch at a time where `batch` follows without `map` between.

        Raises:
            InputError: the arrays have different numbers of rows, or none.
        """
        whole = stages.rows(to_tensors(tensors, "from_tensor_slices"))
        return Dataset(lambda _: whole, len(whole.data))

    @staticmethod
    def from_tensors(tensors: Element, name: str | None = None) -> Dataset:
        """One element."""
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
        """What a generator function yields; it is called anew for every pass.

        Args:
            generator: a function that returns something to iterate over.
            output_types: the types of an element's arrays, in the structure of an element; elements are converted.
            output_shapes: likewise their shapes, with None for any size.
            args: arguments of the generator function.
            output_signature: types and shapes in one, `TensorSpec`s; instead of the other two.

        Raises:
            ArgumentError: `generator` cannot be called: give the function, not what it returned.
            InputError: while reading, an element that is not as described; the message has its number.
        """
        stage, spec = generated(generator, output_types, output_shapes, args, output_signature)
        return Dataset(lambda _: stage, UNKNOWN_CARDINALITY, spec)

    @staticmethod
    def range(*args: int, output_type: DTypeLike = "int64", name: str | None = None) -> Dataset:
        """Numbers, as Python's `range` has them.

        >>> [int(i) for i in Dataset.range(2, 8, 3)]
        [2, 5]
        """
        bounds = [arguments.checked("range", "args", number, arguments.integer) for number in args]
        dtype = arguments.checked("range", "output_type", output_type, array_dtype)
        if not 1 <= len(bounds) <= 3 or (len(bounds) == 3 and bounds[2] == 0):
            raise ArgumentError(
                f"range{tuple(bounds)}: expected a stop; a start and a stop; or these and a step, not 0."
            )
        return Dataset.from_tensor_slices(np.arange(*bounds, dtype=dtype))

    @staticmethod
    def zip(*args: Structure, datasets: Structure = None, name: str | None = None) -> Dataset:
        """Elements of several data sets together, until the first ends: `zip(a, b)`, `zip((a, b))`, `zip({"x": a, "y": b})`."""
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
        """The batches (or single samples) of `jkeras.utils.Samples`, which `image_dataset_from_directory` returns."""
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
        """What a function makes of each element, in order.

        Layers and models that the function calls, or that are the function, draw random numbers anew for each element and in each
        pass. These follow from `jkeras.config.default_seed`, the number of the pass and that of the element.

        Args:
            map_func: gets a tuple as several arguments, anything else as one; returns the new element.
            num_parallel_calls: how many threads call it; `AUTOTUNE` is one for each processor, None the reader's own. Where
                elements have numbers, a thread makes all that belongs to one element of the end of the pipeline, such as a
                batch.
            deterministic: the order never depends on the threads, so this is ignored, as is `synchronous`.

        Raises:
            InputError: while reading, the function returned None. What it raises arrives unchanged.
        """
        function, threads = stages.applied(map_func, "map()"), thread_count("map", num_parallel_calls)

        def make(number: Pass) -> Stage:
            drawn = stages.Drawn(function, number.entropy(config.default_seed))
            return stages.mapped(self.stage(number.inside()), drawn, threads)

        return Dataset(make, self.size, ragged=self.ragged)

    def filter(self, predicate: Callable[..., Any], name: str | None = None) -> Dataset:
        """The elements for which a function is true."""
        keep = stages.applied(predicate, "filter()")
        size = 0 if self.size == 0 else UNKNOWN_CARDINALITY
        return self._then(
            lambda stage, _: stages.kept(stage, lambda element: bool(keep(element))), size, self.spec, self.ragged
        )

    def enumerate(self, start: int = 0, name: str | None = None) -> Dataset:
        """Elements `(number, element)`."""
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
        """Elements stacked, `batch_size` at a time; the last may have fewer unless it is dropped.

        Raises:
            InputError: while reading, elements that differ in structure or shape; the message has the element's number.
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
        """Elements of different shapes, filled up at their ends and stacked.

        Args:
            batch_size: elements in a batch.
            padded_shapes: the shape to fill up to, for each array in the structure of an element; None or -1 in it, or None
                for all of it, is the largest in the batch.
            padding_values: what to fill with, 0 by default.
            drop_remainder: whether a smaller last batch is left out.

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
        """The rows of each element as elements of their own."""
        size = self.size if self.size in (0, INFINITE_CARDINALITY) else UNKNOWN_CARDINALITY
        return self._then(lambda stage, _: stages.unbatched(stage), size)

    def rebatch(self, batch_size: int, drop_remainder: bool = False, name: str | None = None) -> Dataset:
        """The rows of each element in batches of another size, across the ends of elements.

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
        """Elements in another order, which follows from the seed and the number of the pass.

        Data whose elements have numbers (arrays, and what `map`, `batch`, `zip`, `take`, `skip`, `shard` make of them) is
        shuffled as a whole, whatever the size of the buffer. Data that comes one after the other (after `from_generator`,
        `filter`, `unbatch`, `interleave`, `repeat`) is shuffled within windows of `buffer_size`.

        Args:
            buffer_size: the size of these windows.
            seed: `jkeras.config.default_seed` if None, so an order never depends on chance.
            reshuffle_each_iteration: whether each pass has an order of its own.
        """
        check_numbers("shuffle", 1, buffer_size=buffer_size)
        start = config.default_seed if seed is None else seed
        check_numbers("shuffle", 0, seed=start)
        reshuffles = arguments.optional(arguments.boolean)
        arguments.checked("shuffle", "reshuffle_each_iteration", reshuffle_each_iteration, reshuffles)

        def build(stage: Stage, number: Pass) -> Stage:
            entropy = (start, *number.laps) if reshuffle_each_iteration in (True, None) else (start,)
            drawn = np.random.SeedSequence(entropy).generate_state(1)[0]
            return stages.shuffled(stage, int(buffer_size), int(drawn))

        return self._then(build, self.size, spec=self.spec, ragged=self.ragged)

    def repeat(self, count: int | None = None, name: str | None = None) -> Dataset:
        """`count` passes one after the other, each with an order of its own; without end for None or -1."""
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
        """The first elements; -1 for all."""
        check_numbers("take", -1, count=count)
        return self if count == -1 else self._part(0, int(count), 1)

    def skip(self, count: int, name: str | None = None) -> Dataset:
        """All but the first elements; -1 for none."""
        check_numbers("skip", -1, count=count)
        return self.take(0) if count == -1 else self._part(int(count), None, 1)

    def shard(self, num_shards: int, index: int, name: str | None = None) -> Dataset:
        """Every `num_shards`-th element from `index`: for process `jax.process_index()` of `jax.process_count()`.

        Shard before `shuffle` and `batch`, so that the parts never overlap.

        >>> [int(i) for i in Dataset.range(7).shard(3, 1)]
        [1, 4]
        """
        check_numbers("shard", 1, num_shards=num_shards)
        check_numbers("shard", 0, index=index)
        if index >= num_shards:
            raise ArgumentError(f"shard(num_shards={num_shards}, index={index}): expected an index below num_shards.")
        return self._part(int(index), None, int(num_shards))

    def concatenate(self, dataset: Dataset, name: str | None = None) -> Dataset:
        """The elements of this data set, then those of another."""
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
        """The elements of the data sets that a function makes of each element, several in turn.

        Args:
            map_func: returns a `Dataset`.
            cycle_length: how many are read at a time; the number of processors if None.
            block_length: how many elements are taken of one at a turn.
            num_parallel_calls: with a number or AUTOTUNE, each data set is read ahead by a thread.
            deterministic: the order never depends on the threads, so this is ignored.

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
        """The elements of the data sets that a function makes of each element, one data set after the other."""
        arguments.checked("flat_map", "map_func", map_func, arguments.function)
        return self.interleave(map_func, cycle_length=1)

    # -- speed ----------------------------------------------------------------------------------------------------

    def prefetch(self, buffer_size: int, name: str | None = None) -> Dataset:
        """Makes that many elements before they are asked for, in a thread of its own; 2 for `AUTOTUNE`, none for 0.

        `fit` reads ahead by itself.
        """
        check_numbers("prefetch", -1, buffer_size=buffer_size)
        count = ELEMENTS_AHEAD if buffer_size == AUTOTUNE else int(buffer_size)
        if not count:
            return self
        return self._then(lambda stage, _: stages.ahead(stage, count), self.size, spec=self.spec, ragged=self.ragged)

    def cache(self, filename: str | os.PathLike[str] = "", name: str | None = None) -> Dataset:
        """Keeps elements in memory once they were made; later passes read them from there.

        A `shuffle` before the cache has one order for all passes; put it behind.

        Raises:
            ArgumentError: a file was asked for.
        """
        if filename:
            raise ArgumentError(
                f"cache({filename!r}): caches are kept in memory. Write arrays with `np.savez` once and read them"
                " with `from_tensor_slices`, or leave the name away."
            )
        memory: dict[int, Element] = {}
        return dataclasses.replace(
            self, stage=lambda _: stages.cached(self.stage(Pass((0,))), memory), passes=itertools.count()
        )

    # -- use ------------------------------------------------------------------------------------------------------

    def apply(self, transformation_func: Callable[[Dataset], Dataset]) -> Dataset:
        """What a function makes of the data set."""
        if not callable(transformation_func):
            raise ArgumentError(f"apply({arguments.shown(transformation_func)}): expected a function of a data set.")
        return transformation_func(self)

    def with_options(self, options: object, name: str | None = None) -> Dataset:
        """The same: the options of `tf.data` have no meaning here."""
        return self

    def reduce(
        self, initial_state: State, reduce_func: Callable[[State, Element], State], name: str | None = None
    ) -> State:
        """The state after `state = reduce_func(state, element)` for every element.

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
            TypeError: it has no end, or is not known.
        """
        if self.size < 0:
            why = "has no end" if self.size == INFINITE_CARDINALITY else "does not know its length before it was read"
            raise TypeError(f"This data set {why}.")
        return self.size

    def __bool__(self) -> bool:
        return True  # as for any object without a length; `if dataset:` must not fail

    @property
    def element_spec(self) -> Structure:
        """Types and shapes of elements, as `TensorSpec`s; makes the first element unless they were said.

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
        """The pass of a number, the same elements in the same order whenever it is asked for."""
        return DatasetIterator(self, number)

    def __iter__(self) -> DatasetIterator:
        return self.iterate(next(self.passes))

    def as_numpy_iterator(self) -> DatasetIterator:
        """The next pass, with arrays of other libraries, which functions may have made, as NumPy arrays."""
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
