# Deep learning with tf.keras.

# %% The whole way on MNIST
import numpy as np
import tensorflow as tf
from keras import layers, models
from keras.datasets import mnist
from keras.utils import to_categorical
# 加载MNIST数据集
(train_images, train_labels), (test_images, test_labels) = mnist.load_data()

# 数据预处理
train_images = train_images.reshape((60000, 28 * 28)).astype('float32') / 255
test_images = test_images.reshape((10000, 28 * 28)).astype('float32') / 255

train_labels = to_categorical(train_labels)
test_labels = to_categorical(test_labels)

# 定义模型
model = models.Sequential()
model.add(layers.Dense(64, activation='relu', input_shape=(28 * 28,)))
model.add(layers.Dense(10, activation='softmax'))  # 注意这里需要指定输出层的神经元数量

# 编译模型
optimizer = tf.keras.optimizers.Adam()  # 正确的导入方式
loss = 'categorical_crossentropy'
metrics = ['accuracy']
model.compile(optimizer=optimizer, loss=loss, metrics=metrics)

# 训练模型
model.fit(train_images, train_labels, epochs=5, batch_size=32)

# 评估模型
test_loss, test_acc = model.evaluate(test_images, test_labels)
print(f"Test accuracy: {test_acc}")

# %% completed
assert test_acc > 0.9

# %% The model saved
# 保存模型
model.save('my_model.h5')

# %% completed
assert np.allclose(models.load_model('my_model.h5').predict(test_images[:9]), model.predict(test_images[:9]), atol=1e-6)

# %% A sequential model
import tensorflow as tf
from tensorflow.keras import layers, models

# 定义模型
model = models.Sequential()
model.add(layers.Dense(64, activation='relu', input_shape=(784,)))
model.add(layers.Dense(64, activation='relu'))
model.add(layers.Dense(10, activation='softmax'))

# %% completed
assert model.count_params() == 785 * 64 + 65 * 64 + 65 * 10

# %% A functional model with two inputs
# 定义输入层
input1 = tf.keras.Input(shape=(32,), name="input_1")
input2 = tf.keras.Input(shape=(64,), name="input_2")

# 合并两个输入
concatenated = tf.keras.layers.Concatenate()([input1, input2])

# 定义中间层
x = tf.keras.layers.Dense(128, activation='relu')(concatenated)
x = tf.keras.layers.Dropout(0.5)(x)

# 定义输出层
output = tf.keras.layers.Dense(1, activation='sigmoid')(x)

# 创建模型
model = tf.keras.Model(inputs=[input1, input2], outputs=output)

# %% completed
assert model.predict([np.zeros((3, 32)), np.zeros((3, 64))], verbose=0).shape == (3, 1)

# %% A subclass
class CustomModel(tf.keras.Model):
    def __init__(self):
        super().__init__()
        # 定义层
        self.dense1 = tf.keras.layers.Dense(64, activation='relu')
        self.dropout = tf.keras.layers.Dropout(0.2)
        self.dense2 = tf.keras.layers.Dense(10, activation='softmax')

    def call(self, inputs, training=False):
        # 自定义前向传播逻辑
        x = self.dense1(inputs)
        if training:  # 仅在训练时使用Dropout
            x = self.dropout(x)
        return self.dense2(x)

# 实例化模型并构建
model = CustomModel()
model.build(input_shape=(None, 784))  # 指定输入形状

# %% completed for objects
model.summary()
assert len(model.weights) == 0  # as in Keras 3, which warns: there is no `build` of the class's own

# %% completed
from tensorflow.keras.losses import SparseCategoricalCrossentropy

# %% compile with objects
optimizer = tf.keras.optimizers.Adam(learning_rate=0.001)
loss = SparseCategoricalCrossentropy(from_logits=True)
model.compile(
  optimizer=optimizer,
  loss=loss,
  metrics=['accuracy'],

   # 其他可选参数
)

# %% completed
from tensorflow.keras.callbacks import CSVLogger, EarlyStopping, ModelCheckpoint, ReduceLROnPlateau, TensorBoard

