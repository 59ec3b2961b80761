"""What layers learned from data, which Keras keeps beside the configuration, arrives as arguments of the layers."""

import numpy as np
import pytest

from jkeras.files.adapted import with_arguments


class Beside:
    """What a file of Keras has for a layer: arrays by name, text files by path."""

    def __init__(self, arrays=None, texts=None, place=""):
        self.arrays, self.texts, self.place = arrays or {}, texts or {}, place

    def array(self, name):
        return self.arrays.get(self.place + name)

    def lines(self, name):
        return self.texts.get(self.place + name)

    def inside(self, name):
        return Beside(self.arrays, self.texts, f"{self.place}{name}/")


MOMENTS = {"0": np.float32([1, 2]), "1": np.float32([4, 9]), "2": np.int64(3)}
CASES = {
    "Normalization": (Beside(MOMENTS), {"mean": [1.0, 2.0], "variance": [4.0, 9.0]}),
    "StringLookup": (Beside(texts={"vocabulary.txt": ["b", "a"]}), {"vocabulary": ["b", "a"]}),
    "IntegerLookup": (Beside(texts={"vocabulary.txt": ["7", "5"]}), {"vocabulary": [7, 5]}),
    "TextVectorization": (
        Beside(texts={"_lookup_layer/vocabulary.txt": ["the", "cat"]}),
        {"vocabulary": ["the", "cat"]},
    ),
    "Dense": (Beside(MOMENTS), {}),
}


@pytest.mark.parametrize("name", CASES)
def test_arguments_of_each_class(name):
    beside, learned = CASES[name]
    entry = {"class_name": name, "config": {"name": "it"}}
    assert with_arguments(entry, beside)["config"] == {"name": "it", **learned}
    assert with_arguments(entry, Beside())["config"] == {"name": "it"}
