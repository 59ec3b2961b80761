"""Distillation: a student is trained on the outputs of a teacher. The names are those of `keras.distillation`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

from jkeras import tree
from jkeras.errors import ArgumentError, InputError
from jkeras.keras import losses, metrics, ops
from jkeras.keras.models import Model, Sequential
from jkeras.keras.saving import deserialize_keras_object, serialize_keras_object
from jkeras.keras.tracking import no_automatic_dependency_tracking
from jkeras.models.distillation import FINAL, feature_loss, logits_loss


def _loss(identifier: Any) -> Any:
    return losses.get(identifier) if isinstance(identifier, str) else identifier


class DistillationLoss:
    """Base of losses between teacher and student: a subclass defines `compute_loss`."""

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """A scalar from the outputs of both."""
        raise NotImplementedError("Subclasses must implement compute_loss")

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        """Checks that outputs can be compared.

        Raises:
            ValueError: their structures differ.
        """
        tree.assert_same_structure(teacher_outputs, student_outputs)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        """Checks that models can be compared."""


class _Compared(DistillationLoss):
    """Base of the losses below: one loss for each output, or None."""

    loss: Any

    def _set_loss(self, loss: Any) -> None:
        self.loss = tree.map_structure(_loss, loss)
        if all(each is None for each in tree.flatten(self.loss)):
            raise ArgumentError(
                f"The `loss` argument in `{type(self).__name__}` must contain at least one non-`None` value."
                " At least one loss must be non-`None`."
            )

    def _total(self, compare: Any, teacher_outputs: Any, student_outputs: Any) -> Any:
        def one(loss: Any, teacher: Any, student: Any) -> Any:
            return 0.0 if loss is None else compare(loss, teacher, student)

        values = tree.map_structure(one, self.loss, teacher_outputs, student_outputs)
        return ops.sum(ops.stack(tree.flatten(values)))

    @classmethod
    def from_config(cls, config: Mapping[str, Any]) -> Self:
        """The loss that `get_config` described."""
        return cls(**{**config, "loss": deserialize_keras_object(config["loss"])})


class FeatureDistillation(_Compared):
    """Compares the outputs of a layer of the teacher and one of the student.

    Args:
        loss: a loss, or one for each output of the layer; None skips an output.
        teacher_layer_name: the name of the teacher's layer; None means its output.
        student_layer_name: the name of the student's layer; None means its output.

    Raises:
        ValueError: there is no loss.
    """

    @no_automatic_dependency_tracking
    def __init__(self, loss: Any = "mse", teacher_layer_name: str | None = None, student_layer_name: str | None = None):
        self.teacher_layer_name = teacher_layer_name
        self.student_layer_name = student_layer_name
        self._set_loss(loss)

    def validate_model_compatibility(self, teacher: Any, student: Any) -> None:
        for role, model, name in (
            ("teacher", teacher, self.teacher_layer_name),
            ("student", student, self.student_layer_name),
        ):
            if (self.teacher_layer_name or self.student_layer_name) and getattr(model, "inputs", None) is None:
                raise ArgumentError(
                    "FeatureDistillation with specific layer names requires Functional or Sequential models. The"
                    f" {role} model appears to be subclassed (no symbolic inputs/outputs)."
                )
            if name is not None:
                try:
                    model.get_layer(name=name)
                except ValueError as error:
                    raise ArgumentError(f"In {role} model: {error}") from None

    def validate_outputs(self, teacher_outputs: Any, student_outputs: Any) -> None:
        super().validate_outputs(teacher_outputs, student_outputs)
        try:
            tree.assert_same_structure(self.loss, teacher_outputs)
        except ValueError as error:
            raise ArgumentError(f"Loss structure mismatch. {error}") from None

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses of all outputs."""
        return self._total(feature_loss, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        names = {name: getattr(self, name) for name in ("teacher_layer_name", "student_layer_name")}
        return {"loss": serialize_keras_object(self.loss), **names}


class LogitsDistillation(_Compared):
    """Compares logits divided by a temperature.

    Source: Hinton et al., "Distilling the knowledge in a neural network", arXiv:1503.02531.

    Args:
        temperature: the temperature; larger values make probabilities more uniform.
        loss: a loss, or one for each output; None skips an output. As in Keras, a `KLDivergence()` gets probabilities and is
            multiplied by the square of the temperature; the function "kl_divergence" gets logits.

    Raises:
        ValueError: there is no loss, or the temperature is not a positive number.
    """

    @no_automatic_dependency_tracking
    def __init__(self, temperature: float = 3.0, loss: Any = "kl_divergence"):
        self._set_loss(loss)
        if not isinstance(temperature, (int, float)):
            raise ArgumentError(f"LogitsDistillation: temperature must be a number, got {type(temperature)}.")
        if temperature <= 0:
            raise ArgumentError(f"LogitsDistillation: temperature must be positive. Received: {temperature}.")
        self.temperature = temperature

    def compute_loss(self, teacher_outputs: Any, student_outputs: Any, **kwargs: Any) -> Any:
        """The sum of the losses of all outputs."""

        def compare(loss: Any, teacher: Any, student: Any) -> Any:
            # As in Keras, a function named "kl_divergence" is not a `KLDivergence` and gets logits.
            return logits_loss(loss, self.temperature, teacher, student)

        return self._total(compare, teacher_outputs, student_outputs)

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {"temperature": self.temperature, "loss": serialize_keras_object(self.loss)}


class Distiller(Model):
    """A model that trains its student on labels and on the outputs of a teacher.

    Args:
        teacher: the teacher, which is frozen.
        student: the model to train, whose outputs are those of this model.
        distillation_losses: a `DistillationLoss`, or several.
        distillation_loss_weights: the weight of each distillation loss; None means equal weights.
        student_loss_weight: the weight of the loss on labels, from 0 to 1; the teacher's losses get the rest.
        name: the name of the model.
        **kwargs: further arguments of `Model`.

    Raises:
        ValueError: an argument is not allowed, or the models do not match.
    """

    def __init__(
        self,
        teacher: Any,
        student: Any,
        distillation_losses: Any,
        distillation_loss_weights: Sequence[float] | None = None,
        student_loss_weight: float = 0.5,
        name: str = "distiller",
        **kwargs: Any,
    ):
        super().__init__(name=name, **kwargs)
        _check_models(teacher, student)
        self.teacher, self.student = teacher, student
        if isinstance(student_loss_weight, bool) or not isinstance(student_loss_weight, (int, float)):
            raise ArgumentError(f"student_loss_weight must be a number, got {type(student_loss_weight)}")
        if not 0 <= student_loss_weight <= 1:
            raise ArgumentError(f"student_loss_weight must be between 0.0 and 1.0, got {student_loss_weight}")
        if distillation_losses is None:
            raise ArgumentError(
                "'distillation_losses' cannot be `None`. Provide a distillation loss, or a list of them."
            )
        self.student_loss_weight = student_loss_weight
        several = isinstance(distillation_losses, (list, tuple))
        self.distillation_losses = list(distillation_losses) if several else [distillation_losses]
        weights = distillation_loss_weights if several else None
        self.distillation_loss_weights = [1.0] * len(self.distillation_losses) if weights is None else list(weights)
        if len(self.distillation_loss_weights) != len(self.distillation_losses):
            raise ArgumentError(
                f"Number of distillation_loss_weights ({len(self.distillation_loss_weights)}) must match number of"
                f" distillation_losses ({len(self.distillation_losses)})"
            )
        for loss in self.distillation_losses:
            loss.validate_model_compatibility(teacher, student)
        self._teacher_feature_extractor = self._extractor(teacher, "teacher_layer_name")
        self._student_feature_extractor = self._extractor(student, "student_layer_name")
        self.teacher.trainable = False
        self.student_loss_tracker = metrics.Mean(name="student_loss")
        self.distillation_loss_tracker = metrics.Mean(name="distillation_loss")
        self.total_loss_tracker = metrics.Mean(name="total_loss")

    def _extractor(self, model: Any, which: str) -> Any:
        """A model that also returns the outputs of the named layers; None if there are none."""
        names = [name for loss in self.distillation_losses if (name := getattr(loss, which, None))]
        if not names:
            return None
        final = model.layers[-1].output if isinstance(model, Sequential) else model.output
        outputs = {FINAL: final, **{name: model.get_layer(name=name).output for name in names}}
        return Model(inputs=model.inputs, outputs=outputs, name=f"{model.name}_multi_feature_extractor")

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """See `Model.compile`; the loss is the student's loss on labels.

        Raises:
            ValueError: there is no loss, or `metrics` is not a list.
        """
        if loss is None:
            raise ArgumentError("'loss' cannot be `None`.")
        if metrics is not None and not isinstance(metrics, (list, tuple)):
            raise ArgumentError(f"metrics must be a list or tuple, got {type(metrics)}")
        self._student_loss = tree.map_structure(_loss, loss)
        super().compile(optimizer=optimizer, loss=None, metrics=metrics, **kwargs)

    def call(self, inputs: Any, training: Any = None, **kwargs: Any) -> Any:
        """The outputs of the student."""
        return self.student(inputs, training=training, **kwargs)

    def compute_loss(
        self, x: Any = None, y: Any = None, y_pred: Any = None, sample_weight: Any = None, training: bool = True
    ) -> Any:
        """The weighted sum of the loss on labels and the losses against the teacher."""
        y_pred = self(x, training=training) if y_pred is None else y_pred
        weight = self.student_loss_weight
        labelled: Any = 0.0
        if weight > 0 and y is not None:
            values = tree.flatten(tree.map_structure(lambda loss, a, b: loss(a, b), self._student_loss, y, y_pred))
            labelled = ops.sum(ops.stack(values)) if len(values) > 1 else ops.mean(values[0])
        taught: Any = self._against_teacher(x, y_pred) if weight < 1 else 0.0
        total = weight * labelled + (1.0 - weight) * taught
        self.student_loss_tracker.update_state(labelled)
        self.distillation_loss_tracker.update_state(taught)
        self.total_loss_tracker.update_state(total)
        return total

    def _against_teacher(self, x: Any, y_pred: Any) -> Any:
        teacher, student = self._teacher_feature_extractor, self._student_feature_extractor
        teacher_outputs = {FINAL: self.teacher(x, training=False)} if teacher is None else teacher(x, training=False)
        student_outputs = {FINAL: y_pred} if student is None else student(x, training=True)
        total: Any = 0.0
        for loss, weight in zip(self.distillation_losses, self.distillation_loss_weights, strict=True):
            teacher_output = teacher_outputs[getattr(loss, "teacher_layer_name", None) or FINAL]
            name = getattr(loss, "teacher_layer_name", None) and getattr(loss, "student_layer_name", None)
            repeated = student_outputs[name] if name else y_pred
            loss.validate_outputs(teacher_output, repeated)
            value = loss.compute_loss(teacher_output, repeated)
            if len(getattr(value, "shape", ())) > 0:
                raise InputError(
                    f"Distillation loss {type(loss).__name__} returned a non-scalar loss with shape {value.shape}. The"
                    " compute_loss method must return a scalar tensor."
                )
            total = total + weight * value
        return total

    def reset_metrics(self) -> None:
        """Resets all metrics."""
        super().reset_metrics()
        for tracker in (self.student_loss_tracker, self.distillation_loss_tracker, self.total_loss_tracker):
            tracker.reset_state()

    def get_config(self) -> dict[str, Any]:
        """The arguments as plain values."""
        return {
            **super().get_config(),
            "teacher": serialize_keras_object(self.teacher),
            "student": serialize_keras_object(self.student),
            "distillation_losses": [serialize_keras_object(loss) for loss in self.distillation_losses],
            "distillation_loss_weights": self.distillation_loss_weights,
            "student_loss_weight": self.student_loss_weight,
        }

    @classmethod
    def from_config(cls, config: Mapping[str, Any], custom_objects: Any = None) -> Self:
        """The model that `get_config` described."""
        parts = {name: deserialize_keras_object(config[name], custom_objects) for name in ("teacher", "student")}
        losses = [deserialize_keras_object(loss, custom_objects) for loss in config["distillation_losses"]]
        return cls(**{**config, **parts, "distillation_losses": losses})


def _check_models(teacher: Any, student: Any) -> None:
    for role, model in (("Teacher", teacher), ("Student", student)):
        if not isinstance(model, Model):
            raise ArgumentError(f"{role} must be a keras.Model, got {type(model)}")
    for what in ("input", "output"):
        ends = [getattr(model, f"{what}s", None) for model in (teacher, student)]
        if None in ends:
            continue
        for one, other in zip(tree.flatten(ends[0]), tree.flatten(ends[1]), strict=False):
            _check_ends(what, one, other)


def _check_ends(what: str, one: Any, other: Any) -> None:
    if len(one.shape) != len(other.shape):
        raise ArgumentError(
            f"Teacher and student {what} shapes have different dimensions. Teacher: {one.shape}, Student: {other.shape}."
        )
    if any(None not in (a, b) and a != b for a, b in zip(one.shape, other.shape, strict=True)):
        raise ArgumentError(
            f"Teacher and student {what} shapes are incompatible. Teacher: {one.shape}, Student: {other.shape}. All dimensions"
            " must match."
        )
    if one.dtype != other.dtype:
        raise ArgumentError(
            f"Teacher and student {what} dtypes must match. Teacher: {one.dtype}, Student: {other.dtype}."
        )


DistillationLoss.keras_module = "keras.distillation"  # type: ignore[attr-defined]
Distiller.keras_module = "keras.distillation"

__all__ = ["Distiller", "DistillationLoss", "FeatureDistillation", "LogitsDistillation"]
