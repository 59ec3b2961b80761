"""`Pipeline`: layers one after the other, as one layer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import jax

from jkeras import arguments
from jkeras.dispatch import is_symbolic
from jkeras.errors import ArgumentError
from jkeras.graph.in_files import InFiles
from jkeras.graph.layer import Layer
from jkeras.graph.layer_call import method_signature
from jkeras.layers.inner_layer import inner_layer
from jkeras.values.fields import field


def takes_training(layer: Any) -> bool:
    """Whether the call of a layer differs between training and inference."""
    return method_signature(layer.call).takes("training")


def _layers(value: object) -> tuple[Layer, ...]:
    try:
        return tuple(inner_layer(layer) for layer in arguments.several(value))
    except ArgumentError:
        raise ArgumentError("expected a list of layers") from None


class Pipeline(Layer):
    """Layers one after the other, as a plain layer: for preparing data, in a model or outside it.

    Shapes: those of the first layer to those of the last. Called on its own with arrays it trains, as its layers do.

    Args:
        layers: a list of layers.
        name: the layer's name.

    Raises:
        ArgumentError: there is something else than layers.

    >>> from jkeras import layers
    >>> Pipeline([layers.RandomFlip(), layers.CenterCrop(4, 4)]).compute_output_shape((None, 8, 8, 3))
    (None, 4, 4, 3)
    """

    mixes_samples: ClassVar[bool | None] = False
    _in_files: ClassVar[InFiles] = InFiles(plain_layers=True)

    if TYPE_CHECKING:
        _name: str | None = field(init=False)

    layers: Any = field(convert=_layers)
    name: str | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.is_bound and not any(map(is_symbolic, jax.tree.leaves((args, kwargs)))):
            kwargs.setdefault("training", True)
        return super().__call__(*args, **kwargs)

    def call(self, inputs: Any, training: bool | None = None) -> Any:
        for layer in self.layers:
            inputs = layer(inputs, training=training) if takes_training(layer) else layer(inputs)
        return inputs

    def get_config(self) -> dict[str, Any]:
        """The layers and the name: Keras's pipeline knows nothing else."""
        config = super().get_config()
        return {"layers": config["layers"], "name": self.name}
