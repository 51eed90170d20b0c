// Reading text files: checks, the two forms, and document splits.
#include "xfq/corpus/text.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/hash.h"
#include "xfq/core/utf8.h"

namespace xfq::corpus {

namespace {

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && is_ascii_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_ascii_space(text.back())) text.remove_suffix(1);
  return text;
}

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& set, std::string_view character) {
  return std::find(set.begin(), set.end(), character) != set.end();
}

// The last three of each are the Chinese and Japanese full-width marks.
constexpr std::array<std::string_view, 6> kSentenceEnds = {
    ".", "!", "?", "\xE3\x80\x82", "\xEF\xBC\x81", "\xEF\xBC\x9F"};
constexpr std::array<std::string_view, 6> kPauses = {
    ",", ";", ":", "\xEF\xBC\x8C", "\xEF\xBC\x9B", "\xEF\xBC\x9A"};
constexpr std::array<std::string_view, 9> kClosers = {
    "\"",           "'",           ")", "]", "\xE2\x80\x99", "\xE2\x80\x9D", "\xC2\xBB",
    "\xE3\x80\x8D", "\xEF\xBC\x89"};

/// Ends of the sentences inside `text`, as offsets behind their closers; the end
/// of the text itself is not one of them.
std::vector<std::size_t> inner_sentence_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  std::size_t at = 0;
  while (at < text.size()) {
    const std::string_view character = utf8_front(text.substr(at));
    at += character.size();
    if (!contains(kSentenceEnds, character)) continue;
    const bool full_width = character.size() > 1;
    std::size_t end = at;
    while (end < text.size()) {
      const std::string_view next = utf8_front(text.substr(end));
      if (!contains(kSentenceEnds, next) && !contains(kClosers, next)) break;
      end += next.size();
    }
    at = end;
    std::size_t next = end;
    while (next < text.size() && is_ascii_space(text[next])) ++next;
    if (next == text.size()) break;
    if (next == end && !full_width) continue;              // 3.14, e.g.
    if (text[next] >= 'a' && text[next] <= 'z') continue;  // "Stop!" he said
    ends.push_back(end);
  }
  return ends;
}

bool ends_in_punctuation(std::string_view line) {
  // From behind, over closers, to the last character that counts.
  while (!line.empty()) {
    std::size_t start = line.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(line[start]) & 0xC0U) == 0x80U) --start;
    const std::string_view last = line.substr(start);
    if (contains(kSentenceEnds, last) || contains(kPauses, last)) return true;
    if (!contains(kClosers, last)) return false;
    line.remove_suffix(last.size());
  }
  return false;
}

/// Blocks of trimmed, non-blank lines.
std::vector<std::vector<std::string_view>> blocks_of(std::string_view text) {
  std::vector<std::vector<std::string_view>> blocks;
  bool open = false;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = trimmed(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.empty()) {
      open = false;
      continue;
    }
    if (!open) blocks.emplace_back();
    open = true;
    blocks.back().push_back(line);
  }
  return blocks;
}

bool has_one_sentence_a_line(const std::vector<std::vector<std::string_view>>& blocks) {
  std::size_t lines = 0;
  std::size_t punctuated = 0;
  std::size_t inner = 0;
  for (const auto& block : blocks) {
    for (const std::string_view line : block) {
      ++lines;
      punctuated += ends_in_punctuation(line) ? 1 : 0;
      inner += inner_sentence_ends(line).size();
    }
  }
  return 2 * punctuated >= lines && inner < lines;
}

std::vector<std::string> split_prose(const std::vector<std::string_view>& block) {
  std::string text;
  for (const std::string_view line : block) {
    if (!text.empty()) text += ' ';
    text += line;
  }
  std::vector<std::string> sentences;
  std::size_t start = 0;
  std::vector<std::size_t> ends = inner_sentence_ends(text);
  ends.push_back(text.size());
  for (const std::size_t end : ends) {
    sentences.emplace_back(trimmed(std::string_view(text).substr(start, end - start)));
    start = end;
  }
  return sentences;
}

}  // namespace

