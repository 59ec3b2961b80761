"""The docstrings of the networks: every argument is described, and the examples run."""

import doctest
import inspect

import pytest

from jkeras import applications
from jkeras.applications import imagenet_utils, signatures
from jkeras.applications.catalogue import HOMES, MODULES
from jkeras.applications.docstrings import ARGUMENTS
from jkeras.keras import StatelessScope
from jkeras.keras import applications as objects
from jkeras.values.docstrings import described, parse


def run(function):
    examples = doctest.DocTestParser().get_examples(function.__doc__)
    test = doctest.DocTest(examples, {}, function.__name__, None, None, function.__doc__)
    assert examples and not doctest.DocTestRunner().run(test).failed


@pytest.mark.parametrize("name", HOMES)
def test_examples_are_the_same_on_both_faces(name):
    """Doctests run those of values."""
    values, on_objects = (
        doctest.DocTestParser().get_examples(getattr(face, name).__doc__) for face in (applications, objects)
    )
    assert len(values) > 2
    assert [(e.source.replace("jkeras.keras", "jkeras"), e.want) for e in on_objects] == [
        (e.source, e.want) for e in values
    ]


@pytest.mark.parametrize("name", ["caffe", "tf", "torch", "none"])
def test_examples_of_preprocessing(name):
    run(getattr(imagenet_utils, f"preprocess_{name}"))


# The smallest of each module.
@pytest.mark.parametrize("name", sorted({names[0] for names in MODULES.values()}))
def test_examples_on_objects(name):
    with StatelessScope(initialize_variables=False):  # their shapes alone count
        run(getattr(objects, name))


@pytest.mark.parametrize("name", HOMES)
def test_every_argument_is_described(name):
    for face in (applications, objects):
        network = getattr(face, name)
        sections = parse(inspect.getdoc(network))
        assert list(described(sections, "Args")) == list(inspect.signature(network).parameters)


def test_no_description_without_an_argument():
    protocols = [value for name, value in vars(signatures).items() if name.endswith("Network")]
    names = {name for protocol in protocols for name in signatures.signature_of(protocol, None).parameters}
    assert names == set(ARGUMENTS)
