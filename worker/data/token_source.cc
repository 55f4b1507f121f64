#include "worker/data/token_source.h"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/data/data_format.h"
#include "common/hash/sha256.h"
#include "worker/data/input_text.h"

namespace hydra {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
constexpr int64_t kMaxUncutBytes = int64_t{64} << 20;

// What was read up to the end of a piece, and what it was.
struct ReadSoFar {
  int64_t bytes = 0;
  Sha256 sha;
};

// Fills a buffer, unless what it reads ends.
using Reader =
    absl::FunctionRef<absl::StatusOr<int64_t>(absl::Span<char> buffer)>;

using PieceSink = absl::FunctionRef<absl::Status(absl::string_view piece,
                                                 const ReadSoFar& read)>;

// Hands what `reader` reads to `sink` in pieces of kPieceBytes, the last one
// shorter, and returns its digest.
absl::StatusOr<FileDigest> ReadPieces(Reader reader, TaskControl& control,
                                      PieceSink sink) {
  ReadSoFar read;
  std::vector<char> buffer(kPieceBytes);
  while (true) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    const absl::StatusOr<int64_t> count = reader(absl::MakeSpan(buffer));
    if (!count.ok()) return count.status();
    if (*count == 0) return FileDigest{read.sha.Finish(), read.bytes, {}, {}};
    const absl::string_view piece(buffer.data(), *count);
    read.bytes += *count;
    read.sha.Update(piece);
    const absl::Status taken = sink(piece, read);
    if (!taken.ok()) return taken;
  }
}

// The file as it is.
absl::StatusOr<FileDigest> ReadBytes(PosixFile* file, TaskControl& control,
                                     PieceSink sink) {
  return ReadPieces(
      [file](absl::Span<char> buffer) { return file->Read(buffer); }, control,
      sink);
}

absl::StatusOr<FileDigest> ReadText(PosixFile* file, TaskControl& control,
                                    PieceSink sink) {
  InputText text(file);
  return ReadPieces(
      [&text](absl::Span<char> buffer) { return text.Read(buffer); }, control,
      sink);
}

// Makes tokens of content that arrives in pieces.
class Tokens {
 public:
  virtual ~Tokens() = default;

  // Appends the tokens that surely follow from what came so far to `ids`,
  // unless `only_keep`: then they come later.
  virtual absl::Status Add(absl::string_view piece, bool only_keep,
                           std::vector<uint32_t>* ids) = 0;
  // The tokens that are left.
  virtual absl::Status Finish(int64_t size_bytes,
                              std::vector<uint32_t>* ids) = 0;
  // Bytes that came and whose tokens did not yet.
  virtual int64_t kept_bytes() const = 0;
};

// Tokenizes text in stretches that end at safe cuts.
class TextTokens : public Tokens {
 public:
  // `is_continued`: earlier stretches of the file were taken before.
  TextTokens(const std::string& path, bool is_continued,
             TextTokenizer* tokenizer)
      : path_(path), tokenizer_(*tokenizer), is_continued_(is_continued) {}

  absl::Status Add(absl::string_view piece, bool only_keep,
                   std::vector<uint32_t>* ids) override {
    const size_t old_size = pending_.size();
    pending_.append(piece.data(), piece.size());
    if (only_keep) return absl::OkStatus();
    const size_t cut = tokenizer_.LastSafeCut(pending_, old_size);
    if (cut == absl::string_view::npos) {
      if (pending_.size() <= kMaxUncutBytes) return absl::OkStatus();
      return absl::InvalidArgumentError(
          absl::StrCat(path_, " has no place within ", kMaxUncutBytes,
                       " bytes where this tokenizer's text can be cut, which "
                       "most white space behind a word is"));
    }
    TakeFront(cut, ids);
    return absl::OkStatus();
  }

  absl::Status Finish(int64_t, std::vector<uint32_t>* ids) override {
    TakeFront(pending_.size(), ids);
    return absl::OkStatus();
  }

  int64_t kept_bytes() const override { return pending_.size(); }

 private:
  void TakeFront(size_t size, std::vector<uint32_t>* ids) {
    const absl::string_view front = absl::string_view(pending_).substr(0, size);
    if (is_continued_) {
      tokenizer_.EncodeContinued(front, ids);
    } else {
      tokenizer_.Encode(front, ids);
    }
    is_continued_ = true;
    pending_.erase(0, size);
  }

  const std::string& path_;
  TextTokenizer& tokenizer_;
  bool is_continued_;
  std::string pending_;
};

