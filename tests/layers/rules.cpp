// Reads the sources and applies the rules; see rules.h.
#include "rules.h"

#include <algorithm>
#include <cctype>
#include <fstream>
#include <map>
#include <regex>
#include <set>
#include <sstream>
#include <stdexcept>

namespace layers {

namespace fs = std::filesystem;

namespace {

struct Include {
  std::size_t line;
  std::string target;
  bool quoted;
};

struct Source {
  std::string path;  // relative, with '/'
  std::string text;
  std::vector<Include> includes;
  bool is_cpp = false;
};

// Where a third-party library may be included. A library without a row may be
// included nowhere, so a new dependency takes a row here. Each place is a path
// prefix and how many files there may include it (0: any number); the heavy
// ones cost seconds a file.
struct Place {
  std::string prefix;
  std::size_t files;
};
struct Library {
  std::string name;
  std::string header;  // prefix of the include
  std::vector<Place> places;
};
const std::vector<Library>& libraries() {
  static const std::vector<Library> rows = {
      {"Eigen", "Eigen/", {{"include/", 0}, {"src/", 0}, {"tests/", 0}}},
      {"fmt", "fmt/", {{"src/", 0}, {"tests/", 0}}},
      {"CLI11", "CLI/", {{"src/cli/", 1}}},
      {"toml++", "toml++/", {{"src/cli/", 1}}},
      {"nlohmann_json",
       "nlohmann/",
       {{"src/report/", 0}, {"src/models/safetensors", 0}, {"src/cli/", 1}, {"tests/", 0}}},
      {"Boost", "boost/", {{"src/stats/", 1}, {"tests/", 0}}},
      {"Random123", "Random123/", {{"src/core/", 1}, {"tests/core/", 0}}},
      {"xxHash", "xxhash.h", {{"src/core/", 0}, {"tests/core/", 0}}},
      {"OpenSSL", "openssl/", {{"src/core/", 1}}},
      {"pugixml", "pugixml", {{"src/report/", 1}}},
      {"SentencePiece", "sentencepiece", {{"src/corpus/", 1}}},
      {"Catch2", "catch2/", {{"tests/support/", 0}}},
      {"rapidcheck", "rapidcheck", {{"tests/", 0}}},
      {"valijson", "valijson/", {{"tests/", 1}}},
      {"Google Benchmark", "benchmark/", {{"tests/bench/", 0}}},
      {"oneDNN", "oneapi/dnnl/", {{"tests/", 0}}},
      {"oneDNN", "dnnl", {{"tests/", 0}}},
      {"OpenBLAS", "cblas", {{"tests/", 0}}},
  };
  return rows;
}

// Words that may not stand in code, and where. Literals and comments are not code.
struct Word {
  std::string rule;
  std::regex pattern;
  std::vector<std::string> checked;  // path prefixes
  std::vector<std::string> exempt;
  std::string why;
};
const std::vector<Word>& words() {
  static const std::vector<Word> rows = {
      {"print",
       std::regex(R"(\b(cout|cerr|clog)\b|\b(f|v|vf)?printf\s*\(|\bf?puts\s*\(|\bputchar\s*\()"
                  R"(|\bperror\s*\(|\bfmt::print)"),
       {"include/", "src/"},
       {"src/cli/"},
       "libraries do not print; throw xfq::Error or use xfq::Monitor"},
      {"exit",
       std::regex(R"(\b(exit|_exit|_Exit|quick_exit|abort)\s*\(|\bstd::terminate\b)"),
       {"include/", "src/"},
       {"src/cli/"},
       "libraries do not end the program; throw xfq::Error"},
      {"random",
       std::regex(
           R"(\bstd::(\w+_distribution|mt19937\w*|minstd_rand\w*|\w*_engine|random_device)\b)"
           R"(|\bstd::(shuffle|sample)\b|\bs?rand\s*\()"),
       {"include/", "src/"},
       {},
       "randomness comes from xfq::Stream alone"},
      {"thread",
       std::regex(R"(\bstd::(thread|jthread|async)\s*[({<\w]|^\s*#\s*pragma\s+omp\b)"),
       {"include/", "src/"},
       {"src/train/", "include/xfq/train/", "src/cli/"},
       "threads go around independent runs, in the pool of src/train"},
      {"namespace",
       std::regex(R"(\busing\s+namespace\b)"),
       {"include/"},
       {},
       "no using-directive in a public header"},
  };
  return rows;
}

bool starts_with(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

bool starts_with_any(const std::string& text, const std::vector<std::string>& prefixes) {
  return std::any_of(prefixes.begin(), prefixes.end(),
                     [&](const std::string& prefix) { return starts_with(text, prefix); });
}

bool ends_with(const std::string& text, const std::string& suffix) {
  return text.size() >= suffix.size() &&
         text.compare(text.size() - suffix.size(), suffix.size(), suffix) == 0;
}

std::string read_file(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) throw std::runtime_error("cannot read " + path.string());
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

std::vector<std::string> lines_of(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream stream(text);
  for (std::string line; std::getline(stream, line);) lines.push_back(line);
  return lines;
}

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream stream(text);
  for (std::string part; std::getline(stream, part, separator);) parts.push_back(part);
  return parts;
}

std::vector<Include> includes_of(const std::string& text) {
  static const std::regex pattern(R"re(^\s*#\s*include\s*(["<])([^">]+)[">])re");
  std::vector<Include> includes;
  const std::vector<std::string> lines = lines_of(blank_comments(text, false));
  for (std::size_t i = 0; i < lines.size(); ++i) {
    std::smatch match;
    if (std::regex_search(lines[i], match, pattern)) {
      includes.push_back({i + 1, match[2].str(), match[1].str() == "\""});
    }
  }
  return includes;
}

// Code and build files; the order is that of the paths.
std::vector<Source> read_sources(const fs::path& root) {
  std::vector<std::string> paths;
  if (fs::exists(root / "CMakeLists.txt")) paths.push_back("CMakeLists.txt");
  for (const char* folder : {"include", "src", "tests", "scripts"}) {
    if (!fs::exists(root / folder)) continue;
    for (const auto& entry : fs::recursive_directory_iterator(root / folder)) {
      if (!entry.is_regular_file()) continue;
      const std::string path = fs::relative(entry.path(), root).generic_string();
      const std::string extension = entry.path().extension().string();
      static const std::set<std::string> code = {".h", ".cpp", ".inl", ".cmake", ".py", ".sh"};
      if (code.count(extension) > 0 || entry.path().filename() == "CMakeLists.txt" ||
          (starts_with(path, "scripts/") && extension.empty())) {
        paths.push_back(path);
      }
    }
  }
  std::sort(paths.begin(), paths.end());
  std::vector<Source> sources;
  for (const std::string& path : paths) {
    Source source;
    source.path = path;
    source.text = read_file(root / path);
    source.is_cpp = ends_with(path, ".h") || ends_with(path, ".cpp") || ends_with(path, ".inl");
    if (source.is_cpp) source.includes = includes_of(source.text);
    sources.push_back(std::move(source));
  }
  return sources;
}

// The room that a file of include/ or src/ belongs to; empty for other files.
std::string room_of(const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  if (parts.size() > 2 && parts[0] == "include" && parts[1] == "xfq") return parts[2];
  if (parts.size() > 2 && parts[0] == "src") return parts[1];
  return "";
}

// The experiment that a file belongs to: by its folder, or as the public header of
// that name; empty for what experiments share.
std::string experiment_of(const fs::path& root, const std::string& path) {
  const std::vector<std::string> parts = split(path, '/');
  if (parts.size() > 3 && parts[0] == "src" && parts[1] == "experiments") return parts[2];
  if (parts.size() > 3 && parts[0] == "include" && parts[2] == "experiments") {
    const std::string name = fs::path(parts[3]).stem().string();
    if (fs::is_directory(root / "src/experiments" / name)) return name;
  }
  return "";
}

// The file of ours that an include names, relative to the root, or where it would be;
// empty when it is none of ours.
std::string resolve(const fs::path& root, const Source& from, const Include& include) {
  std::vector<std::string> candidates;
  const auto add = [&](const fs::path& path) {
    candidates.push_back(path.lexically_normal().generic_string());
  };
  if (include.quoted) add(fs::path(from.path).parent_path() / include.target);
  for (const char* folder : {"include", "src"}) add(fs::path(folder) / include.target);
  for (const std::string& candidate : candidates) {
    if (fs::is_regular_file(root / candidate)) return candidate;
  }
  // No such file: a step to another folder is ours all the same.
  if (starts_with(include.target, "xfq/")) return "include/" + include.target;
  if (include.quoted && starts_with(include.target, "..")) return candidates.front();
  return "";
}

class Checker {
 public:
  explicit Checker(const fs::path& root)
      : root_(root), rooms_(read_rooms(root)), sources_(read_sources(root)) {
    for (const Room& room : rooms_) {
      may_include_[room.name] = {room.may_include.begin(), room.may_include.end()};
    }
  }

