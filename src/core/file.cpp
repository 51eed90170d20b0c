#include "xfq/core/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <system_error>

#include "xfq/core/error.h"

namespace xfq {

namespace fs = std::filesystem;

namespace {

std::string reason(int code) { return std::generic_category().message(code); }

std::string folder_of(const std::string& path) {
  const fs::path parent = fs::path(path).parent_path();
  return parent.empty() ? "." : parent.string();
}

/// What stands at the path is something other than a regular file or nothing.
bool is_special(const std::string& path) {
  struct stat info {};
  return stat(path.c_str(), &info) == 0 && !S_ISREG(info.st_mode);
}

[[noreturn]] void fail_write(std::string_view what, const std::string& path, int code) {
  throw_input(fmt::format("{}: cannot write {}: {}", what, path, reason(code)),
              code == ENOSPC ? "free some space, or choose another place"
                             : "choose a path in a folder that exists and is writable");
}

/// Writes all bytes; returns 0 or errno.
int write_all(int fd, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0) {
      if (errno == EINTR) continue;
      return errno;
    }
    bytes.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

std::string temporary_name(const std::string& path) {
  static std::atomic<unsigned> counter{0};
  return fmt::format("{}.{}.{}.tmp", path, ::getpid(), counter++);
}

}  // namespace

std::string read_file(const std::string& path, std::string_view what, std::size_t limit) {
  std::error_code code;
  const auto status = fs::status(path, code);
  if (!fs::exists(status)) {
    throw_input(fmt::format("{}: no such file: {}", what, path), "check the path");
  }
  if (fs::is_directory(status)) {
    throw_input(fmt::format("{}: {} is a folder, expected a file", what, path),
                "name a file in it");
  }
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    throw_input(fmt::format("{}: cannot read {}: {}", what, path, reason(errno)),
                "check its permissions");
  }
  std::string bytes;
  char block[1 << 16];
  while (in.read(block, sizeof block) || in.gcount() > 0) {
    bytes.append(block, static_cast<std::size_t>(in.gcount()));
    if (bytes.size() > limit) {
      throw_input(fmt::format("{}: {} is larger than {} bytes", what, path, limit),
                  "use a smaller file");
    }
  }
  if (in.bad()) throw_input(fmt::format("{}: reading {} failed", what, path), "check the disk");
  return bytes;
}

void write_file_atomic(const std::string& path, std::string_view bytes, std::string_view what) {
  if (is_special(path)) {
    if (fs::is_directory(path)) fail_write(what, path, EISDIR);
    const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (fd < 0) fail_write(what, path, errno);
    const int code = write_all(fd, bytes);
    ::close(fd);
    if (code != 0) fail_write(what, path, code);
    return;
  }
  // A symbolic link keeps pointing where it does; its target is replaced.
  std::error_code resolve;
  const fs::path resolved = fs::weakly_canonical(path, resolve);
  const std::string target = resolve ? path : resolved.string();
  const std::string temporary = temporary_name(target);
  const int fd = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
  if (fd < 0) fail_write(what, path, errno);
  // Who may read a file that is there stays as its owner has said.
  struct stat old = {};
  if (::stat(target.c_str(), &old) == 0) ::fchmod(fd, old.st_mode & 07777);
  int code = write_all(fd, bytes);
  if (code == 0 && ::fsync(fd) != 0) code = errno;
  if (::close(fd) != 0 && code == 0) code = errno;
  if (code == 0 && ::rename(temporary.c_str(), target.c_str()) != 0) code = errno;
  if (code != 0) {
    ::unlink(temporary.c_str());
    fail_write(what, path, code);
  }
  // The rename itself reaches the disk with its folder.
  const int folder = ::open(folder_of(target).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder >= 0) {
    ::fsync(folder);
    ::close(folder);
  }
}

void check_writable(const std::string& path, std::string_view what) {
  if (path.empty()) throw_input(fmt::format("{}: got an empty path", what), "name a file");
  if (is_special(path)) {
    if (fs::is_directory(path)) fail_write(what, path, EISDIR);
    if (::access(path.c_str(), W_OK) != 0) fail_write(what, path, errno);
    return;
  }
  const std::string folder = folder_of(path);
  if (::access(folder.c_str(), W_OK | X_OK) != 0) fail_write(what, path, errno);
}

void make_folder(const std::string& path, std::string_view what) {
  std::error_code code;
  fs::create_directories(path, code);
  if (code || !fs::is_directory(path)) {
    throw_input(fmt::format("{}: cannot create folder {}: {}", what, path,
                            code ? code.message() : "a file is in the way"),
                "choose another folder");
  }
}

bool file_exists(const std::string& path) {
  std::error_code code;
  return fs::is_regular_file(path, code);
}

}  // namespace xfq
