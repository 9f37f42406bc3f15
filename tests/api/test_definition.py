"""swagger.yaml compared with the code that it describes."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from openapi_schema_validator import OAS30Validator
from openapi_spec_validator import OpenAPIV30SpecValidator

from gateway.errors import BadOption, PartError, RequestError
from gateway.options import Options, parse_options
from gateway.response import ALLOWED_HEADERS, ALLOWED_METHODS, EXPOSED_HEADERS
from gateway.routes import ASSETS, Route
from inference.errors import PictureError
from scripts.definition import as_text, with_nulls
from service import VERSION
from service.picture_answers import PICTURE_ROUTES
from service.settings import Settings
from tests.support.events import form_event, load_event, rest_event, upload
from tests.support.handlers import Handler

ROOT = Path(__file__).parent.parent.parent
DEFINITION: dict[str, Any] = yaml.safe_load((ROOT / "swagger.yaml").read_text())
ANY_METHOD = "x-amazon-apigateway-any-method"
CATCH_ALL = "/{proxy+}"
OPERATIONS = ("get", "post", "options", ANY_METHOD)


def operations() -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in DEFINITION["paths"].items():
        for method in OPERATIONS:
            if method in item:
                yield path, method, item[method]


def picture_operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = DEFINITION["paths"][f"/{route}"]["post"]
    return operation


def has_details(route: Route) -> bool:
    return PICTURE_ROUTES[route].has_details


def answer_schema(route: Route) -> dict[str, Any]:
    """Return the reference to the schema of a picture route's answer."""
    content = picture_operation(route)["responses"]["200"]["content"]
    schema: dict[str, Any] = content["application/json"]["schema"]
    return schema


