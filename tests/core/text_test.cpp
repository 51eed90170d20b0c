// Texts in two languages and the reader of their catalogue.
#include "xfq/core/text.h"

#include <algorithm>
#include <set>

#include "catch.h"
#include "refused.h"
#include "xfq/core/error.h"

namespace xfq {

TEST_CASE("a text without a translation speaks English and says so") {
  const Text text = "no catalogue has this sentence";
  CHECK(text.in(Language::en) == "no catalogue has this sentence");
  CHECK(text.in(Language::zh) == text.english());
  CHECK_FALSE(text.translated());
  CHECK(Text().translated());
  CHECK(Text::verbatim("w8a8.kl").translated());
}

TEST_CASE("texts join in both languages") {
  Text text = Text::from("one ", "yi ");
  text += Text::from("two", "er");
  CHECK(text.in(Language::en) == "one two");
  CHECK(text.in(Language::zh) == "yi er");
  CHECK(text.translated());
  text += "an untranslated end";
  CHECK_FALSE(text.translated());
}

TEST_CASE("phrases fill in numbers, names and texts") {
  const Text inner = Text::from("loss", "sunshi");
  const Text text = phrase("{} of {}: {:+.2f} in {} runs", {inner, "w8a8", 0.125, 3});
  CHECK(text.english() == "loss of w8a8: +0.12 in 3 runs");
  CHECK_FALSE(text.translated());
  CHECK(text.in(Language::zh) == text.english());
  CHECK_THROWS_AS(phrase("{} and {}", {1}), Error);
}

TEST_CASE("Chinese has spaces beside Latin words and numbers only") {
  // The catalogue's format is "{}<U+FF08>{}<U+FF09>" for "{} ({})" and "{} <wei>" for "{} bits".
  const std::string wei = "\xE4\xBD\x8D";
  CHECK(phrase("{} bits", {8}).in(Language::zh) == "8 " + wei);
  const Text bracketed = phrase("{} ({})", {"8", "9"});
  CHECK(phrase("{} bits", {bracketed}).in(Language::zh) == bracketed.in(Language::zh) + wei);
  const Text word = Text::from("a", wei);
  CHECK(phrase("{} bits", {word}).in(Language::zh) == wei + wei);
  CHECK(phrase("{} bits", {word}).english() == "a bits");
}

TEST_CASE("sentences and lists are joined as each language does") {
  const Text a = Text::from("One.", "Yi.");
  const Text b = Text::from("Two.", "Er.");
  const Text text = paragraph({Text(), a, Text(), b});
  CHECK(text.english() == "One. Two.");
  CHECK(text.in(Language::zh) == "Yi.Er.");  // Chinese sentences stand without spaces
  const std::vector<Text> items = {Text::verbatim("w2"), Text::verbatim("w4"),
                                   Text::verbatim("{}")};
  CHECK(listing(items).english() == "w2, w4, {}");
  CHECK(listing(items).in(Language::zh) == "w2\xe3\x80\x81w4\xe3\x80\x81{}");  // U+3001
  CHECK(listing_with_and(items).english() == "w2, w4 and {}");
  CHECK(listing_with_and(items).translated());
  CHECK(listing_with_and({a}) == a);
  CHECK(listing_with_and({}).empty());
  CHECK_FALSE(paragraph({a, "no catalogue has this sentence"}).translated());
}

TEST_CASE("a .po file is read with comments, continuations and escapes") {
  const std::vector<Translation> entries = parse_po(
      "# comment\nmsgid \"\"\nmsgstr \"\"\n\"Language: zh\\n\"\n\n"
      "#: where\nmsgid \"a \"\n\"\\\"b\\\"\"\nmsgstr \"{1} \\\\ {0}\\n\"\r\n",
      "made.po");
  REQUIRE(entries.size() == 1);
  CHECK(entries[0].english == "a \"b\"");
  CHECK(entries[0].translated == "{1} \\ {0}\n");
}

TEST_CASE("a damaged .po file is refused by line") {
  const auto message = [](const char* text) {
    try {
      parse_po(text, "made.po");
    } catch (const Error& error) {
      CHECK(error.kind() == ErrorKind::input);
      return std::string(error.what());
    }
    return std::string();
  };
  CHECK(message("msgstr \"x\"\n").find("made.po: line 1: got msgstr") == 0);
  CHECK(message("msgid \"x\"\nmsgid \"y\"\n").find("made.po: line 2: got msgid") == 0);
  CHECK(message("msgid x\n").find("made.po: line 1: got no quoted text") == 0);
  CHECK(message("\"x\"\n").find("made.po: line 1: expected") == 0);
  CHECK(message("msgid \"\\x\"\n").find("made.po: line 1: got an unknown escape") == 0);
}

namespace {

/// The fields of a format by number, "0:+.2f"; empty names count up.
std::set<std::string> fields_of(const std::string& format) {
  std::set<std::string> fields;
  int next = 0;
  for (std::size_t i = 0; i < format.size(); ++i) {
    if (format[i] != '{') continue;
    if (i + 1 < format.size() && format[i + 1] == '{') {
      ++i;
      continue;
    }
    const std::size_t end = format.find('}', i);
    REQUIRE(end != std::string::npos);
    std::string field = format.substr(i + 1, end - i - 1);
    if (field.empty() || field[0] == ':') field = std::to_string(next++) + field;
    fields.insert(field);
    i = end;
  }
  return fields;
}

}  // namespace

TEST_CASE("every translation has a text and the fields of its original") {
  std::set<std::string> seen;
  for (const Translation& entry : translations(Language::zh)) {
    INFO(entry.english);
    CHECK_FALSE(entry.english.empty());
    CHECK_FALSE(entry.translated.empty());
    CHECK(seen.insert(entry.english).second);
    CHECK(fields_of(entry.english) == fields_of(entry.translated));
  }
}

TEST_CASE("languages have names") {
  CHECK(parse_language("zh") == Language::zh);
  CHECK(parse_language("en") == Language::en);
  CHECK_THROWS_AS(parse_language("fr"), Error);
}

}  // namespace xfq
