// Reading and atomic writing, with the failures made to happen.
#include "xfq/core/file.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <thread>
#include <vector>

#include "refused.h"

using namespace xfq;
using xfq::test::check_refused;
namespace fs = std::filesystem;

namespace {

/// A folder of its own that goes away with the test.
class Folder {
 public:
  Folder() {
    std::string pattern = (fs::temp_directory_path() / "xfq-test-XXXXXX").string();
    REQUIRE(mkdtemp(pattern.data()) != nullptr);
    path_ = pattern;
  }
  ~Folder() {
    std::error_code ignored;
    fs::permissions(path_, fs::perms::owner_all, ignored);
    fs::remove_all(path_, ignored);
  }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;

  std::string file(const std::string& name) const { return (path_ / name).string(); }
  const fs::path& path() const { return path_; }
  std::size_t entries() const {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(path_), fs::directory_iterator{}));
  }

 private:
  fs::path path_;
};

std::string content(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Files cannot grow beyond so many bytes: what a full disk looks like to a write.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t bytes) : old_handler_(std::signal(SIGXFSZ, SIG_IGN)) {
    getrlimit(RLIMIT_FSIZE, &old_);
    rlimit limited = old_;
    limited.rlim_cur = bytes;
    setrlimit(RLIMIT_FSIZE, &limited);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &old_);
    std::signal(SIGXFSZ, old_handler_);
  }
  FileSizeLimit(const FileSizeLimit&) = delete;
  FileSizeLimit& operator=(const FileSizeLimit&) = delete;

 private:
  rlimit old_{};
  void (*old_handler_)(int);
};

/// The superuser may write anywhere: become somebody else for a while.
class OrdinaryUser {
 public:
  OrdinaryUser() : old_(geteuid()) {
    if (old_ == 0) ordinary_ = seteuid(65534) == 0;
  }
  ~OrdinaryUser() {
    if (old_ == 0 && ordinary_ && seteuid(0) != 0) std::abort();
  }
  OrdinaryUser(const OrdinaryUser&) = delete;
  OrdinaryUser& operator=(const OrdinaryUser&) = delete;
  bool ordinary() const { return ordinary_; }

 private:
  uid_t old_;
  bool ordinary_ = true;
};

}  // namespace

TEST_CASE("a file is read whole") {
  const Folder folder;
  const std::string bytes("one\0two\r\n\xff", 10);
  std::ofstream(folder.file("a"), std::ios::binary) << bytes;
  std::ofstream(folder.file("empty"));
  CHECK(read_file(folder.file("a"), "--corpus") == bytes);
  CHECK(read_file(folder.file("empty"), "--corpus").empty());
  CHECK(read_file(folder.file("a"), "--corpus", 10) == bytes);
  const std::string large(200001, 'x');  // several blocks
  std::ofstream(folder.file("large"), std::ios::binary) << large;
  CHECK(read_file(folder.file("large"), "--corpus") == large);
  CHECK(file_exists(folder.file("a")));
  CHECK_FALSE(file_exists(folder.file("b")));
  CHECK_FALSE(file_exists(folder.path().string()));
}

TEST_CASE("a file that cannot be read is named, with the option") {
  const Folder folder;
  const std::string missing = folder.file("missing");
  check_refused(ErrorKind::input, {"--corpus", missing}, [&] { read_file(missing, "--corpus"); });
  check_refused(ErrorKind::input, {"--corpus", folder.path().string(), "expected a file"},
                [&] { read_file(folder.path().string(), "--corpus"); });
  check_refused(ErrorKind::input, {"--corpus"}, [&] { read_file("", "--corpus"); });
  const std::string large = folder.file("large");
  std::ofstream(large) << "12345678901";
  check_refused(ErrorKind::input, {"--config", large, "10 bytes"},
                [&] { read_file(large, "--config", 10); });

  const std::string closed = folder.file("closed");
  std::ofstream(closed) << "x";
  fs::permissions(folder.path(),
                  fs::perms::owner_all | fs::perms::others_exec | fs::perms::group_exec);
  fs::permissions(closed, fs::perms::none);
  const OrdinaryUser user;
  if (user.ordinary()) {
    check_refused(ErrorKind::input, {"--corpus", closed, "Permission denied"},
                  [&] { read_file(closed, "--corpus"); });
  } else {
    WARN("cannot give up the superuser's rights: unreadable files are not tested");
  }
}

TEST_CASE("a write makes or replaces a file and leaves nothing else") {
  const Folder folder;
  const std::string path = folder.file("result.json");
  check_writable(path, "--output");
  CHECK(folder.entries() == 0);
  write_file_atomic(path, "old", "--output");
  CHECK(content(path) == "old");
  const std::string bytes("n\0w", 3);
  write_file_atomic(path, bytes, "--output");
  CHECK(content(path) == bytes);
  write_file_atomic(path, "", "--output");
  CHECK(content(path).empty());
  CHECK(folder.entries() == 1);
}

