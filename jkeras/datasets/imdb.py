"""IMDB: 50,000 film reviews, positive or negative, as word ranks."""

from __future__ import annotations

import numpy as np

from jkeras.datasets import words
from jkeras.datasets.source import find_file, load_json, load_ragged_arrays
from jkeras.datasets.splits import check, shuffled
from jkeras.errors import SignatureError, suggestion

FILE_HASH = "69664113be75683a8fe16e3ed0ab59fda8886cb3cd7ada244f7d9544e4676b9f"
WORD_INDEX_HASH = "bfafd718b763782e994055a2d397834f"


def load_data(
    path: str = "imdb.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
    **kwargs: object,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Reviews as lists of numbers: 1 for the start, 2 for a word left out, `rank + 3` for a word (1 is the commonest).

    Args:
        path: file name in the cache folder, or the path of a file.
        num_words: numbers from here on become `oov_char`.
        skip_top: numbers below become `oov_char`.
        maxlen: reviews of this length and longer are left out.
        seed: the seed of the shuffle.
        start_char: number that begins every review, or None.
        oov_char: number of the words left out, or None to remove them.
        index_from: what is added to each rank.
        kwargs: not accepted; the error suggests the nearest argument.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists `(25000,)` and labels `(25000,)`, 1 for positive.

    Raises:
        DownloadError: the file is not in the cache and could not be downloaded.
        SignatureError: an argument is unknown.
        DamagedFileError: it has another checksum. It holds pickles, so only the original is read.

    Source: A. Maas et al. (2011), https://ai.stanford.edu/~amaas/data/sentiment/.
    """
    if kwargs:
        name = next(iter(kwargs))
        known = ("path", "num_words", "skip_top", "maxlen", "seed", "start_char", "oov_char", "index_from")
        raise SignatureError(f"imdb.load_data() has no argument {name!r}.{suggestion(name, known)}")
    check(seed)
    words.check(num_words=num_words, skip_top=skip_top, maxlen=maxlen, start_char=start_char, oov_char=oov_char)
    words.check(index_from=index_from)
    archive = find_file(path, "imdb.npz", FILE_HASH, pinned=True)
    arrays = load_ragged_arrays(archive, "x_train", "y_train", "x_test", "y_test")
    generator = np.random.RandomState(seed)  # one for both halves, as in Keras
    halves = [shuffled(generator, *arrays[:2]), shuffled(generator, *arrays[2:])]
    numbered = [(words.number_words(texts, start_char, index_from), labels) for texts, labels in halves]
    (train, y_train), (test, y_test) = (words.drop_long(texts, labels, maxlen) for texts, labels in numbered)
    texts = words.limit_words([*train, *test], num_words, skip_top, oov_char)
    at = len(train)
    return (words.ragged(texts[:at]), np.asarray(y_train)), (words.ragged(texts[at:]), np.asarray(y_test))


def get_word_index(path: str = "imdb_word_index.json") -> dict[str, int]:
    """The rank of each word, from 1; add `index_from` to get the numbers of `load_data`.

    Args:
        path: a file name in the cache folder, or the path of a file.

    Returns:
        A dict from words to ranks.

    Raises:
        DownloadError: the file is not in the cache and could not be downloaded.
    """
    ranks: dict[str, int] = load_json(find_file(path, "imdb_word_index.json", WORD_INDEX_HASH))
    return ranks
