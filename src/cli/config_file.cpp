// Configuration files: TOML or JSON.
#include "config_file.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/report/json.h"

namespace xfq::cli {

namespace {

constexpr std::size_t kLargestConfig = std::size_t{1} << 28;  // results may be used as well

/// A setting and where it stands: toml++ sorts its tables by key.
struct Placed {
  toml::source_position at;
  Setting setting;
};

class Reader {
 public:
  explicit Reader(const std::string& source) : source_(source) {}

  std::vector<Setting> read(std::string_view text) {
    toml::table root;
    try {
      root = toml::parse(text);
    } catch (const toml::parse_error& error) {
      // "Error while parsing key-value pair: expected '=', saw '8'"
      const std::string_view description = error.description();
      const std::size_t colon = description.find(": ");
      fail(error.source().begin,
           std::string(colon == std::string_view::npos ? description
                                                       : description.substr(colon + 2)));
    }
    for (const auto& [key, node] : root) {
      if (const toml::table* const section = node.as_table()) {
        for (const auto& [inner, value] : *section) add(std::string(key.str()), inner, value);
      } else {
        add({}, key, node);
      }
    }
    std::sort(placed_.begin(), placed_.end(),
              [](const Placed& a, const Placed& b) { return a.at < b.at; });
    std::vector<Setting> settings;
    for (Placed& placed : placed_) settings.push_back(std::move(placed.setting));
    return settings;
  }

 private:
  [[noreturn]] void fail(const toml::source_position& at, const std::string& what) const {
    throw_usage(fmt::format("{}: line {}: {}", source_, at.line, what));
  }

  void add(std::string section, const toml::key& key, const toml::node& node) {
    placed_.push_back(
        {node.source().begin, {std::move(section), std::string(key.str()), value_of(key, node)}});
  }

  /// A single value; none where the node is something else.
  static std::optional<Value> scalar(const toml::node& node) {
    if (const auto* truth = node.as_boolean()) return Value(truth->get());
    if (const auto* integer = node.as_integer()) return Value(integer->get());
    if (const auto* text = node.as_string()) return Value(text->get());
    if (const auto* real = node.as_floating_point(); real && std::isfinite(real->get())) {
      return Value(real->get());
    }
    return std::nullopt;
  }

  Value value_of(const toml::key& key, const toml::node& node) const {
    if (const auto value = scalar(node)) return *value;
    const toml::array* const array = node.as_array();
    std::vector<std::int64_t> integers;
    std::vector<double> reals;
    std::vector<std::string> texts;
    const std::size_t size = array == nullptr ? 0 : array->size();
    for (std::size_t i = 0; i < size; ++i) {
      const auto item = scalar((*array)[i]);
      if (!item) break;
      if (const auto* integer = std::get_if<std::int64_t>(&*item)) {
        integers.push_back(*integer);
        reals.push_back(static_cast<double>(*integer));
      } else if (const auto* real = std::get_if<double>(&*item)) {
        reals.push_back(*real);
      } else if (const auto* text = std::get_if<std::string>(&*item)) {
        texts.push_back(*text);
      }
    }
    if (size > 0 && texts.size() == size) return texts;
    if (size > 0 && integers.size() == size) return integers;
    if (size > 0 && reals.size() == size) return reals;
    fail(node.source().begin,
         fmt::format("'{}': expected a number, true, false, a text, or a list of numbers or texts",
                     key.str()));
  }

  const std::string& source_;
  std::vector<Placed> placed_;
};

}  // namespace

std::vector<Setting> parse_toml(std::string_view text, const std::string& source) {
  return Reader(source).read(text);
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
