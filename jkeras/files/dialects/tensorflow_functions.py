"""Converts TensorFlow functions in graphs of Keras 2 (`x + y`, `tf.concat`) to functions of `ops`.

Keras 2 wrote each as a layer: `TFOpLambda` and `SlicingOpLambda` name a TensorFlow function, `TensorFlowOpLayer` (2.0 to 2.3) a
node of a TensorFlow graph. The first argument is written separately from the others, which have TensorFlow's names.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from jkeras.errors import RestoreError
from jkeras.files import operations

CLASSES = ("TFOpLambda", "SlicingOpLambda", "TensorFlowOpLayer")

Call = tuple[Any, dict[str, Any]]  # the first argument, and the others by TensorFlow's names


@dataclasses.dataclass(frozen=True)
class Rule:
    """The counterpart of a TensorFlow function.

    Attributes:
        operation: the function in `ops`.
        arguments: TensorFlow's name of an argument -> the name in `ops`, if different.
        defaults: TensorFlow's defaults that differ, by the names in `ops`.
        values: functions that convert values of arguments, by the names in `ops`.
    """

    operation: str
    arguments: Mapping[str, str] = dataclasses.field(default_factory=dict)
    defaults: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    values: Mapping[str, Callable[[Any], Any]] = dataclasses.field(default_factory=dict)


def _rules() -> dict[str, Rule]:
    two = {"y": "x2"}
    rules = {
        name: Rule(operation, two)
        for name, operation in {
            "__operators__.add": "add", "math.add": "add", "add": "add", "math.subtract": "subtract", "subtract": "subtract",
            "math.multiply": "multiply", "multiply": "multiply", "math.truediv": "divide", "math.divide": "divide",
            "divide": "divide", "truediv": "divide", "math.pow": "power", "pow": "power", "math.maximum": "maximum",
            "maximum": "maximum", "math.minimum": "minimum", "minimum": "minimum", "math.greater": "greater",
            "math.greater_equal": "greater_equal", "math.less": "less", "math.less_equal": "less_equal",
            "math.equal": "equal", "__operators__.eq": "equal", "math.not_equal": "not_equal", "__operators__.ne": "not_equal",
            "math.logical_and": "logical_and", "math.logical_or": "logical_or", "math.floordiv": "floor_divide",
            "math.floormod": "mod", "math.mod": "mod", "math.atan2": "arctan2", "math.logical_xor": "logical_xor",
        }.items()
    }  # fmt: skip
    same = {
        "math.abs": "abs", "math.negative": "negative", "math.exp": "exp", "math.log": "log", "math.log1p": "log1p",
        "math.expm1": "expm1", "math.sqrt": "sqrt", "math.rsqrt": "rsqrt", "math.square": "square", "math.sign": "sign",
        "math.sin": "sin", "math.cos": "cos", "math.tan": "tan", "math.asin": "arcsin", "math.acos": "arccos",
        "math.atan": "arctan", "math.sinh": "sinh", "math.cosh": "cosh", "math.tanh": "tanh", "math.asinh": "arcsinh",
        "math.acosh": "arccosh", "math.atanh": "arctanh", "math.sigmoid": "sigmoid", "math.log_sigmoid": "log_sigmoid",
        "math.softplus": "softplus", "math.reciprocal": "reciprocal", "math.floor": "floor", "math.ceil": "ceil",
        "math.round": "round", "math.erf": "erf", "math.is_nan": "isnan", "math.is_finite": "isfinite",
        "math.is_inf": "isinf", "math.logical_not": "logical_not", "math.real": "real", "math.imag": "imag",
        "math.conj": "conj", "nn.relu": "relu", "nn.relu6": "relu6", "nn.elu": "elu", "nn.selu": "selu",
        "nn.silu": "silu", "nn.swish": "silu", "nn.softplus": "softplus", "nn.softsign": "softsign",
        "nn.sigmoid": "sigmoid", "nn.tanh": "tanh", "zeros_like": "zeros_like", "ones_like": "ones_like",
        "identity": "copy", "stop_gradient": "stop_gradient", "cast": "cast", "math.count_nonzero": "count_nonzero",
    }  # fmt: skip
    rules |= {name: Rule(operation) for name, operation in same.items()}
    short = ("abs", "negative", "exp", "sqrt", "square", "sign", "sin", "cos", "tanh", "sigmoid", "round", "floor")
    rules |= {name: rules[f"math.{name}"] for name in short}
    reductions = {"mean": "mean", "sum": "sum", "max": "max", "min": "min", "prod": "prod", "any": "any", "all": "all"}
    reductions |= {"std": "std", "variance": "var", "logsumexp": "logsumexp"}
    for name, operation in reductions.items():
        rules[f"math.reduce_{name}"] = rules[f"reduce_{name}"] = Rule(operation, {"keep_dims": "keepdims"})
    places = Rule("argmax", {"dimension": "axis"}, {"axis": 0})
    rules |= {"math.argmax": places, "argmax": places}
    rules |= {
        name.replace("max", "min"): dataclasses.replace(places, operation="argmin")
        for name in ("math.argmax", "argmax")
    }
    return rules | {
        "clip_by_value": Rule("clip", {"clip_value_min": "x_min", "clip_value_max": "x_max"}),
        "where": Rule("where", {"x": "x1", "y": "x2"}),
        "concat": Rule("concatenate"),
        "stack": Rule("stack"),
        "expand_dims": Rule("expand_dims", {"dim": "axis"}),
        "squeeze": Rule("squeeze", {"squeeze_dims": "axis"}),
        "reshape": Rule("reshape", {"shape": "newshape"}),
        "transpose": Rule("transpose", {"perm": "axes"}),
        "tile": Rule("tile", {"multiples": "repeats"}),
        "repeat": Rule("repeat"),
        "pad": Rule("pad", {"paddings": "pad_width"}, values={"mode": str.lower}),
        "gather": Rule("take", defaults={"axis": 0}),
        "norm": Rule("norm", values={"ord": lambda order: None if order == "euclidean" else order}),
        "math.l2_normalize": Rule("normalize", defaults={"axis": None, "epsilon": 1e-12}, values={"epsilon": lambda e: e**0.5}),
        "reverse": Rule("flip"),
        "split": Rule("split", {"num_or_size_splits": "indices_or_sections"}, values={"indices_or_sections": lambda s: _ends(s)}),
        "unstack": Rule("unstack"),
        "math.cumsum": Rule("cumsum", defaults={"axis": 0}),
        "math.cumprod": Rule("cumprod", defaults={"axis": 0}),
        "one_hot": Rule("one_hot", {"depth": "num_classes"}, {"dtype": "float32"}),
        "nn.softmax": Rule("softmax"),
        "nn.log_softmax": Rule("log_softmax"),
        "nn.leaky_relu": Rule("leaky_relu", {"alpha": "negative_slope"}, {"negative_slope": 0.2}),
        "nn.gelu": Rule("gelu", defaults={"approximate": False}),
        "math.top_k": Rule("top_k", defaults={"k": 1}),
        "sort": Rule("sort"),
        "argsort": Rule("argsort"),
        "broadcast_to": Rule("broadcast_to"),
        "tensordot": Rule("tensordot", {"b": "x2"}),
        "linalg.matmul": Rule("matmul", {"b": "x2"}),
        "image.resize": Rule("image.resize", {"method": "interpolation"}),
        "nn.depth_to_space": Rule("depth_to_space"),
        "nn.space_to_depth": Rule("space_to_depth"),
    }  # fmt: skip


def _ends(sections: Any) -> Any:
    """Converts the sizes of parts, as in TensorFlow, to the split indices of `ops`."""
    if not isinstance(sections, list):
        return sections
    if any(size < 0 for size in sections):
        raise RestoreError("A part of `tf.split` with the size -1")
    return [sum(sections[: i + 1]) for i in range(len(sections) - 1)]


RULES = _rules()
# Aliases.
for _name in (
    "transpose",
    "squeeze",
    "pad",
    "gather",
    "norm",
    "expand_dims",
    "image.resize",
    "reduce_mean",
    "reduce_sum",
):
    RULES[f"compat.v1.{_name}"] = RULES[_name]
RULES |= {"matmul": RULES["linalg.matmul"], "math.softmax": RULES["nn.softmax"], "linalg.norm": RULES["norm"]}
RULES |= {"nn.l2_normalize": RULES["math.l2_normalize"], "linalg.l2_normalize": RULES["math.l2_normalize"]}


@dataclasses.dataclass(frozen=True)
class Node:
    """A node type of TensorFlow graphs.

    Attributes:
        function: the TensorFlow function that it computes.
        inputs: the names of its inputs after the first.
        attributes: a mapping from attribute to argument.
        listed: the number of last inputs that are not part of the list in the first argument; None if that is not a list.
    """

    function: str
    inputs: tuple[str, ...] = ()
    attributes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    listed: int | None = None


_MASKS = ("begin", "end", "ellipsis", "new_axis", "shrink_axis")
_KEEP = {"keep_dims": "keepdims"}
NODES: dict[str, Node] = {
    **{
        kind: Node(function, ("y",))
        for kind, function in {
            "Add": "math.add", "AddV2": "math.add", "Sub": "math.subtract", "Mul": "math.multiply", "RealDiv": "math.truediv",
            "Div": "math.truediv", "Pow": "math.pow", "Maximum": "math.maximum", "Minimum": "math.minimum",
            "Greater": "math.greater", "GreaterEqual": "math.greater_equal", "Less": "math.less",
            "LessEqual": "math.less_equal", "Equal": "math.equal", "NotEqual": "math.not_equal",
            "LogicalAnd": "math.logical_and", "LogicalOr": "math.logical_or", "FloorDiv": "math.floordiv",
            "FloorMod": "math.floormod",
        }.items()
    },
    **{
        kind: Node(function)
        for kind, function in {
            "Abs": "math.abs", "Neg": "math.negative", "Exp": "math.exp", "Log": "math.log", "Log1p": "math.log1p",
            "Sqrt": "math.sqrt", "Rsqrt": "math.rsqrt", "Square": "math.square", "Sign": "math.sign", "Sin": "math.sin",
            "Cos": "math.cos", "Tanh": "math.tanh", "Sigmoid": "math.sigmoid", "Softplus": "math.softplus",
            "Softsign": "nn.softsign", "Relu": "nn.relu", "Relu6": "nn.relu6", "Elu": "nn.elu", "Selu": "nn.selu",
            "Softmax": "nn.softmax", "LogSoftmax": "nn.log_softmax", "Floor": "math.floor", "Ceil": "math.ceil",
            "Round": "math.round", "LogicalNot": "math.logical_not", "Identity": "identity", "StopGradient": "stop_gradient",
        }.items()
    },
    **{
        kind: Node(f"math.reduce_{kind.lower()}", ("axis",), _KEEP)
        for kind in ("Mean", "Sum", "Max", "Min", "Prod", "Any", "All")
    },
    "ConcatV2": Node("concat", ("axis",), listed=1),
    "Pack": Node("stack", (), {"axis": "axis"}, listed=0),
    "Reshape": Node("reshape", ("shape",)),
    "ExpandDims": Node("expand_dims", ("axis",)),
    "Squeeze": Node("squeeze", (), {"squeeze_dims": "axis"}),
    "Transpose": Node("transpose", ("perm",)),
    "Tile": Node("tile", ("multiples",)),
    "GatherV2": Node("gather", ("indices", "axis")),
    "Select": Node("where", ("x", "y")),
    "SelectV2": Node("where", ("x", "y")),
    "Cast": Node("cast", (), {"DstT": "dtype"}),
    "ArgMax": Node("math.argmax", ("axis",)),
    "ArgMin": Node("math.argmin", ("axis",)),
    "MatMul": Node("linalg.matmul", ("b",), {"transpose_a": "transpose_a", "transpose_b": "transpose_b"}),
    **{
        kind: Node("linalg.matmul", ("b",), {"adj_x": "transpose_a", "adj_y": "transpose_b"})
        for kind in ("BatchMatMul", "BatchMatMulV2")
    },
    "LeakyRelu": Node("nn.leaky_relu", (), {"alpha": "alpha"}),
    "ClipByValue": Node("clip_by_value", ("clip_value_min", "clip_value_max")),
    "StridedSlice": Node("__operators__.getitem", ("begin", "end", "strides"), {
        f"{mask}_mask": f"{mask}_mask" for mask in _MASKS}),
}  # fmt: skip


def is_function(entry: Mapping[str, Any]) -> bool:
    """Whether an entry of a model's layers is a TensorFlow function."""
    return entry.get("class_name") in CLASSES


