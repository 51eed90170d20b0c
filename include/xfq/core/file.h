// Files: whole-file reads with errors that name the file, and atomic writes.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace xfq {

/// Reads a whole regular file. Throws ErrorKind::input naming `what` (for
/// example "--corpus") and the path. `limit` guards against surprises.
std::string read_file(const std::string& path, std::string_view what,
                      std::size_t limit = std::size_t{1} << 32);

/// Writes to a temporary file in the same folder, flushes it to the disk and
/// renames it over `path`: after a crash, a kill or a full disk there is the old
/// file or the new one, never a part. A file that is there keeps its permissions. Throws
/// ErrorKind::input.
/// A path that is not a regular file (a pipe, /dev/stdout) is written directly.
void write_file_atomic(const std::string& path, std::string_view bytes, std::string_view what);

/// Throws ErrorKind::input unless write_file_atomic could create `path` now;
/// called before hours of work.
void check_writable(const std::string& path, std::string_view what);

/// Creates the folder and its parents. Throws ErrorKind::input.
void make_folder(const std::string& path, std::string_view what);

bool file_exists(const std::string& path);

}  // namespace xfq
