#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// Plain text as a document of the Atlassian Document Format: a paragraph for each run of lines, a list for lines that begin with "- " or "  * ". Nothing
/// in the text is markup.
nlohmann::json adf_of(std::string_view text);

/// The text of such a document, a line for each paragraph; "" of what is none. Looks as deep as people nest lists, not further.
std::string text_of_adf(const nlohmann::json& document);

}  // namespace catenary::server::tickets
