"""`keras.utils.Config`: named values that can be frozen."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from jkeras.errors import FrozenError, suggestion


class Config:
    """Named values, as attributes and as keys.

    Args:
        **kwargs: the initial values.

    >>> config = Config(learning_rate=0.1)
    >>> config.momentum = 0.9
    >>> config.as_dict()
    {'learning_rate': 0.1, 'momentum': 0.9}
    """

    def __init__(self, **kwargs: Any):
        vars(self).update(_config=dict(kwargs), _frozen=False)

    @property
    def frozen(self) -> bool:
        """Whether values can no longer be changed."""
        return self._frozen

    def freeze(self) -> None:
        """Disallows further changes."""
        vars(self)["_frozen"] = True

    def unfreeze(self) -> None:
        """Ends `freeze`."""
        vars(self)["_frozen"] = False

    def _check(self) -> None:
        if self._frozen:
            raise FrozenError("Cannot mutate attribute(s) because the config is frozen.")

    def as_dict(self) -> dict[str, Any]:
        """The values by name."""
        return dict(self._config)

    def to_json(self) -> str:
        """The values as JSON."""
        return json.dumps(self._config)

    def keys(self) -> Any:
        """The names."""
        return self._config.keys()

    def values(self) -> Any:
        """The values."""
        return self._config.values()

    def items(self) -> Any:
        """Names and values."""
        return self._config.items()

    def get(self, keyname: str, value: Any = None) -> Any:
        """The value for a name, or `value`."""
        return self._config.get(keyname, value)

    def pop(self, *args: Any) -> Any:
        """Removes a value and returns it."""
        self._check()
        return self._config.pop(*args)

    def update(self, *args: Any, **kwargs: Any) -> None:
        """Sets several values."""
        self._check()
        self._config.update(*args, **kwargs)

    def __getattr__(self, name: str) -> Any:
        config = vars(self).get("_config", {})
        if name in config:
            return config[name]
        raise AttributeError(f"Unknown attribute: '{name}'.{suggestion(name, config)}")

    def __setattr__(self, name: str, value: Any) -> None:
        self[name] = value

    def __getitem__(self, key: str) -> Any:
        return self._config[key]

    def __setitem__(self, key: str, value: Any) -> None:
        self._check()
        self._config[key] = value

    def __delitem__(self, key: str) -> None:
        self._check()
        del self._config[key]

    def __iter__(self) -> Iterator[str]:
        return iter(sorted(self._config))

    def __len__(self) -> int:
        return len(self._config)

    def __contains__(self, key: object) -> bool:
        return key in self._config

    def __repr__(self) -> str:
        return f"<Config {self._config}>"
