#pragma once

#include <nlohmann/json_fwd.hpp>

#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// Plain text as a document of the Atlassian Document Format: a paragraph for each run of lines, a list for lines that begin with "- " or "  * ". Nothing
/// in the text is markup.
nlohmann::json adf_of(std::string_view text);

/// The words of such a document as people wrote it: a line for each paragraph, "- " before each item of a list, of what is no text (mentions, dates, links,
/// cards) what it shows; "" of what is none. Looks 32 nodes deep, which is more than people nest, and reads about 64 KiB of words, not more.
std::string text_of_adf(const nlohmann::json& document);

}  // namespace catenary::server::tickets
