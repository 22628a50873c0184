"""The demonstration: two brands, their staff, their customers' data, and cases made by driving the workflow."""
