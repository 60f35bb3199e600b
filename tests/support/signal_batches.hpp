#pragma once

#include "api/ingest/prepared.hpp"

#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace catenary::tests {

/// Builds prepared batches without HTTP or JSON. Texts are copied into the batch.
class BatchBuilder {
public:
    /// A signal to be posted; members have values that most tests do not care about.
    struct Item {
        std::string source = "edr";
        std::string id;
        engine::Timestamp time;
        std::string domain = "endpoint";
        std::string name = "suspicious_process";
        std::string title;
        std::vector<std::string> tactics{"TA0002"};
        std::vector<std::string> techniques{"T1059"};
        engine::Severity severity = engine::Severity::medium;
        double confidence = 0.5;
        std::int64_t count = 1;
        struct Entity {
            std::string kind, value, role;
            bool identifies = true;
        };
        std::vector<Entity> entities{{"host", "ws-17.example", "target", true}};
        std::string attributes;
        bool plain_attributes = false;
        std::string shown;
        std::string aliases;
    };

    BatchBuilder& add(const Item& item);
    std::shared_ptr<api::ingest::PreparedBatch> build() { return std::move(batch_); }

private:
    std::string_view keep(std::string_view text);
    std::span<const std::string_view> keep(const std::vector<std::string>& texts);
    std::shared_ptr<api::ingest::PreparedBatch> batch_ = std::make_shared<api::ingest::PreparedBatch>();
};

}  // namespace catenary::tests
