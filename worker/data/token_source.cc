#include "worker/data/token_source.h"

#include <cstring>
#include <vector>

#include "absl/strings/str_cat.h"
#include "common/hash/sha256.h"
#include "worker/data/utf8.h"

namespace hydra {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
constexpr int64_t kMaxUncutBytes = int64_t{64} << 20;

using PieceSink = absl::FunctionRef<absl::Status(absl::string_view piece)>;

// Hands the content to `sink` in pieces of kPieceBytes, the last one shorter,
// and returns its digest.
absl::StatusOr<FileDigest> ReadPieces(PosixFile* file, TaskControl& control,
                                      PieceSink sink) {
  Sha256 sha;
  int64_t size_bytes = 0;
  std::vector<char> buffer(kPieceBytes);
  while (true) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    const absl::StatusOr<int64_t> count = file->Read(absl::MakeSpan(buffer));
    if (!count.ok()) return count.status();
    if (*count == 0) return FileDigest{sha.Finish(), size_bytes, {}};
    size_bytes += *count;
    const absl::string_view piece(buffer.data(), *count);
    sha.Update(piece);
    const absl::Status taken = sink(piece);
    if (!taken.ok()) return taken;
  }
}

absl::Status NoTokens(const std::string& path) {
  return absl::InvalidArgumentError(absl::StrCat(path, " has 0 tokens"));
}

// Tokenizes text that arrives in pieces, in stretches that end at safe cuts.
class TextTokens {
 public:
  TextTokens(const std::string& path, Gpt2Tokenizer* tokenizer, TokenSink sink)
      : path_(path), tokenizer_(*tokenizer), sink_(sink) {}

  absl::Status Add(absl::string_view piece) {
    const size_t old_size = pending_.size();
    pending_.append(piece.data(), piece.size());
    const size_t cut = LastSafeCut(pending_, old_size);
    if (cut == absl::string_view::npos) {
      if (pending_.size() <= kMaxUncutBytes) return absl::OkStatus();
      return absl::InvalidArgumentError(
          absl::StrCat(path_, " has no white space between words within ",
                       kMaxUncutBytes, " bytes"));
    }
    return TakeFront(cut);
  }

  absl::Status Finish() { return TakeFront(pending_.size()); }

 private:
  absl::Status TakeFront(size_t size) {
    ids_.clear();
    tokenizer_.Encode(absl::string_view(pending_).substr(0, size), &ids_);
    pending_.erase(0, size);
    return sink_(ids_);
  }

  const std::string& path_;
  Gpt2Tokenizer& tokenizer_;
  TokenSink sink_;
  std::string pending_;
  std::vector<uint32_t> ids_;
};

absl::StatusOr<FileDigest> ReadText(PosixFile* file, Gpt2Tokenizer* tokenizer,
                                    TaskControl& control, TokenSink sink) {
  TextTokens text(file->path(), tokenizer, sink);
  absl::StatusOr<FileDigest> digest =
      ReadPieces(file, control,
                 [&text](absl::string_view piece) { return text.Add(piece); });
  if (!digest.ok()) return digest;
  if (digest->size_bytes == 0) return NoTokens(file->path());
  const absl::Status finished = text.Finish();
  if (!finished.ok()) return finished;
  return digest;
}

// Elements never straddle pieces: kPieceBytes is a multiple of their size.
template <typename Element>
absl::StatusOr<FileDigest> ReadBinary(PosixFile* file, TaskControl& control,
                                      TokenSink sink) {
  std::vector<Element> elements;
  absl::StatusOr<FileDigest> digest =
      ReadPieces(file, control, [&](absl::string_view piece) {
        elements.resize(piece.size() / sizeof(Element));
        std::memcpy(elements.data(), piece.data(),
                    elements.size() * sizeof(Element));
        return sink(std::vector<uint32_t>(elements.begin(), elements.end()));
      });
  if (!digest.ok()) return digest;
  if (digest->size_bytes == 0) return NoTokens(file->path());
  if (digest->size_bytes % sizeof(Element) != 0) {
    return absl::InvalidArgumentError(absl::StrCat(
        file->path(), " has ", digest->size_bytes,
        " bytes, not a multiple of the ", sizeof(Element), " of a token"));
  }
  return digest;
}

}  // namespace

absl::StatusOr<FileDigest> DigestFile(PosixFile* file, TaskControl& control) {
  return ReadPieces(file, control,
                    [](absl::string_view) { return absl::OkStatus(); });
}

absl::StatusOr<FileDigest> DigestText(PosixFile* file, TaskControl& control) {
  Utf8Census census;
  absl::StatusOr<FileDigest> digest =
      ReadPieces(file, control, [&census](absl::string_view piece) {
        census.Add(piece);
        return absl::OkStatus();
      });
  if (digest.ok()) digest->faults = census.Finish();
  return digest;
}

absl::StatusOr<FileDigest> ReadTokens(PosixFile* file, TokenFormat format,
                                      Gpt2Tokenizer* tokenizer,
                                      TaskControl& control, TokenSink sink) {
  switch (format) {
    case TokenFormat::kText:
      return ReadText(file, tokenizer, control, sink);
    case TokenFormat::kTokensU16:
      return ReadBinary<uint16_t>(file, control, sink);
    case TokenFormat::kTokensU32:
      return ReadBinary<uint32_t>(file, control, sink);
  }
  return absl::InvalidArgumentError("unknown token format");
}

}  // namespace hydra
