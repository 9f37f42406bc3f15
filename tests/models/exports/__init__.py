"""Write exports of real frameworks with random weights, for `test_exports.py`."""
