"""How the embedded models were made: data, training, evaluation and export.

Nothing here is needed at run time; `training/requirements.txt` is an environment of its own.
"""
