// The standard streams, written directly so that every failure is seen.
#pragma once

#include <string>
#include <string_view>

namespace xfq::cli {

/// Opens a closed standard stream on /dev/null, so that no file takes its
/// number; call first.
void prepare_streams();

/// Throws ErrorKind::input when standard output was closed from the start.
void check_stdout();

/// Throws ErrorKind::input when not everything could be written. A reader that
/// has gone (xfq ... | head) is no error.
void write_stdout(std::string_view text);

/// Best effort.
void write_stderr(std::string_view text);

/// What standard error can show.
struct Terminal {
  bool live = false;   ///< a line can be rewritten
  bool color = false;  ///< and NO_COLOR is not set
};
Terminal stderr_terminal();

/// Columns of standard error, 80 when it is not a terminal.
int stderr_width();

/// "xfq: <kind>: <text>" as one line, the kind coloured on a terminal.
void say_line(std::string_view kind, std::string_view text);

}  // namespace xfq::cli
