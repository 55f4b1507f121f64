#include "common/gzip/gunzip.h"

#include <zlib.h>

#include <algorithm>
#include <limits>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"

namespace hydra {
namespace {

// The largest window that there is, and gzip's header and trailer around it.
constexpr int kGzipWindowBits = 15 + 16;

uInt Room(size_t bytes) {
  constexpr size_t kMost = std::numeric_limits<uInt>::max();
  return static_cast<uInt>(std::min(bytes, kMost));
}

}  // namespace

bool IsGzip(absl::string_view head) {
  return absl::StartsWith(head, "\x1f\x8b\x08");
}

struct Gunzip::Stream {
  z_stream z = {};
};

Gunzip::Gunzip() : stream_(std::make_unique<Stream>()) {
  CHECK_EQ(inflateInit2(&stream_->z, kGzipWindowBits), Z_OK)
      << "no memory for zlib";
}

Gunzip::~Gunzip() { inflateEnd(&stream_->z); }

absl::Status Gunzip::Damaged(size_t taken, absl::string_view what) {
  status_ = absl::InvalidArgumentError(absl::StrCat(
      "its gzip data are damaged at byte ", taken_bytes_ + taken, ": ", what));
  return status_;
}

absl::StatusOr<Gunzip::Unpacked> Gunzip::Unpack(absl::string_view packed,
                                                absl::Span<char> text) {
  if (!status_.ok()) return status_;
  z_stream& z = stream_->z;
  Unpacked done;
  while (done.taken < packed.size() && done.made < text.size()) {
    const absl::string_view rest = packed.substr(done.taken);
    if (place_ == Place::kInPadding ||
        (place_ == Place::kBehind && rest.front() == '\0')) {
      place_ = Place::kInPadding;
      const size_t zeros = std::min(rest.find_first_not_of('\0'), rest.size());
      done.taken += zeros;
      if (zeros == rest.size()) break;
      return Damaged(done.taken, "something stands behind their end");
    }
    if (place_ == Place::kBehind) inflateReset(&z);
    place_ = Place::kInside;
    z.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(rest.data()));
    z.avail_in = Room(rest.size());
    z.next_out = reinterpret_cast<Bytef*>(text.data() + done.made);
    z.avail_out = Room(text.size() - done.made);
    const int result = inflate(&z, Z_NO_FLUSH);
    done.taken = reinterpret_cast<const char*>(z.next_in) - packed.data();
    done.made = reinterpret_cast<const char*>(z.next_out) - text.data();
    if (result == Z_STREAM_END) {
      place_ = Place::kBehind;
    } else if (result == Z_MEM_ERROR) {
      status_ = absl::ResourceExhaustedError("no memory for zlib");
      return status_;
    } else if (result != Z_OK && result != Z_BUF_ERROR) {
      return Damaged(done.taken, z.msg != nullptr ? z.msg : "no gzip data");
    }
  }
  taken_bytes_ += static_cast<int64_t>(done.taken);
  return done;
}

absl::Status Gunzip::Finish() const {
  if (!status_.ok()) return status_;
  if (place_ == Place::kBehind || place_ == Place::kInPadding) {
    return absl::OkStatus();
  }
  return absl::InvalidArgumentError(
      absl::StrCat("its gzip data end too early, after ", taken_bytes_,
                   " bytes: the file is not whole"));
}

}  // namespace hydra
