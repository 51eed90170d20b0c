// Small JSON tools that the sources of this room share.
#include "json_tools.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <variant>

namespace xfq::report {

namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kRowColumns = 1000;

void append_scalar(const Json& json, std::string& out) {
  if (!json.is_number_float()) {
    out += json.dump(-1, ' ', false, Json::error_handler_t::replace);
    return;
  }
  // The library's own printing is not always the shortest text (1e23).
  const std::string text = fmt::format("{}", json.get<double>());
  out += text;
  if (text.find_first_of(".e") == std::string::npos) out += ".0";  // stays a float
}

/// On one line; `space` stands behind each comma and colon.
void append_inline(const Json& json, std::string_view space, std::string& out) {
  if (!json.is_structured()) {
    append_scalar(json, out);
    return;
  }
  const bool object = json.is_object();
  out += object ? '{' : '[';
  bool first = true;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (!first) {
      out += ',';
      out += space;
    }
    first = false;
    if (object) {
      append_scalar(item.key(), out);
      out += ':';
      out += space;
    }
    append_inline(item.value(), space, out);
  }
  out += object ? '}' : ']';
}

/// A lower bound of the inline length, cheap enough to ask at every level.
std::size_t least_length(const Json& json, std::size_t limit) {
  if (json.is_string()) return json.get_ref<const std::string&>().size() + 2;
  if (!json.is_structured()) return 1;
  std::size_t length = 2;
  for (const Json& item : json) {
    if (length > limit) break;
    length += least_length(item, limit) + 2;
  }
  return length;
}

bool is_flat(const Json& json) {
  return std::none_of(json.begin(), json.end(), [](const Json& item) {
    return item.is_structured() && std::any_of(item.begin(), item.end(), [](const Json& part) {
             return part.is_structured();
           });
  });
}

/// `lead` is the column that the value begins in.
void append_pretty(const Json& json, std::size_t indent, std::size_t lead, bool in_array,
                   std::string& out) {
  if (!json.is_structured() || json.empty()) {
    append_inline(json, " ", out);
    return;
  }
  const bool object = json.is_object();
  const std::size_t columns = in_array && object && is_flat(json) ? kRowColumns : kColumns;
  // The top level is always spread out.
  if (indent > 0 && least_length(json, columns) + lead <= columns) {
    std::string line;
    append_inline(json, " ", line);
    if (lead + line.size() + 1 <= columns) {
      out += line;
      return;
    }
  }
  out += object ? "{\n" : "[\n";
  bool first = true;
  for (auto item = json.begin(); item != json.end(); ++item) {
    if (!first) out += ",\n";
    first = false;
    out.append(indent + 2, ' ');
    std::size_t used = indent + 2;
    if (object) {
      const std::size_t before = out.size();
      append_scalar(item.key(), out);
      out += ": ";
      used += out.size() - before;
    }
    append_pretty(item.value(), indent + 2, used, !object, out);
  }
  out += '\n';
  out.append(indent, ' ');
  out += object ? '}' : ']';
}

bool fits_integer(const Json& node) {
  return node.is_number_integer() &&
         (!node.is_number_unsigned() ||
          node.get<std::uint64_t>() <=
              static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()));
}

template <class T>
std::vector<T> as_vector(const Json& node) {
  std::vector<T> items;
  for (const Json& item : node) items.push_back(item.get<T>());
  return items;
}

}  // namespace

std::string compact(const Json& json) {
  std::string out;
  append_inline(json, "", out);
  return out;
}

std::string pretty(const Json& json) {
  std::string out;
  append_pretty(json, 0, 0, false, out);
  out += '\n';
  return out;
}

Json number(double value, const std::string& where) {
  if (!std::isfinite(value)) {
    throw_run(fmt::format("the result has {} at {}, expected a finite number", value, where),
              "lower --lr if a training diverged; otherwise please report this");
  }
  return value;
}

