"""Data, training, evaluation and export of the embedded models.

Nothing here is needed at run time; `training/requirements.txt` is an environment of its own.
"""
