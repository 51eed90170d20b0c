// Markdown pieces that the sources of this room share.
#pragma once

#include <string>
#include <vector>

namespace xfq::report {

/// Text that stays text inside a table cell.
std::string markdown_cell(const std::string& text);

/// Cells are escaped here.
std::string markdown_table(const std::vector<std::string>& columns,
                           const std::vector<std::vector<std::string>>& rows);

}  // namespace xfq::report
