"""The daemon's OpenAPI document, and the check of an answer against it."""
import re

import jsonschema

PREFIXES = ("/zstack/v1", "/v1", "/hvagent/v1")
BASE = "https://hvagent.test/openapi.json"


class Breach(AssertionError):
    """An answer that is not what the document promises."""


class Contract:
    def __init__(self, document):
        self.document = document
        self.resolver = jsonschema.RefResolver(BASE, document)
        self.validators = {}
        self.routes = []
        for path, item in document["paths"].items():
            literals = re.split(r"\{[^}]*\}", path)
            pattern = re.compile("[^/]+".join(map(re.escape, literals)) + "$", re.IGNORECASE)
            self.routes.append((len(literals), path, pattern, item))
        self.routes.sort(key=lambda route: route[0])  # literal paths before templates

    def find(self, method, path):
        """The document's operation for a request, and its path; (None, None) when it knows no such path."""
        path = re.sub("/+", "/", path).rstrip("/")
        for candidate in [path] + [path[len(prefix):] for prefix in PREFIXES if path.lower().startswith(prefix + "/")]:
            for _, template, pattern, item in self.routes:
                # Where a path has only one of them, PUT and POST stand for each other.
                for verb in (method.lower(), {"PUT": "post", "POST": "put"}.get(method)):
                    if pattern.match(candidate) and verb in item:
                        return item[verb], template
        return None, None

    def name_of(self, method, path, body):
        """Which of the operations a request means: where several share a path, a key of the body says it."""
        operation, _ = self.find(method, path)
        described = operation["x-hvagent-operations"]
        if len(described) == 1:
            return described[0]["name"]
        keys = {key.lower() for key in body or {}}
        for one in described:
            if keys & {name.lower() for name in (one["name"], one["bodyKey"], *one["bodyKeyAliases"])}:
                return one["name"]
        raise Breach(f"{method} {path} took {list(keys)}, which the document does not list")

    def check_result(self, name, value):
        """What a job of this operation answered."""
        self.check_value(("result", name), {"$ref": f"#/components/schemas/{name}Result"}, value, f"the result of {name}")

    def check(self, method, path, answer, partial=False):
        """`partial`: the request asked for some fields only, so that others may be missing."""
        operation, template = self.find(method, path)
        if not operation:
            if answer.status not in (400, 404, 405, 501):
                raise Breach(f"{method} {path} answers {answer} but stands nowhere in the document")
            return
        responses = operation["responses"]
        described = responses.get(str(answer.status)) or responses.get(f"{answer.status // 100}XX") or responses.get("default")
        if not described:
            raise Breach(f"{method} {template}: status {answer.status} is not in the document: {answer}")
        while "$ref" in described:
            described = self.resolver.resolve(described["$ref"])[1]
        content = described.get("content", {}).get("application/json")
        if not content or "schema" not in content:
            return
        if answer.body is None:
            raise Breach(f"{method} {template}: {answer} is not JSON")
        self.check_value((method, template, answer.status), content["schema"], answer.body, f"{method} {path}", partial)

    def check_value(self, key, schema, value, what, partial=False):
        validator = self.validators.get(key)
        if not validator:
            jsonschema.Draft202012Validator.check_schema(schema)
            validator = self.validators[key] = jsonschema.Draft202012Validator(schema, resolver=self.resolver)
        error = jsonschema.exceptions.best_match(one for one in validator.iter_errors(value) if not partial or one.validator != "required")
        if error:
            place = "/".join(map(str, error.absolute_path))
            raise Breach(f"{what}: {error.message} at '{place}'; the answer: {str(value)[:1500]}")
