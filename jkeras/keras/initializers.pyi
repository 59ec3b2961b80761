"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.mutable import Mutable as Mutable
from jkeras.keras.seeds import SeedGenerator as SeedGenerator
from jkeras.keras.variables import Variable as Variable

class Initializer:
    """Base of initializers: a subclass defines `__call__(self, shape, dtype=None)`."""
    def __init__(self) -> None: ...
    def clone(self) -> Self: ...

class Constant(Initializer):
    """The same value everywhere, or the values of an array of the weight's shape, such as a table of trained embeddings."""

    value: Any
    def __init__(self, value: Any = 0.0) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Identity(Initializer):
    """`gain` on the diagonal of a matrix, zero elsewhere."""

    gain: Any
    def __init__(self, gain: float = 1.0) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Ones(Initializer):
    """All ones."""
    def __init__(self) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RandomInitializer:
    """Base of random initializers."""

    seed: Any
    def __init__(self, *, seed: int | None = None) -> None: ...
    def __call__(self, shape: Sequence[int], dtype: Any = None) -> Any: ...
    def get_config(self) -> dict[str, Any]: ...

class STFT(Initializer):
    """Kernels of a convolution that computes one side of the short-time Fourier transform."""

    side: Any
    window: Any
    scaling: Any
    periodic: Any
    def __init__(
        self,
        side: str = "real",
        window: Any = "hann",
        scaling: str | None = "density",
        periodic: bool = False,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Zeros(Initializer):
    """All zeros."""
    def __init__(self) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class GlorotNormal(RandomInitializer):
    """Truncated normal with the variance `2 / (fan_in + fan_out)` (Glorot & Bengio, 2010)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class GlorotUniform(RandomInitializer):
    """Uniform within `sqrt(6 / (fan_in + fan_out))`, the default of most layers (Glorot & Bengio, 2010)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class HeNormal(RandomInitializer):
    """Truncated normal with the variance `2 / fan_in`, for rectifiers (He et al., 2015, arXiv:1502.01852)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class HeUniform(RandomInitializer):
    """Uniform within `sqrt(6 / fan_in)`, for rectifiers (He et al., 2015, arXiv:1502.01852)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class LecunNormal(RandomInitializer):
    """Truncated normal with the variance `1 / fan_in` (LeCun et al., 1998; Klambauer et al., 2017)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class LecunUniform(RandomInitializer):
    """Uniform within `sqrt(3 / fan_in)` (LeCun et al., 1998)."""

    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Orthogonal(RandomInitializer):
    """`gain` times a matrix with orthonormal rows or columns, whichever are fewer (Saxe et al., 2014, arXiv:1312.6120)."""

    gain: Any
    seed: Any
    def __init__(self, gain: float = 1.0, seed: int | None = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RandomNormal(RandomInitializer):
    """Draws from a normal distribution."""

    mean: Any
    stddev: Any
    seed: Any
    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RandomUniform(RandomInitializer):
    """Draws from a uniform distribution between `minval` (included) and `maxval` (excluded)."""

    minval: Any
    maxval: Any
    seed: Any
    def __init__(self, minval: float = -0.05, maxval: float = 0.05, seed: int | None = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class TruncatedNormal(RandomInitializer):
    """Draws from a normal distribution and redraws values further than two `stddev` from the mean."""

    mean: Any
    stddev: Any
    seed: Any
    def __init__(self, mean: float = 0.0, stddev: float = 0.05, seed: int | None = None) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class VarianceScaling(RandomInitializer):
    """The variance `scale / n` in all its forms; the Glorot, LeCun and He initializers are cases of it."""

    scale: Any
    mode: Any
    distribution: Any
    seed: Any
    input_axes: Any
    output_axes: Any
    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        input_axes: tuple[int, ...] | None = None,
        output_axes: tuple[int, ...] | None = None,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

IdentityInitializer = Identity
OrthogonalInitializer = Orthogonal
STFTInitializer = STFT
constant = Constant
glorot_normal = GlorotNormal
glorot_uniform = GlorotUniform
he_normal = HeNormal
he_uniform = HeUniform
identity = Identity
lecun_normal = LecunNormal
lecun_uniform = LecunUniform
normal = RandomNormal
one = Ones
ones = Ones
orthogonal = Orthogonal
random_normal = RandomNormal
random_uniform = RandomUniform
stft = STFT
truncated_normal = TruncatedNormal
uniform = RandomUniform
variance_scaling = VarianceScaling
zero = Zeros
zeros = Zeros

def as_array(value: Any, dtype: Any = None) -> Any: ...
def compute_fans(
    shape: Sequence[int],
    input_axes: Sequence[int] | None = None,
    output_axes: Sequence[int] | None = None,
) -> Any: ...
def deserialize(config: Any, custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def deserialize_keras_object(
    config: Any,
    custom_objects: Mapping[str, Any] | None = None,
    safe_mode: bool = True,
    *,
    module_objects: Mapping[str, Any] | None = None,
    **kwargs: Any,
) -> Any: ...
def draw_seed(seed: Any = None) -> Any: ...
def facade(description: Any, base: Any, module: str, **namespace: Any) -> Any: ...
def get(identifier: Any) -> Any: ...
def make_default_seed() -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def serialize(initializer: Any) -> Any: ...
def serialize_keras_object(obj: Any) -> Any: ...
def standardize_dtype(dtype: Any) -> Any: ...
def standardize_shape(shape: Any) -> Any: ...
