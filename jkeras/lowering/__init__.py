"""Operations in the form that is fastest on each platform. Layers call these functions instead of `jax.lax`."""

from jkeras.lowering.convolution import conv as conv
from jkeras.lowering.depthwise import depthwise_conv as depthwise_conv
from jkeras.lowering.elementwise import gelu as gelu
from jkeras.lowering.elementwise import standardized as standardized
from jkeras.lowering.pooling import average_pool as average_pool
from jkeras.lowering.pooling import max_pool as max_pool
from jkeras.lowering.products import chosen as chosen
from jkeras.lowering.products import is_argmax as is_argmax
from jkeras.lowering.products import last_argmax as last_argmax
from jkeras.lowering.products import product as product
from jkeras.lowering.softmaxes import as_array as as_array
from jkeras.lowering.softmaxes import logits_of as logits_of
from jkeras.lowering.softmaxes import remembered as remembered
from jkeras.lowering.softmaxes import softmax as softmax
from jkeras.lowering.switch import cache_token as cache_token
from jkeras.lowering.switch import compiler_options as compiler_options
from jkeras.lowering.switch import current_mode as current_mode
from jkeras.lowering.switch import options_without_loops as options_without_loops
from jkeras.lowering.switch import quick_options as quick_options
from jkeras.lowering.switch import use as use
from jkeras.lowering.transposed import conv_transpose as conv_transpose
