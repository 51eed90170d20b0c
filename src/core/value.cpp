#include "xfq/core/value.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include "xfq/core/record.h"

namespace xfq {

namespace {

struct Printer {
  std::string operator()(std::monostate) const { return {}; }
  std::string operator()(bool value) const { return value ? "true" : "false"; }
  std::string operator()(const std::string& value) const { return value; }
  template <class T>
  std::string operator()(const std::vector<T>& values) const {
    return fmt::format("{}", fmt::join(values, ","));
  }
  template <class T>
  std::string operator()(T value) const {
    return fmt::format("{}", value);
  }
};

}  // namespace

std::string to_text(const Value& value) { return std::visit(Printer{}, value); }

std::string type_name(const Value& value) {
  static constexpr const char* kNames[] = {
      "nothing", "a truth value",      "an integer",        "a number",
      "a text",  "a list of integers", "a list of numbers", "a list of texts"};
  return kNames[value.index()];
}

std::string to_string(Better better) {
  switch (better) {
    case Better::lower:
      return "lower";
    case Better::higher:
      return "higher";
    case Better::none:
      break;
  }
  return "none";
}

std::string to_string(Outcome outcome) {
  switch (outcome) {
    case Outcome::pass:
      return "pass";
    case Outcome::fail:
      return "fail";
    case Outcome::undecided:
      break;
  }
  return "undecided";
}

std::string to_string(Verdict verdict) {
  switch (verdict) {
    case Verdict::supported:
      return "supported";
    case Verdict::refuted:
      return "refuted";
    case Verdict::conditional:
      return "conditional";
    case Verdict::inconclusive:
      break;
  }
  return "inconclusive";
}

}  // namespace xfq
