"""One pass through a data set, as seen by the stages of its pipeline."""

from __future__ import annotations

import dataclasses


@dataclasses.dataclass(frozen=True)
class Pass:
    """The number of a pass, and the part of the pipeline that is being built.

    Only the numbers determine the order of shuffles, so two shuffles with the same seed keep rows together. The random numbers
    of layers also depend on the place, so no two layers draw the same numbers.

    Attributes:
        laps: the number of the pass, followed by the numbers of the passes inside it that `repeat` makes.
        place: the path to the part from the end of the pipeline.
    """

    laps: tuple[int, ...]
    place: tuple[int, ...] = ()

    def lap(self, number: int) -> Pass:
        """A pass inside this one."""
        return dataclasses.replace(self, laps=(*self.laps, number))

    def inside(self, branch: int = 0) -> Pass:
        """The same pass, for a part that feeds this one.

        Args:
            branch: the index of the part among those that are combined here.
        """
        return dataclasses.replace(self, place=(*self.place, branch))

    def entropy(self, seed: int) -> tuple[int, ...]:
        """The entropy for random numbers at this place."""
        return seed, len(self.laps), *self.laps, *self.place
