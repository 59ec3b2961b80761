"""Fingerprints of values: equal in every process for values of equal contents, and for no others.

They are made of the keys by which programs are shared within a process (`jkeras.values.keys`), whose parts are plain values,
classes, functions and objects. Classes and functions count by the name under which they are found, if they are found there
and are of jkeras or of what it stands on. Nothing else has a fingerprint: not a user's class or function, no object that
compares by identity.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import hashlib
import sys
import types
from collections.abc import Callable, Iterable
from typing import Any

import jax
import numpy as np

from jkeras.program_store.errors import NotPortableError
from jkeras.program_store.patches import contents_of_class, contents_of_module, is_unchanged
from jkeras.values.keys import HashedKey, Identity, key_of

# Packages whose classes and functions are what they are called, since the versions of these packages are compared.
PACKAGES = frozenset({"jkeras", "jax", "jaxlib", "optax", "numpy", "ml_dtypes", "builtins", "collections"})
# Larger constants are not worth reading for a program that would carry them as well.
LARGEST = 2**20


def fingerprint(value: Any) -> str:
    """The fingerprint of a value.

    Raises:
        NotPortableError: it has none.

    >>> fingerprint([1, {"a": 2.0}]) == fingerprint([1, {"a": 2.0}])
    True
    >>> fingerprint(1) == fingerprint(1.0)
    False
    """
    try:
        return _Digest().of(key_of(value)).hex()
    except RecursionError as error:
        raise NotPortableError("it is too deep") from error


class _Digest:
    """The digests of keys; those of parts that many share are computed once."""

    def __init__(self) -> None:
        self._known: dict[int, bytes] = {}

    def of(self, key: Any) -> bytes:
        """The digest of a key: of its kind and the digests of its parts, each of known length."""
        if isinstance(key, HashedKey):
            digest = self._known.get(id(key))
            if digest is None:
                digest = self._known[id(key)] = self.of(key.parts)
            return digest
        write = _WRITERS.get(type(key), _write_object)
        kind, parts = write(self, key)
        hashed = hashlib.blake2b(digest_size=24)
        hashed.update(f"{kind}:{len(parts)};".encode())
        for part in parts:
            hashed.update(len(part).to_bytes(8, "big"))
            hashed.update(part)
        return hashed.digest()

    def all(self, keys: Iterable[Any]) -> list[bytes]:
        """The digests of several keys."""
        return [self.of(key) for key in keys]

    def of_values(self, values: Iterable[Any]) -> list[bytes]:
        """The digests of several values."""
        return [self.of(key_of(value)) for value in values]


# Classes of Python that are found elsewhere than they say.
_NAMED_IN_TYPES = [value for value in vars(types).values() if isinstance(value, type)]

Written = tuple[str, list[bytes]]
Writer = Callable[[_Digest, Any], Written]


def _write_plain(digest: _Digest, key: Any) -> Written:
    text = key if isinstance(key, bytes) else repr(key).encode("utf-8", "surrogatepass")
    if len(text) > LARGEST:
        raise NotPortableError("an array is too large")
    return type(key).__name__, [text]


def _write_sequence(digest: _Digest, key: Any) -> Written:
    if len(key) > 2 and key[0] is types.FunctionType and isinstance(key[2], types.CodeType):
        return "function", [_code_name(key[1], key[2]).encode()]
    return type(key).__name__, digest.all(key)


def _write_set(digest: _Digest, key: Any) -> Written:
    return type(key).__name__, sorted(digest.all(key))


def _write_dict(digest: _Digest, key: Any) -> Written:
    return "dict", [part for name, value in key.items() for part in (digest.of(name), digest.of(key_of(value)))]


def _write_structure(digest: _Digest, key: jax.tree_util.PyTreeDef) -> Written:
    data = key.node_data()
    if data is None:
        return "leaf", [str(key.num_leaves).encode(), str(key.num_nodes).encode()]
    node, auxiliary = data
    return "node", [digest.of(node), digest.of(key_of(auxiliary)), *digest.all(key.children())]


def _write_identity(digest: _Digest, key: Identity) -> Written:
    return "named", [_name(key.value).encode()]


def _write_partial(digest: _Digest, key: functools.partial[Any]) -> Written:
    return "partial", digest.of_values((key.func, key.args, key.keywords))


def _write_dtype(digest: _Digest, key: np.dtype[Any]) -> Written:
    return "dtype", [str(key).encode(), key.str.encode(), _name(key.type).encode()]


_WRITERS: dict[type, Writer] = {
    **dict.fromkeys((type(None), bool, int, float, complex, str, bytes, type(...)), _write_plain),
    **dict.fromkeys((tuple, list), _write_sequence),
    **dict.fromkeys((set, frozenset), _write_set),
    dict: _write_dict,
    jax.tree_util.PyTreeDef: _write_structure,
    Identity: _write_identity,
    functools.partial: _write_partial,
}


def _write_object(digest: _Digest, key: Any) -> Written:
    """What has no writer of its own: a value of a class that is known, or what has a name."""
    cls = type(key)
    if isinstance(key, np.dtype):
        return _write_dtype(digest, key)
    if isinstance(key, enum.Enum):
        return "enum", [digest.of(cls), key.name.encode()]
    if isinstance(key, tuple) and hasattr(cls, "_fields"):
        return "named tuple", [digest.of(cls), *digest.all(key)]
    if dataclasses.is_dataclass(key) and not isinstance(key, type):
        values = {field.name: getattr(key, field.name) for field in dataclasses.fields(key)}
        if vars_of(key) != set(values):
            raise NotPortableError(f"{cls.__qualname__} holds more than its fields")
        return "dataclass", [digest.of(cls), *digest.of_values(values.values())]
    if callable(key):
        return "named", [_name(key).encode()]
    raise NotPortableError(f"{cls.__module__}.{cls.__qualname__} compares by identity")


def vars_of(value: Any) -> set[str]:
    """The names of the attributes of an object, those in slots included."""
    names = set(getattr(value, "__dict__", ()))
    for cls in type(value).__mro__:
        slots = cls.__dict__.get("__slots__", ())
        names |= {slots} if isinstance(slots, str) else set(slots)
    return names - {"__dict__", "__weakref__"}


def _code_name(module: str, code: types.CodeType) -> str:
    """The name of the function in a module whose code this is."""
    found = _found(module, code.co_qualname)
    if not isinstance(found, types.FunctionType) or found.__code__ is not code:
        raise NotPortableError(f"{module}.{code.co_qualname} is a function of its own")
    return _name(found)


def _name(value: Any) -> str:
    """Module and name of a class or function, if that is where it is found, unchanged."""
    module, name = getattr(value, "__module__", None), getattr(value, "__qualname__", None)
    if not isinstance(module, str) or not isinstance(name, str) or module.partition(".")[0] not in PACKAGES:
        raise NotPortableError(f"{module}.{name} is of no package whose version is compared")
    if _found(module, name) is not value and value not in _NAMED_IN_TYPES:
        raise NotPortableError(f"{module}.{name} is another object")
    if not is_unchanged(value):
        raise NotPortableError(f"{module}.{name} was replaced")
    return f"{module}:{name}:{contents_of_class(value) if isinstance(value, type) else contents_of_module(module)}"


def _found(module: str, name: str) -> Any:
    found: Any = sys.modules.get(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
