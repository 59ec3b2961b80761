"""Every class, function and method takes Keras's parameters: the same names, order, kinds and defaults."""

from typing import Any

import pytest

from tests.keras_names import STARS, Parameter, find, parameters_of, signatures

# What every layer takes by name. Keras hides these behind `**kwargs`, or leaves them out where it forgot to.
OF_EVERY_LAYER = {"activity_regularizer", "trainable", "dtype", "autocast", "name"}

# What differs on purpose, and why. Shown on the page of coverage.
EXCEPTIONS = {
    "keras.callbacks.CallbackList": "the history and the progress bar belong to the loop",
    "keras.callbacks.OrbaxCheckpoint": "one more, keyword-only: `resume`",
    "keras.distribution.DataParallel": "one more, keyword-only: `gather`",
    "keras.distribution.LayoutMap": "also takes its rules, since it never changes",
    "keras.distribution.ModelParallel": "`layout_map` is required, as Keras says later",
    "keras.distribution.initialize": "more, keyword-only, for `jax.distributed.initialize`",
    "keras.dtype_policies.DTypePolicy": '`name` is `"float32"` when left out',
    "keras.dtype_policies.FloatDTypePolicy": '`name` is `"float32"` when left out',
    "keras.layers.Discretization": "`dtype` and `name` keyword-only, as in every other layer",
    "keras.layers.Layer.add_weight": "arguments also by position",
    "keras.models.Model.build": "`input_shape` may be left out where the model has inputs",
    "keras.models.Model.compile": '`steps_per_execution="auto"`; one more, at the end: `check_finite`',
    "keras.models.Model.compute_loss": "a pure function: `(state, batch, training)`",
    "keras.models.Model.fit": "two more, keyword-only: `seed` and `donate`",
    "keras.models.Model.train_on_batch": "one more, keyword-only: `donate`",
    "keras.models.Model.save": "no `zipped`: a path that ends in `.keras` is one file, any other a folder",
    "keras.models.Model.summary": "one more, keyword-only: `show_cost`",
    "keras.models.Model": "`(inputs, outputs, name)`, which Keras hides behind `*args`",
    "keras.optimizers.legacy.Adagrad": "in `jkeras.keras`, the optimizer of today; in Keras, nothing but an error",
    "keras.ops.relu": "takes what `activations.relu` takes",
    "keras.saving.load_model": "one more, keyword-only: `recipe`",
    "keras.saving.save_model": "no `zipped`: a path that ends in `.keras` is one file, any other a folder",
}
ROOTS = ("jkeras", "jkeras.keras")


def targets(name: str) -> list[tuple[str, Any]]:
    """What both namespaces have under a name, except functions that hand on whatever they are given."""
    found = [(root, find(root, name)) for root in ROOTS]
    return [(root, target) for root, target in found if target is not None and not forwards(target)]


def forwards(target: Any) -> bool:
    """Whether a function takes anything, to hand it to another one."""
    kinds = {p.kind for p in parameters_of(target)}
    return "VAR_POSITIONAL" in kinds and "VAR_KEYWORD" in kinds and kinds <= {*STARS, "POSITIONAL_OR_KEYWORD"}


def is_method(name: str) -> bool:
    """Whether a name is that of a method: what it is in begins with a capital letter."""
    return name.split(".")[-2][0].isupper()


def difference(name: str, target: Any) -> str:
    """How the parameters of ours differ from those of Keras's; empty where they do not.

    Where Keras takes `**kwargs` and hands them to a base class, ours names what the base class takes, by keyword only.
    """
    theirs = signatures()[name]
    given = {p.name for p in theirs}
    open_ended = any(p.kind == "VAR_KEYWORD" for p in theirs)

    def counts(p: Parameter) -> bool:
        hidden = p.kind == "KEYWORD_ONLY" and p.default and (open_ended or p.name in OF_EVERY_LAYER)
        return p.kind not in STARS and (p.name in given or not hidden)

    mine = [p for p in parameters_of(target, is_method(name)) if counts(p)]
    expected = [p for p in theirs if p.kind not in STARS]
    return "" if mine == expected else f"{_written(mine)}; Keras has {_written(expected)}"


def _written(parameters: list[Parameter]) -> str:
    star = next((i for i, p in enumerate(parameters) if p.kind == "KEYWORD_ONLY"), None)
    words = [f"{p.name}={p.default}" if p.default else p.name for p in parameters]
    return f"({', '.join(words if star is None else [*words[:star], '*', *words[star:]])})"


def differences(name: str) -> dict[str, str]:
    """How the parameters differ in each of our namespaces that has the name."""
    found = {root: difference(name, target) for root, target in targets(name)}
    return {root: text for root, text in found.items() if text}


SPACES = sorted({name.rpartition(".")[0] for name in signatures()})


@pytest.mark.parametrize("space", SPACES)
def test_parameters_are_those_of_keras(space):
    names = [name for name in signatures() if name.rpartition(".")[0] == space and name not in EXCEPTIONS]
    assert {name: found for name in names if (found := differences(name))} == {}


@pytest.mark.parametrize("name", EXCEPTIONS)
def test_exceptions_are_needed(name):
    assert differences(name) or not targets(name)


def test_the_comparison_can_fail():
    def dense(units, activation="relu", *, dtype=None):
        pass

    assert "activation='relu'" in difference("keras.layers.Dense", dense)
    compared = [name for name in signatures() if targets(name)]
    assert len(compared) > 700
