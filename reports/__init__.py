"""Frames in; HTML, CSV and tables out. Knows nothing of boto3 or of fleet's verbs."""
