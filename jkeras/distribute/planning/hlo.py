"""What a compiled program does, read from its text: operations, bytes, collectives, calls to the host.

XLA's own count takes the body of a loop once, however often it runs. Here it counts as often as the program says, where it says
so: a loop over layers or time steps has a known number of rounds.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import math
import re
from collections.abc import Iterator, Mapping

BYTES = {"pred": 1, "s4": 0.5, "u4": 0.5, "s8": 1, "u8": 1, "s16": 2, "u16": 2, "f16": 2, "bf16": 2, "s32": 4, "u32": 4}
BYTES |= {"f32": 4, "s64": 8, "u64": 8, "f64": 8, "c64": 8, "c128": 16, "token": 0}
COLLECTIVES = ("all-reduce", "all-gather", "reduce-scatter", "all-to-all", "collective-permute", "ragged-all-to-all")
# Instructions that move nothing: names for values, and those whose work is in what they call.
FREE = {
    *("parameter", "constant", "tuple", "get-tuple-element", "bitcast", "after-all", "partition-id", "replica-id"),
    *("while", "call", "conditional", "opt-barrier", "async-start", "async-update", "async-done", "copy-done"),
}
HOST_CALLS = re.compile(r"callback|xla_python|xla_ffi_python", re.IGNORECASE)

_HEAD = re.compile(r"^(ENTRY )?%?([\w.\-]+) (?:\(.*)?.*\{$")
_INSTRUCTION = re.compile(r"^\s+(ROOT )?%?([\w.\-]+) = (.*?) ([a-z][\w\-]*)\((.*)$")
_SHAPE = re.compile(r"\b([a-z]+\d*(?:e\d+m\d+\w*)?)\[([\d,]*)\](?:\{([^}]*)\})?")
_TILE = re.compile(r":T\(([\d,]+)\)")
_CYCLES = re.compile(r'"estimated_cycles":"(\d+)"')
_NAME = re.compile(r"%([\w.\-]+)")


@dataclasses.dataclass(frozen=True)
class Instruction:
    """One line of a computation."""

    name: str
    type: str
    kind: str
    operands: tuple[str, ...]
    rest: str
    root: bool

    @functools.cached_property
    def shapes(self) -> list[tuple[str, tuple[int, ...]]]:
        """Element type and sizes of the result, or of its parts."""
        return shapes_of(self.type)

    @functools.cached_property
    def nbytes(self) -> float:
        """Bytes of the result."""
        return sum(BYTES.get(dtype, 1) * math.prod(shape) for dtype, shape in self.shapes)

    @functools.cached_property
    def places(self) -> list[tuple[float, bool]]:
        """Of the result, or of its parts: bytes as they lie in tiles, and whether they lie in the device's memory.

        What does not stays on the chip.
        """
        return [
            (BYTES.get(dtype, 1) * _tiled(tuple(map(int, filter(None, sizes.split(",")))), layout), "S(" not in layout)
            for dtype, sizes, layout in _SHAPE.findall(self.type)
        ]

    def parts(self, on_chip: bool = False) -> list[float]:
        """Bytes of the result's parts in the device's memory; with `on_chip`, also of those that stay on the chip."""
        return [nbytes if in_memory or on_chip else 0.0 for nbytes, in_memory in self.places]

    @functools.cached_property
    def stored(self) -> float:
        """Bytes of the result in the device's memory."""
        return sum(self.parts())

    @functools.cached_property
    def held(self) -> float:
        """Bytes of the result, in the device's memory or on the chip."""
        return sum(self.parts(on_chip=True))

    @property
    def cycles(self) -> int:
        """What the TPU's compiler expects it to take; 0 where it says nothing."""
        match = _CYCLES.search(self.rest)
        return int(match[1]) if match else 0

    def size(self, on_chip: bool) -> float:
        """`held` or `stored`."""
        return self.held if on_chip else self.stored

    def attribute(self, name: str) -> str:
        """What stands behind `name=`: a word, or a list in braces without them; empty if there is no such attribute."""
        match = re.search(rf"\b{name}=(?:\{{([^}}]*)\}}|([^,\s]+))", self.rest)
        return (match[1] or match[2] or "") if match else ""

    def called(self, *names: str) -> list[str]:
        """The computations that are called under these names."""
        return [n.strip().lstrip("%") for name in names for n in self.attribute(name).split(",") if n.strip()]


