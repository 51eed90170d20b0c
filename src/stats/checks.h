// Checks of arguments that the room's functions share.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

namespace xfq::stats {

/// Throws ErrorKind::run naming `what` and the first value that is not finite.
void check_finite(const std::vector<double>& values, std::string_view what);
/// Throws ErrorKind::run unless the sizes agree.
void check_same_size(std::size_t a, std::size_t b, std::string_view what);
/// Throws ErrorKind::run unless 0 < level < 1.
void check_level(double level);

}  // namespace xfq::stats
