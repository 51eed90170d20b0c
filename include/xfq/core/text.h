// Sentences in every language of the program. The English one stands in the source; its
// translations stand in data/text/<language>.po (gettext's format), found by the English
// text, so that code without a translation still speaks English.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace xfq {

enum class Language { en, zh };

/// "en" and "zh", in the order of Language.
const std::vector<std::string>& language_names();
/// Throws ErrorKind::usage with the names that exist.
Language parse_language(const std::string& name);

class Text {
 public:
  Text() = default;
  /// A whole sentence without numbers; looked up as it is.
  Text(std::string english);  // NOLINT: a sentence is a text
  Text(const char* english);  // NOLINT
  /// The same in every language: names, numbers, file names.
  static Text verbatim(std::string text);
  /// Read back from a result; an empty translation means that there is none.
  static Text from(std::string english, std::string chinese);

  const std::string& english() const { return english_; }
  /// English where there is no translation.
  const std::string& in(Language language) const;
  /// False when a part of it exists in English only.
  bool translated() const { return translated_; }
  bool empty() const { return english_.empty(); }

  Text& operator+=(const Text& more);
  friend Text operator+(Text a, const Text& b) { return a += b; }
  /// Two texts are the same when they say the same in English.
  friend bool operator==(const Text& a, const Text& b) { return a.english_ == b.english_; }
  friend bool operator!=(const Text& a, const Text& b) { return !(a == b); }

 private:
  std::string english_;
  std::string chinese_;
  bool translated_ = true;
};

/// What phrase() fills in: a number, or a text; a plain string is the same in every language.
class TextArgument {
 public:
  TextArgument(double value) : value_(value) {}                                  // NOLINT
  TextArgument(std::int64_t value) : value_(value) {}                            // NOLINT
  TextArgument(int value) : value_(std::int64_t{value}) {}                       // NOLINT
  TextArgument(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}  // NOLINT
  TextArgument(std::string value) : value_(Text::verbatim(std::move(value))) {}  // NOLINT
  TextArgument(const char* value) : value_(Text::verbatim(value)) {}             // NOLINT
  TextArgument(Text value) : value_(std::move(value)) {}                         // NOLINT

  const std::variant<double, std::int64_t, Text>& value() const { return value_; }

 private:
  std::variant<double, std::int64_t, Text> value_;
};

/// A sentence with {} fields in fmt's syntax: phrase("{} keeps {:.1f} %", {arm, 98.2}).
/// A translation may reorder the fields by number ({1:.1f}).
Text phrase(const char* english, std::initializer_list<TextArgument> arguments);

/// Sentences one after the other, spaced as each language does; empty ones are left out.
Text paragraph(const std::vector<Text>& sentences);
/// "a; b; c".
Text clauses(const std::vector<Text>& parts);
/// "a, b, c".
Text listing(const std::vector<Text>& items);
/// "a, b and c".
Text listing_with_and(std::vector<Text> items);

/// The translation of an English sentence or format; empty when there is none.
std::string_view translation(Language language, std::string_view english);

/// The entries of a .po file: msgid and msgstr. Throws ErrorKind::input with the line
/// number on anything but comments, msgid, msgstr and their continuations.
struct Translation {
  std::string english;
  std::string translated;
};
std::vector<Translation> parse_po(std::string_view text, const std::string& source);

/// All translations that are compiled in.
const std::vector<Translation>& translations(Language language);

}  // namespace xfq