  std::vector<Finding> run() {
    check_table();
    for (const Source& source : sources_) {
      check_ascii(source);
      check_unfinished(source);
      check_build_file(source);
      if (!source.is_cpp) continue;
      check_form(source);
      check_words(source);
      for (const Include& include : source.includes) {
        check_room(source, include);
        check_library(source, include);
      }
    }
    check_library_counts();
    return std::move(findings_);
  }

 private:
  void report(const std::string& rule, const std::string& file, std::size_t line,
              const std::string& what) {
    findings_.push_back({rule, file, line, what});
  }

  // Rooms only look upwards in the table, so there are no cycles.
  void check_table() {
    std::set<std::string> above;
    for (const Room& room : rooms_) {
      for (const std::string& other : room.may_include) {
        if (above.count(other) == 0) {
          report("table", "src/README.md", 0,
                 "room '" + room.name + "' names '" + other + "', which is not a room above it");
        }
      }
      above.insert(room.name);
    }
  }

  void check_ascii(const Source& source) {
    const std::vector<std::string> lines = lines_of(source.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      for (const char c : lines[i]) {
        if (static_cast<unsigned char>(c) > 126 || c == '\r') {
          report("ascii", source.path, i + 1, "a byte that is not ASCII; write an escape");
          break;
        }
      }
    }
  }

