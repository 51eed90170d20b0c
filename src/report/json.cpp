// Record -> JSON -> Record.
#include "xfq/report/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <initializer_list>
#include <optional>
#include <utility>

#include "json_tools.h"
#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/report/schema.h"

namespace xfq::report {

namespace {

Json optional_number(const std::optional<double>& value, const std::string& where) {
  return value ? number(*value, where) : Json(nullptr);
}

Json interval_json(const std::optional<Interval>& ci, const std::string& where) {
  if (!ci) return nullptr;
  return Json::array({number(ci->lo, where + ".ci"), number(ci->hi, where + ".ci")});
}

Json pairs_json(const std::vector<std::pair<std::string, Value>>& pairs, const std::string& where) {
  Json object = Json::object();
  for (const auto& [key, value] : pairs) object[key] = to_json_value(value, where + "." + key);
  return object;
}

Json data_json(const DataSource& source) {
  Json splits = Json::object();
  for (const auto& [name, tokens] : source.splits) splits[name] = tokens;
  return {{"name", source.name},
          {"sha256", source.sha256},
          {"documents", source.documents},
          {"tokens", source.tokens},
          {"splits", splits}};
}

Json metric_json(const Metric& metric) {
  const std::string where = fmt::format("metric '{}'", metric.id);
  if (!metric.value && metric.reason.empty()) {
    throw_run(where + " has no value, expected a value or the reason why there is none",
              "please report this");
  }
  Json json = {{"id", metric.id},     {"value", optional_number(metric.value, where)},
               {"unit", metric.unit}, {"ci", interval_json(metric.ci, where)},
               {"n", metric.n},       {"better", to_string(metric.better)}};
  if (!metric.reason.empty()) json["reason"] = metric.reason.english();
  if (!metric.values.empty()) {
    json["values"] = to_json_value(metric.values, where + ".values");
  }
  return json;
}

Json table_json(const Table& table) {
  Json rows = Json::array();
  for (const std::vector<Value>& cells : table.rows) {
    XFQ_ASSERT(cells.size() == table.columns.size());
    Json row = Json::object();
    for (std::size_t i = 0; i < cells.size(); ++i) {
      row[table.columns[i]] =
          to_json_value(cells[i], fmt::format("table '{}' row {} column '{}'", table.name,
                                              rows.size() + 1, table.columns[i]));
    }
    rows.push_back(std::move(row));
  }
  return rows;
}

Json test_json(const ClaimTest& test, const std::string& where) {
  Json pass = nullptr;
  if (test.outcome != Outcome::undecided) pass = test.outcome == Outcome::pass;
  Json json = {{"statement", test.statement.english()},
               {"condition", test.condition.english()},
               {"rule", test.rule},
               {"value", optional_number(test.value, where)},
               {"ci", interval_json(test.ci, where)},
               {"n", test.n},
               {"pass", pass}};
  if (!test.reason.empty()) json["reason"] = test.reason.english();
  return json;
}

Json claim_json(const Claim& claim) {
  Json tests = Json::array();
  for (const ClaimTest& test : claim.tests) {
    tests.push_back(test_json(test, fmt::format("claim '{}'", claim.id)));
  }
  return {{"id", claim.id},
          {"claim", claim.claim.english()},
          {"verdict", to_string(claim.verdict)},
          {"conditions", claim.conditions.english()},
          {"tests", tests},
          {"seeds_needed", claim.seeds_needed ? Json(*claim.seeds_needed) : Json(nullptr)}};
}

Json metrics_json(const std::vector<Metric>& metrics) {
  Json json = Json::array();
  for (const Metric& metric : metrics) json.push_back(metric_json(metric));
  return json;
}

Json tables_json(const std::vector<Table>& tables) {
  Json json = Json::object();
  for (const Table& table : tables) json[table.name] = table_json(table);
  return json;
}

/// Everything that equal options must reproduce.
Json behaviour_json(const Record& record) {
  Json json = Json::object();
  json["schema"] = record.schema;
  json["question"] = {{"number", record.question_number},
                      {"title", record.question_title.english()}};
  json["config"] = pairs_json(record.config, "config");
  json["evidence"] = record.evidence;
  json["data"] = Json::array();
  for (const DataSource& source : record.data) json["data"].push_back(data_json(source));
  json["metrics"] = metrics_json(record.metrics);
  json["tables"] = tables_json(record.tables);
  json["claims"] = Json::array();
  for (const Claim& claim : record.claims) json["claims"].push_back(claim_json(claim));
  json["answer"] = record.answer.english();
  json["warnings"] = Json::array();
  for (const Warning& warning : record.warnings) {
    json["warnings"].push_back(
        {{"code", warning.code}, {"text", warning.text.english()}, {"fix", warning.fix.english()}});
  }
  return json;
}

template <class Test, class Visit>
void for_each_text_of(Test& test, const Visit& visit) {
  visit(test.statement);
  visit(test.condition);
  visit(test.reason);
}

/// Visits every text of a record but those of its cost.
template <class RecordType, class Visit>
void for_each_text(RecordType& record, const Visit& visit) {
  visit(record.question_title);
  for (auto& metric : record.metrics) visit(metric.reason);
  for (auto& claim : record.claims) {
    visit(claim.claim);
    visit(claim.conditions);
    for (auto& test : claim.tests) for_each_text_of(test, visit);
  }
  visit(record.answer);
  for (auto& warning : record.warnings) {
    visit(warning.text);
    visit(warning.fix);
  }
}

template <class CostType, class Visit>
void for_each_cost_text(CostType& cost, const Visit& visit) {
  for (auto& metric : cost.measurements) visit(metric.reason);
  for (auto& timed : cost.tests) for_each_text_of(timed.test, visit);
}

void add_translation(const Text& text, Json& chinese) {
  if (!text.empty() && text.translated()) chinese[text.english()] = text.in(Language::zh);
}

/// {"zh": {"an English text of the record": "its translation", ...}}
Json translations_json(const Record& record) {
  Json chinese = Json::object();
  for_each_text(record, [&chinese](const Text& text) { add_translation(text, chinese); });
  return {{"zh", chinese}};
}

Json cost_json(const Cost& cost) {
  Json tests = Json::array();
  for (const TimedTest& timed : cost.tests) {
    tests.push_back(
        {{"claim", timed.claim},
         {"test", test_json(timed.test, fmt::format("timed test of '{}'", timed.claim))}});
  }
  Json chinese = Json::object();
  for_each_cost_text(cost, [&chinese](const Text& text) { add_translation(text, chinese); });
  return {{"wall_s", number(cost.wall_s, "cost.wall_s")},
          {"cpu_s", number(cost.cpu_s, "cost.cpu_s")},
          {"peak_rss_bytes", cost.peak_rss_bytes},
          {"tokens", cost.tokens},
          {"flops", number(cost.flops, "cost.flops")},
          {"measurements", metrics_json(cost.measurements)},
          {"tests", tests},
          {"tables", tables_json(cost.tables)},
          {"translations", {{"zh", chinese}}}};
}

void translate(const Field& chinese, Text& text) {
  if (!chinese.has(text.english().c_str())) return;
  text = Text::from(text.english(), chinese.at(text.english().c_str()).text());
}

std::string hash_of(const Json& behaviour) { return xxh3_hex(compact(behaviour)); }

Json whole_json(const Record& record) {
  Json json = behaviour_json(record);
  const std::string hash = hash_of(json);
  json["translations"] = translations_json(record);
  json["environment"] = pairs_json(record.environment, "environment");
  json["cost"] = cost_json(record.cost);
  json["signature"] = hash;
  return json;
}

std::optional<double> read_optional(const Field& field) {
  if (field.is_null()) return std::nullopt;
  return field.real();
}

std::optional<Interval> read_interval(const Field& field) {
  if (field.is_null()) return std::nullopt;
  const std::vector<Field> ends = field.items();
  if (!field.node().is_array() || ends.size() != 2) field.fail("null or two numbers");
  return Interval{ends[0].real(), ends[1].real()};
}

/// One of the words that to_string gives for the values of an enumeration.
template <class E>
E read_word(const Field& field, std::initializer_list<E> values) {
  const std::string word = field.text();
  std::string expected;
  for (const E value : values) {
    if (to_string(value) == word) return value;
    expected += (expected.empty() ? "" : ", ") + to_string(value);
  }
  field.fail("one of " + expected);
}

DataSource read_data(const Field& field) {
  DataSource source;
  source.name = field.at("name").text();
  source.sha256 = field.at("sha256").text();
  source.documents = field.at("documents").integer();
  source.tokens = field.at("tokens").integer();
  for (const Field& split : field.at("splits").items()) {
    source.splits.emplace_back(split.name(), split.integer());
  }
  return source;
}

Metric read_metric(const Field& field) {
  Metric metric;
  metric.id = field.at("id").text();
  metric.value = read_optional(field.at("value"));
  metric.unit = field.at("unit").text();
  metric.ci = read_interval(field.at("ci"));
  metric.n = field.at("n").integer();
  metric.better = read_word(field.at("better"), {Better::none, Better::lower, Better::higher});
  if (!metric.value || field.has("reason")) metric.reason = field.at("reason").text();
  if (field.has("values")) {
    for (const Field& item : field.at("values").items()) metric.values.push_back(item.real());
  }
  return metric;
}

Table read_table(const Field& field) {
  Table table;
  table.name = field.name();
  for (const Field& row : field.items()) {
    const std::vector<Field> cells = row.items();
    if (!row.node().is_object()) row.fail("an object");
    std::vector<std::string> columns;
    std::vector<Value> values;
    for (const Field& cell : cells) {
      columns.push_back(cell.name());
      values.push_back(cell.value());
    }
    if (table.rows.empty()) table.columns = columns;
    if (columns != table.columns) row.fail("an object with the columns of the first row");
    table.rows.push_back(std::move(values));
  }
  return table;
}

ClaimTest read_test(const Field& field) {
  ClaimTest test;
  test.statement = field.at("statement").text();
  test.condition = field.at("condition").text();
  test.rule = field.at("rule").text();
  test.value = read_optional(field.at("value"));
  test.ci = read_interval(field.at("ci"));
  test.n = field.at("n").integer();
  const Field pass = field.at("pass");
  if (!pass.is_null()) test.outcome = pass.truth() ? Outcome::pass : Outcome::fail;
  if (field.has("reason")) test.reason = field.at("reason").text();
  return test;
}

Claim read_claim(const Field& field) {
  Claim claim;
  claim.id = field.at("id").text();
  claim.claim = field.at("claim").text();
  claim.verdict = read_word(field.at("verdict"), {Verdict::supported, Verdict::refuted,
                                                  Verdict::conditional, Verdict::inconclusive});
  claim.conditions = field.at("conditions").text();
  for (const Field& test : field.at("tests").items()) claim.tests.push_back(read_test(test));
  const Field needed = field.at("seeds_needed");
  if (!needed.is_null()) claim.seeds_needed = needed.integer();
  return claim;
}

/// A schema of an experiment that this program has is the present one.
void check_version(const std::string& schema, const std::string& source, ErrorKind kind) {
  const std::string expected = schema_id(experiment_name(schema));
  if (expected.empty() || schema == expected) return;
  throw Error(kind, fmt::format("{}: got schema '{}', expected '{}'", source, schema, expected),
              "it is of another version of xfq; run the experiment again");
}

}  // namespace

std::string signature(const Record& record) { return hash_of(behaviour_json(record)); }

void check(const Record& record) { whole_json(record); }

std::string to_json(const Record& record) { return pretty(whole_json(record)); }

std::string to_ndjson(const Record& record) { return compact(whole_json(record)) + '\n'; }

Result parse_result(std::string_view text, const std::string& source) {
  const Json json = parse(text, source, ErrorKind::input);
  const Field root(json, source, ErrorKind::input);
  Result result;
  Record& record = result.record;
  record.schema = root.at("schema").text();
  check_version(record.schema, source, ErrorKind::input);
  record.question_number = root.at("question").at("number").integer();
  record.question_title = root.at("question").at("title").text();
  for (const Field& item : root.at("config").items()) {
    record.config.emplace_back(item.name(), item.value());
  }
  record.evidence = root.at("evidence").truth();
  for (const Field& item : root.at("data").items()) record.data.push_back(read_data(item));
  for (const Field& item : root.at("metrics").items()) record.metrics.push_back(read_metric(item));
  for (const Field& item : root.at("tables").items()) record.tables.push_back(read_table(item));
  for (const Field& item : root.at("claims").items()) record.claims.push_back(read_claim(item));
  record.answer = root.at("answer").text();
  for (const Field& item : root.at("warnings").items()) {
    record.warnings.push_back(
        {item.at("code").text(), item.at("text").text(), item.at("fix").text()});
  }
  for (const Field& item : root.at("environment").items()) {
    record.environment.emplace_back(item.name(), item.value());
  }
  const Field cost = root.at("cost");
  record.cost.wall_s = cost.at("wall_s").real();
  record.cost.cpu_s = cost.at("cpu_s").real();
  record.cost.peak_rss_bytes = cost.at("peak_rss_bytes").integer();
  record.cost.tokens = cost.at("tokens").integer();
  record.cost.flops = cost.at("flops").real();
  for (const Field& item : cost.at("measurements").items()) {
    record.cost.measurements.push_back(read_metric(item));
  }
  for (const Field& item : cost.at("tests").items()) {
    record.cost.tests.push_back({item.at("claim").text(), read_test(item.at("test"))});
  }
  for (const Field& item : cost.at("tables").items()) {
    record.cost.tables.push_back(read_table(item));
  }
  result.signature = root.at("signature").text();
  const Field chinese = root.at("translations").at("zh");
  for_each_text(record, [&chinese](Text& entry) { translate(chinese, entry); });
  const Field cost_chinese = cost.at("translations").at("zh");
  for_each_cost_text(record.cost, [&](Text& entry) { translate(cost_chinese, entry); });
  return result;
}

std::vector<Result> parse_results(std::string_view text, const std::string& source) {
  std::vector<std::string_view> lines;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  // An object that ends where its first line ends is one of several.
  const bool ndjson =
      lines.size() > 1 && !lines[0].empty() && lines[0].front() == '{' && lines[0].back() == '}';
  if (!ndjson) return {parse_result(text, source)};
  std::vector<Result> results;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (lines[i].find_first_not_of(" \t\r") == std::string_view::npos) continue;
    results.push_back(parse_result(lines[i], fmt::format("{} (line {})", source, i + 1)));
    results.back().line = i + 1;
  }
  return results;
}

Settings parse_settings(std::string_view text, const std::string& source) {
  const Json json = parse(text, source, ErrorKind::usage);
  const Field root(json, source, ErrorKind::usage);
  if (!json.is_object()) root.fail("an object");
  Settings settings;
  const bool result = root.has("schema") && root.has("config");
  if (result) {
    settings.schema = root.at("schema").text();
    check_version(settings.schema, source, ErrorKind::usage);
  }
  const Field config = result ? root.at("config") : root;
  if (!config.node().is_object()) config.fail("an object");
  for (const Field& item : config.items()) {
    if (item.is_null()) item.fail("a value");
    settings.values.emplace_back(item.name(), item.value());
  }
  return settings;
}

}  // namespace xfq::report
