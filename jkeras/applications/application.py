"""Creates models from definitions: `Application` has the specifics of a network, `function` makes it callable."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from jkeras import config
from jkeras.applications.docstrings import docstring
from jkeras.applications.face import Blocks, Face, Tensor
from jkeras.applications.image_shape import check_same_width, image_shape
from jkeras.applications.option_checks import check_options
from jkeras.applications.signatures import Network, signature_of
from jkeras.applications.weight_files import Choice, checked_weights, download
from jkeras.errors import ArgumentError, SignatureError

Options = Mapping[str, Any]


@dataclass(frozen=True)
class Application:
    """A well-known network.

    Attributes:
        name: the name of the function.
        features: `features(blocks, images, options)`, everything before the classifier.
        classifier: `classifier(blocks, features, options)`.
        files: a function from options to the published weights.
        summary: a one-line description.
        protocol: the type of its signature.
        model_name: the name of the model; None if it depends on the options.
        size: the default height and width of images.
        smallest: the smallest height and width.
        pools: the names of the pooling layers that replace the classifier.
        channels_last_only: whether images must be channels-last.
        prepare: `prepare(options)`, for unusual defaults or checks of options.
        numbered: see `Blocks`.
        any_size: whether the classifier accepts images of any size, even with published weights.
        same_width: whether `input_shape` must equal that of `input_tensor`, if both are passed.
        after_pooling: `after_pooling(blocks, x)`, applied if there is no classifier.
    """

    name: str
    features: Callable[[Blocks, Tensor, Options], Tensor]
    classifier: Callable[[Blocks, Tensor, Options], Tensor]
    files: Choice
    summary: str
    protocol: type = Network
    model_name: str | None = None
    size: int = 224
    smallest: int = 32
    pools: tuple[str | None, str | None] = ("avg_pool", "max_pool")
    channels_last_only: bool = False
    prepare: Callable[[dict[str, Any]], None] | None = None
    numbered: bool = False
    any_size: bool = False
    same_width: bool = False
    after_pooling: Callable[[Blocks, Tensor], Tensor] | None = None


def build(application: Application, face: Face, options: dict[str, Any]) -> Any:
    """Creates the model of a face.

    Raises:
        ArgumentError: an option is invalid, by itself or in combination with others.
        DownloadError: the weights could not be downloaded.
    """
    if application.channels_last_only and config.image_data_format() != "channels_last":
        raise ArgumentError(
            f"{application.name} only accepts channels-last images: `config.set_image_data_format('channels_last')`."
        )
    options["weights"] = checked_weights(application.name, options["weights"])
    check_options(application.name, options)
    input_tensor = options["input_tensor"]
    if input_tensor is not None and not face.is_symbolic(input_tensor):
        raise ArgumentError(
            f"{application.name}(input_tensor={input_tensor!r}): expected a symbolic tensor, as `Input` returns."
        )
    if application.prepare is not None:
        application.prepare(options)
    size = options.get("size", application.size)
    shape = image_shape(application.name, options, size, application.smallest, any_size=application.any_size)
    if application.same_width and input_tensor is not None and options["input_shape"]:
        check_same_width(application.name, input_tensor.shape, shape)
    options["input_shape"] = shape
    if options["name"] is None and application.model_name is None:
        options["name"] = options["model_name"](shape)
    path = download(application.files(options)) if options["weights"] == "imagenet" else options["weights"]
    options["path"] = path

    images = face.layers.Input(shape=shape) if input_tensor is None else input_tensor
    blocks = Blocks(face, numbered=application.numbered)
    x = application.features(blocks, images, options)
    x = (
        application.classifier(blocks, x, options)
        if options["include_top"]
        else _pooled(application, blocks, x, options)
    )
    model = face.model(images if input_tensor is None else face.source_inputs(input_tensor), x, name=options["name"])
    return model if path is None else face.load(model, path)


def _pooled(application: Application, blocks: Blocks, x: Tensor, options: Options) -> Tensor:
    average, largest = application.pools
    if options["pooling"] == "avg":
        x = blocks.layers.GlobalAveragePooling2D(name=average)(x)
    elif options["pooling"] == "max":
        x = blocks.layers.GlobalMaxPooling2D(name=largest)(x)
    return x if application.after_pooling is None else application.after_pooling(blocks, x)


def dense_classifier(pool: str | None = "avg_pool") -> Callable[[Blocks, Tensor, Options], Tensor]:
    """The classifier of most networks: global average pooling and `Dense`."""

    def classifier(blocks: Blocks, x: Tensor, options: Options) -> Tensor:
        x = blocks.layers.GlobalAveragePooling2D(name=pool)(x)
        activation = options["classifier_activation"]
        return blocks.layers.Dense(options["classes"], activation=activation, name="predictions")(x)

    return classifier


def function(application: Application, face: Face, module: str) -> Any:
    """The network as a function with Keras's signature that creates models of a face.

    Args:
        application: the network.
        face: the face of the models.
        module: the module that contains the function.
    """
    signature = signature_of(application.protocol, application.model_name)

    def network(*args: Any, **kwargs: Any) -> Any:
        try:
            bound = signature.bind(*args, **kwargs)
        except TypeError as error:
            raise SignatureError(f"{application.name}(): {error}. Its parameters: {signature}") from None
        bound.apply_defaults()
        return build(application, face, dict(bound.arguments))

    network.__name__ = network.__qualname__ = application.name
    network.__module__ = module
    network.__signature__ = signature  # type: ignore[attr-defined]
    network.__doc__ = docstring(application.name, application.summary, signature, face.name)
    return network
