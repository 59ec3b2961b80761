"""What a model holds beside its definition, what it knows of how its weights are made, and what it remembers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from jkeras.graph.describe import Description
from jkeras.graph.layer import Layer
from jkeras.graph.network import Network
from jkeras.models.history import History
from jkeras.training.program import Program
from jkeras.training.recipe import Recipe
from jkeras.training.state import TrainState
from jkeras.values.frozen import FrozenDict, Template


@dataclasses.dataclass(frozen=True, eq=False)
class Contents:
    """What a model holds beside its definition.

    Attributes:
        definition: the model without contents; None in that model itself.
        recipe: what `compile` was given.
        state: the arrays, once they have been trained, loaded, set or drawn by `init`.
        history: the logs of the last `fit`.
        program: the step that the model is part of while `train_step` is traced.
    """

    definition: Layer | None = None
    recipe: Recipe | None = None
    state: TrainState | None = None
    history: History | None = None
    program: Program | None = None

    def changed(self, changes: Mapping[str, Any]) -> Contents | None:
        """These contents with others in their place; None if there is nothing left but the definition."""
        new = dataclasses.replace(self, **changes)
        parts = (new.recipe, new.state, new.history, new.program)
        return None if all(part is None for part in parts) else new


@dataclasses.dataclass(frozen=True, eq=False)
class Building:
    """What a definition knows of how its weights are made; no part of what it says.

    Attributes:
        inputs: the structure of the inputs that a subclass, or a chain without `Input`, was built for.
        origins: how to get the weights of layers that came from other models, by their names here.
    """

    inputs: Template | None = None
    origins: Mapping[str, Callable[[], Any]] = dataclasses.field(default_factory=FrozenDict)


@dataclasses.dataclass(eq=False)
class Memo:
    """What a model remembers because it follows from the rest of it.

    Attributes:
        fresh: the state of a model whose state was not chosen.
        views: the layers that were asked for, with their weights.
        description: of a definition.
    """

    fresh: TrainState | None = None
    views: dict[str, Layer] = dataclasses.field(default_factory=dict)
    description: Description | None = None


NO_CONTENTS = Contents()
CONTENTS = frozenset(part.name for part in dataclasses.fields(Contents)) - {"definition"}


class ModelAttributes:
    """What every model has beside its layers; no arguments, and no part of what a definition says but for the network."""

    _network: Network | None = None
    # Whether the model is a chain of layers, which files and tables show as a list.
    is_chain: ClassVar[bool] = False
    _spec_contents: Contents = NO_CONTENTS
    _spec_building: Building = Building()
    _spec_memo: Memo | None = None
