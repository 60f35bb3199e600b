#include "tests/engine/predicate/predicate_builder.hpp"

using namespace catenary;
using engine::Field;

TEST_CASE("a field is read back as it was written") {
    for (const char* written :
         {"domain", "source", "name", "tactic", "technique", "severity", "confidence", "count", "attributes.country", "attributes.geo.country",
          "attributes.a\\.b.c\\\\", "attributes.a b", "entities.ip", "entities.cloud_resource", "entities.x.badge"}) {
        CAPTURE(written);
        const auto field = Field::parse(written);
        REQUIRE(field.has_value());
        CHECK(field->written() == written);
    }
    CHECK(Field::parse("attributes.geo.country").value() == Field{Field::Kind::attribute, "geo.country"});
}

TEST_CASE("an unknown field is refused") {
    for (const char* written : {"", "tactics", "Name", "attributes", "attributes.", "attributes.a.", "attributes..a", "attributes.a\\", "attributes.a\\b",
                                "entities", "entities.", "entities.IP", "entities.a b", "entities._a", "title", "id", "time"}) {
        CAPTURE(written);
        const auto field = Field::parse(written);
        REQUIRE(field.has_error());
        CHECK(field.error().code == engine::FaultCode::unknown_field);
    }
}

TEST_CASE("the values of each field as text") {
    const auto signal = test::sign_in();
    const engine::BorrowedSignal borrowed{signal};
    const auto values = [&](const char* written) { return field_values(Field::parse(written).value(), borrowed.view()); };
    using Texts = std::vector<std::string>;
    CHECK(values("domain") == Texts{"identity"});
    CHECK(values("source") == Texts{"entra_id"});
    CHECK(values("name") == Texts{"unfamiliar_location_signin"});
    CHECK(values("tactic") == Texts{"TA0001", "TA0005"});
    CHECK(values("technique") == Texts{"T1078.004"});
    CHECK(values("severity") == Texts{"medium"});
    CHECK(values("confidence") == Texts{"0.35"});
    CHECK(values("count") == Texts{"3"});
    CHECK(values("attributes.risk") == Texts{"7.5"});
    CHECK(values("attributes.managed") == Texts{"false"});
    CHECK(values("attributes.tags") == Texts{"vpn", "tor"});
    CHECK(values("attributes.absent").empty());
    CHECK(values("entities.ip") == Texts{"203.0.113.7", "2001:db8::1"});
}

TEST_CASE("numbers are written in their shortest exact form") {
    CHECK(engine::attribute_text(100000.0) == "100000");
    CHECK(engine::attribute_text(-0.0) == "0");
    CHECK(engine::attribute_text(0.1) == "0.1");
    CHECK(engine::attribute_text(9007199254740992.0) == "9007199254740992");
    CHECK(engine::attribute_text(1e21) == "1e+21");
    CHECK(engine::attribute_text(true) == "true");
}
