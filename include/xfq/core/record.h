// The result of an experiment, before it becomes JSON, CSV or Markdown.
// Shapes follow data/schema; the words here are the words there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "xfq/core/text.h"
#include "xfq/core/value.h"

namespace xfq {

struct Interval {
  double lo = 0;
  double hi = 0;
};

enum class Better { none, lower, higher };

/// One number. No value means that it could not be determined; `reason` says why.
struct Metric {
  std::string id;  ///< dotted, for example "int8.delta_nll"
  std::optional<double> value;
  std::string unit;            ///< "nats/token", "bytes", "share", ...
  std::optional<Interval> ci;  ///< 95 % unless the unit says otherwise
  std::int64_t n = 1;          ///< independent observations behind value and ci
  Better better = Better::none;
  Text reason;
  /// The number of each seed, first seed first, where the value is their mean; what
  /// `xfq compare` pairs two results by. Empty otherwise.
  std::vector<double> values = {};
};

/// Tidy rows: one observation a row, one variable a column.
struct Table {
  std::string name;
  std::vector<std::string> columns;
  std::vector<std::vector<Value>> rows;
};

enum class Outcome { pass, fail, undecided };

/// One statement that was written down before the run, and what came out.
struct ClaimTest {
  Text statement;
  std::string rule;  ///< for example "ci.hi <= 0.005"
  std::optional<double> value;
  std::optional<Interval> ci;
  std::int64_t n = 0;
  Outcome outcome = Outcome::undecided;
  Text condition;  ///< the named condition under which it was tested; may be empty
  Text reason;     ///< why value, interval or decision is missing; else empty
};

enum class Verdict { supported, refuted, conditional, inconclusive };

struct Claim {
  std::string id;
  Text claim;  ///< the interview answer's statement, in our words
  Verdict verdict = Verdict::inconclusive;
  Text conditions;  ///< under which conditions the verdict holds
  std::vector<ClaimTest> tests;
  std::optional<std::int64_t> seeds_needed;  ///< that would settle an inconclusive verdict
};

struct DataSource {
  std::string name;
  std::string sha256;
  std::int64_t documents = 0;
  std::int64_t tokens = 0;
  std::vector<std::pair<std::string, std::int64_t>> splits;  ///< tokens of train, validation, ...
};

struct Warning {
  std::string code;  ///< stable, for scripts: "few_seeds"
  Text text;
  Text fix;
};

/// A test on measured time beside a claim. It does not enter the verdict, which must be
/// the same on every machine.
struct TimedTest {
  std::string claim;  ///< id
  ClaimTest test;
};

/// What a run cost; filled by the experiment where it knows, by `cli` for the rest.
/// The only place for numbers that depend on time; the signature leaves it out.
struct Cost {
  double wall_s = 0;
  double cpu_s = 0;
  std::int64_t peak_rss_bytes = 0;
  std::int64_t tokens = 0;  ///< tokens processed in training
  double flops = 0;  ///< floating-point operations of training, estimated 6 N per token + attention
  std::vector<Metric> measurements;  ///< times, speeds, their ratios
  std::vector<TimedTest> tests;
  std::vector<Table> tables;  ///< names differ from those of Record::tables
};

struct Record {
  std::string schema;  ///< "xfq/quantize/1"
  std::int64_t question_number = 0;
  Text question_title;
  std::vector<std::pair<std::string, Value>> config;  ///< every option, resolved
  bool evidence = true;
  std::vector<DataSource> data;
  std::vector<Metric> metrics;
  std::vector<Table> tables;
  std::vector<Claim> claims;
  Text answer;
  std::vector<Warning> warnings;
  std::vector<std::pair<std::string, Value>> environment;
  Cost cost;
};

std::string to_string(Better better);
std::string to_string(Outcome outcome);
std::string to_string(Verdict verdict);

}  // namespace xfq
