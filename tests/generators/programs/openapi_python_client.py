"""Use the package of openapi-python-client: openapi_python_client.py API PICTURE PICTURE."""

import sys
from io import BytesIO
from pathlib import Path

from matchvec_api_client import AuthenticatedClient
from matchvec_api_client.api.pictures import predict, predict_details
from matchvec_api_client.models import Pictures, PredictDetails
from matchvec_api_client.types import File

api, *paths = sys.argv[1:]
client = AuthenticatedClient(base_url=api, token="", prefix="", auth_header_name="x-api-key")


def pictures() -> Pictures:
    """Return the body of a request."""
    return Pictures(
        image=[File(BytesIO(Path(path).read_bytes()), Path(path).name) for path in paths]
    )


answer = predict.sync(client=client, body=pictures())
assert isinstance(answer, list)
print("plain", *(len(vehicles) for vehicles in answer))
details = predict_details.sync(client=client, body=pictures(), top=1)
assert isinstance(details, PredictDetails)
for image in details.images:
    print(image.filename, image.predictions[0].class_name)
