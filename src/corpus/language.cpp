// Language data: splits, rows, batches and the entropy floor.
#include "xfq/corpus/language.h"

#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "xfq/core/error.h"
#include "xfq/core/hash.h"
#include "xfq/core/random.h"
#include "xfq/core/utf8.h"

namespace xfq::corpus {

namespace {

// Validation and test stories are far away from the training stories of any size.
constexpr std::uint64_t kFirstValidation = std::uint64_t{1} << 40;
constexpr std::uint64_t kFirstTest = std::uint64_t{1} << 41;

bool spells_raw(const std::string& tokenizer) { return tokenizer == "char" || tokenizer == "byte"; }

/// One document as ids without special tokens. Characters and bytes see the line
/// breaks between sentences; words and pieces know where a sentence starts.
std::vector<std::int32_t> encode_document(const Document& document, const Tokenizer& tokenizer) {
  std::vector<std::int32_t> ids;
  const bool breaks = spells_raw(tokenizer.name());
  for (const std::string& sentence : document.sentences) {
    if (breaks && !ids.empty()) {
      const auto gap = tokenizer.encode("\n");
      ids.insert(ids.end(), gap.begin(), gap.end());
    }
    const auto part = tokenizer.encode(sentence);
    ids.insert(ids.end(), part.begin(), part.end());
  }
  return ids;
}

std::int64_t count_unknown(const LanguageSplit& split, std::int32_t unk) {
  if (unk < 0) return 0;
  return std::count(split.tokens.begin(), split.tokens.end(), unk);
}

void add_windows(LanguageSplit& split, std::size_t begin, std::size_t predicted,
                 std::int64_t context) {
  const auto width = static_cast<std::size_t>(context);
  for (std::size_t done = 0; done < predicted; done += width) {
    split.rows.push_back(
        {begin + done, static_cast<std::int32_t>(std::min(width, predicted - done))});
  }
  split.predicted_tokens += static_cast<std::int64_t>(predicted);
}

/// One document a row.
LanguageSplit document_rows(const std::vector<Document>& documents, const Tokenizer& tokenizer,
                            std::int64_t context) {
  LanguageSplit split;
  for (const Document& document : documents) {
    const std::vector<std::int32_t> ids = encode_document(document, tokenizer);
    const std::size_t begin = split.tokens.size();
    split.tokens.push_back(tokenizer.special().bos);
    split.tokens.insert(split.tokens.end(), ids.begin(), ids.end());
    split.tokens.push_back(tokenizer.special().eos);
    add_windows(split, begin, ids.size() + 1, context);
  }
  split.documents = static_cast<std::int64_t>(documents.size());
  split.bytes = static_cast<std::int64_t>(to_raw(documents).size());
  return split;
}

/// Windows of running text: the documents, an <eos> before the first and after each.
LanguageSplit piece_stream(const std::vector<Document>& documents, const Tokenizer& tokenizer,
                           std::int64_t context) {
  LanguageSplit split;
  if (documents.empty()) return split;
  split.tokens.push_back(tokenizer.special().eos);
  for (const Document& document : documents) {
    const std::vector<std::int32_t> ids = encode_document(document, tokenizer);
    split.tokens.insert(split.tokens.end(), ids.begin(), ids.end());
    split.tokens.push_back(tokenizer.special().eos);
  }
  add_windows(split, 0, split.tokens.size() - 1, context);
  split.documents = static_cast<std::int64_t>(documents.size());
  split.bytes = static_cast<std::int64_t>(to_raw(documents).size());
  return split;
}

/// Windows of the raw text; its first character is read and never predicted.
LanguageSplit raw_stream(std::string_view raw, const Tokenizer& tokenizer, std::int64_t context) {
  LanguageSplit split;
  if (raw.empty()) return split;
  split.tokens = tokenizer.encode(raw);
  add_windows(split, 0, split.tokens.size() - 1, context);
  const std::size_t first = tokenizer.name() == "byte" ? 1 : utf8_length(raw.front());
  split.bytes = static_cast<std::int64_t>(raw.size() - first);
  return split;
}

/// Cuts running text at sentence ends: the parts of a document that is cut become
/// documents.
SplitText split_running(const Text& text, const Shares& shares) {
  double total = 0;
  for (const Document& document : text.documents) {
    for (const std::string& sentence : document.sentences) {
      total += static_cast<double>(sentence.size() + 1);
    }
  }
  const double train_end = (1 - shares.validation - shares.test) * total;
  const double validation_end = (1 - shares.test) * total;
  SplitText result;
  double at = 0;
  for (const Document& document : text.documents) {
    std::vector<Document>* last = nullptr;
    for (const std::string& sentence : document.sentences) {
      std::vector<Document>& part = at < train_end        ? result.train
                                    : at < validation_end ? result.validation
                                                          : result.test;
      if (last != &part) part.push_back({{}, document.topic});
      last = &part;
      part.back().sentences.push_back(sentence);
      at += static_cast<double>(sentence.size() + 1);
    }
  }
  return result;
}

struct RawSplit {
  std::string_view train, validation, test;
};

/// Cuts at the share of characters (bytes for the byte tokenizer).
RawSplit split_raw(std::string_view raw, bool bytes, const Shares& shares) {
  std::size_t characters = 0;
  for (const char c : raw) {
    characters += bytes || (static_cast<unsigned char>(c) & 0xC0U) != 0x80U ? 1 : 0;
  }
  const auto offset = [&](double share) {
    const auto wanted = static_cast<std::size_t>(share * static_cast<double>(characters));
    if (bytes) return wanted;
    std::size_t at = 0;
    for (std::size_t i = 0; i < wanted; ++i) at += utf8_length(raw[at]);
    return at;
  };
  const std::size_t train = offset(1 - shares.validation - shares.test);
  const std::size_t validation = shares.test > 0 ? offset(1 - shares.test) : raw.size();
  return {raw.substr(0, train), raw.substr(train, validation - train), raw.substr(validation)};
}

bool has_unseen_characters(std::string_view training, std::string_view held_out) {
  const auto characters = [](std::string_view text) {
    std::vector<std::string_view> all;
    for (; !text.empty(); text.remove_prefix(all.back().size())) all.push_back(utf8_front(text));
    std::sort(all.begin(), all.end());
    all.erase(std::unique(all.begin(), all.end()), all.end());
    return all;
  };
  const auto known = characters(training);
  const auto asked = characters(held_out);
  return !std::includes(known.begin(), known.end(), asked.begin(), asked.end());
}

void check(const LanguageOptions& o) {
  if (o.sequence != "auto" && o.sequence != "document" && o.sequence != "stream") {
    throw_usage(fmt::format("--sequence: got '{}', expected auto, document or stream", o.sequence));
  }
  if (o.context < 1) {
    throw_usage(fmt::format("--context: got {}, expected at least 1", o.context));
  }
  if (o.tokenizer != "auto") check_tokenizer_option(o.tokenizer);
  if (o.corpus == "stories" &&
      (o.documents < 1 || o.validation_documents < 1 || o.test_documents < 0)) {
    throw_usage(
        fmt::format("stories: got {} training, {} validation and {} test documents, "
                    "expected at least 1, 1 and 0",
                    o.documents, o.validation_documents, o.test_documents));
  }
  const Shares& s = o.shares;
  if (!(s.validation > 0 && s.test >= 0 && s.validation + s.test < 1)) {
    throw_usage(
        fmt::format("splits: got shares {} for validation and {} for test, expected a "
                    "positive one, one not below 0, and a sum below 1",
                    s.validation, s.test));
  }
}

}  // namespace

const LanguageSplit& LanguageData::split(SplitName name) const {
  return name == SplitName::train ? train_ : name == SplitName::validation ? validation_ : test_;
}

double LanguageData::bytes_per_token(SplitName name) const {
  const LanguageSplit& part = split(name);
  XFQ_ASSERT(part.predicted_tokens > 0);
  return static_cast<double>(part.bytes) / static_cast<double>(part.predicted_tokens);
}

void LanguageData::fill_row(const LanguageSplit& part, const LanguageSplit::Row& row,
                            std::int32_t* inputs, std::int32_t* targets) const {
  const std::int32_t* source = part.tokens.data() + row.begin;
  std::copy(source, source + row.length, inputs);
  std::copy(source + 1, source + row.length + 1, targets);
  std::fill(inputs + row.length, inputs + row_length_, 0);
  std::fill(targets + row.length, targets + row_length_, -1);
}

void LanguageData::sample_batch(std::uint64_t seed, std::uint64_t step, std::int64_t batch_size,
                                std::int32_t* inputs, std::int32_t* targets) const {
  Stream stream(seed, "batch", step);
  const bool windows = sequence_ == "stream";
  const auto width = static_cast<std::size_t>(row_length_);
  const std::size_t starts = windows ? train_.tokens.size() - width : train_.rows.size();
  for (std::int64_t b = 0; b < batch_size; ++b) {
    const std::size_t pick = static_cast<std::size_t>(stream.below(starts));
    const LanguageSplit::Row row =
        windows ? LanguageSplit::Row{pick, static_cast<std::int32_t>(width)} : train_.rows[pick];
    fill_row(train_, row, inputs + b * row_length_, targets + b * row_length_);
  }
}

std::int64_t LanguageData::evaluation_rows(SplitName name) const {
  return static_cast<std::int64_t>(split(name).rows.size());
}

std::int64_t LanguageData::evaluation_batch(SplitName name, std::int64_t first, std::int64_t count,
                                            std::int32_t* inputs, std::int32_t* targets) const {
  const LanguageSplit& part = split(name);
  std::int64_t predicted = 0;
  for (std::int64_t i = 0; i < count; ++i) {
    const auto index = static_cast<std::size_t>(first + i);
    const LanguageSplit::Row row =
        index < part.rows.size() ? part.rows[index] : LanguageSplit::Row{};
    fill_row(part, row, inputs + i * row_length_, targets + i * row_length_);
    predicted += row.length;
  }
  return predicted;
}

namespace {

/// The floor over the stories of a split. `lengths`: predicted tokens of each.
EntropyFloor floor_of(const std::vector<Story>& stories, const std::vector<double>& lengths) {
  double nats = 0;
  double tokens = 0;
  for (std::size_t i = 0; i < stories.size(); ++i) {
    nats -= stories[i].log_probability;
    tokens += lengths[i];
  }
  EntropyFloor floor;
  floor.nats_per_token = nats / tokens;
  // Delta method for a ratio of sums.
  double squares = 0;
  for (std::size_t i = 0; i < stories.size(); ++i) {
    const double rest = -stories[i].log_probability - floor.nats_per_token * lengths[i];
    squares += rest * rest;
  }
  const double n = static_cast<double>(stories.size());
  floor.standard_error = n > 1 ? std::sqrt(squares * n / (n - 1)) / tokens : 0.0;
  return floor;
}

}  // namespace

LanguageData load_language_data(const LanguageOptions& options) {
  check(options);
  const bool generated = options.corpus == "stories";
  LanguageData data;
  const std::string tokenizer = options.tokenizer != "auto" ? options.tokenizer
                                : generated                 ? "word"
                                                            : "char";
  data.sequence_ = options.sequence != "auto"         ? options.sequence
                   : generated && tokenizer == "word" ? "document"
                                                      : "stream";
  const bool documents = data.sequence_ == "document";
  const bool raw = !documents && spells_raw(tokenizer);

  // The three parts, as documents or as running text.
  SplitText parts;
  std::string story_raw[3];
  RawSplit raw_parts;
  Text file;
  std::vector<Story> validation_stories;
  std::optional<Stories> language;
  if (generated) {
    language.emplace(options.stories);
    const auto collect = [&](std::uint64_t first, std::int64_t count, std::vector<Document>& into,
                             std::vector<Story>* keep) {
      for (std::int64_t i = 0; i < count; ++i) {
        Story story = language->generate(options.seed, first + static_cast<std::uint64_t>(i));
        into.push_back(story.document);
        if (keep) keep->push_back(std::move(story));
      }
    };
    collect(0, options.documents, parts.train, nullptr);
    collect(kFirstValidation, options.validation_documents, parts.validation, &validation_stories);
    collect(kFirstTest, options.test_documents, parts.test, nullptr);
    story_raw[0] = to_raw(parts.train);
    story_raw[1] = to_raw(parts.validation);
    story_raw[2] = to_raw(parts.test);
    raw_parts = {story_raw[0], story_raw[1], story_raw[2]};
    data.source_.name = "stories";
    data.source_.sha256 = sha256_hex(story_raw[0] + story_raw[1] + story_raw[2]);
    data.source_.documents =
        options.documents + options.validation_documents + options.test_documents;
  } else {
    file = read_text(options.corpus);
    if (raw) {
      raw_parts = split_raw(file.raw, tokenizer == "byte", options.shares);
    } else {
      parts =
          documents ? split_documents(file, options.shares) : split_running(file, options.shares);
    }
    data.source_.name = file.name;
    data.source_.sha256 = file.sha256;
    data.source_.documents = static_cast<std::int64_t>(file.documents.size());
  }

  // The tokenizer learns from the training part alone.
  if (raw) {
    Specials specials = Specials::none();
    // <unk> only where it is needed, so that a text whose characters all occur in
    // its training part has just these as vocabulary.
    specials.unk =
        tokenizer == "char" && (has_unseen_characters(raw_parts.train, raw_parts.validation) ||
                                has_unseen_characters(raw_parts.train, raw_parts.test));
    data.tokenizer_ = make_tokenizer(tokenizer, TrainingText{raw_parts.train}, specials);
  } else {
    const Specials specials = documents ? Specials::document() : Specials::stream();
    if (generated && tokenizer == "word") {
      // The language's words are known, whether they have occurred yet or not.
      std::vector<Document> training = parts.train;
      training.push_back({language->vocabulary(), {}});
      data.tokenizer_ = make_tokenizer(tokenizer, training, specials, options.vocab);
    } else {
      data.tokenizer_ = make_tokenizer(tokenizer, parts.train, specials, options.vocab);
    }
  }

  const auto build = [&](const std::vector<Document>& part, std::string_view text) {
    LanguageSplit split = raw         ? raw_stream(text, *data.tokenizer_, options.context)
                          : documents ? document_rows(part, *data.tokenizer_, options.context)
                                      : piece_stream(part, *data.tokenizer_, options.context);
    split.unknown = count_unknown(split, data.tokenizer_->special().unk);
    return split;
  };
  data.train_ = build(parts.train, raw_parts.train);
  data.validation_ = build(parts.validation, raw_parts.validation);
  data.test_ = build(parts.test, raw_parts.test);
  if (raw && generated) {
    data.train_.documents = options.documents;
    data.validation_.documents = options.validation_documents;
    data.test_.documents = options.test_documents;
  }

  data.row_length_ = options.context;
  if (documents) {
    data.row_length_ = 0;
    for (const LanguageSplit* split : {&data.train_, &data.validation_, &data.test_}) {
      for (const LanguageSplit::Row& row : split->rows) {
        data.row_length_ = std::max<std::int64_t>(data.row_length_, row.length);
      }
    }
  } else {
    const auto need = [&](const LanguageSplit& split, const char* name) {
      const auto tokens = static_cast<std::int64_t>(split.tokens.size());
      if (tokens >= options.context + 1) return;
      throw_input(fmt::format("--corpus: {} is too short for --context {}: its {} text has {} "
                              "tokens, expected at least {}",
                              options.corpus, options.context, name, tokens, options.context + 1),
                  "use a longer text or a smaller --context");
    };
    need(data.train_, "training");
    need(data.validation_, "validation");
    if (generated ? options.test_documents > 0 : options.shares.test > 0) need(data.test_, "test");
  }

  if (generated && data.validation_.unknown == 0) {
    std::vector<double> lengths;
    double longest = 0;
    for (const Story& story : validation_stories) {
      // Raw text has two line breaks at the end of a document, the other forms <eos>.
      const std::size_t ids = encode_document(story.document, *data.tokenizer_).size();
      lengths.push_back(static_cast<double>(ids + (raw ? 2 : 1)));
      longest = std::max(longest, lengths.back());
    }
    // Nobody predicts the first character of raw text: what its word costs may not
    // count against the model.
    if (raw) {
      lengths.front() -= 1;
      validation_stories.front().log_probability -=
          validation_stories.front().token_log_probability.front().front();
    }
    EntropyFloor floor = floor_of(validation_stories, lengths);
    floor.attainable = documents && longest <= static_cast<double>(options.context);
    if (tokenizer == "word") floor.expected = language->entropy().nats_per_token;
    data.floor_ = floor;
  }

  data.source_.splits = {{"train", data.train_.predicted_tokens},
                         {"validation", data.validation_.predicted_tokens},
                         {"test", data.test_.predicted_tokens}};
  for (const auto& split : data.source_.splits) data.source_.tokens += split.second;
  return data;
}

}  // namespace xfq::corpus
