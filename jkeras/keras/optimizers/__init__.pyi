"""Written by `scripts/keras_stubs.py`; do not edit."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self

from jkeras.keras.identifiers import Family as Family
from jkeras.keras.optimizers import schedules as schedules
from jkeras.keras.optimizers.loss_scale import LossScaleOptimizer as LossScaleOptimizer
from jkeras.keras.optimizers.multi import MultiOptimizer as MultiOptimizer
from jkeras.keras.optimizers.multi import OptimizerMap as OptimizerMap
from jkeras.keras.optimizers.optimizer import Optimizer as Optimizer

class Adadelta(Optimizer):
    """Steps scaled by the size of recent steps and divided by the size of recent gradients."""

    learning_rate: Any
    weight_decay_exclusions: Any
    rho: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.95,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Adafactor(Optimizer):
    """Steps relative to the size of the weights, with memory for rows and columns instead of for every entry."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_2_decay: Any
    epsilon_1: Any
    epsilon_2: Any
    clip_threshold: Any
    relative_step: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_2_decay: float = -0.8,
        epsilon_1: float = 1e-30,
        epsilon_2: float = 0.001,
        clip_threshold: float = 1.0,
        relative_step: bool = True,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Adagrad(Optimizer):
    """`a += g**2; w -= learning_rate * g / sqrt(a + epsilon)`: steps shrink as squared gradients accumulate."""

    learning_rate: Any
    weight_decay_exclusions: Any
    initial_accumulator_value: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        initial_accumulator_value: float = 0.1,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Adam(Optimizer):
    """Adam: moving averages of the gradient and of its square."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    amsgrad: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Adamax(Optimizer):
    """Adam with a decaying maximum instead of the average square."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Ftrl(Optimizer):
    """Follow the regularised leader: an L1 penalty keeps weights exactly zero unless their gradients are large enough."""

    learning_rate: Any
    weight_decay_exclusions: Any
    learning_rate_power: Any
    initial_accumulator_value: Any
    l1_regularization_strength: Any
    l2_regularization_strength: Any
    l2_shrinkage_regularization_strength: Any
    beta: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        learning_rate_power: float = -0.5,
        initial_accumulator_value: float = 0.1,
        l1_regularization_strength: float = 0.0,
        l2_regularization_strength: float = 0.0,
        l2_shrinkage_regularization_strength: float = 0.0,
        beta: float = 0.0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Lamb(Optimizer):
    """Adam with the step of each weight array scaled to the norm of that array, for very large batches."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Lion(Optimizer):
    """The sign of an interpolated momentum: `w -= learning_rate * sign(beta_1 * m + (1 - beta_1) * g)`."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.99,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class Muon(Optimizer):
    """Momentum replaced by a nearly orthogonal matrix; AdamW for weights that are not matrices."""

    learning_rate: Any
    weight_decay_exclusions: Any
    adam_beta_1: Any
    adam_beta_2: Any
    adam_weight_decay: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    exclude_layers: Any
    exclude_embeddings: Any
    muon_a: Any
    muon_b: Any
    muon_c: Any
    adam_lr_ratio: Any
    momentum: Any
    ns_steps: Any
    nesterov: Any
    rms_rate: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        adam_beta_1: float = 0.9,
        adam_beta_2: float = 0.999,
        adam_weight_decay: float | None = 0.004,
        epsilon: float = 1e-07,
        weight_decay: float | None = 0.004,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        exclude_layers: tuple[str, ...] | None = None,
        exclude_embeddings: bool = True,
        muon_a: float = 3.4445,
        muon_b: float = -4.775,
        muon_c: float = 2.0315,
        adam_lr_ratio: float = 1,
        momentum: float = 0.95,
        ns_steps: int = 5,
        nesterov: bool = True,
        rms_rate: float | None = 0.2,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...
    def lr_adjust(self, x: Any) -> Any: ...
    def zeropower_via_newtonschulz5(self, x: Any, steps: int) -> Any: ...

class Nadam(Optimizer):
    """Adam with Nesterov momentum, following the paper's momentum schedule `beta_1 * (1 - 0.5 * 0.96**t)`."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class RMSprop(Optimizer):
    """`v = rho * v + (1 - rho) * g**2; w -= learning_rate * g / sqrt(v + epsilon)`."""

    learning_rate: Any
    weight_decay_exclusions: Any
    rho: Any
    momentum: Any
    epsilon: Any
    centered: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        rho: float = 0.9,
        momentum: float = 0.0,
        epsilon: float = 1e-07,
        centered: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class SGD(Optimizer):
    """Gradient descent: `w -= learning_rate * g`, or with momentum `m = momentum * m - learning_rate * g; w += m`."""

    learning_rate: Any
    weight_decay_exclusions: Any
    momentum: Any
    nesterov: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.01,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class ScheduleFreeAdamW(Optimizer):
    """AdamW that averages its iterates instead of following a learning rate schedule."""

    learning_rate: Any
    weight_decay_exclusions: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    warmup_steps: Any
    weight_decay: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.0025,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-08,
        warmup_steps: int = 0,
        weight_decay: float | None = None,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

class AdamW(Adam):
    """Adam with weight decay: before each update `w -= w * weight_decay * learning_rate`."""

    learning_rate: Any
    weight_decay_exclusions: Any
    weight_decay: Any
    beta_1: Any
    beta_2: Any
    epsilon: Any
    amsgrad: Any
    clipnorm: Any
    clipvalue: Any
    global_clipnorm: Any
    use_ema: Any
    ema_momentum: Any
    ema_overwrite_frequency: Any
    loss_scale_factor: Any
    gradient_accumulation_steps: Any
    name: Any
    def __init__(
        self,
        learning_rate: Any = 0.001,
        weight_decay: float = 0.004,
        beta_1: float = 0.9,
        beta_2: float = 0.999,
        epsilon: float = 1e-07,
        amsgrad: bool = False,
        clipnorm: float | None = None,
        clipvalue: float | None = None,
        global_clipnorm: float | None = None,
        use_ema: bool = False,
        ema_momentum: float = 0.99,
        ema_overwrite_frequency: int | None = None,
        loss_scale_factor: float | None = None,
        gradient_accumulation_steps: int | None = None,
        name: str | None = None,
        *,
        weight_decay_exclusions: Any = ...,
    ) -> None: ...
    def __getattr__(self, name: str) -> Any: ...

def add_mirrors(package: str) -> Any: ...
def deserialize(config: Mapping[str, Any], custom_objects: Mapping[str, Any] | None = None) -> Any: ...
def facade(description: Any, base: Any, module: str, **namespace: Any) -> Any: ...
def get(identifier: Any) -> Any: ...
def own_names(module: str, *others: Any) -> Any: ...
def serialize(optimizer: Any) -> Any: ...