def resolve(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the schema that a reference names."""
    name = schema["$ref"].removeprefix("#/components/schemas/")
    found: dict[str, Any] = DEFINITION["components"]["schemas"][name]
    return found


def closed(schema: Any) -> Any:
    """The schema with every object limited to the properties that it lists.

    API Gateway's models know no additionalProperties, so the definition can't say it. A vehicle
    may have more: the answers of further classification models.
    """
    if isinstance(schema, list):
        return [closed(each) for each in schema]
    if not isinstance(schema, dict):
        return schema
    result = {name: closed(each) for name, each in schema.items()}
    if schema.get("type") == "object" and "pred" not in schema["properties"]:
        result["additionalProperties"] = False
    return result


def schema_errors(schema: dict[str, Any], value: object) -> list[str]:
    whole = closed({**copy.deepcopy(schema), "components": DEFINITION["components"]})
    return [
        f"{list(error.absolute_path)}: {error.message}"
        for error in OAS30Validator(whole).iter_errors(value)
    ]


def subclasses(base: Any) -> list[Any]:
    children: list[Any] = base.__subclasses__()
    return [each for child in children for each in (child, *subclasses(child))]


# The definition


def choose(node: Any, *, condition: bool) -> Any:
    """The definition as CloudFormation makes it where all conditions are true, or false."""
    if isinstance(node, list):
        chosen = [choose(each, condition=condition) for each in node]
        return [each for each in chosen if each != {"Ref": "AWS::NoValue"}]
    if not isinstance(node, dict):
        return node
    if "Fn::If" in node:
        return choose(node["Fn::If"][1 if condition else 2], condition=condition)
    return {name: choose(each, condition=condition) for name, each in node.items()}


@pytest.mark.parametrize("condition", [True, False])
def test_is_valid_openapi_3_0_1(condition: bool) -> None:
    assert DEFINITION["openapi"] == "3.0.1"
    chosen = choose(DEFINITION, condition=condition)
    assert list(OpenAPIV30SpecValidator(chosen).iter_errors()) == []


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_only_post_asks_for_the_key_where_one_is_required(
    path: str, method: str, operation: dict[str, Any]
) -> None:
    with_key = choose(operation, condition=True).get("security", [])
    assert with_key == ([{"ApiKey": []}] if method == "post" else [])
    assert choose(operation, condition=False).get("security", []) == []


def test_has_the_version_of_the_product() -> None:
    assert DEFINITION["info"]["version"] == VERSION


def test_has_no_nulls() -> None:
    """CloudFormation refuses them in a template; clients get them."""
    assert re.findall(r"(?<!\")\bnull\b(?!\")", json.dumps(DEFINITION)) == []
    details = with_nulls(picture_operation(Route.PREDICT_DETAILS)["responses"]["200"]["content"])
    example = details["application/json"]["example"]
    assert example["images"][0]["error"] is None


def test_has_no_yaml_anchors() -> None:
    tokens = yaml.scan((ROOT / "swagger.yaml").read_text())
    assert not [t for t in tokens if isinstance(t, yaml.AnchorToken | yaml.AliasToken)]


def test_paths_and_methods_are_the_routes() -> None:
    documented = {
        path: {method.upper() for method in item if method in ("get", "post", "options")}
        for path, item in DEFINITION["paths"].items()
        if path != CATCH_ALL
    }
    # GET is documented; that HEAD is the same without a body goes without saying.
    assert documented == {
        route.path: set(route.methods) - {"HEAD"} for route in Route if route not in ASSETS
    }


@pytest.mark.parametrize("path", DEFINITION["paths"])
def test_other_methods_reach_the_function(path: str) -> None:
    assert ANY_METHOD in DEFINITION["paths"][path]


@pytest.mark.parametrize(("path", "method", "operation"), list(operations()))
def test_integration_is_the_function(path: str, method: str, operation: dict[str, Any]) -> None:
    assert operation["x-amazon-apigateway-integration"] == {
        "type": "aws_proxy",
        "httpMethod": "POST",
        "uri": {
            "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31"
            "/functions/${MatchvecFunction.Alias}/invocations"
        },
    }


def test_binary_media_types_are_exact_and_cover_what_is_documented() -> None:
    types = DEFINITION["x-amazon-apigateway-binary-media-types"]
    assert types == [
        "multipart/form-data",
        "application/octet-stream",
        "image/*",
        "image/avif",
        "image/heic",
        "image/jfif",
        "image/jpeg",
        "image/jpg",
        "image/pjpeg",
        "image/png",
        "image/x-png",
        "image/webp",
        "image/gif",
        "image/bmp",
        "image/x-ms-bmp",
        "image/tiff",
    ]
    for route, picture_route in PICTURE_ROUTES.items():
        content = set(picture_operation(route)["requestBody"]["content"])
        urlencoded = set() if picture_route.has_details else {"application/x-www-form-urlencoded"}
        assert content - set(types) == {"application/json"} | urlencoded


# Options


def documented_options() -> dict[str, dict[str, Any]]:
    return {
        parameter["name"]: parameter["schema"]
        for _, method, operation in operations()
        if method == "post"
        for parameter in operation.get("parameters", [])
    }


def test_options_are_the_codes_with_the_same_defaults() -> None:
    defaults = Options()
    assert {name: schema.get("default") for name, schema in documented_options().items()} == {
        name: getattr(defaults, name)
        for name in Options.__dataclass_fields__
        if name != "details"  # Its answer has another type, so it has routes of its own.
    }


@pytest.mark.parametrize(
    ("name", "value", "taken"),
    [
        (name, schema[bound] + offset, not offset)
        for name, schema in documented_options().items()
        if schema["type"] != "boolean"
        for bound, step in (("minimum", -1), ("maximum", 1))
        for offset in (0, step)
    ],
)
def test_options_have_the_documented_range(name: str, value: int, taken: bool) -> None:
    if taken:
        assert getattr(parse_options({name: str(value)}), name) == value
    else:
        with pytest.raises(BadOption):
            parse_options({name: str(value)})


def test_the_lower_bound_of_the_threshold_is_the_default_of_the_setting() -> None:
    bounds = [
        re.findall(r"[\d.]+(?= by default)", parameter["description"])
        for _, _, operation in operations()
        for parameter in operation.get("parameters", ())
        if parameter.get("name") == "threshold"
    ]

    assert bounds == 4 * [[str(Settings.from_environment({}).min_threshold)]]


# Errors


def documented_errors() -> set[tuple[int, str]]:
    return {
        (int(status), code)
        for _, _, operation in operations()
        for status, response in operation["responses"].items()
        if int(status) >= 400
        for code in re.findall(r"`(\w+)`", response["description"])
    }


def test_statuses_and_codes_are_the_errors_of_the_code() -> None:
    assert documented_errors() == {(each.status, each.code) for each in subclasses(RequestError)}


def test_error_schema_lists_the_codes() -> None:
    error = DEFINITION["components"]["schemas"]["ErrorAnswer"]["properties"]["error"]
    codes = error["properties"]["code"]["enum"]
    assert sorted(codes) == sorted(each.code for each in subclasses(RequestError))


@pytest.mark.parametrize("route", [route for route in PICTURE_ROUTES if has_details(route)])
def test_details_schema_lists_the_codes_of_one_picture(route: Route) -> None:
    details = resolve(answer_schema(route))
    image = resolve(details["properties"]["images"]["items"])["properties"]
    codes = image["error"]["properties"]["code"]["enum"]
    assert len(codes) == len(set(codes))
    assert set(codes) == {
        each.code for base in (PartError, PictureError) for each in subclasses(base)
    }


# Examples and real answers


@pytest.mark.parametrize(
    ("schema", "example"),
    [
        pytest.param(content["schema"], example, id=f"{method} {path} {status} {name}")
        for path, method, operation in operations()
        for status, response in operation["responses"].items()
        for content in response.get("content", {}).values()
        for name, example in [
            ("", content.get("example")),
            *((name, each["value"]) for name, each in content.get("examples", {}).items()),
        ]
        if example is not None
    ],
)
def test_examples_match_their_schemas(schema: dict[str, Any], example: object) -> None:
    assert schema_errors(schema, with_nulls(example)) == []


def accepting(media_type: str, *fields: Any) -> dict[str, Any]:
    event = form_event("/predict", *fields)
    event["headers"]["Accept"] = media_type
    return event


PICTURES = (upload((ROOT / "samples" / "car.jpg").read_bytes()), upload(b"no picture"))
ANSWERS = {
    **{route.value: (form_event(route.path, *PICTURES), 200) for route in PICTURE_ROUTES},
    "health": (rest_event("/health", method="GET"), 200),
    "models": (rest_event("/models", method="GET"), 200),
    "preflight": (rest_event("/predict", method="OPTIONS"), 200),
    "no body": (load_event("error_no_body"), 400),
    "no image": (load_event("error_no_image"), 400),
    "bad option": (load_event("error_bad_top"), 400),
    "too many pictures": (load_event("error_too_many_pictures"), 413),
    "not a picture type": (load_event("error_text_body"), 415),
    "wrong method": (rest_event("/predict", method="DELETE"), 405),
    "unknown route": (rest_event("/nowhere", method="GET"), 404),
    "posted to the page": (rest_event("/"), 405),
    "posted nowhere": (rest_event("/nowhere"), 404),
    "try page": (rest_event("/", method="GET"), 200),
    "docs": (rest_event("/docs", method="GET"), 200),
    "definition": (rest_event("/swagger.json", method="GET"), 200),
    "several to draw": (accepting("image/jpeg", *PICTURES), 400),
    "nothing to draw on": (accepting("image/png", PICTURES[1]), 422),
    "a drawn picture": (accepting("image/png", PICTURES[0]), 200),
}


def documented_response(event: dict[str, Any], status: int) -> dict[str, Any]:
    item = DEFINITION["paths"].get(event["path"], DEFINITION["paths"]["/{proxy+}"])
    operation = item.get(event["httpMethod"].lower(), item[ANY_METHOD])
    response: dict[str, Any] = operation["responses"][str(status)]
    return response


@pytest.mark.parametrize("route", [route for route in PICTURE_ROUTES if has_details(route)])
def test_the_option_details_answers_as_the_route_of_its_own(
    route: Route, embedded_handler: Handler
) -> None:
    plain = route.removesuffix("_details")
    event = form_event(f"/{plain}", *PICTURES, query={"details": "true"})
    answer = json.loads(embedded_handler(event, None)["body"])
    assert schema_errors(answer_schema(route), answer) == []
    assert [len(image["predictions"]) for image in answer["images"]] == [1, 0]


@pytest.mark.parametrize("name", ANSWERS)
def test_answers_are_as_documented(name: str, embedded_handler: Handler) -> None:
    event, status = ANSWERS[name]
    answer = embedded_handler(event, None)
    assert answer["statusCode"] == status
    response = documented_response(event, status)
    if answer["body"]:
        content_type = answer["headers"]["Content-Type"].partition(";")[0]
        schema = response["content"][content_type]["schema"]
        if content_type == "application/json" and name != "definition":
            assert schema_errors(schema, json.loads(answer["body"])) == []
    else:
        assert "content" not in response
    answered = set(answer["headers"])
    optional = {"X-Failed-Images", "X-Ignored-Parts", "X-Not-Classified"}
    assert set(response["headers"]) - optional <= answered
    assert answered & optional <= set(response["headers"])


@pytest.mark.parametrize(
    ("route", "value"),
    [
        (Route.PREDICT, [[{"x1": 1}]]),
        (Route.SHAPE, [[480, 640, 3, 1]]),
        *((route, {"images": []}) for route in PICTURE_ROUTES),
        *((route, []) for route in PICTURE_ROUTES if has_details(route)),
        *((route, [[], None]) for route in PICTURE_ROUTES if route is not Route.NBYTES),
    ],
)
def test_schemas_refuse_what_is_no_answer(route: Route, value: object) -> None:
    assert schema_errors(answer_schema(route), value) != []


def test_the_routes_that_draw_say_so() -> None:
    for route, picture_route in PICTURE_ROUTES.items():
        content = picture_operation(route)["responses"]["200"]["content"]
        assert ({"image/jpeg", "image/png"} <= set(content)) is picture_route.draws


def test_clients_get_the_same_definition() -> None:
    written = (ROOT / "pages" / "swagger.json").read_text()
    assert written == as_text(DEFINITION), "run: python -m scripts.definition"


def test_the_definition_for_clients_is_valid_and_knows_nothing_of_aws() -> None:
    served = json.loads((ROOT / "pages" / "swagger.json").read_text())
    assert list(OpenAPIV30SpecValidator(served).iter_errors()) == []
    assert not re.search(r"x-amazon|Fn::|AWS::|arn:|\$\{", json.dumps(served))
    assert served["servers"] == [{"url": "./"}]
    assert served["paths"]["/predict"]["post"]["security"] == [{}, {"ApiKey": []}]
    assert "security" not in served["paths"]["/health"]["get"]


def test_no_post_passes_by_the_key() -> None:
    """A route is known by its last segment, so any path may lead to a picture route."""
    for path in [*(f"/{route}" for route in Route if "POST" in route.methods), CATCH_ALL]:
        post = choose(DEFINITION["paths"][path]["post"], condition=True)
        assert post["security"] == [{"ApiKey": []}]


def test_pages_of_other_origins_may_send_any_header() -> None:
    assert ALLOWED_HEADERS == "*, Authorization"


# What API Gateway answers without the function

GATEWAY_RESPONSES: dict[str, dict[str, Any]] = DEFINITION["x-amazon-apigateway-gateway-responses"]


def gateway_body(name: str) -> Any:
    """The body that a response template gives; the variables' values are of the kind AWS says.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-mapping-template-reference.html
    """
    template = GATEWAY_RESPONSES[name]["responseTemplates"]["application/json"]
    text = template.replace("$context.error.messageString", '"Too much"')
    return json.loads(text.replace("$context.requestId", "5a1f"))


def test_gateway_responses_cover_every_error_of_the_gateway() -> None:
    assert {"DEFAULT_4XX", "DEFAULT_5XX"} <= set(GATEWAY_RESPONSES)


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_gateway_responses_look_like_the_functions_errors(name: str) -> None:
    body = gateway_body(name)
    assert set(body) == {"error"}
    assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "request_id"}
    assert re.fullmatch("[a-z_]+", body["error"]["code"])


@pytest.mark.parametrize("name", GATEWAY_RESPONSES)
def test_gateway_responses_have_the_headers_of_every_answer(name: str) -> None:
    prefix = "gatewayresponse.header."
    headers = {
        key.removeprefix(prefix): value
        for key, value in GATEWAY_RESPONSES[name]["responseParameters"].items()
    }
    headers.pop("Retry-After", None)
    assert headers == {
        "Access-Control-Allow-Origin": {"Fn::Sub": "'${CorsOrigin}'"},
        "Access-Control-Allow-Headers": f"'{ALLOWED_HEADERS}'",
        "Access-Control-Allow-Methods": f"'{ALLOWED_METHODS}'",
        "Access-Control-Expose-Headers": f"'{EXPOSED_HEADERS}'",
        "X-Request-Id": "context.requestId",
    }
