"""Bulk processing: batches of S3 objects answered by the API's own models."""