// An error of a row, with the file and the line.
absl::Status WithLine(const std::string& path, int64_t line,
                      const absl::Status& status) {
  if (status.ok() || absl::IsAborted(status)) return status;
  return absl::Status(status.code(), absl::StrCat(path, ": line ", line, " ",
                                                  status.message()));
}

// Hands rows to `take`; errors name the file and the line.
class PlacedRows {
 public:
  explicit PlacedRows(const std::string& path) : path_(path) {}

  absl::Status Add(absl::string_view piece, RowReader::Take take) {
    return WithPlace(rows_.Add(piece, take));
  }
  void Keep(absl::string_view piece) { rows_.Keep(piece); }
  absl::Status Finish(RowReader::Take take) {
    return WithPlace(rows_.Finish(take));
  }
  int64_t kept_bytes() const { return rows_.kept_bytes(); }

 private:
  absl::Status WithPlace(const absl::Status& status) const {
    return WithLine(path_, rows_.line(), status);
  }

  const std::string& path_;
  RowReader rows_;
};

// Tokenizes the texts of rows, each by itself.
class RowTokens : public Tokens {
 public:
  RowTokens(const std::string& path, const std::string& field,
            TextTokenizer* tokenizer)
      : rows_(path),
        field_(field),
        tokenizer_(*tokenizer),
        end_of_text_(tokenizer->end_of_text_id().value()) {}

  absl::Status Add(absl::string_view piece, bool only_keep,
                   std::vector<uint32_t>* ids) override {
    if (only_keep) {
      rows_.Keep(piece);
      return absl::OkStatus();
    }
    return rows_.Add(piece,
                     [&](absl::string_view row) { return TakeRow(row, ids); });
  }

  absl::Status Finish(int64_t, std::vector<uint32_t>* ids) override {
    return rows_.Finish(
        [&](absl::string_view row) { return TakeRow(row, ids); });
  }

  int64_t kept_bytes() const override { return rows_.kept_bytes(); }

 private:
  absl::Status TakeRow(absl::string_view row, std::vector<uint32_t>* ids) {
    const absl::StatusOr<std::string> text = TextOfRow(row, field_);
    if (!text.ok()) return text.status();
    if (text->empty()) return absl::OkStatus();
    tokenizer_.Encode(*text, ids);
    ids->push_back(end_of_text_);
    return absl::OkStatus();
  }

  PlacedRows rows_;
  const std::string& field_;
  TextTokenizer& tokenizer_;
  const uint32_t end_of_text_;
};

// Elements never straddle pieces: kPieceBytes is a multiple of their size.
template <typename Element>
class BinaryTokens : public Tokens {
 public:
  explicit BinaryTokens(const std::string& path) : path_(path) {}

  absl::Status Add(absl::string_view piece, bool,
                   std::vector<uint32_t>* ids) override {
    elements_.resize(piece.size() / sizeof(Element));
    std::memcpy(elements_.data(), piece.data(),
                elements_.size() * sizeof(Element));
    ids->assign(elements_.begin(), elements_.end());
    return absl::OkStatus();
  }

  absl::Status Finish(int64_t size_bytes, std::vector<uint32_t>*) override {
    if (size_bytes % sizeof(Element) == 0) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        path_, " has ", size_bytes, " bytes, not a multiple of the ",
        sizeof(Element), " of a token"));
  }

  int64_t kept_bytes() const override { return 0; }

 private:
  const std::string& path_;
  std::vector<Element> elements_;
};

absl::StatusOr<std::unique_ptr<Tokens>> TokensOf(const std::string& path,
                                                 const SourcePlace& start,
                                                 const TokenReading& reading) {
  switch (reading.format) {
    case v1::DATA_FORMAT_TEXT:
      return std::make_unique<TextTokens>(path, start.end_bytes > 0,
                                          reading.tokenizer);
    case v1::DATA_FORMAT_JSONL:
      return std::make_unique<RowTokens>(path, reading.text_field,
                                         reading.tokenizer);
    case v1::DATA_FORMAT_TOKENS_U16:
      return std::make_unique<BinaryTokens<uint16_t>>(path);
    case v1::DATA_FORMAT_TOKENS_U32:
      return std::make_unique<BinaryTokens<uint32_t>>(path);
    default:
      return absl::InternalError(absl::StrCat(
          path, ": no tokens follow from data.format ", reading.format));
  }
}

}  // namespace

absl::StatusOr<FileDigest> DigestFile(PosixFile* file, TaskControl& control) {
  return ReadBytes(file, control, [](absl::string_view, const ReadSoFar&) {
    return absl::OkStatus();
  });
}

