// A dynamically typed value: what an option, a table cell or a configuration
// key may hold.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

namespace xfq {

using Value =
    std::variant<std::monostate, bool, std::int64_t, double, std::string, std::vector<std::int64_t>,
                 std::vector<double>, std::vector<std::string>>;

/// "true", "8", "0.5", "minmax", "2,4,8"; empty for no value. Doubles are
/// printed so that they read back exactly.
std::string to_text(const Value& value);

/// "a truth value", "an integer", "a list of numbers", ...
std::string type_name(const Value& value);

}  // namespace xfq
