"""Distillation of immutable models: a student learns from a teacher's outputs. Exported as `jkeras.distillation`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import jax
import jax.numpy as jnp

from jkeras import arguments, losses
from jkeras.errors import ArgumentError
from jkeras.models.model import Model
from jkeras.types import Array, PyTree
from jkeras.values.fields import field
from jkeras.values.spec import Spec

FINAL = "final_output"


def feature_loss(loss: Any, teacher: Array, student: Array) -> Array:
    """The mean of a loss between the outputs of two layers."""
    return jnp.mean(loss(teacher, student))


def logits_loss(loss: Any, temperature: float, teacher: Array, student: Array) -> Array:
    """The mean of a loss between logits divided by a temperature.

    A `KLDivergence` is computed on probabilities and multiplied by the square of the temperature.
    """
    teacher, student = teacher / temperature, student / temperature
    if isinstance(loss, losses.KLDivergence):
        return jnp.mean(loss(jax.nn.softmax(teacher), jax.nn.softmax(student))) * temperature**2
    return jnp.mean(loss(teacher, student))


def _given(value: Any) -> Any:
    shapes = jax.tree.map(
        losses.get, value, is_leaf=lambda leaf: leaf is None or not isinstance(leaf, (list, tuple, dict))
    )
    if all(leaf is None for leaf in jax.tree.leaves(shapes, is_leaf=lambda leaf: leaf is None)):
        raise ArgumentError("expected a loss, or one for each output, of which at least one is not None")
    return shapes


class DistillationLoss(Spec):
    """Base of losses between teacher and student; subclasses define `compute_loss(teacher_outputs, student_outputs)`."""

    keras_module = "keras.distillation"
    teacher_layer_name: str | None = None
    student_layer_name: str | None = None

    def compute_loss(self, teacher_outputs: PyTree[Array], student_outputs: PyTree[Array]) -> Array:
        """The loss, a scalar, from the outputs of both."""
        raise NotImplementedError(
            f"{type(self).__name__} must define `compute_loss(teacher_outputs, student_outputs)`."
        )

    def _total(self, loss: Any, compare: Any, teacher_outputs: PyTree[Array], student_outputs: PyTree[Array]) -> Array:
        outputs = [jax.tree.leaves(each) for each in (teacher_outputs, student_outputs)]
        terms = (
            [loss] if not isinstance(loss, (list, tuple, dict)) else jax.tree.leaves(loss, is_leaf=lambda x: x is None)
        )
        total: Array = sum(
            (compare(each, t, s) for each, t, s in zip(terms, *outputs, strict=True) if each is not None), jnp.zeros(())
        )
        return total


class FeatureDistillation(DistillationLoss, own_arguments=True):
    """Compares the outputs of one layer of the teacher and one of the student.

    Args:
        loss: a loss, or one for each output of the layer; None ignores an output.
        teacher_layer_name: the teacher's layer; None means its output.
        student_layer_name: the student's.
    """

    loss: Any = field(default="mse", convert=_given)
    teacher_layer_name: str | None = field(default=None, convert=arguments.optional(arguments.text))
    student_layer_name: str | None = field(default=None, convert=arguments.optional(arguments.text))

    def compute_loss(self, teacher_outputs: PyTree[Array], student_outputs: PyTree[Array]) -> Array:
        return self._total(self.loss, feature_loss, teacher_outputs, student_outputs)


class LogitsDistillation(DistillationLoss, own_arguments=True):
    """Compares the probabilities obtained from logits divided by a temperature.

      Hinton et al., "Distilling the knowledge in a neural network", arXiv:1503.02531.

      Args:
          temperature: larger values make the probabilities more uniform.
          loss: a loss, or one for each output; None ignores an output. A `KLDivergence` is computed on probabilities and
    multiplied by the square of the temperature; other losses get logits.

      >>> import jax.numpy as jnp
      >>> float(LogitsDistillation().compute_loss(jnp.zeros((1, 2)), jnp.zeros((1, 2))))
      0.0
    """

    temperature: float = field(default=3.0, convert=arguments.between(0, float("inf"), open_low=True))
    loss: Any = field(default="KLDivergence", convert=_given)

    def compute_loss(self, teacher_outputs: PyTree[Array], student_outputs: PyTree[Array]) -> Array:
        def compare(loss: Any, teacher: Array, student: Array) -> Array:
            return logits_loss(loss, self.temperature, teacher, student)

        return self._total(self.loss, compare, teacher_outputs, student_outputs)


class Distiller(Model):
    """A model that trains its student on labels and on a teacher's outputs. Its outputs are the student's.

    Compile it with the loss on labels, and take the student from what `fit` returns: `distiller.fit(x, y).student`.

    Args:
        teacher: the teacher, which is frozen.
        student: the student, which is trained.
        distillation_losses: a `DistillationLoss`, or several.
        distillation_loss_weights: the weight of each; None weights them equally.
        student_loss_weight: the weight of the loss on labels, from 0 to 1; the teacher gets the rest.

    Raises:
        ArgumentError: an argument is not allowed, or the models' outputs differ in shape.
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        **kwargs: Any,
    ):
        super().__init__(**kwargs)
        if not isinstance(student_loss_weight, (int, float)) or not 0 <= student_loss_weight <= 1:
            raise ArgumentError(
                f"Distiller(student_loss_weight={student_loss_weight!r}): expected a number from 0 to 1."
            )
        several = isinstance(distillation_losses, (list, tuple))
        losses = list(distillation_losses) if several else [distillation_losses]
        if not losses or not all(isinstance(loss, DistillationLoss) for loss in losses):
            raise ArgumentError(
                f"Distiller(distillation_losses={distillation_losses!r}): expected a `DistillationLoss` or several."
            )
        weights = [1.0] * len(losses) if distillation_loss_weights is None else list(distillation_loss_weights)
        if len(weights) != len(losses):
            raise ArgumentError(
                f"Distiller: {len(weights)} distillation_loss_weights for {len(losses)} distillation_losses; expected one each."
            )
        _check_ends(teacher, student)
        self.teacher = _telling(teacher, [loss.teacher_layer_name for loss in losses]).freeze()
        self.student = student
        self.features = _telling(student, [loss.student_layer_name for loss in losses])
        self.distillation_losses = tuple(losses)
        self.distillation_loss_weights = tuple(weights)
        self.student_loss_weight = float(student_loss_weight)

    def compile(self, *args: Any, **kwargs: Any) -> Self:
        """See `Model.compile`; the loss is that of the student on labels."""
        return super().compile(*args, **{"loss_weights": self.student_loss_weight, **kwargs})

    def call(self, inputs: PyTree[Array], training: bool | None = None, mask: PyTree[Array] = None) -> Any:
        outputs = self.student(inputs, training=training)
        if self.student_loss_weight < 1:
            teacher_outputs = self.teacher(inputs, training=False)
            features = self.features(inputs, training=training)
            total = jnp.zeros(())
            for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
                pair = teacher_outputs[loss.teacher_layer_name or FINAL], features[loss.student_layer_name or FINAL]
                total = total + weight * loss.compute_loss(*pair)
            self.add_loss((1 - self.student_loss_weight) * total)
        return outputs


def _telling(model: Any, names: Sequence[str | None]) -> Model:
    """A model that returns the outputs of a model and of some of its layers, by name."""
    outputs = {FINAL: model.output, **{name: model.get_layer(name).output for name in names if name is not None}}
    telling = Model(model.input, outputs)
    return telling.with_state(telling.state)  # the layers bring the model's weights


def _check_ends(teacher: Any, student: Any) -> None:
    for role, model in (("teacher", teacher), ("student", student)):
        if not isinstance(model, Model) or not model.is_functional:
            raise ArgumentError(
                f"Distiller({role}={type(model).__name__}): expected a model with symbolic inputs and outputs, such as"
                " `jk.Sequential([jk.Input(shape), ...])`."
            )
    for what in ("input_shape", "output_shape"):
        one, other = getattr(teacher, what), getattr(student, what)
        if one != other:
            raise ArgumentError(
                f"Distiller: the {what} of the teacher is {one}, that of the student {other}; expected the same."
            )


__all__ = ["DistillationLoss", "Distiller", "FeatureDistillation", "LogitsDistillation"]
