#include "worker/data/token_writer.h"

#include <algorithm>
#include <vector>

#include "absl/strings/str_cat.h"
#include "worker/data/token_header.h"

namespace hydra {
namespace {

constexpr int64_t kPieceBytes = int64_t{1} << 20;
constexpr int64_t kIdBytes = sizeof(uint32_t);

}  // namespace

absl::Status TokenWriter::Begin() {
  const absl::Status emptied = file_.Truncate(0);
  if (!emptied.ok()) return emptied;
  return file_.Write(std::string(TokenHeader::kBytes, '\0'));
}

absl::Status TokenWriter::Resume(const WrittenTokens& written,
                                 TaskControl& control) {
  const int64_t end_bytes =
      TokenHeader::kBytes + written.token_count * kIdBytes;
  std::vector<char> piece(TokenHeader::kBytes);
  for (int64_t offset = 0; offset < end_bytes; offset += piece.size()) {
    if (absl::Status on = control.Advance(); !on.ok()) return on;
    if (offset > 0) piece.resize(std::min(kPieceBytes, end_bytes - offset));
    const absl::StatusOr<int64_t> count = file_.Read(absl::MakeSpan(piece));
    if (!count.ok()) return count.status();
    if (*count < static_cast<int64_t>(piece.size())) break;
    if (offset > 0) sha_.Update({piece.data(), piece.size()});
  }
  if (sha_.DigestSoFar() != written.ids_sha256) {
    return absl::DataLossError(
        absl::StrCat(file_.path(), " does not begin with the ",
                     written.token_count, " tokens that were written to it"));
  }
  token_count_ = written.token_count;
  max_token_id_ = written.max_token_id;
  return file_.Truncate(end_bytes);
}

absl::Status TokenWriter::Append(absl::Span<const uint32_t> ids) {
  if (ids.empty()) return absl::OkStatus();
  token_count_ += ids.size();
  max_token_id_ =
      std::max(max_token_id_, *std::max_element(ids.begin(), ids.end()));
  const absl::string_view bytes(reinterpret_cast<const char*>(ids.data()),
                                ids.size() * sizeof(uint32_t));
  sha_.Update(bytes);
  return file_.Write(bytes);
}

absl::StatusOr<WrittenTokens> TokenWriter::Save() {
  const absl::Status synced = file_.Sync();
  if (!synced.ok()) return synced;
  return WrittenTokens{token_count_, max_token_id_, sha_.DigestSoFar()};
}

absl::Status TokenWriter::Finish() {
  TokenHeader header;
  header.token_count = token_count_;
  header.max_token_id = max_token_id_;
  header.content_hash = sha_.Finish();
  const absl::Status written = file_.WriteAt(EncodeTokenHeader(header), 0);
  if (!written.ok()) return written;
  return file_.Sync();
}

}  // namespace hydra
