"""What holds for all tests: the environment is the command's."""

from __future__ import annotations

from pipeline import environment

environment.prepare()  # before any test module imports TensorFlow or Keras
