"""Layers that run over time: recurrent layers, their cells, and wrappers that act on sequences."""

from jkeras.layers.recurrent.bidirectional import Bidirectional as Bidirectional
from jkeras.layers.recurrent.conv_lstm import ConvLSTM1D as ConvLSTM1D
from jkeras.layers.recurrent.conv_lstm import ConvLSTM2D as ConvLSTM2D
from jkeras.layers.recurrent.conv_lstm import ConvLSTM3D as ConvLSTM3D
from jkeras.layers.recurrent.gru import GRU as GRU
from jkeras.layers.recurrent.gru import GRUCell as GRUCell
from jkeras.layers.recurrent.lstm import LSTM as LSTM
from jkeras.layers.recurrent.lstm import LSTMCell as LSTMCell
from jkeras.layers.recurrent.rnn import RNN as RNN
from jkeras.layers.recurrent.simple_rnn import SimpleRNN as SimpleRNN
from jkeras.layers.recurrent.simple_rnn import SimpleRNNCell as SimpleRNNCell
from jkeras.layers.recurrent.stacked import StackedRNNCells as StackedRNNCells
from jkeras.layers.recurrent.wrappers import TimeDistributed as TimeDistributed
from jkeras.layers.recurrent.wrappers import Wrapper as Wrapper
