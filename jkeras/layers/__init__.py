"""Layers: what networks are made of."""

from jkeras.layers.core import Activation as Activation
from jkeras.layers.core import Dense as Dense
from jkeras.layers.core import Embedding as Embedding
from jkeras.layers.core import Identity as Identity
from jkeras.layers.core import Input as Input
from jkeras.layers.core import InputLayer as InputLayer
from jkeras.layers.core import Lambda as Lambda
from jkeras.layers.core import Masking as Masking
from jkeras.layers.layer import InputSpec as InputSpec
from jkeras.layers.layer import Layer as Layer
