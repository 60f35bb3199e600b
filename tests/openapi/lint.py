"""Holds an OpenAPI document against the specification, and what it exemplifies against its own schemas.

usage: lint.py DOCUMENT

The document is read as YAML 1.1, as older tools read it: a value that means something else there (off, 1:30, 2026-03-05) is found because it no longer is of
its schema's type. Prints one line a fault; ends with 1 when there is any.
"""

import sys

import yaml
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from openapi_spec_validator import OpenAPIV31SpecValidator
from referencing import Registry
from referencing.jsonschema import DRAFT202012

DOCUMENT = "urn:document"


class Lint:
    def __init__(self, document):
        self.document = document
        self.registry = Registry().with_resource(DOCUMENT, DRAFT202012.create_resource(document))
        self.faults = []
        self.examples = 0

    def say(self, place, what):
        self.faults.append(f"{place or '/'}: {what}")

    def run(self):
        for error in OpenAPIV31SpecValidator(self.document).iter_errors():
            self.say("/".join(["", *map(str, error.absolute_path)]), error.message)
        self.walk(self.document, "")
        return self.faults

    def walk(self, value, place):
        """Visits everything that is no example itself."""
        if isinstance(value, list):
            for index, item in enumerate(value):
                self.walk(item, f"{place}/{index}")
        if not isinstance(value, dict):
            return
        if "schema" in value and "example" in value:
            self.check(value["example"], value["schema"], f"{place}/example")
        if ("type" in value or "enum" in value) and not place.endswith("/properties"):
            self.check_own_values(value, place)
        for name, member in value.items():
            if name != "example":
                self.walk(member, f"{place}/{name}")

    def check_own_values(self, schema, place):
        """The values that a schema lists are of its own type."""
        if not isinstance(schema.get("type", "object"), (str, list)):
            return  # a property that is called "type"
        without_list = {name: member for name, member in schema.items() if name != "enum"}
        for value in schema.get("enum", []):
            self.check(value, without_list, f"{place}/enum")
        if "default" in schema:
            self.check(schema["default"], schema, f"{place}/default")

    def check(self, value, schema, place):
        self.examples += 1
        # References in the document start with "#": they are followed from the whole.
        rooted = {"$id": DOCUMENT + ":" + str(self.examples), **self.absolute(schema)}
        validator = OAS31Validator(rooted, registry=self.registry, format_checker=oas31_format_checker)
        for error in validator.iter_errors(value):
            self.say(place, error.message)

    def absolute(self, schema):
        if isinstance(schema, list):
            return [self.absolute(item) for item in schema]
        if not isinstance(schema, dict):
            return schema
        return {
            name: DOCUMENT + member if name == "$ref" and isinstance(member, str) else self.absolute(member)
            for name, member in schema.items()
        }


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        lint = Lint(yaml.safe_load(file))
    faults = lint.run()
    for fault in faults:
        print(fault)
    print(f"{sys.argv[1]}: {len(faults)} faults, {lint.examples} values held against their schemas")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
