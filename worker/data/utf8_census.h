#ifndef HYDRA_WORKER_DATA_UTF8_CENSUS_H_
#define HYDRA_WORKER_DATA_UTF8_CENSUS_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"

namespace hydra {

// Bytes of a file that a text does not have.
struct Utf8Faults {
  // Bytes that are no part of well-formed UTF-8.
  int64_t bad_bytes = 0;
  // Of the first one, from the file's start; -1: there is none.
  int64_t first_bad = -1;
  // NUL characters, which are well-formed: UTF-16 is full of them.
  int64_t nul_bytes = 0;
  int64_t first_nul = -1;
};

// Counts them in a file that arrives in pieces, cut anywhere. Not thread-safe.
class Utf8Census {
 public:
  void Add(absl::string_view piece);

  // Of all pieces together. To be called once.
  Utf8Faults Finish();

 private:
  // Judges all of `text`, which begins at done_.
  void Count(absl::string_view text);

  Utf8Faults faults_;
  // The file's bytes that are judged.
  int64_t done_ = 0;
  // The begin of a character whose end is still to come.
  std::string begun_;
};

}  // namespace hydra

#endif  // HYDRA_WORKER_DATA_UTF8_CENSUS_H_
