#include "xfq/core/options.h"

#include <fmt/core.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "xfq/core/error.h"

namespace xfq {

namespace {

std::string range_text(const IntegerRange& range) {
  const bool below = range.lo != IntegerRange{}.lo;
  const bool above = range.hi != IntegerRange{}.hi;
  if (below && above) return fmt::format("an integer from {} to {}", range.lo, range.hi);
  if (below) return fmt::format("an integer of at least {}", range.lo);
  if (above) return fmt::format("an integer of at most {}", range.hi);
  return "an integer";
}

std::string range_text(const RealRange& range) {
  const bool below = std::isfinite(range.lo);
  const bool above = std::isfinite(range.hi);
  std::string text = "a number";
  if (below) text += fmt::format(" {} {}", range.lo_open ? "above" : "of at least", range.lo);
  if (above) {
    text +=
        fmt::format("{} {} {}", below ? " and" : "", range.hi_open ? "below" : "at most", range.hi);
  }
  return text;
}

[[noreturn]] void bad_value(const std::string& flag, const std::string& got,
                            const std::string& expected, const std::string& hint = {}) {
  throw_usage(fmt::format("{}: got '{}', expected {}", flag, got, expected), hint);
}

std::vector<std::string> split_list(const std::string& text) {
  std::vector<std::string> items;
  std::size_t begin = 0;
  while (true) {
    const std::size_t comma = text.find(',', begin);
    items.push_back(text.substr(begin, comma - begin));
    if (comma == std::string::npos) return items;
    begin = comma + 1;
  }
}

std::int64_t parse_integer(const std::string& flag, const std::string& text,
                           const IntegerRange& range) {
  std::int64_t number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (code != std::errc{} || end != text.data() + text.size() || number < range.lo ||
      number > range.hi) {
    bad_value(flag, text, range_text(range));
  }
  return number;
}

double parse_real(const std::string& flag, const std::string& text, const RealRange& range) {
  double number = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool parsed = code == std::errc{} && end == text.data() + text.size();
  const bool inside = parsed && std::isfinite(number) &&
                      (range.lo_open ? number > range.lo : number >= range.lo) &&
                      (range.hi_open ? number < range.hi : number <= range.hi);
  if (!inside) bad_value(flag, text, range_text(range));
  return number;
}

std::string parse_choice(const std::string& flag, const std::string& text,
                         const std::vector<std::string>& choices) {
  if (std::find(choices.begin(), choices.end(), text) == choices.end()) {
    const std::string near = nearest_name(text, choices);
    bad_value(flag, text, fmt::format("one of {}", fmt::join(choices, ", ")),
              near.empty() ? std::string() : fmt::format("did you mean '{}'?", near));
  }
  return text;
}

[[noreturn]] void bad_type(const Option& option, const Value& value, const std::string& expected) {
  throw_usage(fmt::format("configuration key '{}': got {} '{}', expected {}", option.key,
                          type_name(value), to_text(value), expected));
}

/// A list value from a value of the list's type or of its element's type.
template <class T>
bool as_list(const Value& value, std::vector<T>& out) {
  if (const auto* list = std::get_if<std::vector<T>>(&value)) {
    out = *list;
    return true;
  }
  if (const auto* one = std::get_if<T>(&value)) {
    out = {*one};
    return true;
  }
  return false;
}

}  // namespace

std::string Option::flag() const {
  std::string text = "--" + key;
  std::replace(text.begin() + 2, text.end(), '_', '-');
  return text;
}

Option& OptionTable::add(std::string key, std::string help, std::string value_name) {
  XFQ_ASSERT(find(key) == nullptr);
  Option option;
  option.key = std::move(key);
  option.help = std::move(help);
  option.group = group_;
  option.value_name = std::move(value_name);
  options_.push_back(std::move(option));
  return options_.back();
}

Option* OptionTable::find(std::string_view key) {
  for (Option& option : options_) {
    if (option.key == key) return &option;
  }
  return nullptr;
}

Option& OptionTable::flag(std::string key, bool& target, std::string help) {
  Option& option = add(std::move(key), std::move(help), "");
  const std::string flag = option.flag();
  option.parse = [&target, flag](const std::string& text) {
    if (text != "true" && text != "false") bad_value(flag, text, "true or false");
    target = text == "true";
  };
  option.assign = [&target, option](const Value& value) {
    const auto* truth = std::get_if<bool>(&value);
    if (truth == nullptr) bad_type(option, value, "true or false");
    target = *truth;
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::integer(std::string key, std::int64_t& target, std::string help,
                             IntegerRange range) {
  Option& option = add(std::move(key), std::move(help), "N");
  const std::string flag = option.flag();
  option.parse = [&target, flag, range](const std::string& text) {
    target = parse_integer(flag, text, range);
  };
  option.assign = [&target, option, flag, range](const Value& value) {
    const auto* number = std::get_if<std::int64_t>(&value);
    if (number == nullptr) bad_type(option, value, range_text(range));
    target = parse_integer(flag, to_text(value), range);
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::integers(std::string key, std::vector<std::int64_t>& target, std::string help,
                              IntegerRange range) {
  Option& option = add(std::move(key), std::move(help), "N,...");
  option.list = true;
  const std::string flag = option.flag();
  option.parse = [&target, flag, range](const std::string& text) {
    std::vector<std::int64_t> numbers;
    for (const std::string& item : split_list(text)) {
      numbers.push_back(parse_integer(flag, item, range));
    }
    target = numbers;
  };
  option.assign = [&target, option, flag, range](const Value& value) {
    std::vector<std::int64_t> numbers;
    if (!as_list(value, numbers) || numbers.empty()) {
      bad_type(option, value, "a list of " + range_text(range));
    }
    for (const std::int64_t number : numbers) parse_integer(flag, std::to_string(number), range);
    target = numbers;
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::real(std::string key, double& target, std::string help, RealRange range) {
  Option& option = add(std::move(key), std::move(help), "X");
  const std::string flag = option.flag();
  option.parse = [&target, flag, range](const std::string& text) {
    target = parse_real(flag, text, range);
  };
  option.assign = [&target, option, flag, range](const Value& value) {
    if (!std::holds_alternative<double>(value) && !std::holds_alternative<std::int64_t>(value)) {
      bad_type(option, value, range_text(range));
    }
    target = parse_real(flag, to_text(value), range);
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::reals(std::string key, std::vector<double>& target, std::string help,
                           RealRange range) {
  Option& option = add(std::move(key), std::move(help), "X,...");
  option.list = true;
  const std::string flag = option.flag();
  option.parse = [&target, flag, range](const std::string& text) {
    std::vector<double> numbers;
    for (const std::string& item : split_list(text))
      numbers.push_back(parse_real(flag, item, range));
    target = numbers;
  };
  option.assign = [&target, option, flag, range](const Value& value) {
    std::vector<double> numbers;
    std::vector<std::int64_t> integers;
    if (as_list(value, integers))
      numbers.assign(integers.begin(), integers.end());
    else if (!as_list(value, numbers))
      bad_type(option, value, "a list of " + range_text(range));
    if (numbers.empty()) bad_type(option, value, "a list of " + range_text(range));
    for (const double number : numbers) parse_real(flag, to_text(Value(number)), range);
    target = numbers;
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::text(std::string key, std::string& target, std::string help,
                          std::string value_name, std::function<void(const std::string&)> check) {
  Option& option = add(std::move(key), std::move(help), std::move(value_name));
  option.parse = [&target, check](const std::string& text) {
    if (check) check(text);
    target = text;
  };
  option.assign = [&target, option, check](const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) bad_type(option, value, "a text");
    if (check) check(*text);
    target = *text;
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::texts(std::string key, std::vector<std::string>& target, std::string help,
                           std::string value_name, std::function<void(const std::string&)> check) {
  Option& option = add(std::move(key), std::move(help), std::move(value_name));
  option.list = true;
  option.parse = [&target, check](const std::string& text) {
    const std::vector<std::string> items = split_list(text);
    for (const std::string& item : items) {
      if (check) check(item);
    }
    target = items;
  };
  option.assign = [&target, option, check](const Value& value) {
    std::vector<std::string> items;
    if (!as_list(value, items) || items.empty()) bad_type(option, value, "a list of texts");
    for (const std::string& item : items) {
      if (check) check(item);
    }
    target = items;
  };
  option.value = [&target]() -> Value { return target; };
  return option;
}

Option& OptionTable::choice(std::string key, std::string& target, std::string help,
                            std::vector<std::string> choices) {
  Option& option = text(std::move(key), target, std::move(help), "");
  option.value_name = fmt::format("{}", fmt::join(choices, "|"));
  const std::string flag = option.flag();
  option.parse = [&target, flag, choices](const std::string& text) {
    target = parse_choice(flag, text, choices);
  };
  const Option named = option;
  option.assign = [&target, named, flag, choices](const Value& value) {
    const auto* text = std::get_if<std::string>(&value);
    if (text == nullptr) bad_type(named, value, "a text");
    target = parse_choice(flag, *text, choices);
  };
  return option;
}

Option& OptionTable::choices(std::string key, std::vector<std::string>& target, std::string help,
                             std::vector<std::string> choices) {
  const std::string names = fmt::format("{}", fmt::join(choices, "|"));
  std::string flag = "--" + key;
  std::replace(flag.begin() + 2, flag.end(), '_', '-');
  return texts(std::move(key), target, std::move(help), names + ",...",
               [flag, choices](const std::string& text) { parse_choice(flag, text, choices); });
}

std::string nearest_name(std::string_view word, const std::vector<std::string>& candidates) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(word.size() / 3, 1) + 1;
  for (const std::string& candidate : candidates) {
    // Optimal string alignment distance: a swap of neighbours counts one.
    std::vector<std::vector<std::size_t>> d(word.size() + 1,
                                            std::vector<std::size_t>(candidate.size() + 1));
    for (std::size_t i = 0; i <= word.size(); ++i) {
      for (std::size_t j = 0; j <= candidate.size(); ++j) {
        if (i == 0 || j == 0) {
          d[i][j] = i + j;
          continue;
        }
        const std::size_t cost = word[i - 1] == candidate[j - 1] ? 0 : 1;
        d[i][j] = std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + cost});
        if (i > 1 && j > 1 && word[i - 1] == candidate[j - 2] && word[i - 2] == candidate[j - 1]) {
          d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
        }
      }
    }
    if (d[word.size()][candidate.size()] < best_distance) {
      best_distance = d[word.size()][candidate.size()];
      best = candidate;
    }
  }
  return best;
}

}  // namespace xfq
