"""What scripts of other times and of TensorFlow say, in today's words: only while `jkeras run` or `as_keras` is in force.

    spellings.py, layers.py, optimizers.py, models.py, callbacks.py   old arguments and methods
    old_modules.py, backend.py, preprocessing/, scikit_learn.py        old names and modules
    tensorflow/                                                        a thin `tf`

Nothing of it changes `jkeras.keras` for good: `Spellings` puts it in place and takes it away again.
"""

from jkeras.scripts.notes import OldSpellingWarning as OldSpellingWarning
from jkeras.scripts.old_modules import KerasModule as KerasModule
from jkeras.scripts.old_modules import home_of as home_of
from jkeras.scripts.spellings import Spellings as Spellings
