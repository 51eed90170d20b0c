#include "gnuplot_process.h"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <memory>

#include "xfq/core/error.h"

namespace xfq::report {

namespace {

using File = std::unique_ptr<std::FILE, int (*)(std::FILE*)>;

File temporary_file() {
  File file(std::tmpfile(), std::fclose);
  if (!file) {
    throw_run(fmt::format("cannot make a temporary file: {}", std::strerror(errno)),
              "check the space in the folder for temporary files");
  }
  return file;
}

std::string content(std::FILE* file) {
  std::string text;
  std::array<char, 1 << 16> buffer;
  std::rewind(file);
  for (std::size_t got; (got = std::fread(buffer.data(), 1, buffer.size(), file)) > 0;) {
    text.append(buffer.data(), got);
  }
  return text;
}

}  // namespace

// Files instead of pipes: neither side can wait for the other.
std::string run_gnuplot(const std::string& script) {
  const File input = temporary_file();
  const File output = temporary_file();
  const File errors = temporary_file();
  if (std::fwrite(script.data(), 1, script.size(), input.get()) != script.size() ||
      std::fflush(input.get()) != 0) {
    throw_run("cannot write a temporary file", "check the space in the folder for temporary files");
  }
  std::rewind(input.get());
  ::lseek(::fileno(input.get()), 0, SEEK_SET);

  posix_spawn_file_actions_t actions;
  ::posix_spawn_file_actions_init(&actions);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(input.get()), STDIN_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(output.get()), STDOUT_FILENO);
  ::posix_spawn_file_actions_adddup2(&actions, ::fileno(errors.get()), STDERR_FILENO);
  // Nothing of the user's set-up may change the drawing.
  std::string program = "gnuplot";
  std::string defaults = "-d";
  std::string locale = "LC_ALL=C";
  const char* const search = std::getenv("PATH");
  std::string path = fmt::format("PATH={}", search == nullptr ? "/usr/bin:/bin" : search);
  const std::array<char*, 3> arguments = {program.data(), defaults.data(), nullptr};
  const std::array<char*, 3> environment = {locale.data(), path.data(), nullptr};
  pid_t child = 0;
  const int failure = ::posix_spawnp(&child, program.c_str(), &actions, nullptr, arguments.data(),
                                     environment.data());
  ::posix_spawn_file_actions_destroy(&actions);
  if (failure == ENOENT) {
    throw_run("charts need the program gnuplot, which is not in PATH",
              fmt::format("install it (Debian: apt install gnuplot-nox), {}", kOtherWay));
  }
  if (failure != 0) {
    throw_run(fmt::format("cannot start gnuplot: {}", std::strerror(failure)), kOtherWay);
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFSIGNALED(status) && (WTERMSIG(status) == SIGINT || WTERMSIG(status) == SIGTERM)) {
    throw Error(ErrorKind::interrupted, "stopped while gnuplot was drawing");
  }
  if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    std::string said = content(errors.get());
    std::replace(said.begin(), said.end(), '\n', ' ');
    throw_run(fmt::format("gnuplot failed: {}", said.empty() ? "it said nothing" : said),
              kOtherWay);
  }
  return content(output.get());
}

}  // namespace xfq::report
