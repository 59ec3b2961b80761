"""Labels from the outputs of networks that were trained with CTC (Graves et al., 2006)."""

from __future__ import annotations

import functools
from typing import TypeAlias

import jax
import jax.numpy as jnp

from jkeras import arguments
from jkeras.errors import ArgumentError, InputError
from jkeras.types import Array, TensorLike

STRATEGY = arguments.one_of("greedy", "beam_search")
# No label.
PADDING = -1
# Labels, lengths, and log probabilities of what ends in the last label and in no label, of each sequence that is followed.
_Beam: TypeAlias = tuple[Array, Array, Array, Array]


def ctc_decode(
    inputs: TensorLike,
    sequence_lengths: TensorLike,
    strategy: str = "greedy",
    beam_width: int = 100,
    top_paths: int = 1,
    merge_repeated: bool = True,
    mask_index: int | None = 0,
) -> tuple[jax.Array, jax.Array]:
    """The labels that logits `(batch, time, classes)` spell, padded with -1.

    Args:
        inputs: the logits.
        sequence_lengths: how many times count, `(batch,)`.
        strategy: "greedy" takes the best class of each time, "beam_search" follows several sequences of labels.
        beam_width: how many sequences are followed.
        top_paths: how many of them are returned, the best first.
        merge_repeated: whether "greedy" counts a class that follows itself once; "beam_search" always does.
        mask_index: the class that means no label; None is the last one, for "beam_search".

    Returns:
        Labels `(top_paths, batch, time)` and scores `(batch, top_paths)`: the log probabilities of the sequences, or for
        "greedy" the negated sum of the best logits.

    Raises:
        ArgumentError: an argument is not as above.
        InputError: the inputs have not three axes, or the lengths another number than the batch.

    >>> logits = jnp.log(jnp.array([[[0.1, 0.6, 0.3], [0.7, 0.2, 0.1], [0.1, 0.8, 0.1]]]))
    >>> ctc_decode(logits, [3], "beam_search")[0].tolist()
    [[[1, 1, -1]]]
    """
    place = "ops.ctc_decode"
    strategy = arguments.checked(place, "strategy", strategy, STRATEGY)
    logits, lengths = jnp.asarray(inputs), jnp.asarray(sequence_lengths)
    if logits.ndim != 3 or lengths.shape != logits.shape[:1]:
        raise InputError(
            f"{place}: expected inputs (batch, time, classes) and sequence_lengths (batch,); got {logits.shape} and"
            f" {lengths.shape}."
        )
    logits = logits.astype(jnp.result_type(logits.dtype, jnp.float32))
    classes = logits.shape[-1]
    if mask_index is not None and not -classes <= arguments.integer(mask_index) < classes:
        raise ArgumentError(f"{place}(mask_index={mask_index}): there are {classes} classes.")
    counts = jnp.arange(logits.shape[1]) < lengths[:, None]
    if strategy == "greedy":
        return _greedy(logits, counts, merge_repeated, mask_index)
    width = arguments.checked(place, "beam_width", beam_width, arguments.positive_int)
    paths = arguments.checked(place, "top_paths", top_paths, arguments.positive_int)
    if paths > width:
        raise ArgumentError(
            f"{place}(top_paths={paths}, beam_width={width}): expected no more paths than the beam is wide."
        )
    blank = (classes - 1 if mask_index is None else mask_index) % classes
    one = functools.partial(_beam_search, width=width, paths=paths, blank=blank)
    labels, scores = jax.vmap(one)(jax.nn.log_softmax(logits), counts)
    return jnp.swapaxes(labels, 0, 1), scores


def _greedy(logits: Array, counts: Array, merge_repeated: bool, blank: int | None) -> tuple[jax.Array, jax.Array]:
    best = jnp.argmax(logits, axis=-1)
    score = -jnp.sum(jnp.where(counts, jnp.max(logits, axis=-1), 0), axis=1, keepdims=True)
    keep = counts if blank is None else counts & (best != blank % logits.shape[-1])
    if merge_repeated:
        keep &= jnp.concatenate([jnp.ones_like(best[:, :1], bool), best[:, 1:] != best[:, :-1]], axis=1)
    order = jnp.argsort(~keep, axis=1, stable=True)
    labels = jnp.where(jnp.take_along_axis(keep, order, 1), jnp.take_along_axis(best, order, 1), PADDING)
    return labels[None], score


def _beam_search(scores: Array, counts: Array, *, width: int, paths: int, blank: int) -> tuple[jax.Array, jax.Array]:
    """The best sequences of one sample; `scores` are log probabilities `(time, classes)`."""
    time = scores.shape[0]
    nothing = jnp.full((width,), -jnp.inf, scores.dtype)
    # Sequences, and the probabilities of the alignments that end in their last label, or in no label.
    start = (jnp.full((width, time), PADDING, "int32"), jnp.zeros((width,), "int32"), nothing, nothing.at[0].set(0))

    def step(state: _Beam, now: tuple[Array, Array]) -> tuple[_Beam, None]:
        after = _extended(state, now[0], width, blank)
        result: _Beam = jax.tree.map(lambda new, old: jnp.where(now[1], new, old), after, state)
        return result, None

    # The first step counts even for the shortest sequence.
    (labels, _, ending, blanks), _ = jax.lax.scan(step, start, (scores, counts.at[0].set(True)))
    total, best = jax.lax.top_k(jnp.logaddexp(ending, blanks), paths)
    return labels[best], total


def _extended(state: _Beam, score: Array, width: int, blank: int) -> _Beam:
    """The best sequences after one more time."""
    labels, lengths, ending, blanks = state
    classes = score.shape[0]
    rows = jnp.arange(width)
    total = jnp.logaddexp(ending, blanks)
    last = jnp.where(lengths > 0, labels[rows, lengths - 1], PADDING)
    stay_ending = jnp.where(lengths > 0, ending + score[last], -jnp.inf)
    stay_blank = total + score[blank]
    # A label that follows itself is another one only after none.
    before = jnp.where(last[:, None] == jnp.arange(classes), blanks[:, None], total[:, None])
    longer = (before + score).at[:, blank].set(-jnp.inf)
    # Where one sequence and a label make another one that is followed already, its probability is added to that.
    places = jnp.arange(labels.shape[1])
    same = (labels[:, None] == labels[None]) | (places >= lengths[:, None, None])
    makes = jnp.all(same, axis=-1) & (lengths[None] == lengths[:, None] + 1) & jnp.isfinite(total)[None]
    label = jnp.maximum(last, 0)
    added = jnp.where(makes, longer[:, label], -jnp.inf)  # of sequence i, to sequence j
    stay_ending = jnp.logaddexp(stay_ending, jax.nn.logsumexp(added, axis=0))
    used_classes = jnp.zeros((width, classes), bool).at[rows[:, None], label[None]].max(makes)
    longer = jnp.where(used_classes, -jnp.inf, longer)

    candidates = jnp.concatenate([jnp.logaddexp(stay_ending, stay_blank), longer.ravel()])
    best = jax.lax.top_k(candidates, width)[1]
    stays = best < width
    source = jnp.where(stays, best, (best - width) // classes)
    new = jnp.where(stays, PADDING, (best - width) % classes)
    place = jnp.where(stays, labels.shape[1], lengths[source])  # beyond the end: nothing is written
    return (
        labels[source].at[rows, place].set(new, mode="drop"),
        lengths[source] + ~stays,
        jnp.where(stays, stay_ending[source], candidates[best]),
        jnp.where(stays, stay_blank[source], -jnp.inf),
    )
