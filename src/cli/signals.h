// SIGINT and SIGTERM: the first asks to stop, the second ends the program.
#pragma once

namespace xfq::cli {

/// Also ignores SIGPIPE: a closed pipe is then an ordinary write error.
void install_signal_handlers();

/// True once a signal came.
bool stop_requested();

}  // namespace xfq::cli
