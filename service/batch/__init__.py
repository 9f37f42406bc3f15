"""Batch processing: pictures in S3, answered by the same models as the API."""
