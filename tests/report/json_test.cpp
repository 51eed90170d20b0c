// Record <-> JSON, the signature, and what may not pass.
#include "xfq/report/json.h"

#include <cmath>
#include <functional>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "catch.h"
#include "made_record.h"
#include "xfq/core/error.h"
#include "xfq/core/file.h"
#include "xfq/core/hash.h"

namespace xfq::report {
namespace {

constexpr double kNan = std::numeric_limits<double>::quiet_NaN();
constexpr double kInfinity = std::numeric_limits<double>::infinity();

std::string golden(const std::string& name) {
  return read_file(std::string(XFQ_GOLDEN_FOLDER) + "/" + name, "golden");
}

/// Kind and "message; hint" of what `action` throws.
std::string error(ErrorKind kind, const std::function<void()>& action) {
  try {
    action();
  } catch (const Error& error) {
    CHECK(error.kind() == kind);
    return std::string(error.what()) + (error.hint().empty() ? "" : "; " + error.hint());
  }
  return "no error";
}

std::string replaced(std::string text, const std::string& from, const std::string& to) {
  const std::size_t at = text.find(from);
  REQUIRE(at != std::string::npos);
  return text.replace(at, from.size(), to);
}

TEST_CASE("the made record prints as the golden file") {
  // The file was checked against made_record.h field by field; the signature below.
  CHECK(to_json(made_record()) == golden("record.json"));
}

TEST_CASE("one line has the same content") {
  const std::string line = to_ndjson(made_record());
  CHECK(line.find('\n') == line.size() - 1);
  CHECK(to_json(parse_result(line, "line").record) == golden("record.json"));
}

TEST_CASE("the signature is the XXH3-128 of the compact JSON of the behaviour") {
  // golden/behaviour.json: golden/record.json without environment, cost and signature
  // through Python's json.dumps(..., separators=(",", ":"), ensure_ascii=False).
  const std::string behaviour = golden("behaviour.json");
  CHECK(signature(made_record()) == xxh3_hex(behaviour));
}

TEST_CASE("a result reads back to the same bits") {
  const Result result = parse_result(golden("record.json"), "record.json");
  CHECK(to_json(result.record) == golden("record.json"));
  CHECK(result.signature == signature(made_record()));
  CHECK(result.record.metrics[0].value == 0.1);
  CHECK(result.record.metrics[2].value == 1e23);
  CHECK(result.record.config == made_record().config);
  CHECK(result.record.tables[0].rows == made_record().tables[0].rows);
  CHECK(result.record.claims[0].tests[1].outcome == Outcome::undecided);
  CHECK(result.record.claims[0].tests[1].reason == "not measured");
  CHECK(result.record.metrics[2].reason == "one run has no interval");
  CHECK(result.record.claims[1].seeds_needed == 12);
  CHECK(result.record.environment == made_record().environment);
  CHECK(result.record.cost.flops == 1.5e12);
}

TEST_CASE("hard doubles survive") {
  for (const double value : {0.1 + 0.2, 5e-324, 1.7976931348623157e308, -0.0, 1.0 / 3.0, 1e21}) {
    Record record = made_record();
    record.metrics[0].value = value;
    const double back = *parse_result(to_json(record), "x").record.metrics[0].value;
    CHECK(back == value);
    CHECK(std::signbit(back) == std::signbit(value));
  }
}

TEST_CASE("the numbers of seeds stand behind a metric, and only where there are some") {
  Record record = made_record();
  CHECK(to_json(record).find("\"values\"") == std::string::npos);
  record.metrics[0].values = {0.09, 0.1, 0.11};
  const std::string text = to_json(record);
  CHECK(text.find("\"values\": [0.09, 0.1, 0.11]") != std::string::npos);
  CHECK(parse_result(text, "x").record.metrics[0].values == record.metrics[0].values);
  CHECK(parse_result(text, "x").signature == signature(record));
  CHECK(signature(record) != signature(made_record()));
}

TEST_CASE("the signature ignores environment and cost and nothing else") {
  const std::string original = signature(made_record());
  const auto changed = [](const std::function<void(Record&)>& change) {
    Record record = made_record();
    change(record);
    return signature(record);
  };
  CHECK(changed([](Record& r) { r.environment.clear(); }) == original);
  CHECK(changed([](Record& r) { r.cost = {}; }) == original);

  const std::vector<std::function<void(Record&)>> changes = {
      [](Record& r) { r.schema = "xfq/quantize/2"; },
      [](Record& r) { r.question_number = 24; },
      [](Record& r) { r.question_title = "Why?"; },
      [](Record& r) { r.config[1].second = std::int64_t{2}; },
      [](Record& r) { r.config[1].second = 1.0; },
      [](Record& r) { r.config.pop_back(); },
      [](Record& r) { std::swap(r.config[0], r.config[1]); },
      [](Record& r) { r.evidence = false; },
      [](Record& r) { r.data[0].name = "x"; },
      [](Record& r) { r.data[0].sha256[0] = '0'; },
      [](Record& r) { r.data[0].documents += 1; },
      [](Record& r) { r.data[0].tokens += 1; },
      [](Record& r) { r.data[0].splits[1].second += 1; },
      [](Record& r) { r.metrics[0].id = "x"; },
      [](Record& r) { r.metrics[0].value = std::nextafter(0.1, 1.0); },
      [](Record& r) { r.metrics[0].unit = "x"; },
      [](Record& r) { r.metrics[0].ci->lo = 0.08; },
      [](Record& r) { r.metrics[0].ci.reset(); },
      [](Record& r) { r.metrics[0].n = 4; },
      [](Record& r) { r.metrics[0].better = Better::higher; },
      [](Record& r) { r.metrics[2].reason = Text(); },
      [](Record& r) { r.metrics[3].reason = "x"; },
      [](Record& r) { r.tables[0].name = "x"; },
      [](Record& r) { r.tables[0].columns[0] = "x"; },
      [](Record& r) { r.tables[0].rows[1][2] = 0.5; },
      [](Record& r) { r.claims[0].id = "x"; },
      [](Record& r) { r.claims[0].claim = "x"; },
      [](Record& r) { r.claims[0].verdict = Verdict::refuted; },
      [](Record& r) { r.claims[0].conditions = "x"; },
      [](Record& r) { r.claims[0].tests[0].statement = "x"; },
      [](Record& r) { r.claims[0].tests[0].rule = "x"; },
      [](Record& r) { r.claims[0].tests[0].value = 0.002; },
      [](Record& r) { r.claims[0].tests[0].ci.reset(); },
      [](Record& r) { r.claims[0].tests[0].n = 4; },
      [](Record& r) { r.claims[0].tests[0].outcome = Outcome::fail; },
      [](Record& r) { r.claims[0].tests[0].condition = "x"; },
      [](Record& r) { r.claims[0].tests[1].reason = "x"; },
      [](Record& r) { r.claims[1].seeds_needed = 13; },
      [](Record& r) { r.answer = "x"; },
      [](Record& r) { r.warnings[0].code = "x"; },
      [](Record& r) { r.warnings[0].text = "x"; },
      [](Record& r) { r.warnings[0].fix = "x"; }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    INFO("change " << i);
    CHECK(changed(changes[i]) != original);
  }
}

TEST_CASE("a number that is not finite is an error that names its place") {
  const auto message = [](const std::function<void(Record&)>& change) {
    Record record = made_record();
    change(record);
    return error(ErrorKind::run, [&] { to_json(record); });
  };
  const auto expected = [](const std::string& value, const std::string& where) {
    return "the result has " + value + " at " + where +
           ", expected a finite number; lower --lr if a training diverged; otherwise please "
           "report this";
  };
  CHECK(message([](Record& r) { r.metrics[0].value = kNan; }) ==
        expected("nan", "metric 'fp32.loss'"));
  CHECK(message([](Record& r) { r.metrics[0].ci->hi = kInfinity; }) ==
        expected("inf", "metric 'fp32.loss'.ci"));
  CHECK(message([](Record& r) { r.tables[0].rows[1][2] = -kInfinity; }) ==
        expected("-inf", "table 'bits' row 2 column 'loss'"));
  CHECK(message([](Record& r) { r.tables[0].rows[1][4] = std::vector<double>{kNan}; }) ==
        expected("nan", "table 'bits' row 2 column 'scales'"));
  CHECK(message([](Record& r) { r.claims[0].tests[0].value = kNan; }) ==
        expected("nan", "claim 'quant.int8-sweet-spot'"));
  CHECK(message([](Record& r) { r.config[3].second = kNan; }) == expected("nan", "config.lr"));
  CHECK(message([](Record& r) { r.cost.wall_s = kNan; }) == expected("nan", "cost.wall_s"));
  CHECK(message([](Record& r) { r.cost.flops = kInfinity; }) == expected("inf", "cost.flops"));
  CHECK(message([](Record& r) { r.metrics[3].reason = Text(); }) ==
        "metric 'int8.speed' has no value, expected a value or the reason why there is none; "
        "please report this");
}

TEST_CASE("text that is not UTF-8 stays printable and readable") {
  Record record = made_record();
  record.answer = "a\xff";
  CHECK(parse_result(to_json(record), "x").record.answer == "a\xef\xbf\xbd");
  CHECK(parse_result(to_json(record), "x").signature == signature(record));
}

TEST_CASE("a broken result is refused with its place") {
  const std::string good = golden("record.json");
  const auto message = [](const std::string& text) {
    return error(ErrorKind::input, [&] { parse_result(text, "r.json"); });
  };
  CHECK(message("") == "r.json: got an empty file, expected JSON");
  CHECK(message("[]") == "r.json: the document is a JSON array, expected an object");
  CHECK(message("{}") == "r.json: the document has no 'schema'; expected a result that xfq wrote");
  CHECK(message(good.substr(0, good.size() / 2)).find("is not valid JSON") != std::string::npos);
  CHECK(message(replaced(good, "\"value\": 0.1,", "\"value\": \"0.1\",")) ==
        "r.json: 'metrics[0].value' is a JSON string, expected a number");
  CHECK(message(replaced(good, "\"value\": 0.1,", "\"value\": 1e999,")) ==
        "r.json: a number is out of range, expected finite JSON numbers");
  CHECK(message(replaced(good, "[0.09, 0.11]", "[0.09]")) ==
        "r.json: 'metrics[0].ci' is a JSON array, expected null or two numbers");
  CHECK(message(replaced(good, "\"better\": \"lower\"", "\"better\": \"big\"")) ==
        "r.json: 'metrics[0].better' is a JSON string, expected one of none, lower, higher");
  CHECK(message(replaced(good, "\"verdict\": \"conditional\"", "\"verdict\": \"true\"")) ==
        "r.json: 'claims[0].verdict' is a JSON string, expected one of supported, refuted, "
        "conditional, inconclusive");
  CHECK(message(replaced(good, "\"evidence\": true", "\"evidence\": 1")) ==
        "r.json: 'evidence' is a JSON number, expected true or false");
  CHECK(message(replaced(good, "\"documents\": 100", "\"documents\": 18446744073709551615")) ==
        "r.json: 'data[0].documents' is a JSON number, expected an integer");
  CHECK(message(replaced(good, "\"signature\"", "\"sign\"")) ==
        "r.json: the document has no 'signature'; expected a result that xfq wrote");
  CHECK(message(replaced(good, "\"bits\": 8", "\"bots\": 8")) ==
        "r.json: 'tables.bits[1]' is a JSON object, expected an object with the columns of the "
        "first row");
  CHECK(message(std::string(100000, '[')) ==
        "r.json: line 1 is not valid JSON; the file ends too early");
}

TEST_CASE("settings come from a result or from a plain object") {
  const Settings from_result = parse_settings(golden("record.json"), "r.json");
  CHECK(from_result.schema == "xfq/quantize/1");
  CHECK(from_result.values == made_record().config);

  const Settings plain = parse_settings(R"({"seed": 3, "lr": 1, "bits": [1, 0.5]})", "c.json");
  CHECK(plain.schema.empty());
  REQUIRE(plain.values.size() == 3);
  CHECK(plain.values[1].second == Value(std::int64_t{1}));
  CHECK(plain.values[2].second == Value(std::vector<double>{1, 0.5}));

  const auto message = [](const std::string& text) {
    return error(ErrorKind::usage, [&] { parse_settings(text, "c.json"); });
  };
  CHECK(message("3") == "c.json: the document is a JSON number, expected an object");
  CHECK(message(R"({"seed": null})") == "c.json: 'seed' is null, expected a value");
  CHECK(message(R"({"seed": {}})").substr(0, 33) == "c.json: 'seed' is a JSON object, ");
  CHECK(message(R"({"seed": [1, "a"]})").substr(0, 32) == "c.json: 'seed' is a JSON array, ");
  CHECK(message(R"({"schema": "x", "config": 3})") ==
        "c.json: 'config' is a JSON number, expected an object");
}

}  // namespace
}  // namespace xfq::report
