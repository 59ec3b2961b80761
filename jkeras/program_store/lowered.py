"""Lowered programs as parts of others: StableHLO in MLIR's byte code, called like a function while JAX traces.

`jax.export` serialises programs, too, for other versions of JAX. What it calls gives arrays that are bound to a device, for
which JAX compiles every other program again, and reading it takes longer. Here the versions are the same.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
from jax.extend.core import Primitive
from jax.extend.mlir import ir
from jax.extend.mlir.dialects import func
from jax.interpreters import mlir

from jkeras.program_store.errors import NotPortableError

# Shape, name of the type, and whether it is weak.
Described = list[Any]


class Lowered:
    """A lowered program: a function from a flat list of arrays to another.

    Args:
        name: of the function in programs that call it.
        code: MLIR's byte code of a module.
        results: what the results are.
        specs: what the arguments are.

    Raises:
        NotPortableError: a result has a type that no argument has, and that has no name.
    """

    def __init__(self, name: str, code: bytes, results: Sequence[Described], specs: Sequence[Any]):
        self.name = name
        self.code = code
        self.results = list(results)
        known = {str(spec.dtype): spec.dtype for spec in specs}
        self.avals = [
            jax.core.ShapedArray(tuple(shape), known[dtype] if dtype in known else _dtype(dtype), weak_type=weak)
            for shape, dtype, weak in results
        ]

    def __call__(self, *arrays: Any) -> Any:
        """The results for arrays, in a program that is being traced."""
        return lowered_p.bind(*arrays, program=self)


def lowered(name: str, traced: Any, specs: Sequence[Any]) -> Lowered:
    """The program of a function that `jax.jit(..., keep_unused=True).trace(*specs)` has traced.

    Raises:
        NotPortableError: it has effects, or contains what is only in this process.
    """
    if traced.jaxpr.effects:
        raise NotPortableError("it has effects")
    module = traced.lower().compiler_ir(dialect="stablehlo")
    code = mlir.module_to_bytecode(module)
    if any(word in code for word in IN_THIS_PROCESS):
        raise NotPortableError("it calls what is only in this process")
    results = [[list(aval.shape), str(aval.dtype), bool(aval.weak_type)] for aval in traced.jaxpr.out_avals]
    return Lowered(name, code, results, specs)


@functools.lru_cache(maxsize=1)
def works() -> bool:
    """Whether this version of JAX can do it: a small program is lowered, called by another, and lowered with it."""
    spec = jax.ShapeDtypeStruct((), jnp.float32)
    try:
        program = lowered("works", jax.jit(lambda x: [x + 1], keep_unused=True).trace(spec), [spec])
        jax.jit(lambda x: program(x)).trace(spec).lower()
    except Exception:  # then programs are traced, as ever
        return False
    return True


# Targets of calls from programs into Python, by address.
IN_THIS_PROCESS = (b"xla_python", b"xla_ffi_python", b"xla_ffi_partitioned_python")


def _dtype(name: str) -> Any:
    try:
        return jnp.dtype(name)
    except TypeError as error:
        raise NotPortableError(f"no argument is of type {name}") from error


def _lower(ctx: mlir.LoweringRuleContext, *arrays: Any, program: Lowered) -> Any:
    outer = ctx.module_context
    module = ir.Module.parse(program.code, outer.context)
    main: Any = ir.SymbolTable(module.operation)["main"]
    name = mlir.merge_mlir_modules(outer.module, program.name, module, outer.symbol_table)
    return func.CallOp(main.type.results, ir.FlatSymbolRefAttr.get(name), mlir.flatten_ir_values(arrays)).results


lowered_p = Primitive("lowered")
lowered_p.multiple_results = True
lowered_p.def_abstract_eval(lambda *_, program: program.avals)
mlir.register_lowering(lowered_p, _lower)
