"""What was spent: one record for each finished answer, and the reports over them."""
