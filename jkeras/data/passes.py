"""One pass through a data set, as the stages of its pipeline are told of it."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Pass:
    """The number of a pass, and which part of the pipeline is being made.

    Orders of shuffles follow from the numbers alone, so that two shuffles of the same seed keep rows together. Random numbers of
    layers follow from the place, too, so that no two layers draw alike.

    Attributes:
        laps: the number of the pass, then those of passes inside of it that `repeat` makes.
        place: how the part is reached from the end of the pipeline.
    """

    laps: tuple[int, ...]
    place: tuple[int, ...] = ()

    def lap(self, number: int) -> Pass:
        """A pass inside of this one."""
        return dataclasses.replace(self, laps=(*self.laps, number))

    def inside(self, branch: int = 0) -> Pass:
        """The same pass through a part in front of this one.

        Args:
            branch: which of the parts that are put together here.
        """
        return dataclasses.replace(self, place=(*self.place, branch))

    def entropy(self, seed: int) -> tuple[int, ...]:
        """What random numbers of this place follow from."""
        return seed, len(self.laps), *self.laps, *self.place