class Batches(tf.keras.utils.PyDataset):
    def __init__(self, x, y):
        super().__init__()
        self.x, self.y = x, y

    def __len__(self):
        return len(self.x) // 64

    def __getitem__(self, index):
        rows = slice(64 * index, 64 * index + 64)
        return self.x[rows], self.y[rows]


x, y = train_images[:256], train_labels[:256].argmax(1)
train_dataset = Batches(x, y)
val_dataset = test_dataset = Batches(test_images[:64], test_labels[:64].argmax(1))
model.compile(tf.keras.optimizers.Adam(0.001), "sparse_categorical_crossentropy", metrics=["accuracy"])

# %% fit with a data set and TensorBoard
model.fit(train_dataset, epochs=10, validation_data=val_dataset,
      callbacks=[TensorBoard(log_dir='./logs')])

# %% Early stopping
history = model.fit(x, y, validation_split=0.2, epochs=100, callbacks=[EarlyStopping(patience=10)])

# %% batch_size
model.fit(x, y, batch_size=64)  # 使用 64 个样本更新一次权重

# %% validation_split
model.fit(x, y, validation_split=0.2)  # 20% 训练数据作为验证集

# %% The five callbacks
callbacks = [
    ModelCheckpoint('best_model.keras', save_best_only=True),
    EarlyStopping(monitor='val_loss', patience=3),
    TensorBoard(log_dir='./logs'),
    ReduceLROnPlateau(factor=0.1, patience=2),
    CSVLogger('training.log'),
]

# %% The five callbacks in use
history = model.fit(x, y, epochs=8, validation_split=0.2, callbacks=callbacks)

# %% completed
import os

assert os.path.exists('best_model.keras') and os.path.exists('logs/train') and os.path.exists('training.log')

# %% A callback of one's own
class CustomCallback(tf.keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        print(f"Epoch {epoch}: Custom action here")

# %% completed
model.fit(x, y, epochs=2, callbacks=[CustomCallback()])

# %% Everything together | Keras refuses it, too: validation_split needs arrays, not a data set
model.fit(
  train_dataset,
  epochs=100,
  batch_size=64,
  validation_split=0.2,
  callbacks=[
      EarlyStopping(monitor='val_loss', patience=10),
      ModelCheckpoint('best_model.keras', save_best_only=True),
      TensorBoard(log_dir='./logs')
  ]
)

# %% completed
build_model = CustomModel

# %% Several devices
strategy = tf.distribute.MirroredStrategy()
with strategy.scope():
      model = build_model()

# %% completed
x_train, y_train = x, y

# %% A data pipeline
dataset = tf.data.Dataset.from_tensor_slices((x_train, y_train))
dataset = dataset.shuffle(buffer_size=10000).batch(32).prefetch(tf.data.AUTOTUNE)

# %% completed
model = CustomModel()
model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(train_dataset, verbose=0)
for images, labels in dataset.take(1):
    assert images.shape == (32, 784) and labels.shape == (32,)

# %% completed for objects
assert model.fit(dataset, verbose=0).params["steps"] == len(dataset) == -(-len(x_train) // 32)

# %% evaluate with a data set
# 假设 model 是已编译的模型,test_dataset 是测试数据集
results = model.evaluate(test_dataset, verbose=2)
print(f"Test loss: {results[0]}, Test accuracy: {results[1]}")

# %% Metrics in compile
from tensorflow.keras import metrics

model.compile(
  optimizer='adam',
  loss='sparse_categorical_crossentropy',
  metrics=[metrics.Accuracy(), metrics.Precision(name='precision'), metrics.Recall(name='recall')]
)

# %% completed
y_true, y_pred = [0, 1, 2, 3], [0, 1, 2, 2]

# %% A metric of its own
# 计算预测结果
predictions = model.predict(test_dataset, verbose=0)

# 计算准确率
accuracy = metrics.Accuracy()
accuracy.update_state(y_true, y_pred)
print(f"Custom Accuracy: {accuracy.result().numpy()}")

# %% completed
assert predictions.shape == (64, 10) and accuracy.result() == 0.75
