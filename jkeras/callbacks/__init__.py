"""Callbacks: what may be done while a model trains."""

from jkeras.callbacks.callback import Callback as Callback
from jkeras.callbacks.callback import CallbackList as CallbackList
