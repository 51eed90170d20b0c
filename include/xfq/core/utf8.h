// Walking UTF-8 that is known to be valid.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace xfq {

/// Bytes of the code point that starts with `lead`.
inline std::size_t utf8_length(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

/// The code point at the front of `text`, as its bytes; at most what is there.
inline std::string_view utf8_front(std::string_view text) {
  return text.substr(0, utf8_length(text.front()));
}

inline bool is_ascii_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

}  // namespace xfq
