#include "worker/data/input_text.h"

#include <algorithm>
#include <cstring>

#include "absl/strings/str_cat.h"

namespace hydra {
namespace {

constexpr size_t kFetchBytes = size_t{64} << 10;

}  // namespace

absl::Status InputText::Fetch() {
  fetched_.resize(kFetchBytes);
  done_ = 0;
  const absl::StatusOr<int64_t> count = file_.Read(absl::MakeSpan(fetched_));
  if (!count.ok()) return count.status();
  fetched_.resize(*count);
  return absl::OkStatus();
}

absl::Status InputText::WithPath(const absl::Status& status) const {
  return absl::Status(status.code(),
                      absl::StrCat(file_.path(), ": ", status.message()));
}

absl::StatusOr<int64_t> InputText::Read(absl::Span<char> buffer) {
  if (!begun_) {
    begun_ = true;
    if (absl::Status fetched = Fetch(); !fetched.ok()) return fetched;
    if (IsGzip(fetched_)) gunzip_ = std::make_unique<Gunzip>();
  }
  if (gunzip_ != nullptr) return Unpack(buffer);
  const size_t kept = std::min(fetched_.size() - done_, buffer.size());
  std::memcpy(buffer.data(), fetched_.data() + done_, kept);
  done_ += kept;
  const absl::StatusOr<int64_t> count = file_.Read(buffer.subspan(kept));
  if (!count.ok()) return count.status();
  return static_cast<int64_t>(kept) + *count;
}

absl::StatusOr<int64_t> InputText::Unpack(absl::Span<char> buffer) {
  size_t made = 0;
  while (made < buffer.size()) {
    if (done_ == fetched_.size()) {
      if (absl::Status fetched = Fetch(); !fetched.ok()) return fetched;
    }
    if (fetched_.empty()) {
      const absl::Status whole = gunzip_->Finish();
      if (!whole.ok()) return WithPath(whole);
      break;
    }
    const auto unpacked = gunzip_->Unpack(
        absl::string_view(fetched_).substr(done_), buffer.subspan(made));
    if (!unpacked.ok()) return WithPath(unpacked.status());
    done_ += unpacked->taken;
    made += unpacked->made;
  }
  return static_cast<int64_t>(made);
}

}  // namespace hydra
