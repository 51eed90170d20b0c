// One table of options per experiment: the command line, configuration files,
// help, and the `config` of a result all read it, so that they cannot disagree.
// An option has one word: key `batch_size`, flag `--batch-size`, JSON `batch_size`.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "xfq/core/value.h"

namespace xfq {

struct IntegerRange {
  std::int64_t lo = std::numeric_limits<std::int64_t>::min();
  std::int64_t hi = std::numeric_limits<std::int64_t>::max();
};

struct RealRange {
  double lo = -std::numeric_limits<double>::infinity();
  double hi = std::numeric_limits<double>::infinity();
  bool lo_open = false;  ///< lo itself is not allowed
  bool hi_open = false;
};

struct Option {
  std::string key;         ///< batch_size
  std::string help;        ///< one line, no full stop
  std::string group;       ///< heading in --help
  std::string value_name;  ///< N, X, FILE, a|b|c; empty for a flag
  bool list = false;       ///< takes a comma list
  bool runtime = false;    ///< does not shape the result (threads, cache): not in `config`
  bool assigned = false;   ///< set by the user (command line or file), not by default

  std::function<void(const std::string&)> parse;  ///< from text; throws ErrorKind::usage
  std::function<void(const Value&)> assign;       ///< from a typed value; throws ErrorKind::usage
  std::function<Value()> value;                   ///< the current value

  std::string flag() const;  ///< --batch-size
};

class OptionTable {
 public:
  /// Options added from here on stand under this heading.
  void group(std::string title) { group_ = std::move(title); }

  // Each binds a variable that must outlive the table. The variable's current
  // content is the default. All checks of one option's value happen here.
  Option& flag(std::string key, bool& target, std::string help);
  Option& integer(std::string key, std::int64_t& target, std::string help, IntegerRange range = {});
  Option& integers(std::string key, std::vector<std::int64_t>& target, std::string help,
                   IntegerRange range = {});
  Option& real(std::string key, double& target, std::string help, RealRange range = {});
  Option& reals(std::string key, std::vector<double>& target, std::string help,
                RealRange range = {});
  Option& choice(std::string key, std::string& target, std::string help,
                 std::vector<std::string> choices);
  Option& choices(std::string key, std::vector<std::string>& target, std::string help,
                  std::vector<std::string> choices);
  /// Free text; `check` throws ErrorKind::usage on a bad value.
  Option& text(std::string key, std::string& target, std::string help, std::string value_name,
               std::function<void(const std::string&)> check = {});
  Option& texts(std::string key, std::vector<std::string>& target, std::string help,
                std::string value_name, std::function<void(const std::string&)> check = {});

  const std::vector<Option>& options() const { return options_; }
  /// nullptr when there is none.
  Option* find(std::string_view key);

 private:
  Option& add(std::string key, std::string help, std::string value_name);

  std::string group_;
  std::vector<Option> options_;
};

/// The candidate nearest to `word` by edit distance, or empty when none is near
/// enough to be what was meant.
std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace xfq
