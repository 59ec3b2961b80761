# The basic terms of Keras: models, layers, weights, activations, losses, optimizers.

# %% A sequential model
from keras.models import Sequential
from keras.layers import Dense

# 创建一个序贯模型
model = Sequential()

# 添加输入层和隐含层
model.add(Dense(units=64, activation='relu', input_dim=10))

# 添加输出层
model.add(Dense(units=1, activation='sigmoid'))

# %% completed
assert len(model.layers) == 2 and model.output_shape == (None, 1)
first = model
model = Sequential()

# %% A convolution layer
from keras.layers import Conv2D

# 添加一个卷积层
model.add(Conv2D(filters=32, kernel_size=(3, 3), activation='relu', input_shape=(28, 28, 1)))

# %% completed
assert model.output_shape == (None, 26, 26, 32)
model = first

# %% The weights of a model
weights = model.get_weights()
print(weights)

# %% completed
assert [w.shape for w in weights] == [(10, 64), (64,), (64, 1), (1,)]

# %% An input
from keras.layers import Input

input_layer = Input(shape=(10,))

# %% completed
assert input_layer.shape == (None, 10)

# %% An activation
model.add(Dense(units=64, activation='relu'))

# %% completed
assert model.output_shape == (None, 64)
model.pop()

# %% A loss
model.compile(optimizer='adam', loss='binary_crossentropy', metrics=['accuracy'])

# %% An optimizer
from keras.optimizers import Adam

model.compile(optimizer=Adam(), loss='binary_crossentropy', metrics=['accuracy'])

# %% completed
import numpy as np

x = np.random.default_rng(0).normal(size=(64, 10))
assert model.fit(x, x[:, 0] > 0, epochs=2, verbose=0).history.keys() == {"loss", "accuracy"}
