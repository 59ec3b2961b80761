# Notes on the Chinese documentation of Keras.

# %% completed
import numpy as np
from keras.utils import to_categorical

rng = np.random.default_rng(0)
x_train, x_test = rng.normal(size=(128, 100)), rng.normal(size=(64, 100))
y_train, y_test = (to_categorical(x[:, :10].argmax(1), 10) for x in (x_train, x_test))

# %% A sequential model
from keras.model import Sequential
model = Sequential()
from keras.layers import Dense, Activation
model.add(Dense(units=64, input_dim=100))
model.add(Activation("relu"))
model.add(Dense(units=10))  # 添加隐藏层
model.add(Activation("softmax"))  # 激活函数

# %% completed
chain = model
from keras.layers import Input
from keras.models import Model

# %% The functional form
inputs = Input(shape=(784,))
x = Dense(64, activation='relu')(inputs)
x = Dense(64, activation='relu')(x)
predictions = Dense(10, activation='softmax')(x)  # 直接定义输入层、以及隐藏层,上一层的输出是下一层的输入
model = Model(inputs=inputs, outputs=predictions)

# %% completed
assert model.count_params() == 785 * 64 + 65 * 64 + 65 * 10
model = chain

# %% compile
model.compile(loss='categorical_crossentropy', optimizer='sgd',metrics=['accuracy'])

# %% fit
model.fit(x_train, y_train, epochs=5, batch_size=32)

# %% evaluate and predict
loss_and_metrics = model.evaluate(x_test, y_test, batch_size=128)  # 模型评估
classes = model.predict(x_test, batch_size=128)  # 使用模型预测

# %% completed
assert len(loss_and_metrics) == 2 and np.allclose(classes.sum(1), 1, atol=1e-5)

# %% Save and load
from keras.model import load_model
model.save('my_model.h5')
del model
model = load_model('my_model.h5')  # 加载模型

# %% completed
assert np.allclose(model.predict(x_test), classes, atol=1e-6)
chain = model

# %% completed
inputs = Input(shape=(100,))
model = Model(inputs, Dense(10)(Dense(5, name="my_layer")(inputs)))
data = x_test

# %% The output of a layer in the middle
from keras.models import Model
layer_name = 'my_layer'  # 指定我们想要输出的层名字
intermediate_layer_model=Model(input=model.input, output=model.get_layer(layer_name).output)
layer_output= intermediate_layer_model.predict(data)  # 预测

# %% completed
kernel, bias = model.get_layer("my_layer").get_weights()
assert np.allclose(layer_output, data @ kernel + bias, atol=1e-5)
X, y = x_train, y_train
model = chain

# %% Validation and the history
hist=model.fit(X,y, validation_split=0.2)
print(hist.history)

# %% completed
assert hist.history.keys() == {"loss", "accuracy", "val_loss", "val_accuracy"}

# %% Layers taken away
model = Sequential()
model.add(Dense(4))
model.add(Dense(2))
print(len(model.layers))  # 打印层数,显示为2
model.pop()  # 去除一层
print(len(model.layers))  # 打印层数,显示为1

# %% completed
assert len(model.layers) == 1