def entries(entry: Mapping[str, Any], calls: Sequence[Call]) -> list[dict[str, Any]]:
    """The entries in the form of Keras 3 for a TensorFlow function: one or more operations that compute the same.

    Args:
        entry: the layer.
        calls: the calls of the layer.

    Raises:
        RestoreError: the function or one of its arguments has no counterpart.
    """
    config = entry.get("config")
    name = entry.get("name") or (config.get("name") if isinstance(config, Mapping) else None)
    steps = _Steps(str(name))
    try:
        for call in calls:
            steps.call(*_function(config if isinstance(config, Mapping) else {}, call))
    except (RestoreError, TypeError, KeyError, ValueError, AttributeError) as error:
        raise RestoreError(
            f"The layer {name!r} applies a TensorFlow function in a way that is not supported: {error}."
            f" Build the model in code, with functions of `ops`, and use `load_weights`."
        ) from None
    return steps.entries


def _function(config: Mapping[str, Any], call: Call) -> tuple[str, Any, dict[str, Any]]:
    if "node_def" not in config:
        return str(config.get("function")), *call
    node = config["node_def"]
    kind = NODES.get(node["op"]) if isinstance(node, Mapping) else None
    if kind is None:
        raise RestoreError(f"the node {node!r}"[:300])
    inputs = list(call[0]) if isinstance(call[0], list) else [call[0]]
    for index, value in sorted(config.get("constants", {}).items(), key=lambda item: int(item[0])):
        inputs.insert(int(index), value)
    attributes = node.get("attr", {})
    kwargs = {kind.attributes[key]: _attribute(attributes[key]) for key in kind.attributes if key in attributes}
    if kind.listed is not None:
        cut = len(inputs) - kind.listed
        inputs = [inputs[:cut], *inputs[cut:]]
    return kind.function, inputs[0], kwargs | dict(zip(kind.inputs, inputs[1:], strict=True))


