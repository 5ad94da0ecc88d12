"""The only room that sees boto3 and its dicts; it gives back values of fleet.model."""
