# The architecture of Keras: modules, layers, models.

# %% A sequential model with one layer
from keras.models import Sequential
from keras.layers import Dense, Activation

model = Sequential()
model.add(Dense(512, activation = 'relu', input_shape = (784,)))

# %% completed
assert model.output_shape == (None, 512)
num_classes = 10

# %% A classifier with dropout
from keras.models import Sequential
from keras.layers import Dense, Activation, Dropout
model = Sequential()

model.add(Dense(512, activation = 'relu', input_shape = (784,)))
model.add(Dropout(0.2))
model.add(Dense(512, activation = 'relu'))
model.add(Dropout(0.2))
model.add(Dense(num_classes, activation = 'softmax'))

# %% completed
assert [type(layer).__name__ for layer in model.layers] == ["Dense", "Dropout", "Dense", "Dropout", "Dense"]
assert model.count_params() == 785 * 512 + 513 * 512 + 513 * 10