std::string to_raw(const std::vector<Document>& documents) {
  std::string raw;
  for (const Document& document : documents) {
    for (const std::string& sentence : document.sentences) {
      raw += sentence;
      raw += '\n';
    }
    raw += '\n';
  }
  return raw;
}

std::size_t find_invalid_utf8(std::string_view bytes) {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(bytes[i]); };
  std::size_t i = 0;
  while (i < bytes.size()) {
    const unsigned lead = byte(i);
    if (lead < 0x80) {
      ++i;
      continue;
    }
    std::size_t length = 0;
    // Allowed range of the second byte (RFC 3629, section 4).
    unsigned lo = 0x80;
    unsigned hi = 0xBF;
    if (lead >= 0xC2 && lead <= 0xDF) {
      length = 2;
    } else if (lead >= 0xE0 && lead <= 0xEF) {
      length = 3;
      if (lead == 0xE0) lo = 0xA0;
      if (lead == 0xED) hi = 0x9F;
    } else if (lead >= 0xF0 && lead <= 0xF4) {
      length = 4;
      if (lead == 0xF0) lo = 0x90;
      if (lead == 0xF4) hi = 0x8F;
    } else {
      return i;
    }
    for (std::size_t k = 1; k < length; ++k) {
      if (i + k >= bytes.size()) return i;
      if (byte(i + k) < lo || byte(i + k) > hi) return i;
      lo = 0x80;
      hi = 0xBF;
    }
    i += length;
  }
  return std::string_view::npos;
}

Text parse_text(std::string bytes, const std::string& name) {
  Text text;
  const std::size_t slash = name.find_last_of('/');
  text.name = slash == std::string::npos ? name : name.substr(slash + 1);
  text.sha256 = sha256_hex(bytes);
  if (bytes.find('\0') != std::string::npos) {
    throw_input(fmt::format("--corpus: {} is binary (a NUL byte at offset {}), expected UTF-8 text",
                            name, bytes.find('\0')),
                "convert it to UTF-8");
  }
  const std::size_t invalid = find_invalid_utf8(bytes);
  if (invalid != std::string_view::npos) {
    throw_input(
        fmt::format("--corpus: {} is not valid UTF-8: byte 0x{:02X} at offset {}", name,
                    static_cast<unsigned>(static_cast<unsigned char>(bytes[invalid])), invalid),
        "convert it to UTF-8, for example with iconv");
  }
  if (bytes.rfind("\xEF\xBB\xBF", 0) == 0) bytes.erase(0, 3);
  text.raw = std::move(bytes);

  const auto blocks = blocks_of(text.raw);
  if (blocks.empty()) {
    throw_input(fmt::format("--corpus: {} is empty, expected text", name), "name another file");
  }
  const bool lines = has_one_sentence_a_line(blocks);
  for (const auto& block : blocks) {
    Document document;
    if (lines) {
      document.sentences.assign(block.begin(), block.end());
    } else {
      document.sentences = split_prose(block);
    }
    text.documents.push_back(std::move(document));
  }
  return text;
}

Text read_text(const std::string& path) { return parse_text(read_file(path, "--corpus"), path); }

SplitText split_documents(const Text& text, const Shares& shares) {
  XFQ_ASSERT(shares.validation >= 0 && shares.test >= 0 && shares.validation + shares.test < 1);
  const std::size_t count = text.documents.size();
  const auto part = [count](double share) {
    if (share <= 0) return std::size_t{0};
    return std::max<std::size_t>(1, static_cast<std::size_t>(share * static_cast<double>(count)));
  };
  const std::size_t validation = part(shares.validation);
  const std::size_t test = part(shares.test);
  if (count < validation + test + 1) {
    throw_input(fmt::format("--corpus: {} has {} document{}, expected at least {} to split",
                            text.name, count, count == 1 ? "" : "s", validation + test + 1),
                "separate documents by blank lines, or use --sequence stream");
  }
  const auto begin = text.documents.begin();
  const auto train_end = begin + static_cast<std::ptrdiff_t>(count - validation - test);
  const auto validation_end = train_end + static_cast<std::ptrdiff_t>(validation);
  return {{begin, train_end}, {train_end, validation_end}, {validation_end, text.documents.end()}};
}

}  // namespace xfq::corpus
