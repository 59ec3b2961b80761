"""Numbers that no honest file holds, in every argument of every class that a file can name, read by both faces.

`python -m tests.files.numbers` goes through all of them; a test does so for those that ask for the most.
"""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import inspect
import json
import resource
import signal
import sys
import time
import warnings
from collections.abc import Callable, Iterator, Mapping
from types import NoneType
from typing import Any

import numpy as np

import jkeras as jk
from jkeras import allowance, errors
from jkeras.files import untrusted
from jkeras.files.loading import model_from_json
from tests.test_nonsense_arguments import ALSO, CLASSES, GOOD

LARGE = (10**12, 10**8)
NUMBERS = (*LARGE, 1e12, -1, -(10**12), float("nan"), float("inf"), 2**70)
SECONDS, BYTES = 2.0, 200 * 2**20
HANGS = 30
FILE_SIZE = 4096
SCHEDULE = {"boundaries": [1], "values": [0.1, 0.2]}


@dataclasses.dataclass(frozen=True)
class Case:
    """An argument with a number, and what reads it."""

    name: str
    read: Callable[[], Any]


def faces() -> Mapping[str, Any]:
    """The packages that read configurations."""
    import jkeras.keras

    return {"jkeras": jk, "jkeras.keras": jkeras.keras}


# -- losses, metrics, optimizers and so on, each read alone ---------------------------------------------------------------


def described() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """A family, a class and its arguments, all of them, as a configuration has them."""
    for place, cls in CLASSES.items():
        family, _, name = place.partition(".")
        if family == "layers":
            continue
        parameters = inspect.signature(cls).parameters
        needed = [p.name for p in parameters.values() if p.default is p.empty and p.kind < p.VAR_POSITIONAL]
        given = {key: GOOD.get(key) for key in needed} | ALSO.get(name, {})
        with contextlib.suppress(Exception):  # functions of a user's have no configuration
            defaults = {p.name: p.default for p in parameters.values() if isinstance(p.default, (int, float, NoneType))}
            yield family, name, {**defaults, **json.loads(json.dumps(cls(**given).get_config()))}
    for name, cls in inspect.getmembers(jk.optimizers.schedules, inspect.isclass):
        if cls.__module__.startswith("jkeras.optimizers"):
            needed = [p.name for p in inspect.signature(cls).parameters.values() if p.default is p.empty]
            with contextlib.suppress(Exception):
                yield (
                    "optimizers.schedules",
                    name,
                    json.loads(json.dumps(cls(**{n: SCHEDULE.get(n, 10) for n in needed}).get_config())),
                )


def small_cases(face: Any, numbers: tuple[float, ...] = NUMBERS) -> Iterator[Case]:
    """Everything but layers."""
    for family, name, config in described():
        module = face
        for part in family.split("."):
            module = getattr(module, part)
        for key, value in config.items():
            for changed in changes(value, numbers):
                if key in ("name", "dtype"):
                    continue
                entry = {"class_name": name, "config": {**config, key: changed}}
                yield Case(f"{family}.{name}({key}={changed!r})", lambda m=module, e=entry: m.deserialize(e))


def changes(value: Any, numbers: tuple[float, ...]) -> Iterator[Any]:
    """A value of a configuration with a number in its place, or in the places of those in it."""
    for number in numbers:
        if isinstance(value, list) and value:
            yield _filled(value, number)
        elif isinstance(value, (int, float)) or value is None:
            yield number
        if value is None:
            yield [number, number]


def _filled(value: Any, number: float) -> Any:
    return [_filled(v, number) for v in value] if isinstance(value, list) else number


# -- layers, in models ----------------------------------------------------------------------------------------------------


def layer_cases(read: Callable[[dict[str, Any]], Any], numbers: tuple[float, ...] = NUMBERS) -> Iterator[Case]:
    """Every layer in a model, with a number in each of its arguments, and in those of what is inside of it."""
    from tests.files import interchange

    for name in interchange.ROWS:
        model = json.loads(interchange.build(jk, [name]).to_json())
        for entry in model["config"]["layers"]:
            for place in _places(entry):
                for changed in changes(_at(model, entry, place), numbers):
                    yield Case(
                        f"{name}: {'/'.join(map(str, place))}={changed!r}",
                        lambda m=model, e=entry, p=place, c=changed: read(_with(m, e, p, c)),
                    )


def _places(entry: dict[str, Any]) -> list[tuple[Any, ...]]:
    """The paths of arguments in the configuration of a layer."""
    found: list[tuple[Any, ...]] = []

    def visit(value: Any, path: tuple[Any, ...]) -> None:
        for key, inner in value.items():
            if key in ("name", "trainable", "module", "class_name", "registered_name", "dtype", "build_config"):
                continue
            if isinstance(inner, dict):
                visit(inner, (*path, key))
            elif not isinstance(inner, (str, bool)):
                found.append((*path, key))

    visit(entry["config"], ("config",))
    return found


def _at(model: dict[str, Any], entry: dict[str, Any], place: tuple[Any, ...]) -> Any:
    for key in place:
        entry = entry[key]
    return entry


def _with(model: dict[str, Any], entry: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    result = copy.deepcopy(model)
    inner = result["config"]["layers"][model["config"]["layers"].index(entry)]
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return result


def from_text(config: dict[str, Any]) -> Any:
    """As the immutable face reads it."""
    return model_from_json(json.dumps(config))


def as_objects(config: dict[str, Any]) -> Any:
    """As the drop-in reads it from a file."""
    from jkeras.keras.models import model_from_config

    with allowance.of_file(FILE_SIZE):
        return model_from_config(config)


# -- checking -------------------------------------------------------------------------------------------------------------


def memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def _hangs(number: int, frame: Any) -> None:
    raise TimeoutError("it hangs")


def problem(case: Case) -> str | None:
    """What is wrong with reading it: too much time or memory, or an error that is none of ours."""
    before, start = memory(), time.process_time()
    previous = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(HANGS)
    what = None
    try:
        with warnings.catch_warnings(), untrusted.reading("the file"), allowance.of_file(FILE_SIZE):
            warnings.simplefilter("ignore")  # of NumPy's, of numbers too large for a type
            case.read()
    except errors.JkerasError:
        pass
    except TimeoutError:
        return f"{case.name}: it hangs"
    except Exception as error:  # any other is what this looks for
        what = f"{type(error).__name__}: {error}"[:200]
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)
    seconds, grown = time.process_time() - start, memory() - before
    if seconds > SECONDS or grown > BYTES:
        what = f"{seconds:.1f} s, {grown / 2**20:.0f} MB"
    return what and f"{case.name}: {what}"


def cases(numbers: tuple[float, ...] = NUMBERS) -> Iterator[tuple[str, Case]]:
    """All of them, with the face that reads them."""
    for name, face in faces().items():
        yield from ((name, case) for case in small_cases(face, numbers))
    yield from (("jkeras", case) for case in layer_cases(from_text, numbers))
    yield from (("jkeras.keras", case) for case in layer_cases(as_objects, numbers))


def main() -> int:
    count = wrong = 0
    start = time.monotonic()
    np.random.seed(0)
    chosen = sys.argv[1:] or ["jkeras", "jkeras.keras"]
    for face, case in cases():
        if face not in chosen:
            continue
        found = problem(case)
        count += 1
        if found:
            wrong += 1
            print(face, found, flush=True)
    print(f"{count} cases in {time.monotonic() - start:.0f} s, {wrong} wrong")
    return wrong


if __name__ == "__main__":
    raise SystemExit(min(main(), 1))
