"""What the black-box tests are written with. conftest.py turns these into fixtures."""
