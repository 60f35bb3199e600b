#pragma once

#include <string>
#include <string_view>

namespace catenary::server::tickets {

/// The words of a piece of HTML, as people write it in ticket systems: without tags, scripts and styles; paragraphs, list items and rows on lines of their own,
/// the usual entities as what they stand for. What is no HTML stays as it is, but for runs of white space. Linear in time.
std::string text_of_html(std::string_view html);

}  // namespace catenary::server::tickets
