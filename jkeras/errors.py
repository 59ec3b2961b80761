"""Every error that jkeras raises on purpose.

The tree::

    JkerasError
    ├── ArgumentError (ValueError)       an argument has a value that is not allowed
    │   └── UnknownNameError             a string names nothing; the nearest name is given
    ├── SignatureError (TypeError)       an argument is missing, unknown or given twice
    ├── DTypeError (TypeError)           an array has a type that the function does not take
    ├── UnsupportedError (NotImplementedError)  a layer cannot do what is asked of it, though others can
    ├── FrozenError (AttributeError)     an immutable value was assigned to
    ├── InputError (ValueError)          data does not fit the layer, loss or model that gets it
    │   └── NonFiniteError               data, a layer's output or a loss is NaN or infinite
    ├── NotBuiltError (ValueError)       weights are needed and none exist yet
    ├── NotCompiledError (RuntimeError)  `fit` or `evaluate` before `compile`
    ├── ConsumedError (RuntimeError)     a model is used whose arrays were given to `fit(donate=True)`
    ├── DiscardedResultError (RuntimeError)  the result of `compile`, `fit` or `add` is thrown away, or shown and lost
    ├── ExistsError (FileExistsError)    a file is there and may not be replaced
    ├── SaveError (OSError)              a file could not be written
    ├── RestoreError (ValueError)        a saved model does not match the model that restores it
    │   └── DescriptionError (TypeError)  a configuration describes no object that can be made
    ├── ProcessError (RuntimeError)      processes that train together disagree, or one of them is gone
    ├── ExtraError (ImportError)         a library is missing that one of the package's extras installs
    ├── CompilationError (RuntimeError)  a program could not be compiled for an accelerator
    ├── DeviceMemoryError (RuntimeError)  the memory of a device is not enough for a program
    ├── DownloadError (OSError)          a file is missing and could not be downloaded
    └── DamagedFileError (ValueError)    a file has the wrong checksum or contents, or an archive is not safe to unpack

and the warnings::

    PartialLoadWarning (UserWarning)     weights were loaded in part, as asked for; it lists what was skipped

Errors inherit from the built-in class that Keras raises in the same place, so `except ValueError` written for
Keras keeps working.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping


class JkerasError(Exception):
    """Base of all errors raised by jkeras."""


class ArgumentError(JkerasError, ValueError):
    """An argument has a value that is not allowed.

    The mistake::

        layers.Dense(-1)

    Instead::

        layers.Dense(1)
    """


class UnknownNameError(ArgumentError):
    """A string names no known object.

    The mistake::

        layers.Dense(4, activation="rleu")

    Instead::

        layers.Dense(4, activation="relu")
    """

    def __init__(self, kind: str, name: object, known: Iterable[str]):
        known = sorted(known)
        super().__init__(f"Unknown {kind}: {name!r}.{suggestion(str(name), known)}")

    def of(self, argument: str) -> UnknownNameError:
        """The same error, which first says what argument it is about."""
        return UnknownNameError.__new__(UnknownNameError, f"{argument}: {self}")


class SignatureError(JkerasError, TypeError):
    """An argument is missing, unknown or given twice.

    The mistake::

        layers.Dense(4, unit_count=3)

    Instead::

        layers.Dense(4)
    """


class DTypeError(JkerasError, TypeError):
    """An array has a type that the function does not take.

    The mistake::

        jk.quantizers.pack_int4(jk.ops.zeros(4))

    Instead::

        jk.quantizers.pack_int4(jk.ops.zeros(4, "int8"))
    """


class UnsupportedError(JkerasError, NotImplementedError):
    """A layer cannot do what is asked of it, though others can.

    The mistake::

        layers.Embedding(4, 2).quantized("float8")

    Instead::

        layers.Embedding(4, 2).quantized("int8")
    """


class FrozenError(JkerasError, AttributeError):
    """An immutable value was assigned to.

    The mistake::

        layer = layers.Dense(4)
        layer.units = 8

    Instead::

        layer = layers.Dense(4)
        layer = layer.replace(units=8)
    """


class InputError(JkerasError, ValueError):
    """Data does not fit the layer, loss, metric or model that gets it.

    The mistake::

        model = model.fit(x, y[:-1], verbose=0)

    Instead::

        model = model.fit(x, y, verbose=0)
    """


class NonFiniteError(InputError):
    """Data, a layer's output or a loss is NaN or infinite.

    The mistake::

        broken = np.where(np.arange(len(x))[:, None] == 3, np.nan, x)
        model = model.compile("sgd", "mse", check_finite=True).fit(broken, y, verbose=0)

    Instead::

        model = model.compile("sgd", "mse", check_finite=True).fit(x, y, verbose=0)
    """


class NotBuiltError(JkerasError, ValueError):
    """Weights are needed and none exist yet.

    The mistake::

        jk.Sequential([layers.Dense(1)]).get_weights()

    Instead::

        jk.Sequential([layers.Input((4,)), layers.Dense(1)]).get_weights()
    """


class NotCompiledError(JkerasError, RuntimeError):
    """`fit` or `evaluate` was called before `compile`.

    The mistake::

        model = jk.Sequential([layers.Input((4,)), layers.Dense(1)])
        model = model.fit(x, y)

    Instead::

        model = jk.Sequential([layers.Input((4,)), layers.Dense(1)])
        model = model.compile("adam", "mse").fit(x, y, verbose=0)
    """


class ExistsError(JkerasError, FileExistsError):
    """A file or directory is there and may not be replaced.

    The mistake::

        model.save("model")
        model.save("model", overwrite=False)

    Instead::

        model.save("model")
        model.save("model")
    """


class SaveError(JkerasError, OSError):
    """A file or directory could not be written: the disk is full, the folder read-only, the place that of something else.

    The message says what is there now. What was there before is never damaged by a save that fails.

    The mistake::

        model.save("/proc/model.keras")

    Instead::

        model.save("model.keras")
    """


class RestoreError(JkerasError, ValueError):
    """A saved model does not match the model that restores it, or the file is damaged.

    The mistake::

        model.save("model")
        wider = jk.Sequential([layers.Input((4,)), layers.Dense(2)])
        wider = wider.load_weights("model")

    Instead::

        model.save("model")
        model = jk.load_model("model")
    """


class DescriptionError(RestoreError, TypeError):
    """A configuration, as a rule one in a file, names no known class or function, or describes nothing that can be made of it.

    In `jkeras.keras` it is the `TypeError` that Keras raises there. Make your own classes known, `load_model(path,
    custom_objects={"Scale": Scale})` or `@register_keras_serializable()`, and let `from_config` take what `get_config` gives.
    """


class PartialLoadWarning(UserWarning):
    """Weights were loaded in part, as was asked for.

    Attributes:
        skipped: why, by the name of the weight that was kept or the place in the file that was not used.
    """

    def __init__(self, message: str, skipped: Mapping[str, str] | None = None):
        super().__init__(message)
        self.skipped: dict[str, str] = dict(skipped or {})


class ProcessError(JkerasError, RuntimeError):
    """Processes that train one model together disagree, cannot find each other, or one of them is gone.

    Instead, start all of them with the same program, the same data and the same versions; the message says in what they
    differ.
    """


class ExtraError(JkerasError, ImportError):
    """A library is missing that one of the package's extras installs.

    Instead, install the extra that the message names: `pip install 'jkeras[plan]'`.
    """


class CompilationError(JkerasError, RuntimeError):
    """A program could not be compiled for an accelerator.

    Instead, give it more time, or repeat equal blocks by `layers.Repeat`, of which one is compiled; the message has the
    compiler's own reason.
    """


class DeviceMemoryError(JkerasError, RuntimeError):
    """The memory of a device is not enough for a program of `fit`, `evaluate` or `predict`.

    The message says how much the weights, the optimizer, the data and temporaries take. XLA's own error is its cause.

    Instead, take a smaller `batch_size`, or what the message lists: `fit(..., donate=True)`, `mixed_bfloat16`, accumulated
    gradients, recomputation, or several devices with `FSDP`.
    """


class DownloadError(JkerasError, OSError):
    """A file is not present and could not be downloaded.

    The mistake::

        jk.utils.get_file("data.npz", "http://127.0.0.1:9/data.npz", cache_dir=".")

    Instead, put the file into the folder that the message names, or repeat with a network.
    """


class DamagedFileError(JkerasError, ValueError):
    """A file has the wrong checksum or contents, or an archive is not safe to unpack.

    Instead, delete the file that the message names, so that it is downloaded again; if that does not help, what is on the
    server is not what was expected.
    """


class ConsumedError(JkerasError, RuntimeError):
    """A model is used whose arrays a run or a step took over, or of `jkeras.keras` whose arrays a failing step left behind.

    The mistake::

        model = model.init(0)
        trained = model.fit(x, y, donate=True)
        model.predict(x)

    Instead::

        model = model.init(0)
        model = model.fit(x, y, donate=True)
        model.predict(x)
    """


class DiscardedResultError(JkerasError, RuntimeError):
    """The model returned by `compile`, `fit` or `add` would be thrown away.

    The mistake::

        model.fit(x, y, verbose=0)

    Instead::

        model = model.fit(x, y, verbose=0)
    """


def _ratio(first: str, second: str) -> float:
    return difflib.SequenceMatcher(None, first, second).ratio()


MAX_SHOWN = 30


def suggestion(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known name, else a list of what is known.

    >>> suggestion("rleu", ["relu", "tanh"])
    " Did you mean 'relu'?"
    >>> suggestion("softmax", ["relu", "tanh"])
    " Known: 'relu', 'tanh'."
    """
    known = list(known)
    shown = ", ".join(map(repr, known[:MAX_SHOWN])) + (", ..." if len(known) > MAX_SHOWN else "")
    return nearest(name, known) or (f" Known: {shown}." if known else "")


def nearest(name: str, known: Iterable[str]) -> str:
    """` Did you mean 'x'?` for the nearest known name, empty if none is near."""
    folded = {candidate.lower().replace("_", ""): candidate for candidate in known}
    lower_name = name.lower().replace("_", "")

    def likeness(candidate: str) -> float:
        if lower_name == "".join(word[:1] for word in folded[candidate].lower().split("_")):
            return 1.0  # initials: lr, learning_rate
        # A typo seldom changes the length by much; but a name may also be cut short.
        whole = _ratio(lower_name, candidate) - 0.05 * abs(len(lower_name) - len(candidate))
        return max(whole, _ratio(lower_name, candidate[: len(lower_name) + 1]) - 0.2)

    near = max(folded, key=likeness, default="")
    return f" Did you mean {folded[near]!r}?" if near and likeness(near) >= 0.55 else ""