TEST_CASE("a file that is replaced keeps its permissions") {
  const Folder folder;
  const std::string path = folder.file("result.json");
  for (const auto mode : {fs::perms{0600}, fs::perms{0664}}) {
    write_file_atomic(path, "old", "--output");
    fs::permissions(path, mode);
    write_file_atomic(path, "new", "--output");
    CHECK(fs::status(path).permissions() == mode);
  }
}

TEST_CASE("a link keeps pointing where it does") {
  const Folder folder;
  write_file_atomic(folder.file("target"), "old", "--output");
  fs::create_symlink("target", folder.file("link"));
  write_file_atomic(folder.file("link"), "new", "--output");
  CHECK(fs::is_symlink(folder.file("link")));
  CHECK(content(folder.file("target")) == "new");
  CHECK(folder.entries() == 2);
}

TEST_CASE("a write that fails halfway leaves the old file and no other") {
  const Folder folder;
  const std::string path = folder.file("result.json");
  write_file_atomic(path, "old", "--output");
  const std::string large(100000, 'x');
  bool refused = false;
  std::string message;
  {
    const FileSizeLimit limit(4096);
    try {
      write_file_atomic(path, large, "--output");
    } catch (const Error& error) {
      refused = error.kind() == ErrorKind::input;
      message = error.what();
    }
  }
  CHECK(refused);
  CHECK(message.find("--output") != std::string::npos);
  CHECK(message.find(path) != std::string::npos);
  CHECK(content(path) == "old");
  CHECK(folder.entries() == 1);
  write_file_atomic(path, large, "--output");
  CHECK(content(path) == large);
}

TEST_CASE("a folder that may not be written keeps its files") {
  const Folder folder;
  const std::string path = folder.file("result.json");
  write_file_atomic(path, "old", "--output");
  fs::permissions(folder.path(), fs::perms::owner_read | fs::perms::owner_exec |
                                     fs::perms::others_read | fs::perms::others_exec);
  {
    const OrdinaryUser user;
    if (user.ordinary()) {
      check_refused(ErrorKind::input, {"--output", path, "Permission denied"},
                    [&] { write_file_atomic(path, "new", "--output"); });
    } else {
      WARN("cannot give up the superuser's rights: unwritable folders are not tested");
    }
  }
  CHECK(content(path) == "old");
  CHECK(folder.entries() == 1);
}

TEST_CASE("outputs that cannot be are refused before and at the write") {
  const Folder folder;
  write_file_atomic(folder.file("file"), "x", "--output");
  for (const std::string& path : {folder.file("no/such/folder.json"),
                                  folder.file("file/below.json"), folder.path().string()}) {
    INFO(path);
    check_refused(ErrorKind::input, {"--output", path}, [&] { check_writable(path, "--output"); });
    check_refused(ErrorKind::input, {"--output", path},
                  [&] { write_file_atomic(path, "x", "--output"); });
  }
  check_refused(ErrorKind::input, {"--output"}, [] { check_writable("", "--output"); });
  CHECK(folder.entries() == 1);
}

TEST_CASE("a pipe is written directly") {
  const Folder folder;
  const std::string path = folder.file("pipe");
  REQUIRE(mkfifo(path.c_str(), 0600) == 0);
  check_writable(path, "--output");
  const std::string large(200000, 'y');  // more than a pipe holds
  std::string got;
  std::thread reader([&] { got = content(path); });
  write_file_atomic(path, large, "--output");
  reader.join();
  CHECK(got == large);
  CHECK(fs::is_fifo(path));
  CHECK(folder.entries() == 1);
  write_file_atomic("/dev/null", "x", "--output");
}

TEST_CASE("writers at the same time leave one whole file") {
  const Folder folder;
  const std::string path = folder.file("cache");
  std::vector<std::thread> writers;
  for (char letter : {'a', 'b', 'c', 'd'}) {
    writers.emplace_back([&path, letter] {
      for (int i = 0; i < 5; ++i) write_file_atomic(path, std::string(50000, letter), "cache");
    });
  }
  for (std::thread& writer : writers) writer.join();
  const std::string last = content(path);
  CHECK(last.size() == 50000);
  CHECK(last == std::string(50000, last[0]));
  CHECK(folder.entries() == 1);
}

TEST_CASE("folders are made with their parents") {
  const Folder folder;
  make_folder(folder.file("a/b/c"), "cache folder");
  CHECK(fs::is_directory(folder.file("a/b/c")));
  make_folder(folder.file("a/b/c"), "cache folder");
  write_file_atomic(folder.file("file"), "x", "cache folder");
  check_refused(ErrorKind::input, {"cache folder", folder.file("file")},
                [&] { make_folder(folder.file("file"), "cache folder"); });
  check_refused(ErrorKind::input, {"cache folder", folder.file("file/below")},
                [&] { make_folder(folder.file("file/below"), "cache folder"); });
}
