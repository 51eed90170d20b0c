// Configuration files: a subset of TOML, or JSON.
#include "config_file.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <set>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/report/json.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestConfig = std::size_t{1} << 28;  // results may be used as well

bool is_bare(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

class TomlReader {
 public:
  TomlReader(std::string_view text, const std::string& source) : text_(text), source_(source) {}

  std::vector<Setting> read() {
    std::string section;
    std::set<std::pair<std::string, std::string>> seen;
    std::vector<Setting> settings;
    while (skip_blank(true), !at_end()) {
      if (take('[')) {
        skip_blank(false);
        section = bare_word("a section name");
        skip_blank(false);
        if (!take(']')) fail("']' after the section name");
      } else {
        Setting setting;
        setting.section = section;
        setting.key = bare_word("a key");
        skip_blank(false);
        if (!take('=')) fail(fmt::format("'=' after '{}'", setting.key));
        skip_blank(false);
        setting.value = peek() == '[' ? array() : scalar();
        if (!seen.emplace(section, setting.key).second) {
          fail(fmt::format("'{}' only once", setting.key));
        }
        settings.push_back(std::move(setting));
      }
      skip_blank(false);
      if (!at_end() && peek() != '\n') fail("the end of the line");
    }
    return settings;
  }

 private:
  bool at_end() const { return at_ == text_.size(); }
  char peek() const { return at_end() ? '\0' : text_[at_]; }
  bool take(char c) {
    if (at_end() || text_[at_] != c) return false;
    line_ += c == '\n' ? 1 : 0;
    ++at_;
    return true;
  }

  [[noreturn]] void fail(const std::string& expected) const {
    throw_usage(fmt::format("{}: line {}: expected {}", source_, line_, expected));
  }

  /// Spaces, comments, and line ends where they are allowed.
  void skip_blank(bool lines) {
    while (true) {
      if (take(' ') || take('\t') || take('\r') || (lines && take('\n'))) continue;
      if (peek() != '#') return;
      while (!at_end() && peek() != '\n') ++at_;
    }
  }

  std::string bare_word(const std::string& expected) {
    std::string word;
    while (is_bare(peek())) word += text_[at_++];
    if (word.empty()) fail(expected);
    return word;
  }

  std::string quoted(char quote) {
    std::string out;
    while (!take(quote)) {
      if (at_end() || peek() == '\n') fail("a closing quote");
      char c = text_[at_++];
      if (quote == '"' && c == '\\') {
        c = at_end() ? '\0' : text_[at_++];
        switch (c) {
          case '"':
          case '\\':
            break;
          case 'n':
            c = '\n';
            break;
          case 't':
            c = '\t';
            break;
          case 'r':
            c = '\r';
            break;
          default:
            fail("one of the escapes \\\" \\\\ \\n \\t \\r; single quotes take none");
        }
      }
      out += c;
    }
    return out;
  }

  Value scalar() {
    static const std::string kExpected = "a number, true, false or a quoted text";
    if (take('"')) return quoted('"');
    if (take('\'')) return quoted('\'');
    std::string word;
    while (is_bare(peek()) || peek() == '+' || peek() == '.') word += text_[at_++];
    if (word == "true" || word == "false") return word == "true";
    std::string digits;
    for (const char c : word) {
      if (c != '_') digits += c;
    }
    if (!digits.empty() && digits.front() == '+') digits.erase(0, 1);
    const char* const end = digits.data() + digits.size();
    std::int64_t integer = 0;
    if (const auto [stop, code] = std::from_chars(digits.data(), end, integer);
        !digits.empty() && code == std::errc{} && stop == end) {
      return integer;
    }
    double real = 0;
    if (const auto [stop, code] = std::from_chars(digits.data(), end, real);
        !digits.empty() && code == std::errc{} && stop == end && std::isfinite(real)) {
      return real;
    }
    fail(kExpected);
  }

  /// A list of one kind; integers beside floats become floats.
  Value array() {
    take('[');
    std::vector<Value> items;
    while (skip_blank(true), !take(']')) {
      if (at_end()) fail("']' at the end of the list");
      items.push_back(scalar());
      skip_blank(true);
      if (!take(',') && peek() != ']') fail("',' or ']' in the list");
    }
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    std::vector<std::string> texts;
    for (const Value& item : items) {
      if (const auto* integer = std::get_if<std::int64_t>(&item)) {
        integers.push_back(*integer);
        reals.push_back(static_cast<double>(*integer));
      } else if (const auto* real = std::get_if<double>(&item)) {
        reals.push_back(*real);
      } else if (const auto* text = std::get_if<std::string>(&item)) {
        texts.push_back(*text);
      }
    }
    if (items.empty()) fail("at least one value in the list");
    if (texts.size() == items.size()) return texts;
    if (integers.size() == items.size()) return integers;
    if (reals.size() == items.size()) return reals;
    fail("a list of numbers or a list of texts");
  }

  std::string_view text_;
  const std::string& source_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
};

}  // namespace

std::vector<Setting> parse_toml(std::string_view text, const std::string& source) {
  return TomlReader(text, source).read();
}

ConfigFile read_config_file(const std::string& path) {
  const std::string text = read_file(path, "--config", kLargestConfig);
  const std::string source = fmt::format("--config {}", path);
  ConfigFile file;
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first != std::string::npos && text[first] == '{') {
    report::Settings settings = report::parse_settings(text, source);
    file.schema = std::move(settings.schema);
    for (auto& [key, value] : settings.values) {
      file.settings.push_back({{}, std::move(key), std::move(value)});
    }
  } else {
    file.settings = parse_toml(text, source);
  }
  return file;
}

}  // namespace xfq::cli
