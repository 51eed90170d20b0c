// The texts of data/explain, found by name.
#include "xfq/report/explain.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "embedded.h"
#include "json_tools.h"
#include "xfq/report/schema.h"

namespace xfq::report {

namespace {

constexpr std::string_view kFolder = "explain/";
constexpr std::string_view kEnding = ".json";
constexpr std::string_view kCommon = "common";

bool begins_with(std::string_view text, std::string_view prefix) {
  return text.substr(0, prefix.size()) == prefix;
}

std::string optional_text(const Field& field, const char* key) {
  return field.has(key) ? field.at(key).text() : std::string();
}

Explanation read_entry(const Field& field, const std::string& experiment) {
  Explanation entry;
  entry.kind = field.at("kind").text();
  entry.name = field.at("name").text();
  entry.experiment = experiment;
  const std::string english = field.at("en").text();
  // A claim's sentence stands in results too, and is translated with them.
  entry.text = entry.kind == "claim" ? Text(english) : Text::from(english, field.at("zh").text());
  entry.unit = optional_text(field, "unit");
  entry.formula = optional_text(field, "formula");
  entry.paper = optional_text(field, "paper");
  entry.source = optional_text(field, "source");
  return entry;
}

std::vector<Explanation> read_all() {
  std::vector<Explanation> entries;
  for (const EmbeddedFile& file : embedded_files()) {
    if (!begins_with(file.path, kFolder)) continue;
    std::string name(file.path.substr(kFolder.size()));
    name.resize(name.size() - kEnding.size());
    if (name == kCommon) name.clear();
    const std::string source(file.path);
    const Json json = parse(file.text, source, ErrorKind::run);
    for (const Field& field : Field(json, source, ErrorKind::run).at("entries").items()) {
      entries.push_back(read_entry(field, name));
    }
  }
  return entries;
}

/// From `name` and `text` at these places on.
bool fits_from(std::string_view name, std::string_view text) {
  if (name.empty()) return text.empty();
  if (name.front() != '<') {
    return !text.empty() && name.front() == text.front() &&
           fits_from(name.substr(1), text.substr(1));
  }
  const std::string_view rest = name.substr(name.find('>') + 1);
  for (std::size_t taken = 1; taken <= text.size(); ++taken) {
    if (fits_from(rest, text.substr(taken))) return true;
  }
  return false;
}

/// Letters outside of the places: how much of a name the entry says itself.
std::size_t literal_size(const std::string& name) {
  std::size_t size = 0;
  bool inside = false;
  for (const char c : name) {
    if (c == '<') inside = true;
    if (!inside) ++size;
    if (c == '>') inside = false;
  }
  return size;
}

/// The better of two entries that fit; either may be null.
const Explanation* better(const Explanation* a, const Explanation* b) {
  if (a == nullptr || b == nullptr) return a == nullptr ? b : a;
  if (a->experiment.empty() != b->experiment.empty()) return a->experiment.empty() ? b : a;
  return literal_size(b->name) > literal_size(a->name) ? b : a;
}

template <class Test>
const Explanation* best(const std::string& kind, const std::string& experiment, Test test) {
  const Explanation* found = nullptr;
  for (const Explanation& entry : explanations()) {
    if (entry.kind != kind || (!entry.experiment.empty() && entry.experiment != experiment)) {
      continue;
    }
    if (test(entry)) found = better(found, &entry);
  }
  return found;
}

bool has_dot(const std::string& name) { return name.find('.') != std::string::npos; }

bool fits_column(const Explanation& entry, const std::string& table, const std::string& column) {
  return fits(entry.name, has_dot(entry.name) ? table + "." + column : column);
}

/// A metric's name without the place that it begins with: "<arm>.nll" -> "nll".
std::string without_arm(const std::string& name) {
  const std::size_t end = name.find(">.");
  return name.front() == '<' && end != std::string::npos ? name.substr(end + 2) : name;
}

/// Whether a user who says `name` may mean the entry.
bool is_meant(const Explanation& entry, const std::string& name) {
  if (entry.kind == "metric") {
    return fits(entry.name, name) || fits(without_arm(entry.name), name);
  }
  if (entry.kind != "column") return entry.name == name;
  if (fits(entry.name, name)) return true;
  const std::size_t dot = name.rfind('.');
  if (dot == std::string::npos) {
    return has_dot(entry.name) && fits(entry.name.substr(entry.name.rfind('.') + 1), name);
  }
  const std::vector<std::string> tables = schema_tables(entry.experiment);
  const std::string table = name.substr(0, dot);
  return std::find(tables.begin(), tables.end(), table) != tables.end() &&
         fits_column(entry, table, name.substr(dot + 1));
}

}  // namespace

const std::vector<Explanation>& explanations() {
  static const std::vector<Explanation> entries = read_all();
  return entries;
}

bool fits(const std::string& name, const std::string& text) { return fits_from(name, text); }

const Explanation* explain_metric(const std::string& experiment, const std::string& id) {
  return best("metric", experiment,
              [&id](const Explanation& entry) { return fits(entry.name, id); });
}

const Explanation* explain_column(const std::string& experiment, const std::string& table,
                                  const std::string& column) {
  return best("column", experiment,
              [&](const Explanation& entry) { return fits_column(entry, table, column); });
}

const Explanation* explain_claim(const std::string& id) {
  for (const Explanation& entry : explanations()) {
    if (entry.kind == "claim" && entry.name == id) return &entry;
  }
  return nullptr;
}

std::vector<const Explanation*> explain(const std::string& name) {
  std::vector<const Explanation*> found;
  for (const Explanation& entry : explanations()) {
    if (name.empty() || !is_meant(entry, name)) continue;
    const auto same = std::find_if(found.begin(), found.end(), [&entry](const Explanation* other) {
      return other->kind == entry.kind && other->experiment == entry.experiment;
    });
    if (same == found.end()) {
      found.push_back(&entry);
    } else {
      *same = better(*same, &entry);
    }
  }
  // What is the same everywhere comes first.
  std::stable_partition(found.begin(), found.end(),
                        [](const Explanation* entry) { return entry->experiment.empty(); });
  return found;
}

Text explain_label(const std::string& name) {
  static const Json json =
      parse(embedded_file("explain/common.json"), "explain/common.json", ErrorKind::run);
  const Json& label = json.at("labels").at(name);
  return Text::from(label.at("en").get<std::string>(), label.at("zh").get<std::string>());
}

}  // namespace xfq::report
