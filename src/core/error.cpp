#include "xfq/core/error.h"

#include <fmt/core.h>

namespace xfq {

Error::Error(ErrorKind kind, const std::string& message, std::string hint)
    : std::runtime_error(message), kind_(kind), hint_(std::move(hint)) {}

void throw_usage(const std::string& message, const std::string& hint) {
  throw Error(ErrorKind::usage, message, hint);
}

void throw_input(const std::string& message, const std::string& hint) {
  throw Error(ErrorKind::input, message, hint);
}

void throw_run(const std::string& message, const std::string& hint) {
  throw Error(ErrorKind::run, message, hint);
}

void detail::assertion_failed(const char* expression, const char* file, int line) {
  throw Error(ErrorKind::run,
              fmt::format("internal error: {} is false at {}:{}", expression, file, line),
              "please report it with the command that led here");
}

}  // namespace xfq