def shapes_of(text: str) -> list[tuple[str, tuple[int, ...]]]:
    """The element types and sizes in a type.

    >>> shapes_of("(f32[4,8]{1,0:T(8,128)}, s32[])")
    [('f32', (4, 8)), ('s32', ())]
    """
    return [(kind, tuple(map(int, filter(None, sizes.split(","))))) for kind, sizes, _ in _SHAPE.findall(text)]


def _tiled(shape: tuple[int, ...], layout: str) -> int:
    """The number of elements of an array whose last axes, in the order in which they lie, are filled up to tiles.

    >>> _tiled((100, 100), "1,0:T(8,128)"), _tiled((100, 100), "")
    (13312, 10000)
    """
    tile = _TILE.search(layout)
    if not tile or not shape:
        return math.prod(shape)
    sizes = list(shape)
    order = [int(axis) for axis in layout.split(":")[0].split(",") if axis]
    for axis, step in zip(order, reversed([int(size) for size in tile[1].split(",")]), strict=False):
        sizes[axis] += -sizes[axis] % step
    return math.prod(sizes)


@dataclasses.dataclass(frozen=True)
class Collective:
    """Operations between devices of one kind in one step.

    Attributes:
        kind: `all-reduce`, `all-gather`, ...
        count: how many.
        nbytes: the size of all their results, on one device.
        sent: bytes that one device sends if they run as rings.
    """

    kind: str
    count: int
    nbytes: float
    sent: float

    def times(self, rounds: int) -> Collective:
        """The same so many times."""
        return Collective(self.kind, rounds * self.count, rounds * self.nbytes, rounds * self.sent)

    def plus(self, other: Collective) -> Collective:
        """Both together."""
        return Collective(self.kind, self.count + other.count, self.nbytes + other.nbytes, self.sent + other.sent)


@dataclasses.dataclass(frozen=True)
class Cost:
    """What a program does on one device.

    Attributes:
        flops: operations of products and convolutions.
        nbytes: bytes that its instructions move to and from the device's memory.
        touched: bytes that they read and write, there or on the chip.
        collectives: by kind.
        cycles: of the chip's clock, as the TPU's compiler estimates them; 0 where a compiler says nothing of them.
    """

    flops: float = 0.0
    nbytes: float = 0.0
    touched: float = 0.0
    collectives: tuple[Collective, ...] = ()
    cycles: int = 0

    def plus(self, other: Cost, times: int = 1) -> Cost:
        """Both together, the other so many times."""
        kinds = {each.kind: each for each in self.collectives}
        for each in other.collectives:
            repeated = each.times(times)
            kinds[each.kind] = kinds[each.kind].plus(repeated) if each.kind in kinds else repeated
        return Cost(
            self.flops + times * other.flops,
            self.nbytes + times * other.nbytes,
            self.touched + times * other.touched,
            tuple(kinds.values()),
            self.cycles + times * other.cycles,
        )


