"""Every network has Keras's layers and weights: names, order and shapes."""

import pytest

import jkeras.keras as dropin
from jkeras import applications
from jkeras.applications.catalogue import MODULES
from jkeras.graph.operation import Operation
from tests.applications.facts import BARE, cases, facts, key, read

CASES = list(cases())
IDS = [key(*case) for case in CASES]
# The first of each module; the others follow the same rules.
FIRST = {names[0] for names in MODULES.values()}
# As objects: one of each family, and what is made of nested models or has layers of its own.
OBJECTS = [
    ("ConvNeXtTiny", {}),
    ("DenseNet121", {}),
    ("EfficientNetV2B0", {}),
    ("InceptionResNetV2", {}),
    ("MobileNetV3Large", {"alpha": 1.25, "include_preprocessing": False}),
    ("NASNetMobile", {}),
    ("VGG16", {**BARE, "pooling": "avg"}),
]


@pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*case, marks=() if case[0] in FIRST or case[1] else pytest.mark.slow) for case in CASES],
    ids=IDS,
)
def test_values(name, options):
    model = getattr(applications, name)(weights=None, **options)
    layers = [layer.name for layer in model.definition.layers if not isinstance(layer, Operation)]
    ours = facts(layers, ((w.name, w.shape) for w in model.description.weights))
    # Weights have the names of their layers here, without those of scopes.
    assert ours._replace(paths="") == read()[key(name, options)]._replace(paths="")


def test_objects(name, options):
    dropin.utils.clear_session()
    # The largest have 1.4 GB of weights, whose shapes alone count here.
    with dropin.StatelessScope(initialize_variables=False):
        model = getattr(dropin.applications, name)(weights=None, **options)
    ours = facts((layer.name for layer in model.layers), ((w.path, w.shape) for w in model.weights))
    assert ours == read()[key(name, options)]


test_objects = pytest.mark.parametrize(
    ("name", "options"),
    [pytest.param(*case, marks=() if case in OBJECTS else pytest.mark.slow) for case in CASES],
    ids=IDS,
)(test_objects)
