# A network of one's own, on MNIST.

# %% Imports
import keras
from keras.datasets import mnist
from keras.models import Sequential
from keras.layers import Dense, Flatten
from keras.utils import to_categorical

# %% The data
(x_train, y_train), (x_test, y_test) = mnist.load_data()
x_train = x_train.reshape(-1, 28 * 28).astype('float32') / 255
x_test = x_test.reshape(-1, 28 * 28).astype('float32') / 255
y_train = to_categorical(y_train, 10)
y_test = to_categorical(y_test, 10)

# %% The model
model = Sequential()
model.add(Flatten(input_shape=(28 * 28,)))
model.add(Dense(128, activation='relu'))
model.add(Dense(10, activation='softmax'))

# %% compile
model.compile(optimizer='adam', loss='categorical_crossentropy', metrics=['accuracy'])

# %% fit
model.fit(x_train, y_train, epochs=10, batch_size=50)

# %% evaluate
loss, accuracy = model.evaluate(x_test, y_test)
print('Test loss:', loss)
print('Test accuracy:', accuracy)

# %% completed
assert accuracy > 0.8

# %% A layer of one's own
from keras.layers import Layer
import keras.backend as K

class CustomLayer(Layer):
    def __init__(self):
        super(CustomLayer, self).__init__()

    def build(self, input_shape):
        # 构建层的权重和偏置
        self.w = self.add_weight(shape=(input_shape[-1], 1), initializer='uniform', name='w')
        self.b = self.add_weight(shape=(1,), initializer='uniform', name='b')

    def call(self, inputs):
        # 定义层的计算逻辑
        return K.dot(inputs, self.w) + self.b

model.add(CustomLayer())

# %% completed
before = model.predict(x_test)
assert before.shape == (500, 1)

# %% completed for objects
assert [w.name for w in model.layers[-1].weights] == ["w", "b"]

# %% completed
model.compile("adam", "mse")
model.fit(x_train, y_train[:, :1], verbose=0)
assert abs(model.predict(x_test) - before).max() > 0
