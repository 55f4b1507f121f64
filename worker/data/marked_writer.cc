#include "worker/data/marked_writer.h"

#include <algorithm>

#include "absl/status/status.h"

namespace hydra {
namespace {

// Rows are short, and a call of the system for each would be most of the time.
constexpr size_t kPieceBytes = size_t{1} << 20;

template <typename Number>
absl::string_view BytesOf(absl::Span<const Number> numbers) {
  return {reinterpret_cast<const char*>(numbers.data()),
          numbers.size() * sizeof(Number)};
}

}  // namespace

absl::Status MarkedWriter::Begin() {
  const absl::Status emptied = file_.Truncate(0);
  if (!emptied.ok()) return emptied;
  return file_.Write(std::string(TokenHeader::kMarkedBytes, '\0'));
}

absl::Status MarkedWriter::Append(absl::Span<const uint32_t> ids) {
  const uint32_t marks =
      whole_.has_value() ? kUntrainedMark | kSecondTextMark : kUntrainedMark;
  for (size_t i = 0; i < ids.size(); ++i) {
    max_token_id_ = std::max(max_token_id_, ids[i] & ~marks);
    const bool is_target = i > 0 || !has_rows_ || whole_.has_value();
    if (is_target && (ids[i] & kUntrainedMark) == 0) ++trained_count_;
  }
  row_ends_.push_back(row_ends_.back() + ids.size());
  return Write(BytesOf(ids));
}

absl::Status MarkedWriter::Append(absl::Span<const uint32_t> ids,
                                  int64_t row_class) {
  classes_.push_back(row_class);
  return Append(ids);
}

absl::Status MarkedWriter::Finish(MarkedTokens counts) {
  if (has_rows_) {
    const absl::Status written = Write(BytesOf(absl::MakeConstSpan(row_ends_)));
    if (!written.ok()) return written;
    counts.row_count = static_cast<int64_t>(row_ends_.size()) - 1;
  }
  const absl::Status written_classes =
      Write(BytesOf(absl::MakeConstSpan(classes_)));
  if (!written_classes.ok()) return written_classes;
  counts.whole = whole_;
  const absl::Status flushed = Flush();
  if (!flushed.ok()) return flushed;
  counts.trained_count = trained_count_;
  TokenHeader header;
  header.token_count = static_cast<int64_t>(row_ends_.back());
  header.max_token_id = max_token_id_;
  header.content_hash = sha_.Finish();
  header.marked = counts;
  const absl::Status written = file_.WriteAt(EncodeTokenHeader(header), 0);
  if (!written.ok()) return written;
  return file_.Sync();
}

absl::Status MarkedWriter::Write(absl::string_view bytes) {
  sha_.Update(bytes);
  pending_.append(bytes.data(), bytes.size());
  return pending_.size() < kPieceBytes ? absl::OkStatus() : Flush();
}

absl::Status MarkedWriter::Flush() {
  const absl::Status written = file_.Write(pending_);
  pending_.clear();
  return written;
}

}  // namespace hydra