_TYPES = {"DT_FLOAT": "float32", "DT_HALF": "float16", "DT_DOUBLE": "float64", "DT_BFLOAT16": "bfloat16", "DT_INT32": "int32",
          "DT_INT64": "int64", "DT_BOOL": "bool", "DT_INT8": "int8", "DT_UINT8": "uint8"}  # fmt: skip


def _attribute(written: Mapping[str, Any]) -> Any:
    """The value of a node's attribute in the JSON form of protocol buffers."""
    if "type" in written:
        return _TYPES[written["type"]]
    if "list" in written:
        return [int(number) for number in written["list"].get("i", [])] or None
    return int(written["i"]) if "i" in written else next(iter(written.values()), None)


class _Steps:
    """The operations that replace one TensorFlow function."""

    def __init__(self, name: str):
        self.name = name
        self.entries: list[dict[str, Any]] = []
        self._last: dict[str, Any] | None = None

    def call(self, function: str, first: Any, kwargs: dict[str, Any]) -> None:
        """Adds an application of a function."""
        kwargs = {key: value for key, value in kwargs.items() if key != "name"}
        if function == "__operators__.getitem":
            self._apply("getitem", [first, _slices(kwargs)], {})
            return
        rule = RULES.get(function)
        if rule is None:
            raise RestoreError(f"`tf.{function}`")
        if rule.operation == "matmul":
            first, kwargs = self._matrices(first, kwargs)
        options = {rule.arguments.get(key, key): value for key, value in kwargs.items()}
        known = _parameters(rule.operation)
        unknown = {key: value for key, value in options.items() if key not in known and value not in (None, False, 0)}
        if unknown:
            raise RestoreError(f"`tf.{function}` with {', '.join(f'{k}={v!r}' for k, v in unknown.items())}"[:300])
        options = {key: value for key, value in options.items() if key in known and value is not None}
        options = {**rule.defaults, **options}
        options = {key: rule.values[key](value) if key in rule.values else value for key, value in options.items()}
        # A list of numbers that is combined with a tensor is one tensor, not a list of several.
        arrays = {key: _constant(v) for key, v in options.items() if key in ("x1", "x2", "indices")}
        self._apply(rule.operation, [_constant(first) if "x1" in known else first], {**options, **arrays})

    def _matrices(self, first: Any, kwargs: dict[str, Any]) -> tuple[Any, dict[str, Any]]:
        for side in ("a", "b"):
            flags = [kwargs.pop(f"{kind}_{side}", False) for kind in ("transpose", "adjoint")]
            if any(flags) and side == "a":
                first = self._before("swapaxes", first)
            elif any(flags):
                kwargs["b"] = self._before("swapaxes", kwargs["b"])
        return first, kwargs

    def _before(self, operation: str, tensor: Any) -> dict[str, Any]:
        name = f"{self.name}.{len(self.entries)}"
        self.entries.append(_entry(operation, name, [tensor], {"axis1": -1, "axis2": -2}))
        return {"class_name": "__keras_tensor__", "config": {"keras_history": [name, 0, 0]}}

    def _apply(self, operation: str, args: list[Any], kwargs: dict[str, Any]) -> None:
        entry = _entry(operation, self.name, args, kwargs)
        if self._last is None:
            self.entries.append(entry)
            self._last = entry
        elif self._last["config"] == entry["config"]:
            self._last["inbound_nodes"] += entry["inbound_nodes"]
        else:
            raise RestoreError("several applications with different arguments")


