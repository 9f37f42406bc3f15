"""Use the package of openapi-generator's python: openapi_generator.py API PICTURE PICTURE."""

import sys
from pathlib import Path

from openapi_client import ApiClient, Configuration, PicturesApi

api, *paths = sys.argv[1:]
files = [(Path(path).name, Path(path).read_bytes()) for path in paths]
pictures = PicturesApi(ApiClient(Configuration(host=api)))
print("plain", *(len(vehicles) for vehicles in pictures.predict(image=files)))
details = pictures.predict_details(image=files, top=1)
for image in details.images:
    print(image.filename, image.predictions[0].class_name)
