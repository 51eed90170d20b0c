// Names and shapes in messages.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace xfq::models {

/// Text of a file, fit for a one-line message: cut, and without control bytes.
inline std::string in_quotes(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string result = "\"";
  for (const char c : text.substr(0, kLongest)) result += c >= ' ' && c <= '~' ? c : '?';
  return result + (text.size() > kLongest ? "...\"" : "\"");
}

/// [2, 3]; also how JSON writes it.
template <class T>
std::string shape_text(const std::vector<T>& shape) {
  std::string text = "[";
  for (std::size_t i = 0; i < shape.size(); ++i) {
    text += (i == 0 ? "" : ", ") + std::to_string(shape[i]);
  }
  return text + "]";
}

}  // namespace xfq::models
