"""Trains a small convolutional network on scikit-learn's handwritten digits and saves it, with 100 held-out digits,
TensorFlow's predictions for them and their true labels.

Needs tensorflow (Keras 3) and scikit-learn: python make.py
"""

import os
import shutil
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")

import keras
import numpy as np
import tensorflow as tf
from keras import layers
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

HERE = Path(__file__).parent
HELD_OUT = 100
COPIES = 6
EPOCHS = 30
BATCH = 64


def load():
    """Images of 8 × 8 pixels scaled to 0 … 1, split into digits to train with and digits to test with."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype(np.float32).reshape(-1, 8, 8, 1)
    return train_test_split(images, labels, test_size=360, stratify=labels, random_state=1)


def build():
    image = keras.Input((8, 8, 1), name="image")
    x = layers.Conv2D(16, 3, padding="same", use_bias=False)(image)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU()(x)
    x = layers.MaxPooling2D(2)(x)
    x = layers.SeparableConv2D(32, 3, padding="same", activation="relu")(x)
    x = layers.Flatten()(x)
    x = layers.Dropout(0.3)(x)
    digit = layers.Dense(10, activation="softmax", name="digit")(x)
    return keras.Model(image, digit, name="digits")


def augmented(images, labels, copies, random):
    """The images, and `copies` of them shifted by up to one pixel."""
    padded = np.pad(images, [(0, 0), (1, 1), (1, 1), (0, 0)])
    shifts = random.integers(0, 3, (copies, 2))
    shifted = [padded[:, down : down + 8, right : right + 8] for down, right in shifts]
    return np.concatenate([images, *shifted]), np.tile(labels, copies + 1)


def main():
    keras.utils.set_random_seed(1)
    tf.config.experimental.enable_op_determinism()
    train_images, test_images, train_labels, test_labels = load()

    model = build()
    images, labels = augmented(train_images, train_labels, COPIES, np.random.default_rng(1))
    steps = EPOCHS * len(images) // BATCH
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(5e-3, steps))
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    model.fit(images, labels, batch_size=BATCH, epochs=EPOCHS, verbose=0)
    _, accuracy = model.evaluate(test_images, test_labels, verbose=0)

    # Without its optimizer: what is saved is what predicts.
    keras.backend.clear_session()
    plain = build()
    plain.set_weights(model.get_weights())
    shutil.rmtree(HERE / "saved_model", ignore_errors=True)
    plain.export(HERE / "saved_model", verbose=False)
    (HERE / "saved_model" / "fingerprint.pb").unlink(missing_ok=True)
    (HERE / "saved_model" / "assets").rmdir()

    held_out, held_out_labels = test_images[:HELD_OUT], test_labels[:HELD_OUT]
    serve = tf.saved_model.load(HERE / "saved_model").signatures["serving_default"]
    (predictions,) = serve(image=tf.constant(held_out)).values()
    np.savez_compressed(HERE / "features.npz", image=held_out, predictions=predictions.numpy())
    np.savez_compressed(HERE / "labels.npz", labels=held_out_labels.astype(np.int64))

    correct = int((predictions.numpy().argmax(axis=1) == held_out_labels).sum())
    print(f"{plain.count_params()} parameters")
    print(f"accuracy: {accuracy:.2%} of {len(test_labels)} test digits, {correct} of the {HELD_OUT} in features.npz")


main()
