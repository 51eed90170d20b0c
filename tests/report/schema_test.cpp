// Results and comparisons against data/schema, by valijson; the only file that
// includes it.
#include "xfq/report/schema.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>
#include <string>
#include <valijson/adapters/nlohmann_json_adapter.hpp>
#include <valijson/schema.hpp>
#include <valijson/schema_parser.hpp>
#include <valijson/validator.hpp>
#include <vector>

#include "catch.h"
#include "made_record.h"
#include "xfq/core/error.h"
#include "xfq/report/compare.h"
#include "xfq/report/json.h"
#ifdef XFQ_SMOKE_RESULTS
#include "xfq/core/file.h"
#include "xfq/experiments/experiment.h"
#endif

namespace xfq::report {
namespace {

using nlohmann::json;
using valijson::adapters::NlohmannJsonAdapter;

/// Empty when `document` fits the schema, else what does not.
std::string faults(const std::string& schema_name, const json& document) {
  const json schema_json = json::parse(schema_text(schema_name));
  valijson::Schema schema;
  valijson::SchemaParser(valijson::SchemaParser::kDraft7)
      .populateSchema(NlohmannJsonAdapter(schema_json), schema);
  valijson::Validator validator(valijson::Validator::kStrongTypes);
  valijson::ValidationResults results;
  if (validator.validate(schema, NlohmannJsonAdapter(document), &results)) return {};
  std::string out;
  for (const auto& error : results) {
    for (const std::string& step : error.context) out += step;
    out += ": " + error.description + "\n";
  }
  return out.empty() ? "invalid" : out;
}

Record generic_record() {
  Record record = made_record();
  record.schema = "xfq/made/1";
  return record;
}

TEST_CASE("the made record fits the schema of all results") {
  CHECK(faults("result", json::parse(to_json(generic_record()))) == "");
  Record record = generic_record();
  record.evidence = false;
  record.data.clear();
  record.metrics.clear();
  record.tables.clear();
  record.claims.clear();
  record.warnings.clear();
  CHECK(faults("result", json::parse(to_json(record))) == "");
}

TEST_CASE("a comparison fits its schema") {
  const Record before = generic_record();
  Record after = generic_record();
  after.metrics[0].value = 0.5;
  after.metrics[0].ci = Interval{0.45, 0.55};
  after.metrics[1].value.reset();
  after.metrics[1].ci.reset();
  after.metrics[1].reason = "gone";
  after.metrics[3].value = 3;
  after.config.pop_back();
  after.claims[0].verdict = Verdict::refuted;
  const Comparison comparison = compare({before, signature(before)}, {after, signature(after)}, {});
  CHECK(comparison.regressions == 2);
  CHECK(faults("compare", json::parse(to_json(comparison))) == "");
}

TEST_CASE("the schema refuses what no result may hold") {
  const json good = json::parse(to_json(generic_record()));
  const auto refused = [&good](const std::string& pointer, const json& value) {
    json bad = good;
    bad[json::json_pointer(pointer)] = value;
    return !faults("result", bad).empty();
  };
  CHECK(refused("/extra", 1));
  CHECK(refused("/schema", "quantize"));
  CHECK(refused("/question/number", 20));
  CHECK(refused("/question/number", 23.5));
  CHECK(refused("/config/profile", "fast"));
  CHECK(refused("/config/seed", nullptr));
  CHECK(refused("/config/seed", json::object()));
  CHECK(refused("/evidence", 1));
  CHECK(refused("/data/0/sha256", "e3b0"));
  CHECK(refused("/data/0/tokens", -1));
  CHECK(refused("/metrics/0/value", "0.1"));
  CHECK(refused("/metrics/0/value", nullptr));  // without a reason
  CHECK(refused("/metrics/0/reason", ""));
  CHECK(refused("/metrics/3/reason", ""));
  CHECK(refused("/metrics/0/ci", json::array({1})));
  CHECK(refused("/metrics/0/better", "smaller"));
  CHECK(refused("/metrics/0/extra", 1));
  CHECK(refused("/tables/bits/0/bits", json::object()));
  CHECK(refused("/claims/0/verdict", "true"));
  CHECK(refused("/claims/0/id", "INT8"));
  CHECK(refused("/claims/0/tests/0/pass", "pass"));
  CHECK(refused("/claims/1/seeds_needed", 0));
  CHECK(refused("/warnings/0/code", "Few seeds"));
  CHECK(refused("/environment/extra", 1));
  CHECK(refused("/environment/threads", 0));
  CHECK(refused("/cost/wall_s", -1));
  CHECK(refused("/signature", "abc"));
  for (const auto& item : good.items()) {
    INFO(item.key());
    json bad = good;
    bad.erase(item.key());
    CHECK(!faults("result", bad).empty());
  }
}

TEST_CASE("printed schemas are self-contained and strict") {
  for (const std::string& name : schema_names()) {
    INFO(name);
    const json schema = json::parse(schema_text(name));
    CHECK(schema.dump().find("result.schema.json") == std::string::npos);
    CHECK(schema.at("additionalProperties") == false);
    // What is required exists, and what exists is required.
    std::set<std::string> properties;
    for (const auto& item : schema.at("properties").items()) properties.insert(item.key());
    CHECK(schema.at("required").get<std::set<std::string>>() == properties);
    if (name == "result" || name == "compare") continue;
    CHECK(schema_id(name).find("xfq/" + name + "/") == 0);
    CHECK(properties ==
          json::parse(schema_text("result")).at("required").get<std::set<std::string>>());
  }
}

TEST_CASE("an unknown schema suggests the nearest") {
  try {
    schema_text("compar");
    FAIL("no error");
  } catch (const Error& error) {
    CHECK(error.kind() == ErrorKind::usage);
    CHECK(error.hint() == "did you mean 'compare'?");
  }
  CHECK(schema_id("compar").empty());
  CHECK(schema_tables("compar").empty());
}

#ifdef XFQ_SMOKE_RESULTS
/// Holds every file of a list with | between against the schemas.
void check_results(const std::string& paths, bool evidence) {
  REQUIRE_FALSE(paths.empty());
  std::size_t begin = 0;
  while (begin < paths.size()) {
    const std::size_t end = std::min(paths.find('|', begin), paths.size());
    const std::string path = paths.substr(begin, end - begin);
    INFO(path);
    const std::string text = read_file(path, "result");
    const json result = json::parse(text);
    const std::string schema = result.at("schema");
    const std::string name = schema.substr(4, schema.rfind('/') - 4);
    CHECK(faults(name, result) == "");
    CHECK(faults("result", result) == "");
    CHECK(result.at("evidence") == evidence);
    CHECK(result.at("signature") == signature(parse_result(text, path).record));
    begin = end + 1;
  }
}

TEST_CASE("smoke results fit the schema of their experiment and of all results") {
  check_results(XFQ_SMOKE_RESULTS, false);
}

TEST_CASE("the committed results fit the schema of their experiment and of all results") {
  check_results(XFQ_COMMITTED_RESULTS, true);
}

TEST_CASE("the schema lists the options of each experiment") {
  for (const experiments::Entry& entry : experiments::registry()) {
    INFO(entry.name);
    const json schema = json::parse(schema_text(entry.name));
    std::set<std::string> listed;
    for (const auto& item : schema.at("properties").at("config").at("properties").items()) {
      listed.insert(item.key());
    }
    const std::unique_ptr<experiments::Experiment> experiment = entry.make();
    OptionTable table;
    experiment->describe(table);
    std::set<std::string> options = {"profile"};
    for (const Option& option : table.options()) {
      if (!option.runtime) options.insert(option.key);
    }
    CHECK(listed == options);
  }
}
#endif

}  // namespace
}  // namespace xfq::report