Json to_json_value(const Value& value, const std::string& where) {
  return std::visit(
      [&where](const auto& held) -> Json {
        using T = std::decay_t<decltype(held)>;
        if constexpr (std::is_same_v<T, std::monostate>) {
          return nullptr;
        } else if constexpr (std::is_same_v<T, double>) {
          return number(held, where);
        } else if constexpr (std::is_same_v<T, std::vector<double>>) {
          Json list = Json::array();
          for (const double item : held) list.push_back(number(item, where));
          return list;
        } else {
          return Json(held);
        }
      },
      value);
}

Json parse(std::string_view text, const std::string& source, ErrorKind kind) {
  if (text.empty()) throw Error(kind, source + ": got an empty file, expected JSON");
  try {
    return Json::parse(text);
  } catch (const Json::parse_error& error) {
    const std::size_t end = std::min(error.byte, text.size());
    const auto line =
        1 + std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(end), '\n');
    throw Error(kind, fmt::format("{}: line {} is not valid JSON", source, line),
                end == text.size() ? "the file ends too early" : "");
  } catch (const Json::exception&) {
    throw Error(kind,
                fmt::format("{}: a number is out of range, expected finite JSON numbers", source));
  }
}

void Field::fail(const std::string& expected) const {
  throw Error(kind_,
              fmt::format("{}: {} is {}, expected {}", *source_,
                          path_.empty() ? "the document" : "'" + path_ + "'",
                          node_->is_null() ? "null" : std::string("a JSON ") + node_->type_name(),
                          expected));
}

Field Field::child(const Json& node, std::string name, const std::string& step) const {
  Field field(node, *source_, kind_);
  field.path_ = path_ + (path_.empty() && step.front() == '.' ? step.substr(1) : step);
  field.name_ = std::move(name);
  return field;
}

Field Field::at(const std::string& key) const {
  if (!node_->is_object()) fail("an object");
  const auto found = node_->find(key);
  if (found == node_->end()) {
    throw Error(kind_,
                fmt::format("{}: {} has no '{}'", *source_,
                            path_.empty() ? "the document" : "'" + path_ + "'", key),
                "expected a result that xfq wrote");
  }
  return child(*found, key, "." + key);
}

std::vector<Field> Field::items() const {
  if (!node_->is_structured()) fail("an array or an object");
  std::vector<Field> fields;
  std::size_t index = 0;
  for (auto item = node_->begin(); item != node_->end(); ++item) {
    if (node_->is_object()) {
      fields.push_back(child(item.value(), item.key(), "." + item.key()));
    } else {
      fields.push_back(child(item.value(), {}, fmt::format("[{}]", index++)));
    }
  }
  return fields;
}

std::string Field::text() const {
  if (!node_->is_string()) fail("a text");
  return node_->get<std::string>();
}

bool Field::truth() const {
  if (!node_->is_boolean()) fail("true or false");
  return node_->get<bool>();
}

std::int64_t Field::integer() const {
  if (!fits_integer(*node_)) fail("an integer");
  return node_->get<std::int64_t>();
}

double Field::real() const {
  if (!node_->is_number()) fail("a number");
  return node_->get<double>();
}

Value Field::value() const {
  const Json& node = *node_;
  if (node.is_null()) return std::monostate{};
  if (node.is_boolean()) return node.get<bool>();
  if (fits_integer(node)) return node.get<std::int64_t>();
  if (node.is_number()) return node.get<double>();
  if (node.is_string()) return node.get<std::string>();
  if (node.is_array()) {
    const auto all = [&node](auto test) { return std::all_of(node.begin(), node.end(), test); };
    if (all([](const Json& item) { return item.is_string(); })) return as_vector<std::string>(node);
    if (all(fits_integer)) return as_vector<std::int64_t>(node);
    if (all([](const Json& item) { return item.is_number(); })) return as_vector<double>(node);
  }
  fail("a truth value, a number, a text, or a list of numbers or texts");
}

}  // namespace xfq::report
