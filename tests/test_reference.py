"""The reference has an entry for every public name, and docstrings say what users need."""

import functools
import inspect
import re

import pytest

import jkeras as jk
from jkeras.ops.table import PUBLIC
from jkeras.values.docstrings import described, parse
from scripts.reference import names, pages
from scripts.reference.entry import members


@functools.cache
def site():
    return pages.pages()


def test_every_public_name_has_an_anchor():
    anchors = set().union(*map(pages.anchors, site().values()))
    assert not set(names.public_paths()) - anchors


def test_anchors_are_unique_and_links_lead_to_pages():
    for path, markdown in site().items():
        found = re.findall(r"\{ #([\w.]+) \}|<a id=\"([\w.]+)\">", markdown)
        assert len(found) == len(set(found)), path
        for file in re.findall(r"\]\((\w+\.md)\)", markdown):
            assert f"{path.rpartition('/')[0]}/{file}" in site()


def test_every_page_is_in_the_navigation_once():
    listed = re.findall(r"'(reference/[^']+\.md)'", repr(pages.navigation()))
    assert sorted(listed) == sorted(site())


def test_an_entry_has_types_and_real_defaults():
    page = site()["reference/layers/LSTM.md"]
    assert "**`units`**" in page and "(`int`, required)" in page and 'default `"tanh"`' in page
    assert page.count("required") == 1
    page = site()["reference/callbacks/EarlyStopping.md"].partition("\n## ")[0]
    assert "required" not in page and "(`int`, default `0`)" in page


# Classes and functions of these namespaces say everything; what a function of targets and predictions needs too.
COMPLETE = ("layers", "losses", "metrics", "optimizers", "optimizers.schedules", "callbacks")
COMPLETE += ("initializers", "regularizers", "constraints", "activations", "random", "tree", "saving")
COMPLETE += ("models", "dtype_policies", "distribution", "distribute")
WITH_SHAPES = ("layers", "losses", "metrics")
# Mostly raise nothing of their own.
WITHOUT_ERRORS = ("initializers", "regularizers", "constraints", "activations", "random")
# Raise nothing of their own.
HARMLESS = {"Callback", "CSVLogger", "History", "ProgbarLogger", "RemoteMonitor", "OptimizerState", "MAP_TO_NONE"}
# What functions return, what is abstract, and what needs files or processes that an example lacks.
WITHOUT_EXAMPLE = {"Plan", "initialize", "KerasFileEditor"}
HARMLESS |= WITHOUT_EXAMPLE | {"Placement", "Strategy"}


def missing(namespace, value):
    """What the docstring of a public object lacks."""
    sections = parse(inspect.getdoc(value))
    titles = {section.title for section in sections}
    texts = {name.lstrip("*") for title in ("Args", "Attributes") for name in described(sections, title)}
    parameters = set(inspect.signature(value).parameters)
    of_samples = {"y_true", "y_pred"} <= parameters
    full = inspect.isclass(value) or of_samples
    yield from sorted(parameters - texts)
    if "example" not in titles and value.__name__ not in WITHOUT_EXAMPLE:
        yield "example"
    if "Raises" not in titles and full and namespace not in WITHOUT_ERRORS and value.__name__ not in HARMLESS:
        yield "Raises"
    if "Shapes" not in titles and full and namespace in WITH_SHAPES and value.__name__ != "check_targets":
        yield "Shapes"


@pytest.mark.parametrize("namespace", COMPLETE)
def test_docstrings_are_complete(namespace):
    lacking = {}
    for entry in names.entries()[f"jkeras.{namespace}"]:
        if inspect.isclass(entry.value) or inspect.isfunction(entry.value):
            lacking[entry.path] = list(missing(namespace, entry.value))
    assert not {path: names for path, names in lacking.items() if names}


def test_users_classes_keep_their_docstrings():
    class Documented(jk.Layer):
        """Only this."""

    class Silent(jk.Layer):
        pass

    assert Documented.__doc__ == "Only this." and Silent.__doc__ is None


# Each needs what an example lacks: a download, a package beside the tests' own, a process to change, other processes.
NO_EXAMPLE = WITHOUT_EXAMPLE | {"load_data", "get_word_index", "decode_predictions", "search", "as_keras"}


def functions_and_classes():
    for namespace, group in names.entries().items():
        for entry in group:
            if namespace != "jkeras.errors" and (inspect.isclass(entry.value) or inspect.isfunction(entry.value)):
                yield entry


def test_every_argument_is_described():
    """Of everything public; `missing` asks more of some namespaces."""
    lacking = {}
    for entry in functions_and_classes():
        sections = parse(inspect.getdoc(entry.value))
        texts = {n.lstrip("*") for title in ("Args", "Attributes") for n in described(sections, title)}
        lacking[entry.path] = [name for name in inspect.signature(entry.value).parameters if name not in texts]
    assert not {path: arguments for path, arguments in lacking.items() if arguments}


def test_everything_has_an_example():
    lacking = {entry.path for entry in functions_and_classes() if ">>> " not in (inspect.getdoc(entry.value) or "")}
    assert {path.rpartition(".")[2] for path in lacking} <= NO_EXAMPLE


# Classes whose methods describe every argument, and the methods that are for jkeras's own code.
METHODS_COMPLETE = ("jkeras.Model", "jkeras.Sequential", "jkeras.Ensemble", "jkeras.History", "jkeras.data.Dataset")
OF_THE_MACHINERY = {"check_task", "in_step", "known_weights"}


@pytest.mark.parametrize("path", METHODS_COMPLETE)
def test_methods_describe_every_argument(path):
    (cls,) = (entry.value for entry in functions_and_classes() if entry.path == path)
    lacking = {}
    for name, member in members(cls):
        if inspect.isfunction(member) and name not in OF_THE_MACHINERY:
            texts = {n.lstrip("*") for n in described(parse(inspect.getdoc(member)), "Args")}
            lacking[name] = set(inspect.signature(member).parameters) - texts - {"self"}
    assert lacking and not {name: arguments for name, arguments in lacking.items() if arguments}


# Operations that never enter a graph, and raise nothing of their own.
PLAIN = set("shape vectorize convert_to_numpy custom_gradient dtype is_tensor jvp".split())


def test_operations_have_an_example():
    """Doctest runs them: `jkeras.ops` hands it every operation."""
    assert not {name for name, function in PUBLIC.items() if ">>> " not in (function.__doc__ or "")}


def test_operations_name_their_errors():
    for name, function in PUBLIC.items():
        assert name in PLAIN or "Raises" in {section.title for section in parse(inspect.getdoc(function))}
