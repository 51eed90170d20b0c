// Text: documents made of sentences, read from a file or generated, and their
// division into training, validation and test documents.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace xfq::corpus {

struct Document {
  std::vector<std::string> sentences;  ///< UTF-8, trimmed, without line breaks, never empty
  std::string topic;                   ///< empty where unknown (files)
};

struct Text {
  std::string name;    ///< "stories", or the file name without its folder
  std::string sha256;  ///< of the file's bytes, or of `raw` for generated text
  std::vector<Document> documents;
  /// The running text, every byte of it (a byte order mark aside): what the
  /// character and byte tokenizers see in stream mode. For generated text the
  /// form that to_raw gives.
  std::string raw;
};

/// One sentence a line and a blank line after each document: what read_text
/// reads back, and the byte count behind "bits per byte" of documents.
std::string to_raw(const std::vector<Document>& documents);

/// Reads UTF-8 text. Which of two forms a file has is decided by its lines:
/// - *lines*: one sentence a line and blank lines between documents. A file is
///   read so when at least half of its non-blank lines end in punctuation
///   (. ! ? : ; , also with closing quotes or brackets behind) and the lines hold
///   on average less than one further sentence end inside.
/// - *prose*: anything else, for example wrapped paragraphs or one paragraph a
///   line. Blocks between blank lines are documents; within a block line breaks
///   are spaces, and a sentence ends after . ! or ? (with closing quotes or
///   brackets) that a space follows, unless the next letter is lower case.
/// Windows line ends are understood.
///
/// Throws ErrorKind::input, naming --corpus and the path: missing, a folder,
/// empty or blank, binary (a NUL byte), invalid UTF-8 (with the byte offset).
Text read_text(const std::string& path);

/// The same from memory; `name` stands in messages. For tests and pipes.
Text parse_text(std::string bytes, const std::string& name);

/// Offset of the first byte that is no valid UTF-8 (RFC 3629: no overlong forms,
/// no surrogates, at most U+10FFFF), or std::string_view::npos.
std::size_t find_invalid_utf8(std::string_view bytes);

/// Shares of documents, or of running text; they sum to at most 1, the rest goes
/// to training. The last documents are validation, then test, in file order.
struct Shares {
  double validation = 0.1;
  double test = 0;
};

struct SplitText {
  std::vector<Document> train;
  std::vector<Document> validation;
  std::vector<Document> test;
};

/// In document order: the first documents train. A share above zero gets at
/// least one document. Throws ErrorKind::input when there are too few.
SplitText split_documents(const Text& text, const Shares& shares);

}  // namespace xfq::corpus
