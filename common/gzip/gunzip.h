#ifndef HYDRA_COMMON_GZIP_GUNZIP_H_
#define HYDRA_COMMON_GZIP_GUNZIP_H_

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"

namespace hydra {

// Whether data that begin so are gzip's. No UTF-8 text begins so.
bool IsGzip(absl::string_view head);

// Unpacks gzip data (RFC 1952) that arrive in pieces: one member after another,
// and zeros behind the last one, as tapes leave them. Sums and lengths are
// checked. It holds some 40 KiB, whatever the data say of themselves. Not
// thread-safe.
class Gunzip {
 public:
  Gunzip();
  ~Gunzip();
  Gunzip(const Gunzip&) = delete;
  Gunzip& operator=(const Gunzip&) = delete;

  struct Unpacked {
    // Bytes of the data that are done with.
    size_t taken = 0;
    // Bytes of text that were made of them.
    size_t made = 0;
  };

  // Unpacks as much of `packed` as `text` has room for. Where neither is used
  // up, nothing is wrong either: hand in the rest again.
  //
  // INVALID_ARGUMENT: the data are damaged, or behind them is what is none. The
  //   message has the byte, counted from the first that was handed in. After
  //   that, every call fails so.
  absl::StatusOr<Unpacked> Unpack(absl::string_view packed,
                                  absl::Span<char> text);

  // INVALID_ARGUMENT: the data that were handed in end too early.
  absl::Status Finish() const;

 private:
  enum class Place { kBefore, kInside, kBehind, kInPadding };

  // At the byte `taken` of a piece.
  absl::Status Damaged(size_t taken, absl::string_view what);

  struct Stream;
  const std::unique_ptr<Stream> stream_;
  Place place_ = Place::kBefore;
  int64_t taken_bytes_ = 0;
  absl::Status status_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_GZIP_GUNZIP_H_
