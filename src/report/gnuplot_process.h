// Starts the program gnuplot.
#pragma once

#include <string>

namespace xfq::report {

/// The end of a hint when gnuplot is of no use.
inline constexpr const char* kOtherWay = "or use --format vega-lite, which needs no gnuplot";

/// Runs gnuplot on a script and returns its standard output. Throws ErrorKind::run when it is
/// missing or fails, ErrorKind::interrupted when it was stopped.
std::string run_gnuplot(const std::string& script);

}  // namespace xfq::report
