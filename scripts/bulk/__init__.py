"""Commands that process archives of pictures, for the operator of the stack."""
