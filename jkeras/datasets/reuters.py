"""Reuters: 11,228 newswires of 46 topics, as word ranks."""

from __future__ import annotations

import numpy as np

from jkeras.datasets import words
from jkeras.datasets.source import find_file, load_json, load_ragged_arrays
from jkeras.datasets.splits import check, shuffled, split

FILE_HASH = "d6586e694ee56d7a4e65172e12b3e987c03096cb01eab99753921ef915959916"
WORD_INDEX_HASH = "4d44cc38712099c9e383dc6e5f11a921"

TOPICS = (
    "cocoa grain veg-oil earn acq wheat copper housing money-supply coffee sugar trade reserves ship cotton carcass"
    " crude nat-gas cpi money-fx interest gnp meal-feed alum oilseed gold tin strategic-metal livestock retail ipi"
    " iron-steel rubber heat jobs lei bop zinc orange pet-chem dlr gas silver wpi hog lead"
)


def load_data(
    path: str = "reuters.npz",
    num_words: int | None = None,
    skip_top: int = 0,
    maxlen: int | None = None,
    test_split: float = 0.2,
    seed: int = 113,
    start_char: int | None = 1,
    oov_char: int | None = 2,
    index_from: int | None = 3,
) -> tuple[tuple[np.ndarray, np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """Newswires as lists of numbers: 1 for the start, 2 for a word left out, `rank + 3` for a word.

    Args:
        path: file name in the cache folder, or the path of a file.
        num_words: numbers from here on become `oov_char`.
        skip_top: numbers below become `oov_char`.
        maxlen: newswires of this length and longer are left out.
        test_split: share of the newswires that is test data.
        seed: the seed of the shuffle.
        start_char: number that begins every newswire, or None.
        oov_char: number of the words left out, or None to remove them.
        index_from: what is added to each rank.

    Returns:
        `(x_train, y_train), (x_test, y_test)`: arrays of lists `(n,)` and topics `(n,)` from 0 to 45.

    Raises:
        DownloadError: the file is not in the cache and could not be downloaded.
        DamagedFileError: it has another checksum. It holds pickles, so only the original is read.

    Source: Reuters-21578, D. Lewis, https://doi.org/10.24432/C52G6M.
    """
    check(seed, test_split)
    words.check(num_words=num_words, skip_top=skip_top, maxlen=maxlen, start_char=start_char, oov_char=oov_char)
    words.check(index_from=index_from)
    archive = find_file(path, "reuters.npz", FILE_HASH, pinned=True)
    texts, labels = shuffled(seed, *load_ragged_arrays(archive, "x", "y"))
    sequences, kept_labels = words.drop_long(words.number_words(texts, start_char, index_from), labels, maxlen)
    limited = words.limit_words(sequences, num_words, skip_top, oov_char)
    return split(words.ragged(limited), np.asarray(kept_labels), test_split)


def get_word_index(path: str = "reuters_word_index.json") -> dict[str, int]:
    """The rank of each word, from 1; add `index_from` to get the numbers of `load_data`.

    Args:
        path: a file name in the cache folder, or the path of a file.

    Returns:
        A dict from words to ranks.

    Raises:
        DownloadError: the file is not in the cache and could not be downloaded.
    """
    ranks: dict[str, int] = load_json(find_file(path, "reuters_word_index.json", WORD_INDEX_HASH))
    return ranks


def get_label_names() -> tuple[str, ...]:
    """The names of the 46 topics, in the order of their numbers.

    >>> get_label_names()[3]
    'earn'
    """
    return tuple(TOPICS.split())
