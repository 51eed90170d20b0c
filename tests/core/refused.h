// Checks of error messages: kind, one line, and what the line must name.
#pragma once

#include <string>
#include <vector>

#include "catch.h"
#include "xfq/core/error.h"

namespace xfq::test {

/// Calls `action`, which must throw xfq::Error of `kind` with a message of one line
/// that holds every one of `parts`.
template <class Action>
void check_refused(ErrorKind kind, const std::vector<std::string>& parts, Action&& action) {
  try {
    action();
  } catch (const Error& error) {
    const std::string message = error.what();
    INFO("message: " << message);
    CHECK(error.kind() == kind);
    CHECK_FALSE(message.empty());
    CHECK(message.find('\n') == std::string::npos);
    for (const std::string& part : parts) {
      INFO("must name: " << part);
      CHECK(message.find(part) != std::string::npos);
    }
    return;
  }
  INFO("must name: " << (parts.empty() ? std::string() : parts.front()));
  CHECK(false);  // nothing was thrown
}

}  // namespace xfq::test
