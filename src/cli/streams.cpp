// The standard streams, written directly so that every failure is seen.
#include "streams.h"

#include <errno.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>

#include "xfq/core/error.h"

namespace xfq::cli {

namespace {

bool g_stdout_was_closed = false;

/// Bytes written; fewer than asked for leaves errno set.
std::size_t write_all(int descriptor, std::string_view text) {
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t count = ::write(descriptor, text.data() + done, text.size() - done);
    if (count > 0) {
      done += static_cast<std::size_t>(count);
    } else if (count < 0 && errno == EAGAIN) {
      struct pollfd waiting = {descriptor, POLLOUT, 0};
      ::poll(&waiting, 1, -1);
    } else if (count < 0 && errno != EINTR) {
      break;
    }
  }
  return done;
}

std::string environment_variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string() : value;
}

}  // namespace

void prepare_streams() {
  for (const int descriptor : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
    if (::fcntl(descriptor, F_GETFD) != -1 || errno != EBADF) continue;
    if (descriptor == STDOUT_FILENO) g_stdout_was_closed = true;
    // The lowest free number is this one.
    if (::open("/dev/null", O_RDWR) != descriptor) std::abort();
  }
}

void check_stdout() {
  if (g_stdout_was_closed) {
    throw_input("standard output is closed, expected an open file", "use --output FILE");
  }
}

void write_stdout(std::string_view text) {
  check_stdout();
  const std::size_t done = write_all(STDOUT_FILENO, text);
  if (done == text.size() || errno == EPIPE) return;
  throw_input(fmt::format("standard output: wrote {} of {} bytes, then: {}", done, text.size(),
                          std::strerror(errno)),
              "use --output FILE, which leaves a whole file or none");
}

void write_stderr(std::string_view text) { write_all(STDERR_FILENO, text); }

Terminal stderr_terminal() {
  Terminal terminal;
  const std::string term = environment_variable("TERM");
  terminal.live = ::isatty(STDERR_FILENO) == 1 && !term.empty() && term != "dumb";
  terminal.color = terminal.live && environment_variable("NO_COLOR").empty();
  return terminal;
}

int stderr_width() {
  struct winsize size = {};
  if (::ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
  return 80;
}

void say_line(std::string_view kind, std::string_view text) {
  std::string line;
  for (const char c : text) line += c == '\n' || c == '\r' ? ' ' : c;
  const bool color = stderr_terminal().color;
  const char* const on = kind == "error" ? "\x1b[31m" : "\x1b[33m";
  write_stderr(
      fmt::format("xfq: {}{}{}: {}\n", color ? on : "", kind, color ? "\x1b[0m" : "", line));
}

}  // namespace xfq::cli