  void check_unfinished(const Source& source) {
    static const std::regex pattern(
        "\\b(TO"
        "DO|FIX"
        "ME|XX"
        "X)\\b");
    const std::vector<std::string> lines = lines_of(source.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      if (std::regex_search(lines[i], pattern)) {
        report("unfinished", source.path, i + 1, "finish it or take it out");
      }
    }
  }

  void check_build_file(const Source& source) {
    if (!ends_with(source.path, "CMakeLists.txt") && !ends_with(source.path, ".cmake")) return;
    static const std::regex unsafe(R"(-ffast-math|-Ofast|-funsafe-math|-fassociative-math)");
    static const std::regex download(R"(\b(FetchContent|ExternalProject|file\s*\(\s*DOWNLOAD))");
    static const std::regex link(R"(\bxfq::(\w+))");
    static const std::regex depends(R"(\bDEPENDS((\s+[a-z_]+)+))");
    const std::string room = room_of(source.path);
    std::string code;
    const std::vector<std::string> lines = lines_of(source.text);
    for (std::size_t i = 0; i < lines.size(); ++i) {
      const std::string line = lines[i].substr(0, lines[i].find('#'));
      if (std::regex_search(line, unsafe)) {
        report("fast-math", source.path, i + 1, "an option that changes results");
      }
      if (std::regex_search(line, download)) {
        report("download", source.path, i + 1, "configure never downloads; use find_package");
      }
      code += line + "\n";
    }
    if (room.empty()) return;
    std::set<std::string> named;
    for (std::sregex_iterator it(code.begin(), code.end(), link), end; it != end; ++it) {
      named.insert((*it)[1].str());
    }
    for (std::sregex_iterator it(code.begin(), code.end(), depends), end; it != end; ++it) {
      std::istringstream words((*it)[1].str());
      for (std::string name; words >> name;) named.insert(name);
    }
    for (const std::string& name : named) {
      if (may_include_.count(name) > 0 && !allowed(room, name)) {
        report("depends", source.path, 0, "room '" + room + "' may not depend on '" + name + "'");
      }
    }
  }