absl::StatusOr<FileDigest> DigestText(PosixFile* file, TaskControl& control) {
  Utf8Census census;
  absl::StatusOr<FileDigest> digest = ReadText(
      file, control, [&census](absl::string_view piece, const ReadSoFar&) {
        census.Add(piece);
        return absl::OkStatus();
      });
  if (digest.ok()) digest->faults = census.Finish();
  return digest;
}

absl::StatusOr<FileDigest> DigestRows(PosixFile* file,
                                      const std::string& text_field,
                                      TaskControl& control) {
  int64_t empty = 0;
  absl::StatusOr<FileDigest> digest =
      ReadRows(file, control, [&](absl::string_view row) {
        const absl::StatusOr<std::string> text = TextOfRow(row, text_field);
        if (text.ok() && text->empty()) ++empty;
        return text.status();
      });
  if (digest.ok()) digest->rows.empty = empty;
  return digest;
}

absl::StatusOr<FileDigest> ReadRows(PosixFile* file, TaskControl& control,
                                    RowReader::Take take) {
  PlacedRows rows(file->path());
  int64_t count = 0;
  const auto count_and_take = [&](absl::string_view row) {
    ++count;
    return take(row);
  };
  absl::StatusOr<FileDigest> digest =
      ReadText(file, control, [&](absl::string_view piece, const ReadSoFar&) {
        return rows.Add(piece, count_and_take);
      });
  if (!digest.ok()) return digest;
  if (absl::Status last = rows.Finish(count_and_take); !last.ok()) return last;
  digest->rows.rows = count;
  return digest;
}

absl::StatusOr<FileDigest> ReadCsvRows(PosixFile* file, TaskControl& control,
                                       CsvReader::Take take) {
  CsvReader rows;
  int64_t count = 0;
  const auto count_and_take = [&](absl::Span<const std::string> fields) {
    ++count;
    return take(fields);
  };
  absl::StatusOr<FileDigest> digest =
      ReadText(file, control, [&](absl::string_view piece, const ReadSoFar&) {
        const absl::Status added = rows.Add(piece, count_and_take);
        return WithLine(file->path(), rows.line(), added);
      });
  if (!digest.ok()) return digest;
  if (absl::Status last = rows.Finish(count_and_take); !last.ok()) {
    return WithLine(file->path(), rows.line(), last);
  }
  digest->rows.rows = count;
  return digest;
}

absl::StatusOr<FileDigest> ReadTokens(PosixFile* file, const SourcePlace& start,
                                      const TokenReading& reading,
                                      TaskControl& control, TokenSink sink) {
  absl::StatusOr<std::unique_ptr<Tokens>> tokens =
      TokensOf(file->path(), start, reading);
  if (!tokens.ok()) return tokens.status();
  std::vector<uint32_t> ids;
  const auto take = [&](absl::string_view piece,
                        const ReadSoFar& read) -> absl::Status {
    if (read.bytes == start.read_bytes &&
        read.sha.DigestSoFar() != start.read_sha256) {
      return absl::FailedPreconditionError(
          absl::StrCat(file->path(), " changed while it was read"));
    }
    // Cuts lie where they would have been without an interruption.
    const bool only_keep = read.bytes <= start.read_bytes;
    const int64_t new_bytes = read.bytes - start.end_bytes;
    if (new_bytes <= 0) return absl::OkStatus();
    if (new_bytes < static_cast<int64_t>(piece.size())) {
      piece.remove_prefix(piece.size() - new_bytes);
    }
    ids.clear();
    const absl::Status added = (*tokens)->Add(piece, only_keep, &ids);
    if (!added.ok() || only_keep) return added;
    const int64_t end_bytes = read.bytes - (*tokens)->kept_bytes();
    return sink(ids, end_bytes, [&] {
      return SourcePlace{end_bytes, read.bytes, read.sha.DigestSoFar()};
    });
  };
  absl::StatusOr<FileDigest> digest = IsTokenized(reading.format)
                                          ? ReadText(file, control, take)
                                          : ReadBytes(file, control, take);
  if (!digest.ok()) return digest;
  if (digest->size_bytes == 0) {
    return absl::InvalidArgumentError(
        absl::StrCat(file->path(), " has 0 tokens"));
  }
  ids.clear();
  const absl::Status finished = (*tokens)->Finish(digest->size_bytes, &ids);
  if (!finished.ok()) return finished;
  const absl::Status taken = sink(ids, digest->size_bytes, [&] {
    return SourcePlace{digest->size_bytes, digest->size_bytes, digest->sha256};
  });
  if (!taken.ok()) return taken;
  return digest;
}

}  // namespace hydra
