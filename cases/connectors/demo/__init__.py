"""A connector in one small module, to learn from and to test with."""