  // Every file says first what it is, or begins with the header that says it; every
  // header is guarded.
  void check_form(const Source& source) {
    const std::string header = fs::path(source.path).stem().string() + ".h";
    const bool own_header_first = !source.includes.empty() && source.includes[0].line == 1 &&
                                  source.includes[0].quoted && ends_with(source.path, ".cpp") &&
                                  fs::path(source.includes[0].target).filename() == header;
    if (!starts_with(source.text, "//") && !own_header_first) {
      report("first-line", source.path, 1,
             "the first line is a comment that says what the file is");
    }
    if (ends_with(source.path, ".h") && source.text.find("\n#pragma once\n") == std::string::npos) {
      report("guard", source.path, 0, "a header without #pragma once");
    }
  }

  void check_words(const Source& source) {
    const std::vector<std::string> lines = lines_of(blank_comments(source.text, true));
    for (const Word& word : words()) {
      if (!starts_with_any(source.path, word.checked) ||
          starts_with_any(source.path, word.exempt)) {
        continue;
      }
      for (std::size_t i = 0; i < lines.size(); ++i) {
        std::smatch match;
        if (std::regex_search(lines[i], match, word.pattern)) {
          report(word.rule, source.path, i + 1, "'" + match.str() + "': " + word.why);
        }
      }
    }
  }

  void check_room(const Source& source, const Include& include) {
    const std::string room = room_of(source.path);
    if (room.empty()) {
      if (starts_with(source.path, "include/") || starts_with(source.path, "src/")) {
        report("unknown-room", source.path, 0, "the file lies in no room");
      }
      return;
    }
    if (may_include_.count(room) == 0) {
      report("unknown-room", source.path, 0, "room '" + room + "' is not in the table");
      return;
    }
    const std::string target = resolve(root_, source, include);
    const std::string target_room = room_of(target);
    if (target_room.empty()) {
      if (starts_with(target, "tests/")) {
        report("room", source.path, include.line, "includes the test file " + target);
      }
      return;
    }
    if (target_room != room && !allowed(room, target_room)) {
      report("room", source.path, include.line,
             "room '" + room + "' may not include '" + include.target + "'");
    }
    if (target_room != room && starts_with(target, "src/")) {
      report("private", source.path, include.line,
             "'" + include.target + "' is private to room '" + target_room + "'");
    }
    if (starts_with(source.path, "include/") && starts_with(target, "src/")) {
      report("private", source.path, include.line,
             "a public header includes the private '" + include.target + "'");
    }
    const std::string experiment = experiment_of(root_, source.path);
    const std::string other = experiment_of(root_, target);
    if (!experiment.empty() && !other.empty() && experiment != other) {
      report("experiment", source.path, include.line,
             "experiment '" + experiment + "' includes '" + other + "'");
    }
  }

  void check_library(const Source& source, const Include& include) {
    if (!resolve(root_, source, include).empty()) return;
    if (include.target == "random" && !starts_with(source.path, "tests/")) {
      report("random", source.path, include.line, "randomness comes from xfq::Stream alone");
    }
    if (starts_with(include.target, "sys/")) return;
    const auto library =
        std::find_if(libraries().begin(), libraries().end(),
                     [&](const Library& row) { return starts_with(include.target, row.header); });
    if (library == libraries().end()) {
      if (include.target.find('/') != std::string::npos) {
        report("header", source.path, include.line,
               "'" + include.target + "' belongs to no known library");
      } else if (starts_with(source.path, "include/") &&
                 include.target.find('.') != std::string::npos) {
        report("header", source.path, include.line,
               "'" + include.target +
                   "' in a public header, where only xfq, Eigen and the "
                   "standard library may stand");
      }
      return;
    }
    const auto place =
        std::find_if(library->places.begin(), library->places.end(),
                     [&](const Place& row) { return starts_with(source.path, row.prefix); });
    if (place == library->places.end()) {
      report("header", source.path, include.line, library->name + " may not be included here");
      return;
    }
    if (place->files > 0) users_[{library->name, place->prefix, place->files}].insert(source.path);
  }

