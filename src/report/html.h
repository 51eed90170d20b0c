// HTML pieces that the sources of this room share.
#pragma once

#include <string>
#include <vector>

namespace xfq::report {

/// Text that stays text in an element and in an attribute.
std::string html_escaped(const std::string& text);

/// A table that scrolls by itself on a narrow screen. Cells are escaped here.
std::string html_table(const std::vector<std::string>& columns,
                       const std::vector<std::vector<std::string>>& rows);

/// What opens on demand. `body` is HTML, `summary` is text.
std::string html_details(const std::string& summary, const std::string& body, bool open = false);

/// Letters, digits, '.' and '-' stay, all else becomes '-': an id that CSS and URLs take.
std::string html_id(const std::string& text);

}  // namespace xfq::report
