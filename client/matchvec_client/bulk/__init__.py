"""Archives of pictures in S3, answered by a stack's state machine: `matchvec bulk`.

For people with AWS credentials; it needs boto3 (`matchvec-client[bulk]`). The rest of the package
does not import it.
"""
