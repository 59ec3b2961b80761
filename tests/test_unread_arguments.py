"""Each argument of a public function or method is read by it, or by a relative that it is handed to; the others have a reason."""

import ast
import functools
import inspect
from fnmatch import fnmatch
from pathlib import Path

import jkeras as jk
import jkeras.keras
from tests.keras_names import canonical_names, find

ROOT = Path(jk.__file__).parent

# Arguments that nothing reads, by the function or the class that has the method, and why.
NAMES = "arrays have no names, as in Keras on JAX"
ORDER = "the order never depends on threads, and elements are made where they are used"
AS_KERAS = "Keras does not read it either"
HOOK = "subclasses override the method and may read it"
UNREAD = {
    "Dataset.* name": NAMES,
    "Dataset.* deterministic": ORDER,
    "Dataset.map synchronous": ORDER,
    "Dataset.with_options options": "no option of `tf.data` changes what elements there are",
    "backend.get_uid prefix": "names are numbered in each model",
    "ops.moments synchronized": "arrays span all devices",
    "ops.top_k sorted": "the values are always sorted, as in Keras on JAX",
    "ops.unstack num": AS_KERAS,
    "bounding_boxes.compute_ciou image_shape": AS_KERAS,
    "bounding_boxes.pad height": AS_KERAS,
    "bounding_boxes.pad width": AS_KERAS,
    "*.preprocess_input data_format": AS_KERAS,
    "quantizers.get kwargs": AS_KERAS,
    "saving.deserialize_keras_object kwargs": "arguments of older versions, which Keras ignores",
    "Sequential.add rebuild": "a model is built when it is used",
    "Sequential.pop rebuild": "a model is built when it is used",
    "SeedGenerator.next ordered": "every key differs from the others",
    "CallbackList.__init__ add_progbar": "`fit` draws the bar",
    "DTypePolicyMap.from_config custom_objects": AS_KERAS,
    "ExportArchive.add_variable_collection name": "programs include their weights",
    "Variable.__init__ kwargs": AS_KERAS,
    "DataParallel.get_tensor_layout path": "all arrays have one layout",
    "*.build initial_state_shape": AS_KERAS,
    "*.bound_copy scope": "refused: an object of the drop-in has no copies that are bound",
    "*.compute_metrics x": HOOK,
    "*.get_quantization_layer_structure mode": HOOK,
    "*.quantized_build config": "the layer has its configuration already",
    "*.known_output layer": "one function is the method of many classes",
}
OWN = "architectures data distribute plots wrappers".split()


@functools.cache  # and not when tests are collected, which every process does
def syntax():
    """The functions of the package as syntax, by module and qualified name."""
    found = {}

    def visit(node, module, path):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.ClassDef | ast.FunctionDef):
                if isinstance(child, ast.FunctionDef) and "overload" not in map(ast.unparse, child.decorator_list):
                    found[module, ".".join((*path, child.name))] = child
                inner = () if isinstance(child, ast.ClassDef) else ("<locals>",)
                visit(child, module, (*path, child.name, *inner))
            elif not isinstance(child, ast.expr):
                visit(child, module, path)

    for file in ROOT.rglob("*.py"):
        parts = ("jkeras", *file.relative_to(ROOT).with_suffix("").parts)
        visit(ast.parse(file.read_text()), ".".join(parts[:-1] if parts[-1] == "__init__" else parts), ())
    return found


def syntax_of(function):
    function = inspect.unwrap(getattr(function, "__func__", function))
    return syntax().get((getattr(function, "__module__", None), getattr(function, "__qualname__", None)))


def parameters(node):
    every = node.args
    both = (*every.posonlyargs, *every.args, *every.kwonlyargs, every.vararg, every.kwarg)
    return {one.arg for one in both if one is not None and not one.arg.startswith("_")} - {"self", "cls"}


def is_stub(node):
    """Whether a body does nothing, or only refuses."""
    lines = node.body[1:] if ast.get_docstring(node) is not None else node.body
    return all(
        isinstance(line, ast.Pass | ast.Raise)
        or (isinstance(line, ast.Expr) and (isinstance(line.value, ast.Constant) or "_refuse(" in ast.unparse(line)))
        for line in lines
    )


@functools.cache
def unread(node):
    if is_stub(node):
        return frozenset()
    names = [name for line in node.body for name in ast.walk(line) if isinstance(name, ast.Name)]
    return frozenset(parameters(node) - {name.id for name in names if isinstance(name.ctx, ast.Load)})


@functools.cache
def descendants(cls):
    """The class and all that derive from it."""
    return list(dict.fromkeys((cls, *(one for child in type.__subclasses__(cls) for one in descendants(child)))))


def family(cls, name):
    """The definitions of a method in the class, its bases and all their subclasses."""
    home = next(base for base in cls.__mro__ if name in vars(base))
    classes = (*cls.__mro__, *descendants(home))
    definitions = [syntax_of(vars(one)[name]) for one in classes if name in vars(one)]
    return list(dict.fromkeys(one for one in definitions if one is not None))


def unread_in_method(cls, name):
    own = syntax_of(inspect.getattr_static(cls, name))
    if own is None:
        return frozenset()
    # An argument that another definition has is part of a protocol, of which each needs its part.
    protocol = {argument for one in family(cls, name) if one is not own for argument in parameters(one)}
    return unread(own) - protocol


def public_objects():
    """Functions and classes by public name, of both faces."""
    found = {}
    for name in canonical_names():
        for root in ("jkeras", "jkeras.keras"):
            found[name.replace("keras", root, 1)] = find(root, name)
    for space in (jk, *(getattr(jk, name) for name in OWN)):
        found |= {f"{space.__name__}.{name}": getattr(space, name) for name in dir(space) if not name.startswith("_")}
    return {name: value for name, value in found.items() if callable(value)}


@functools.cache
def findings():
    """The arguments that nothing reads, with the public names that have them."""
    found = {}
    for path, value in public_objects().items():
        own = {path: unread(node)} if (node := syntax_of(value)) is not None and not isinstance(value, type) else {}
        if isinstance(value, type):
            names = [name for name in dir(value) if not name.startswith("_") or name in ("__init__", "__call__")]
            own = {f"{path}.{name}": unread_in_method(value, name) for name in names}
        for place, arguments in own.items():
            for argument in arguments:
                found[place, argument] = None
    return list(found)


def reason(place, argument):
    name = ".".join(place.split(".")[-2:])
    return next((pattern for pattern in UNREAD if fnmatch(f"{name} {argument}", pattern)), None)


def test_every_argument_is_read_or_has_a_reason_why_not():
    assert [one for one in findings() if reason(*one) is None] == []


def test_every_reason_is_needed():
    assert {reason(*one) for one in findings()} == set(UNREAD)


def test_arguments_that_nothing_reads_are_found():
    node = ast.parse("def f(a, b, *c, d=1, **e):\n    del b\n    return a + d").body[0]
    assert unread(node) == {"b", "c", "e"}
