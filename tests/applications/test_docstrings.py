"""The docstrings of the networks: every argument is described, and the examples run."""

import doctest
import inspect

import pytest

from jkeras import applications
from jkeras.applications import imagenet_utils, signatures
from jkeras.applications.catalogue import HOMES
from jkeras.applications.docstrings import ARGUMENTS
from jkeras.keras import applications as objects
from jkeras.values.docstrings import described, parse


def run(function):
    examples = doctest.DocTestParser().get_examples(function.__doc__)
    test = doctest.DocTest(examples, {}, function.__name__, None, None, function.__doc__)
    assert examples and not doctest.DocTestRunner().run(test).failed


@pytest.mark.parametrize("name", HOMES)
def test_examples_of_networks(name):
    run(getattr(applications, name))


@pytest.mark.parametrize("name", ["caffe", "tf", "torch", "none"])
def test_examples_of_preprocessing(name):
    run(getattr(imagenet_utils, f"preprocess_{name}"))


def test_an_example_of_a_drop_in_network():
    run(objects.MobileNet)


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
