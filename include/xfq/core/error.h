// The one exception type of the project.
//
// A message is one line: what was got and what was expected; the hint says how
// to fix it. Libraries throw, they never print and never exit; `cli` turns the
// kind into an exit code.
#pragma once

#include <stdexcept>
#include <string>

namespace xfq {

enum class ErrorKind {
  usage,        ///< an option or a configuration key; exit code 2
  input,        ///< an input file, or an output that cannot be written; exit code 2
  run,          ///< the run itself failed, for example diverged; exit code 1
  interrupted,  ///< the user asked to stop; exit code 130
};

class Error : public std::runtime_error {
 public:
  Error(ErrorKind kind, const std::string& message, std::string hint = {});

  ErrorKind kind() const noexcept { return kind_; }
  /// How to fix it; may be empty.
  const std::string& hint() const noexcept { return hint_; }

 private:
  ErrorKind kind_;
  std::string hint_;
};

[[noreturn]] void throw_usage(const std::string& message, const std::string& hint = {});
[[noreturn]] void throw_input(const std::string& message, const std::string& hint = {});
[[noreturn]] void throw_run(const std::string& message, const std::string& hint = {});

namespace detail {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line);
}

}  // namespace xfq

/// Invariants only; no user input may reach a false one.
#ifdef XFQ_ASSERTIONS
#define XFQ_ASSERT(expression) \
  ((expression) ? void(0) : ::xfq::detail::assertion_failed(#expression, __FILE__, __LINE__))
#else
#define XFQ_ASSERT(expression) void(0)
#endif
