"""Where the states of killed trainings lie. Imports nothing: `clean` looks for them."""

NAME = ".unfinished"
"""The folder in the Trainer's: a folder per training, and a lock beside each that runs."""
