"""What is inside a deployment package: files in, facts or files out. No AWS, no processes."""
