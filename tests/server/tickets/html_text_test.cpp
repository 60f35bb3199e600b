#include "server/tickets/html_text.hpp"

#include <doctest/doctest.h>

#include <string>
#include <utility>
#include <vector>

using catenary::server::tickets::text_of_html;

TEST_CASE("what people write as HTML is read as its words") {
    const std::vector<std::pair<std::string, std::string>> rows{
        {"", ""},
        {"plain words", "plain words"},
        {"<p>I called her:<br />not <b>her</b>.</p>", "I called her:\nnot her."},
        {"<DIV class=\"x\">one</DIV>\n<div>two</div>", "one\ntwo"},
        {"<ul><li>a</li><li>b</li></ul>", "a\nb"},
        {"a &lt;script&gt; &amp;amp; &quot;b&quot; &#39;c&#x27;&nbsp;d", "a <script> &amp; \"b\" 'c' d"},
        {"&euro; &#8364; &#0; &#xd800; &#x110000; & ;", "&euro; \u20ac &#0; &#xd800; &#x110000; & ;"},
        {"<style>p { color: red }</style><p>seen</p><script>alert(1)</script>", "seen"},
        {"1 < 2 > 0", "1 < 2 > 0"},
        {"cut <b", "cut"},
        {"<!-- a note -->said", "said"},
        {"  many \t\n spaces  ", "many spaces"},
    };
    for (const auto& [html, words] : rows) CHECK(text_of_html(html) == words);
}

TEST_CASE("a megabyte of signs without ends is read once") {
    CHECK(text_of_html(std::string(1'000'000, '<')).size() <= 1'000'000);
    CHECK(text_of_html(std::string(1'000'000, '&')).size() == 1'000'000);
    std::string open;
    for (int i = 0; i < 100'000; ++i) open += "<a ";
    CHECK(text_of_html(open).empty());
}
