"""Initializers: descriptions of the first values of a weight, as in `keras.initializers`.

>>> get("he_normal") == HeNormal()
True
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import jax
import numpy as np

from jkeras import registry
from jkeras.errors import ArgumentError
from jkeras.initializers.base import FunctionInitializer, Initializer
from jkeras.initializers.deterministic import STFT, Constant, Identity, Ones, Zeros
from jkeras.initializers.random import (
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    LecunNormal,
    LecunUniform,
    Orthogonal,
    RandomInitializer,
    RandomNormal,
    RandomUniform,
    TruncatedNormal,
    VarianceScaling,
    compute_fans,
)
from jkeras.lazy import public_names as _public_names
from jkeras.types import InitializerLike
from jkeras.values.config import serialize as serialize_value

constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = IdentityInitializer = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
ones = Ones
orthogonal = OrthogonalInitializer = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFTInitializer = STFT
truncated_normal = TruncatedNormal
variance_scaling = VarianceScaling
zeros = Zeros

TABLE: Mapping[str, type[Initializer]] = registry.named_table(
    Constant,
    GlorotNormal,
    GlorotUniform,
    HeNormal,
    HeUniform,
    Identity,
    LecunNormal,
    LecunUniform,
    Ones,
    Orthogonal,
    RandomNormal,
    RandomUniform,
    STFT,
    TruncatedNormal,
    VarianceScaling,
    Zeros,
    IdentityInitializer=Identity,
    OrthogonalInitializer=Orthogonal,
    STFTInitializer=STFT,
    normal=RandomNormal,
    one=Ones,
    uniform=RandomUniform,
    zero=Zeros,
)


def get(identifier: InitializerLike) -> Initializer | None:
    """The initializer that `identifier` means.

    Args:
        identifier: None (stays None), a name, a configuration, an initializer or its class, an array of values, or a
            function of one of the forms that `FunctionInitializer` takes.

    Raises:
        UnknownNameError: no initializer has that name.
        ArgumentError: the identifier is none of the above.

    >>> get("zeros"), get(np.array([1.0, 2.0]))((2,)).tolist()
    (Zeros(), [1.0, 2.0])
    """
    if isinstance(identifier, (np.ndarray, np.generic, jax.Array)):
        return Constant(identifier)
    initializer = registry.resolve("initializer", TABLE, identifier, Initializer)
    if initializer is None or isinstance(initializer, Initializer):
        return initializer
    if isinstance(initializer, type):
        initializer = initializer()
    if not callable(initializer):
        raise ArgumentError(f"{type(initializer).__name__} is not an initializer: it cannot be called with a shape.")
    return FunctionInitializer(initializer)


def serialize(initializer: Initializer | None) -> Any:
    """The configuration of an initializer as plain JSON values.

    Args:
        initializer: an initializer, or None.

    >>> serialize(Zeros())["class_name"]
    'Zeros'
    """
    return serialize_value(initializer)


def deserialize(config: InitializerLike, custom_objects: Mapping[str, Any] | None = None) -> Initializer | None:
    """Rebuilds an initializer from the configuration that `serialize` returned.

    Args:
        config: the configuration, or a name.
        custom_objects: classes and functions by name, known during this call.

    Raises:
        UnknownNameError: the configuration names an unknown class.

    >>> deserialize(serialize(Zeros())) == Zeros()
    True
    """
    with registry.custom_object_scope(custom_objects or {}):
        return get(config)


__all__ = [
    "STFT",
    "Constant",
    "FunctionInitializer",
    "GlorotNormal",
    "GlorotUniform",
    "HeNormal",
    "HeUniform",
    "Identity",
    "IdentityInitializer",
    "Initializer",
    "LecunNormal",
    "LecunUniform",
    "Ones",
    "Orthogonal",
    "OrthogonalInitializer",
    "RandomInitializer",
    "RandomNormal",
    "RandomUniform",
    "STFTInitializer",
    "TruncatedNormal",
    "VarianceScaling",
    "Zeros",
    "compute_fans",
    "constant",
    "deserialize",
    "get",
    "glorot_normal",
    "glorot_uniform",
    "he_normal",
    "he_uniform",
    "identity",
    "lecun_normal",
    "lecun_uniform",
    "ones",
    "orthogonal",
    "random_normal",
    "random_uniform",
    "serialize",
    "stft",
    "truncated_normal",
    "variance_scaling",
    "zeros",
]


def __dir__() -> list[str]:
    return _public_names(__name__)
