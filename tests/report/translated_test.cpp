// No text of a result is missing in Chinese, and the catalogue has no entry that nothing uses:
// the texts of every experiment's smoke result, and the literals of the sources.
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <functional>
#include <set>
#include <string>
#include <vector>

#include "catch.h"
#include "xfq/core/file.h"
#include "xfq/core/text.h"
#include "xfq/report/json.h"

namespace xfq::report {
namespace {

namespace fs = std::filesystem;

using Visit = std::function<void(const Text&)>;

void visit_test(const ClaimTest& test, const Visit& visit) {
  visit(test.statement);
  visit(test.condition);
  visit(test.reason);
}

void visit_texts(const Record& record, const Visit& visit) {
  visit(record.question_title);
  visit(record.answer);
  for (const auto* metrics : {&record.metrics, &record.cost.measurements}) {
    for (const Metric& metric : *metrics) visit(metric.reason);
  }
  for (const Claim& claim : record.claims) {
    visit(claim.claim);
    visit(claim.conditions);
    for (const ClaimTest& test : claim.tests) visit_test(test, visit);
  }
  for (const TimedTest& timed : record.cost.tests) visit_test(timed.test, visit);
  for (const Warning& warning : record.warnings) {
    visit(warning.text);
    visit(warning.fix);
  }
}

std::vector<std::string> smoke_results() {
  std::vector<std::string> results;
  const std::string paths = XFQ_SMOKE_RESULTS;
  for (std::size_t begin = 0; begin < paths.size();) {
    const std::size_t end = std::min(paths.find('|', begin), paths.size());
    results.push_back(paths.substr(begin, end - begin));
    begin = end + 1;
  }
  return results;
}

/// A string literal of a source, neighbours joined as the compiler joins them.
struct Literal {
  std::string text;
  std::string before;  ///< the code of its statement up to it, literals and spaces left out
};

/// Reads what the sources here consist of: comments, strings with simple escapes, characters.
std::vector<Literal> literals_of(const std::string& source) {
  std::vector<Literal> literals;
  std::string statement;
  bool joined = false;  // nothing but spaces since the last literal
  for (std::size_t i = 0; i < source.size();) {
    const char c = source[i];
    if (c == '/' && i + 1 < source.size() && source[i + 1] == '/') {
      i = std::min(source.find('\n', i), source.size());
    } else if (c == '\'' && !joined && i > 0 &&
               std::isalnum(static_cast<unsigned char>(source[i - 1])) != 0) {
      ++i;  // between digits
    } else if (c == '\'') {
      for (++i; i < source.size() && source[i] != '\''; ++i) i += source[i] == '\\' ? 1 : 0;
      ++i;
      joined = false;
    } else if (c == '"') {
      std::string text;
      for (++i; i < source.size() && source[i] != '"'; ++i) {
        if (source[i] == '\\') ++i;
        text += source[i];
      }
      ++i;
      if (joined) {
        literals.back().text += text;
      } else {
        literals.push_back({text, statement});
      }
      joined = true;
    } else {
      if (std::isspace(static_cast<unsigned char>(c)) == 0) {
        joined = false;
        statement += c;
        if (c == ';' || c == '}') statement.clear();
      }
      ++i;
    }
  }
  return literals;
}

bool is_source(const fs::path& path) {
  return path.extension() == ".cpp" || path.extension() == ".h" || path.extension() == ".inl";
}

std::vector<fs::path> sources() {
  std::vector<fs::path> paths;
  for (const char* folder : {"src", "include"}) {
    for (const auto& entry : fs::recursive_directory_iterator(fs::path(XFQ_SOURCE_DIR) / folder)) {
      if (is_source(entry.path())) paths.push_back(entry.path());
    }
  }
  std::sort(paths.begin(), paths.end());
  return paths;
}

bool ends_with(const std::string& text, const std::string& end) {
  return text.size() >= end.size() && text.compare(text.size() - end.size(), end.size(), end) == 0;
}

bool is_sentence(const std::string& text) {
  return text.find(' ') != std::string::npos &&
         std::any_of(text.begin(), text.end(),
                     [](unsigned char c) { return std::isalpha(c) != 0; });
}

/// A literal that becomes a text of a result or of the page, as far as code shows it; every
/// sentence does where an experiment states its claims.
bool becomes_text(const fs::path& path, const Literal& literal) {
  const bool experiment = path.string().find("experiments") != std::string::npos;
  if (experiment && path.filename() == "claims.cpp" && is_sentence(literal.text)) return true;
  for (const char* call : {"phrase(", "Text(", "reason=", "without_value(", "give_up("}) {
    if (ends_with(literal.before, call)) return true;
  }
  if (path.filename() == "page.cpp" && ends_with(literal.before, "text(")) return true;
  // The stable code comes first in a warning; its text and its fix are sentences.
  return literal.before.find("warnings.push_back(") != std::string::npos &&
         is_sentence(literal.text);
}

TEST_CASE("claims are alike: a capital first, no full stop") {
  for (const std::string& path : smoke_results()) {
    for (const Claim& claim : parse_result(read_file(path, "smoke result"), path).record.claims) {
      const std::string english = claim.claim.english();
      const std::string chinese = claim.claim.in(Language::zh);
      INFO(path << ": " << english);
      CHECK(std::isupper(static_cast<unsigned char>(english.front())) != 0);
      CHECK_FALSE(ends_with(english, "."));
      CHECK_FALSE(ends_with(chinese, "\xe3\x80\x82"));
    }
  }
}

TEST_CASE("no text of a smoke result is in English only") {
  for (const std::string& path : smoke_results()) {
    std::string missing;
    int texts = 0;
    visit_texts(parse_result(read_file(path, "smoke result"), path).record, [&](const Text& text) {
      if (!text.empty()) ++texts;
      if (!text.translated()) missing += text.english() + "\n";
    });
    INFO(path << ": no Chinese text in data/text/zh.po for:\n" << missing);
    CHECK(missing.empty());
    CHECK(texts > 10);
  }
}

TEST_CASE("no text that the sources write is in English only") {
  std::string missing;
  int texts = 0;
  for (const fs::path& path : sources()) {
    for (const Literal& literal : literals_of(read_file(path.string(), "source"))) {
      if (!becomes_text(path, literal)) continue;
      ++texts;
      if (translation(Language::zh, literal.text).empty()) {
        missing += path.filename().string() + ": " + literal.text + "\n";
      }
    }
  }
  INFO("no Chinese text in data/text/zh.po for:\n" << missing);
  CHECK(missing.empty());
  CHECK(texts > 50);
}

TEST_CASE("the catalogue has no entry that nothing uses") {
  std::set<std::string> used;
  for (const fs::path& path : sources()) {
    for (const Literal& literal : literals_of(read_file(path.string(), "source"))) {
      used.insert(literal.text);
    }
  }
  // Some conditions are put together from names of options.
  for (const std::string& path : smoke_results()) {
    visit_texts(parse_result(read_file(path, "smoke result"), path).record,
                [&](const Text& text) { used.insert(text.english()); });
  }
  std::string unused;
  for (const Translation& entry : translations(Language::zh)) {
    if (used.count(entry.english) == 0) unused += entry.english + "\n";
  }
  INFO("data/text/zh.po has entries that nothing uses:\n" << unused);
  CHECK(unused.empty());
}

TEST_CASE("literals are read as the compiler reads them") {
  const std::vector<Literal> literals = literals_of(
      "// \"no\"\nmetric.reason = \"one \"\n  \"two\"; f('\"', phrase(\"a \\\"b\\\"\", {x}));");
  REQUIRE(literals.size() == 2);
  CHECK(literals[0].text == "one two");
  CHECK(becomes_text("a.cpp", literals[0]));
  CHECK(literals[1].text == "a \"b\"");
  CHECK(becomes_text("a.cpp", literals[1]));
  CHECK(literals_of("f(\"a\", \"b\", 1'000, \"c\")").size() == 3);
  const std::vector<Literal> warning =
      literals_of("record.warnings.push_back({\"few_seeds\", \"no text\", \"-\"});");
  CHECK_FALSE(becomes_text("a.cpp", warning.at(0)));
  CHECK(becomes_text("a.cpp", warning.at(1)));
}

}  // namespace
}  // namespace xfq::report
