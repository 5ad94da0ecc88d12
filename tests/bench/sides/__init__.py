"""What is measured. Each module is imported only in the worker that measures it."""
