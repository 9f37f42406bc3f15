"""Archives of pictures in S3, answered by a stack's state machine: `matchvec bulk`.

It needs AWS credentials and boto3 (`matchvec-client[bulk]`). The rest of the package does not
import it.
"""
