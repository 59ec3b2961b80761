"""What surrounds a program of TensorFlow: variables, functions, devices, and what there is not."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, NoReturn

import jax
import numpy as np

from jkeras.errors import ArgumentError, JkerasError
from jkeras.keras import backend
from jkeras.keras.tensor import KerasTensor, is_keras_tensor
from jkeras.keras.variables import Variable as Cell
from jkeras.scripts.notes import script_line
from jkeras.scripts.tensorflow.arrays import constant
from jkeras.scripts.tensorflow.tensors import HostTensor
from jkeras.types import DTypeLike, TensorLike

# What scripts are told that ask which TensorFlow this is: the first that has Keras 3 inside.
VERSION = "2.16.1"


class TapeError(JkerasError, NotImplementedError):
    """A script records operations to differentiate them, which JAX does with functions instead."""


class Stand:
    """Stands for a class of TensorFlow: it can be called, and asked about with `isinstance`."""

    def __init__(self, make: Callable[..., Any], classes: tuple[type, ...]):
        self._make, self._classes = make, classes
        self.__doc__ = make.__doc__

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        return self._make(*args, **kwargs)

    def __instancecheck__(self, instance: object) -> bool:
        return isinstance(instance, self._classes)

    def __subclasscheck__(self, cls: type) -> bool:
        return issubclass(cls, self._classes)


def variable(
    initial_value: Any = None,
    trainable: bool = True,
    validate_shape: bool = True,
    caching_device: Any = None,
    name: str | None = None,
    variable_def: Any = None,
    dtype: DTypeLike | None = None,
    **kwargs: Any,
) -> Cell:
    """A `keras.Variable` with an initial value, which may be a function without arguments."""
    value = initial_value() if callable(initial_value) else initial_value
    if value is None:
        raise ArgumentError("tf.Variable needs an initial value.")
    clean = None if name is None else name.replace("/", "_").partition(":")[0]
    return Cell(constant(value, dtype), trainable=trainable, name=clean)


def _no_tensor(*args: Any, **kwargs: Any) -> NoReturn:
    raise ArgumentError("tf.Tensor is not made by a call; write `tf.constant(value)`.")


Variable = Stand(variable, (Cell,))
Tensor = Stand(_no_tensor, (jax.Array, HostTensor, KerasTensor))


def is_tensor(x: TensorLike) -> bool:
    """Whether a value is an array, a variable or a symbolic tensor."""
    return isinstance(x, (jax.Array, HostTensor, Cell)) or is_keras_tensor(x)


def function(func: Callable[..., Any] | None = None, **options: Any) -> Any:
    """Returns the function unchanged: `fit` and JAX compile what they run; `input_signature` and other options are ignored."""
    return (lambda decorated: decorated) if func is None else func


class GradientTape:
    """Not offered.

    Raises:
        TapeError: always; it shows the step to write.
    """

    def __init__(self, *args: Any, **kwargs: Any):
        raise TapeError(
            f"{script_line()}tf.GradientTape records operations; JAX differentiates functions. A training step is written so:\n\n"
            "    import jax\n\n"
            "    def loss_of(trainable, non_trainable, x, y):\n"
            "        y_pred, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)\n"
            "        return loss_fn(y, y_pred), non_trainable\n\n"
            "    trainable = [v.value for v in model.trainable_variables]\n"
            "    non_trainable = [v.value for v in model.non_trainable_variables]\n"
            "    optimizer.build(model.trainable_variables)\n"
            "    (loss, non_trainable), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, non_trainable, x, y)\n"
            "    optimizer.apply(gradients, model.trainable_variables)\n\n"
            "and in a model's `train_step(self, state, data)` as docs/keras-scripts.md shows."
        )


def py_function(func: Callable[..., Any], inp: Sequence[Any], Tout: Any = None, name: str | None = None) -> Any:  # noqa: N803  (TensorFlow's name)
    """What a function gives for tensors: in a data set everything is Python."""
    return func(*inp)


def numpy_function(func: Callable[..., Any], inp: Sequence[Any], Tout: Any = None, name: str | None = None) -> Any:  # noqa: N803  (TensorFlow's name)
    """What a function gives for NumPy arrays."""
    return func(*(one.numpy() if isinstance(one, HostTensor) else np.asarray(one) for one in inp))


def executing_eagerly() -> bool:
    """Always True: outside of `fit` code runs line by line."""
    return True


class PhysicalDevice(NamedTuple):
    """A processor, with its number in the name."""

    name: str
    device_type: str


def list_physical_devices(device_type: str | None = None) -> list[PhysicalDevice]:
    """The processors that JAX sees, of a kind ("CPU", "GPU", "TPU") or all."""
    kinds = {"cuda": "GPU", "rocm": "GPU"}
    devices = [(kinds.get(device.platform, device.platform.upper()), device.id) for device in jax.devices()]
    if all(kind != "CPU" for kind, _ in devices):
        devices += [("CPU", device.id) for device in jax.devices("cpu")]
    return [PhysicalDevice(f"/physical_device:{k}:{n}", k) for k, n in devices if device_type in (None, k)]


def set_memory_growth(device: Any, enable: bool) -> NoReturn:
    """Not offered in a running program.

    Raises:
        ArgumentError: always; JAX decides it when it starts.
    """
    raise ArgumentError(
        "set_memory_growth: JAX takes memory when it starts. Set the environment variable"
        " XLA_PYTHON_CLIENT_PREALLOCATE=false before the script begins."
    )


def device(device_name: str) -> contextlib.AbstractContextManager[Any]:
    """A context in which arrays are made on a device."""
    kind = device_name.lower().rpartition("device:")[2] if "device:" in device_name.lower() else device_name
    context: contextlib.AbstractContextManager[Any] = backend.device(kind)
    return context


def is_gpu_available(*args: Any, **kwargs: Any) -> bool:
    """Whether JAX sees a GPU."""
    return bool(list_physical_devices("GPU"))


def print_(*inputs: Any, **kwargs: Any) -> None:
    """Prints values, also of a compiled program."""
    if any(isinstance(leaf, jax.core.Tracer) for leaf in jax.tree.leaves(inputs)):
        jax.debug.print(" ".join("{}" for _ in inputs), *inputs)
    else:
        print(*inputs, **{name: value for name, value in kwargs.items() if name in ("end", "sep")})


def get_logger() -> logging.Logger:
    """The logger of jkeras."""
    return logging.getLogger("jkeras")


def assert_equal(x: TensorLike, y: TensorLike, message: str = "") -> None:
    """Refuses values that differ.

    Raises:
        ArgumentError: they do.
    """
    if not np.array_equal(np.asarray(x), np.asarray(y)):
        raise ArgumentError(f"tf.debugging.assert_equal: {x} and {y} differ. {message}")