class Module:
    """A compiled program.

    Args:
        text: as `compiled.as_text()` gives it.
        devices: over how many it runs, for collectives that do not say among how many.
    """

    def __init__(self, text: str, devices: int = 1):
        self.text = text
        self.devices = devices
        self.computations: dict[str, dict[str, Instruction]] = {}
        self.entry = ""
        for instruction, computation, is_entry in _instructions(text):
            self.computations.setdefault(computation, {})[instruction.name] = instruction
            self.entry = computation if is_entry else self.entry

    def cost(self, loops: bool = True) -> Cost:
        """What one run of the program does; loops count with all their rounds, or once."""
        return self._cost(self.entry, loops, {}) if self.entry else Cost()

    def _cost(self, name: str, loops: bool, known: dict[str, Cost]) -> Cost:
        if name not in known:
            total = Cost()
            goes_on = self._goes_on(name)
            for instruction in self.computations.get(name, {}).values():
                if goes_on and instruction.kind in COLLECTIVES:
                    continue
                total = total.plus(self._own(instruction, self.computations[name]))
                times = self.rounds(instruction) if loops and instruction.kind == "while" else 1
                inside = instruction.called("calls", "body", "branch_computations", "called_computations")
                inside += instruction.called("to_apply") if instruction.kind in ("call", "async-start") else []
                for called in inside:
                    cost = self._cost(called, loops, known)
                    if instruction.kind == "fusion":  # keeps its values in registers, and has an estimate of its own
                        cost = dataclasses.replace(cost, nbytes=0.0, touched=0.0, cycles=0)
                    total = total.plus(cost, times)
            known[name] = total
        return known[name]

    def _goes_on(self, name: str) -> bool:
        """Whether a computation is the middle or the end of a collective that TPUs run beside other work.

        It stands in the program where it begins (and counts there), goes on and ends.
        """
        body = self.computations.get(name, {}).values()
        return name.startswith("async_collective_fusion") or any('"AsyncCollectiveDone"' in each.rest for each in body)

    def rounds(self, loop: Instruction) -> int:
        """How often the body of a loop runs; 1 where the program does not say."""
        match = re.search(r'"known_trip_count":\{"n":"(\d+)"', loop.rest)
        if match:
            return int(match[1])
        limits = []
        for name in loop.called("condition"):
            for each in self.computations.get(name, {}).values():
                if each.kind == "constant" and each.type.startswith("s32[]"):
                    limits.append(int(re.match(r"-?\d+", each.rest)[0]))  # type: ignore[index]
                if each.kind in ("parameter", "constant", "get-tuple-element", "compare"):
                    continue
                return 1 if each.kind != "fusion" else _alone(limits)
        return _alone(limits)

    def _own(self, each: Instruction, around: Mapping[str, Instruction]) -> Cost:
        kind = each.kind.removesuffix("-start")
        if kind in COLLECTIVES:
            sums = (self._collective(kind, each, around),)
            return Cost(0.0, 2 * each.stored, 2 * each.held, sums, each.cycles)
        if each.kind in FREE or each.kind.endswith("-done"):
            return Cost()
        moved = self._moved(each, around, False), self._moved(each, around, True)
        return Cost(_flops(each, around), *moved, cycles=each.cycles)

    def _collective(self, kind: str, each: Instruction, around: Mapping[str, Instruction]) -> Collective:
        nbytes = each.nbytes
        if each.kind == "all-gather-start":  # its result has the operands, too
            nbytes -= sum(BYTES.get(d, 1) * math.prod(s) for d, s in each.shapes[: len(each.shapes) // 2])
        elif each.kind == "collective-permute-start":
            nbytes = BYTES.get(each.shapes[0][0], 1) * math.prod(each.shapes[0][1])
        users = [i for i in around.values() if each.name in i.operands]
        if kind == "all-reduce" and users and all(i.root and i.kind == "dynamic-slice" for i in users):
            # A sum of which each device keeps its part, fused: TPUs send no more than that takes.
            kind, nbytes = "reduce-scatter", users[0].nbytes
        n = _group_size(each.rest) or self.devices
        share = (n - 1) / n
        factor = {"all-reduce": 2 * share, "reduce-scatter": n - 1.0, "collective-permute": 1.0}.get(kind, share)
        return Collective(kind, 1, nbytes, factor * nbytes)

    def _moved(self, each: Instruction, around: Mapping[str, Instruction], on_chip: bool) -> float:
        """Bytes that an instruction moves to and from the memory, or reads and writes anywhere (`on_chip`).

        Of what it cuts out or replaces, the piece.
        """
        size = functools.partial(_size, around, on_chip=on_chip)
        if each.kind == "slice-start":  # (the whole), the piece, a flag
            whole, piece = each.places[:2]
            return piece[0] * ((whole[1] or on_chip) + (piece[1] or on_chip))
        if each.kind.endswith("-start"):  # both sides of a copy, one of them on the chip, perhaps
            return each.size(on_chip)
        if each.kind in ("slice", "dynamic-slice", "gather"):
            return each.size(on_chip) + min(size(each.operands[0]), each.held)
        if each.kind == "dynamic-update-slice":
            return 2 * min(_size(around, each.operands[1], True), each.size(on_chip))
        body = self.computations.get(each.called("calls")[0], {}) if each.kind == "fusion" else {}
        if not body:
            return each.size(on_chip) + sum(map(size, dict.fromkeys(each.operands)))
        total, in_place = _written(each.parts(on_chip), body)
        parameters = {int(re.match(r"\d+", p.rest)[0]): p for p in body.values() if p.kind == "parameter"}  # type: ignore[index]
        for number, name in enumerate(each.operands):
            parameter = parameters.get(number)
            if parameter is None or parameter.name in in_place:
                continue
            users = [i for i in body.values() if parameter.name in i.operands]
            cut = bool(users) and all(i.kind in ("dynamic-slice", "gather") for i in users)
            total += min(size(name), sum(i.nbytes for i in users) if cut else math.inf)
        return total

    # -- what should not be there ------------------------------------------------------------------------------------

    def custom_calls(self) -> dict[str, int]:
        """How often each target of custom calls stands in the program."""
        counts: dict[str, int] = {}
        for target in re.findall(r'custom_call_target="([^"]*)"', self.text):
            counts[target] = counts.get(target, 0) + 1
        return counts

    @property
    def callbacks(self) -> int:
        """How many instructions call or wait for the host's Python, or exchange data with the host."""
        targets = sum(count for name, count in self.custom_calls().items() if HOST_CALLS.search(name))
        return targets + len(re.findall(r" (?:infeed|outfeed|send|recv)\(", self.text))

    @property
    def float64(self) -> int:
        """How many instructions give 64-bit floats."""
        return sum(
            1
            for body in self.computations.values()
            for i in body.values()
            if any(d in ("f64", "c128") for d, _ in i.shapes)
        )


def _instructions(text: str) -> Iterator[tuple[Instruction, str, bool]]:
    computation, is_entry = "", False
    for line in text.splitlines():
        if line[:1] not in (" ", "", "}") and line.endswith("{"):
            head = _HEAD.match(line)
            if head:
                computation, is_entry = head[2], bool(head[1])
            continue
        match = _INSTRUCTION.match(line)
        if match and computation:
            root, name, kind, opcode, rest = match.groups()
            yield Instruction(name, kind, opcode, _operands(rest), rest, bool(root)), computation, is_entry


def _operands(rest: str) -> tuple[str, ...]:
    depth = 1
    for position, character in enumerate(rest):
        depth += (character == "(") - (character == ")")
        if depth == 0:
            return tuple(_NAME.findall(rest[:position]))
    return ()


def _alone(limits: list[int]) -> int:
    return limits[0] if len(limits) == 1 and limits[0] > 0 else 1


def _size(around: Mapping[str, Instruction], name: str, on_chip: bool) -> float:
    return around[name].size(on_chip) if name in around else 0.0


def _written(parts: list[float], body: Mapping[str, Instruction]) -> tuple[float, set[str]]:
    """Bytes that a fusion writes, and which of its parameters it keeps but for a piece that it replaces.

    `parts` are the bytes of its results.
    """
    root = next((i for i in body.values() if i.root), None)
    roots = [root] if root is None or root.kind != "tuple" else [body.get(name) for name in root.operands]
    if len(roots) != len(parts):
        return sum(parts), set()
    total, in_place = 0.0, set()
    for nbytes, part in zip(parts, roots, strict=True):
        update = _update(part, body)
        total += nbytes if update is None else min(nbytes, 2 * body[update.operands[1]].nbytes)
        in_place |= set() if update is None else {update.operands[0]}
    return total, in_place


def _update(root: Instruction | None, body: Mapping[str, Instruction]) -> Instruction | None:
    """The replacement of a piece that is all that a result of a fusion is, if it is one."""
    while root is not None and root.kind in ("bitcast", "copy") and root.operands:
        root = body.get(root.operands[0])
    return root if root is not None and root.kind == "dynamic-update-slice" else None


def _group_size(rest: str) -> int | None:
    """Among how many devices a collective runs.

    >>> _group_size("replica_groups=[2,4]<=[8]"), _group_size("replica_groups={{0,1},{2,3}}")
    (4, 2)
    >>> _group_size("replica_groups=mesh['a'=4,'b'=2] {'b'}")
    2
    """
    match = re.search(r"replica_groups=\[(\d+),(\d+)\]", rest)
    if match:
        return int(match[2])
    match = re.search(r"replica_groups=\{\{([\d,]+)\}", rest)
    if match:
        return len(match[1].split(","))
    match = re.search(r"replica_groups=\w*\[([^\]]*)\] \{([^}]*)\}", rest)
    if not match:
        return None
    sizes = dict(re.findall(r"'(\w+)'=(\d+)", match[1]))
    axes = re.findall(r"'(\w+)'(?::\(\d+\)(\d+))?", match[2])
    return math.prod(int(part or sizes[axis]) for axis, part in axes)


def _flops(each: Instruction, around: Mapping[str, Instruction]) -> float:
    """Operations of a product or a convolution: two for each multiplication."""
    if each.kind == "dot" and each.operands[0] in around:
        (_, left), (_, result) = around[each.operands[0]].shapes[0], each.shapes[0]
        contracted = [int(i) for i in each.attribute("lhs_contracting_dims").split(",") if i]
        return 2.0 * math.prod(result) * math.prod(left[i] for i in contracted)
    labels = re.search(r"dim_labels=(\w+)_(\w+)->(\w+)", each.rest)
    if labels and len(each.operands) > 1 and all(name in around for name in each.operands[:2]):
        return _convolution(each, around, labels)
    if "__cublas$" in each.rest or "__cublas$lt" in each.rest:
        return _cublas(each, around)
    return 0.0


# Of cuDNN's convolutions: which of (first operand, second operand, result) are inputs, kernel and outputs of the forward one.
CUDNN = {"convBackwardInput": (2, 1, 0), "convBackwardFilter": (0, 2, 1)}


def _convolution(each: Instruction, around: Mapping[str, Instruction], labels: re.Match[str]) -> float:
    arrays = [*(around[name].shapes[0][1] for name in each.operands[:2]), each.shapes[0][1]]
    roles = next((roles for name, roles in CUDNN.items() if name in each.rest), (0, 1, 2))
    inputs, kernel, result = (arrays[role] for role in roles)
    input_labels, kernel_labels, result_labels = labels.groups()
    window = {part.split("=")[0]: part.split("=")[1] for part in each.attribute("window").split() if "=" in part}
    positions = 1.0
    for axis, label in enumerate(sorted(set(result_labels) & set("0123456789"))):
        options = {name: _along(window.get(name), axis) for name in ("stride", "lhs_dilate", "rhs_dilate", "pad")}
        positions *= _valid(
            inputs[input_labels.index(label)],
            kernel[kernel_labels.index(label)],
            result[result_labels.index(label)],
            options,
        )
    # The kernel's input features are those of one group already, and so are the rows of the result.
    batch, features = result[result_labels.index("b")], result[result_labels.index("f")]
    return 2.0 * batch * features * kernel[kernel_labels.index("i")] * positions


def _along(text: str | None, axis: int) -> str | None:
    return None if text is None else text.split("x")[axis]


@functools.lru_cache(maxsize=4096)
def _valid_pairs(size: int, window: int, outputs: int, stride: int, spread: int, dilation: int, low: int) -> int:
    end, count = (size - 1) * spread + 1, 0
    for k in range(window):
        first = k * dilation - low  # the place in the input that the first output sees through this element
        if spread == 1:
            lowest, highest = max(0, -(-(0 - first) // stride)), min(outputs - 1, (end - 1 - first) // stride)
            count += max(0, highest - lowest + 1)
        else:
            places = (first + o * stride for o in range(outputs))
            count += sum(1 for place in places if 0 <= place < end and place % spread == 0)
    return count


def _valid(size: int, window: int, outputs: int, options: Mapping[str, str | None]) -> int:
    """How many pairs of an output and an element of the window meet data, not padding, along one axis."""
    low = int((options["pad"] or "0_0").split("_")[0])
    stride, spread, dilation = (int(options[name] or 1) for name in ("stride", "lhs_dilate", "rhs_dilate"))
    return _valid_pairs(size, window, outputs, stride, spread, dilation, low)


def _cublas(each: Instruction, around: Mapping[str, Instruction]) -> float:
    match = re.search(r'"dot_dimension_numbers":(\{.*?\})', each.rest)
    if not match or each.operands[0] not in around:
        return 0.0
    numbers = json.loads(match[1])
    left = around[each.operands[0]].shapes[0][1]
    contracted = math.prod(left[int(i)] for i in numbers.get("lhs_contracting_dimensions", []))
    return 2.0 * math.prod(each.shapes[0][1]) * contracted
