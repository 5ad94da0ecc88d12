"""Find every AWS Lambda function on go1.x, and take it off in time."""

__version__ = "0.1.0"
