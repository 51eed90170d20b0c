#include "xfq/core/text.h"

#include <fmt/args.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "catalogue.h"
#include "xfq/core/error.h"

namespace xfq {

namespace {

/// The string of a line from its first quote on.
std::string unquote(std::string_view line, const std::string& where) {
  const std::size_t begin = line.find('"');
  const std::size_t end = line.rfind('"');
  if (begin == std::string_view::npos || end == begin) {
    throw_input(where + ": got no quoted text, expected \"...\"");
  }
  std::string out;
  for (std::size_t i = begin + 1; i < end; ++i) {
    if (line[i] != '\\') {
      out += line[i];
      continue;
    }
    const char escaped = ++i < end ? line[i] : '\0';
    if (escaped == 'n') {
      out += '\n';
    } else if (escaped == '"' || escaped == '\\') {
      out += escaped;
    } else {
      throw_input(where + ": got an unknown escape, expected \\n, \\\" or \\\\");
    }
  }
  return out;
}

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::vector<Translation> chinese_catalogue() {
  std::vector<Translation> entries = parse_po(catalogue_zh(), "data/text/zh.po");
  std::sort(entries.begin(), entries.end(),
            [](const Translation& a, const Translation& b) { return a.english < b.english; });
  return entries;
}

std::string fill(std::string_view format, Language language,
                 std::initializer_list<TextArgument> arguments) {
  fmt::dynamic_format_arg_store<fmt::format_context> store;
  for (const TextArgument& argument : arguments) {
    if (const auto* const number = std::get_if<double>(&argument.value())) {
      store.push_back(*number);
    } else if (const auto* const integer = std::get_if<std::int64_t>(&argument.value())) {
      store.push_back(*integer);
    } else {
      store.push_back(std::get<Text>(argument.value()).in(language));
    }
  }
  try {
    return fmt::vformat(fmt::string_view(format.data(), format.size()), store);
  } catch (const fmt::format_error& error) {
    throw_run(fmt::format("text \"{}\": {}", format, error.what()), "please report this");
  }
}

/// Three bytes of UTF-8 from U+3000 on: Chinese characters, their punctuation, full-width forms.
bool wide(std::string_view character) {
  return character.size() == 3 && static_cast<unsigned char>(character[0]) >= 0xE3;
}

/// Punctuation that brings its own space.
bool wide_mark(std::string_view character) {
  return character.substr(0, 2) == "\xE3\x80" || character.substr(0, 2) == "\xEF\xBC";
}

/// Formats put spaces around fields, as Chinese has them beside Latin words and numbers;
/// takes away those beside what turned out to be a Chinese word or mark.
std::string close_up(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == ' ') {
      const std::string_view before =
          std::string_view(out).substr(std::max<std::size_t>(3, out.size()) - 3);
      const std::string_view after = std::string_view(text).substr(i + 1, 3);
      const bool marked = (wide(before) && wide_mark(before)) || (wide(after) && wide_mark(after));
      if (marked || (wide(before) && wide(after))) continue;
    }
    out += text[i];
  }
  return out;
}

/// Joins by the two-field format, whose translation has the language's own separator.
Text chain(const char* format, const std::vector<Text>& parts) {
  Text joined;
  for (const Text& part : parts) {
    if (part.empty()) continue;
    joined = joined.empty() ? part : phrase(format, {joined, part});
  }
  return joined;
}

}  // namespace

const std::vector<std::string>& language_names() {
  static const std::vector<std::string> names = {"en", "zh"};
  return names;
}

Language parse_language(const std::string& name) {
  if (name == "en") return Language::en;
  if (name == "zh") return Language::zh;
  throw_usage(fmt::format("--lang: got '{}', expected en or zh", name));
}

Text::Text(std::string english) : english_(std::move(english)) {
  chinese_ = translation(Language::zh, english_);
  translated_ = english_.empty() || !chinese_.empty();
  if (chinese_.empty()) chinese_ = english_;
}

Text::Text(const char* english) : Text(std::string(english)) {}

Text Text::verbatim(std::string text) {
  Text result;
  result.chinese_ = text;
  result.english_ = std::move(text);
  return result;
}

Text Text::from(std::string english, std::string chinese) {
  Text result;
  result.translated_ = english.empty() || !chinese.empty();
  result.chinese_ = chinese.empty() ? english : std::move(chinese);
  result.english_ = std::move(english);
  return result;
}

const std::string& Text::in(Language language) const {
  return language == Language::zh ? chinese_ : english_;
}

Text& Text::operator+=(const Text& more) {
  english_ += more.english_;
  chinese_ += more.chinese_;
  translated_ = translated_ && more.translated_;
  return *this;
}

Text phrase(const char* english, std::initializer_list<TextArgument> arguments) {
  const std::string_view chinese = translation(Language::zh, english);
  bool translated = !chinese.empty();
  for (const TextArgument& argument : arguments) {
    const Text* const text = std::get_if<Text>(&argument.value());
    if (text != nullptr && !text->translated()) translated = false;
  }
  return Text::from(fill(english, Language::en, arguments),
                    translated ? close_up(fill(chinese, Language::zh, arguments)) : std::string());
}

Text paragraph(const std::vector<Text>& sentences) { return chain("{} {}", sentences); }

Text clauses(const std::vector<Text>& parts) { return chain("{}; {}", parts); }

Text listing(const std::vector<Text>& items) { return chain("{}, {}", items); }

Text listing_with_and(std::vector<Text> items) {
  if (items.size() < 2) return listing(items);
  const Text last = items.back();
  items.pop_back();
  return phrase("{} and {}", {listing(items), last});
}

std::string_view translation(Language language, std::string_view english) {
  if (language == Language::en) return english;
  const std::vector<Translation>& entries = translations(language);
  const auto found = std::lower_bound(
      entries.begin(), entries.end(), english,
      [](const Translation& entry, std::string_view text) { return entry.english < text; });
  if (found == entries.end() || found->english != english) return {};
  return found->translated;
}

std::vector<Translation> parse_po(std::string_view text, const std::string& source) {
  std::vector<Translation> entries;
  std::string* open = nullptr;  // what a continuation line adds to
  int number = 0;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    ++number;
    const std::string where = fmt::format("{}: line {}", source, number);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line[0] == '#') {
      open = nullptr;
    } else if (begins_with(line, "msgid ")) {
      if (!entries.empty() && open == &entries.back().english) {
        throw_input(where + ": got msgid, expected the msgstr of the one before");
      }
      entries.push_back({unquote(line, where), {}});
      open = &entries.back().english;
    } else if (begins_with(line, "msgstr ")) {
      if (entries.empty() || open != &entries.back().english) {
        throw_input(where + ": got msgstr, expected msgid before it");
      }
      entries.back().translated = unquote(line, where);
      open = &entries.back().translated;
    } else if (line[0] == '"' && open != nullptr) {
      *open += unquote(line, where);
    } else {
      throw_input(where + ": expected msgid, msgstr, a quoted continuation or a comment");
    }
  }
  // The first entry may be gettext's header: an empty msgid.
  if (!entries.empty() && entries.front().english.empty()) entries.erase(entries.begin());
  return entries;
}

const std::vector<Translation>& translations(Language language) {
  static const std::vector<Translation> none;
  static const std::vector<Translation> chinese = chinese_catalogue();
  return language == Language::zh ? chinese : none;
}

}  // namespace xfq