  void check_library_counts() {
    for (const auto& [key, files] : users_) {
      const auto& [name, prefix, limit] = key;
      if (files.size() <= limit) continue;
      std::string list;
      for (const std::string& file : files) list += " " + file;
      report("header-count", prefix, 0,
             name + " in " + std::to_string(files.size()) + " files, expected at most " +
                 std::to_string(limit) + ":" + list);
    }
  }

  bool allowed(const std::string& room, const std::string& other) const {
    const auto row = may_include_.find(room);
    return room == other || (row != may_include_.end() && row->second.count(other) > 0);
  }

  fs::path root_;
  std::vector<Room> rooms_;
  std::vector<Source> sources_;
  std::map<std::string, std::set<std::string>> may_include_;
  std::map<std::tuple<std::string, std::string, std::size_t>, std::set<std::string>> users_;
  std::vector<Finding> findings_;
};

}  // namespace

std::vector<Room> read_rooms(const fs::path& root) {
  std::vector<Room> rooms;
  bool inside = false;
  for (const std::string& line : lines_of(read_file(root / "src/README.md"))) {
    if (starts_with(line, "## ")) inside = line == "## Rooms";
    if (!inside || !starts_with(line, "| `")) continue;
    const std::vector<std::string> cells = split(line, '|');
    if (cells.size() < 4) throw std::runtime_error("src/README.md: expected three cells: " + line);
    std::string name = cells[1];
    name.erase(
        std::remove_if(name.begin(), name.end(), [](char c) { return c == ' ' || c == '`'; }),
        name.end());
    Room room{name, {}};
    std::istringstream words(cells[3]);
    for (std::string word; words >> word;) {
      if (word != "-") room.may_include.push_back(word);
    }
    rooms.push_back(std::move(room));
  }
  if (rooms.empty()) throw std::runtime_error("src/README.md: no table of rooms under '## Rooms'");
  return rooms;
}

std::vector<Finding> check_tree(const fs::path& root) { return Checker(root).run(); }

std::string blank_comments(const std::string& text, bool literals_too) {
  enum class In { code, line_comment, block_comment, string, character, raw };
  std::string out = text;
  In in = In::code;
  std::string raw_end;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const char next = i + 1 < text.size() ? text[i + 1] : '\0';
    const char before = i > 0 ? text[i - 1] : '\0';
    const bool in_literal = in == In::string || in == In::character || in == In::raw;
    if (c != '\n' &&
        (in == In::line_comment || in == In::block_comment || (in_literal && literals_too))) {
      out[i] = ' ';
    }
    switch (in) {
      case In::code:
        if (c == '/' && (next == '/' || next == '*')) {
          in = next == '/' ? In::line_comment : In::block_comment;
          out[i] = ' ';
          out[++i] = ' ';
        } else if (c == '"' && before == 'R') {
          const std::size_t open = text.find('(', i);
          if (open == std::string::npos) return out;
          raw_end = ")" + text.substr(i + 1, open - i - 1) + "\"";
          in = In::raw;
        } else if (c == '"') {
          in = In::string;
        } else if (c == '\'' && std::isalnum(static_cast<unsigned char>(before)) == 0) {
          in = In::character;  // after a digit it separates digits
        }
        break;
      case In::line_comment:
        if (c == '\n') in = In::code;
        break;
      case In::block_comment:
        if (c == '*' && next == '/') {
          out[++i] = ' ';
          in = In::code;
        }
        break;
      case In::string:
      case In::character:
        if (c == '\\') {
          ++i;
          if (literals_too && i < text.size() && text[i] != '\n') out[i] = ' ';
        } else if (c == (in == In::string ? '"' : '\'')) {
          out[i] = c;
          in = In::code;
        } else if (c == '\n') {
          in = In::code;  // not valid C++; do not lose the rest of the file
        }
        break;
      case In::raw:
        if (text.compare(i, raw_end.size(), raw_end) == 0) {
          i += raw_end.size() - 1;
          in = In::code;
        }
        break;
    }
  }
  return out;
}

std::string to_text(const std::vector<Finding>& findings) {
  std::string text;
  for (const Finding& finding : findings) {
    text += finding.file + ":" + std::to_string(finding.line) + ": " + finding.rule + ": " +
            finding.what + "\n";
  }
  return text;
}

}  // namespace layers
