"""Diagrams of models: the right boxes and arrows, well-formed files, boxes that do not cover each other."""

import itertools
import xml.etree.ElementTree as ET

import pytest

import jkeras as jk
import jkeras.keras as keras
from jkeras import errors, layers
from jkeras.plots import diagram, layout


def branching():
    image, extra = jk.Input((8, 8, 1), name="image"), jk.Input((5,), name="extra")
    first = layers.Conv2D(4, 3, padding="same", name="first")(image)
    second = layers.Conv2D(4, 3, padding="same", name="second")(first)
    pooled = layers.GlobalAveragePooling2D(name="pool")(layers.Add(name="add")([first, second]))
    joined = layers.Concatenate(name="join")([pooled, layers.Dense(3, trainable=False, name="frozen")(extra)])
    head = jk.Sequential([layers.Input((7,)), layers.Dense(6, "relu"), layers.Dense(2)], name="head")
    return jk.Model([image, extra], head(joined), name="branching")


def names(picture):
    return {(picture.boxes[a].name, picture.boxes[b].name) for a, b in picture.arrows}


def test_boxes_and_arrows():
    picture = diagram(branching())
    assert names(picture) == {
        ("image", "first"), ("first", "second"), ("first", "add"), ("second", "add"), ("add", "pool"), ("pool", "join"),
        ("extra", "frozen"), ("frozen", "join"), ("join", "head"),
    }  # fmt: skip
    by_name = {box.name: box for box in picture.boxes}
    assert by_name["first"].lines == ("(None, 8, 8, 4)", "40 params")
    assert [by_name[n].trainable for n in ("first", "frozen", "add")] == [True, False, None]


def test_models_inside():
    picture = diagram(branching(), expand_nested=True, show_activations=True, show_dtype=True)
    assert {("join", "head/dense"), ("head/dense", "head/dense_1")} <= names(picture)
    assert "activation: relu" in next(box for box in picture.boxes if box.name == "head/dense").lines


def test_a_model_without_a_graph():
    class Own(jk.Model):
        def __init__(self):
            super().__init__(name="own")
            self.parts = [layers.Dense(2), layers.Dense(1)]

        def call(self, x):
            return self.parts[1](self.parts[0](x))

    assert {a for a, _ in names(diagram(Own().build((None, 3))))} == {"own"}
    assert len(diagram(Own()).boxes) == 3


@pytest.mark.parametrize("direction", ["TB", "LR"])
def test_boxes_stand_apart(direction):
    picture = diagram(branching(), direction=direction)
    placed = layout.arrange(picture)
    for (x, y, w, h), (u, v, a, b) in itertools.combinations(placed.boxes, 2):
        assert abs(x - u) >= (w + a) / 2 - 0.1 or abs(y - v) >= (h + b) / 2 - 0.1
    for x, y, w, h in placed.boxes:
        assert w / 2 <= x <= placed.width - w / 2 and h / 2 <= y <= placed.height - h / 2
    # An arrow over several ranks goes past the boxes between.
    for (source, target), points in zip(picture.arrows, placed.arrows, strict=True):
        for px, py in points[1:-1]:
            inside = [abs(px - x) < w / 2 and abs(py - y) < h / 2 for x, y, w, h in placed.boxes]
            assert not any(inside), (source, target)


def test_files(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))  # no Graphviz
    model = branching()
    starts = {".svg": b"<svg", ".dot": b"digraph", ".mmd": b"flowchart TB", ".png": b"\x89PNG", ".pdf": b"%PDF"}
    for suffix, start in starts.items():
        model.plot(tmp_path / f"model{suffix}")
        assert (tmp_path / f"model{suffix}").read_bytes().startswith(start)
    root = ET.fromstring(model.plot().to_svg())
    assert len([e for e in root.iter() if e.tag.endswith("rect")]) == 1 + len(model.plot().boxes)
    with pytest.raises(errors.ArgumentError, match="model.jpg"):
        model.plot(tmp_path / "model.jpg")
    with pytest.raises(errors.ArgumentError, match="direction"):
        model.plot(direction="down")
    assert "Total params" in model._repr_html_()


def test_names_are_escaped():
    model = jk.Sequential([jk.Input((1,)), layers.Dense(1, name='a<b>"&')])
    ET.fromstring(model.plot().to_svg())
    assert '\\"' in model.plot().to_dot() and "&quot;" in str(model.plot())


def test_keras_names(tmp_path):
    x = keras.Input((3,))
    model = keras.Model(x, keras.layers.Dense(2, activation="relu", name="dense")(x))
    keras.utils.plot_model(model, to_file=tmp_path / "m.svg", show_shapes=True, show_layer_activations=True)
    assert "relu" in (tmp_path / "m.svg").read_text()
    assert "rankdir" in keras.utils.model_to_dot(model, show_trainable=True)


def test_a_terminal_shows_one_line():
    picture = diagram(branching())
    assert repr(picture).startswith("<Diagram 'branching': ") and "\n" not in repr(picture) and len(repr(picture)) < 120
