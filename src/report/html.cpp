// HTML pieces that the sources of this room share.
#include "html.h"

#include <fmt/core.h>

namespace xfq::report {

std::string html_escaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default: {
        const auto byte = static_cast<unsigned char>(c);
        out += byte < 0x20 && c != '\n' && c != '\t' ? ' ' : c;
      }
    }
  }
  return out;
}

namespace {

/// Numbers and intervals do not break over lines.
bool is_number(const std::string& cell) {
  return !cell.empty() && cell.size() < 32 &&
         cell.find_first_not_of("0123456789.,+-e[] ") == std::string::npos;
}

}  // namespace

std::string html_table(const std::vector<std::string>& columns,
                       const std::vector<std::vector<std::string>>& rows) {
  std::string out = "<div class=\"scroll\"><table><thead><tr>";
  for (const std::string& column : columns) {
    out += fmt::format("<th scope=\"col\">{}</th>", html_escaped(column));
  }
  out += "</tr></thead><tbody>\n";
  for (const std::vector<std::string>& row : rows) {
    out += "<tr>";
    for (const std::string& cell : row) {
      out +=
          fmt::format("<td{}>{}</td>", is_number(cell) ? " class=\"n\"" : "", html_escaped(cell));
    }
    out += "</tr>\n";
  }
  return out + "</tbody></table></div>\n";
}

std::string html_details(const std::string& summary, const std::string& body, bool open) {
  return fmt::format("<details{}><summary>{}</summary>\n{}</details>\n", open ? " open" : "",
                     html_escaped(summary), body);
}

std::string html_id(const std::string& text) {
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    out += plain || c == '.' || c == '-' ? c : '-';
  }
  return out;
}

}  // namespace xfq::report