def _entry(operation: str, name: str, args: list[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    configured, args, kwargs = operations.part(operation, _functions()[operation], args, kwargs)
    module, class_name = operations.place(operation, configured)
    return {
        "module": module,
        "class_name": class_name,
        "registered_name": class_name,
        "name": name,
        "config": {"name": name, **configured},
        "inbound_nodes": [{"args": args, "kwargs": kwargs}],
    }


def _parameters(operation: str) -> list[str]:
    return operations.parameters(_functions()[operation])


def _functions() -> Mapping[str, Callable[..., Any]]:
    from jkeras.ops.table import FUNCTIONS  # hundreds of functions, loaded when the first is used

    return FUNCTIONS


def _constant(value: Any) -> Any:
    if not isinstance(value, list) or any(isinstance(part, Mapping) for part in value):
        return value
    text = str(value)
    dtype = "float32" if "." in text or "e" in text else "int32"
    return {"class_name": "__numpy__", "config": {"value": value, "dtype": dtype}}


def _slices(kwargs: Mapping[str, Any]) -> list[Any]:
    """The index in `x[...]`."""
    if "strides" in kwargs:
        return _strided(kwargs)
    spec = kwargs["slice_spec"]
    return [_slice(part) for part in (spec if isinstance(spec, list) else [spec])]


def _slice(part: Any) -> Any:
    if isinstance(part, Mapping) and {"start", "stop"} & set(part):
        config = {key: part.get(key) for key in ("start", "stop", "step")}
        if any(isinstance(end, (Mapping, list)) for end in config.values()):
            raise RestoreError("a slice with computed bounds")
        return {"class_name": "__slice__", "config": config}
    if isinstance(part, Mapping) and part.get("class_name") == "__ellipsis__":
        return {"class_name": "__ellipsis__", "config": {}}
    return part


def _strided(kwargs: Mapping[str, Any]) -> list[Any]:
    """The index of a node, whose masks have a bit per axis."""

    def bit(mask: str, axis: int) -> bool:
        return bool(int(kwargs.get(f"{mask}_mask") or 0) >> axis & 1)

    parts: list[Any] = []
    for axis, (begin, end, step) in enumerate(zip(kwargs["begin"], kwargs["end"], kwargs["strides"], strict=True)):
        if bit("ellipsis", axis):
            parts.append({"class_name": "__ellipsis__", "config": {}})
        elif bit("new_axis", axis):
            parts.append(None)
        elif bit("shrink_axis", axis):
            parts.append(begin)
        else:
            start, stop = (None if bit("begin", axis) else begin), (None if bit("end", axis) else end)
            parts.append({"class_name": "__slice__", "config": {"start": start, "stop": stop, "step": step}})
    return parts
