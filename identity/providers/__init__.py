"""How it is established who asks: the contract of a method, the bundled ones, and where others are found."""
