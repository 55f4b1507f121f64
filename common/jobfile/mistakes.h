#ifndef HYDRA_COMMON_JOBFILE_MISTAKES_H_
#define HYDRA_COMMON_JOBFILE_MISTAKES_H_

#include <cstddef>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "google/rpc/error_details.pb.h"

namespace hydra {

// What is wrong with one field of an input: its path, such as
// "train.learning_rate", and what was found and what would be right.
using Mistake = google::rpc::BadRequest::FieldViolation;

// Everything that is wrong with one input, in the order in which it was found.
// Pure values: the functions below may be called from any thread.
using Mistakes = std::vector<Mistake>;

// Beyond so many, mistakes are no longer recorded: nobody reads them, and a
// hostile file could otherwise make answers of any size.
inline constexpr int kMaxMistakes = 100;

// Whether AddMistake still records anything.
bool IsFull(const Mistakes& mistakes);

// Records that `field` (a path such as "train.learning_rate", or empty for the
// input as a whole) is wrong. Does nothing once `mistakes` is full.
void AddMistake(absl::string_view field, absl::string_view description,
                Mistakes* mistakes);

// Stands last, for `count` mistakes that are left out.
Mistake MoreMistakes(size_t count);
bool IsMoreMistakes(const Mistake& mistake);

// `path` as a mistake names it: it may be any text of any size if it came from
// a file.
std::string FieldName(absl::string_view path);

// OK without mistakes. Otherwise INVALID_ARGUMENT, with one line for each in
// its message, then `last_line` if there is one, and a google.rpc.BadRequest
// that holds them as its payload.
absl::Status ToStatus(const Mistakes& mistakes,
                      absl::string_view last_line = "");

// The status of one mistake.
absl::Status WrongField(absl::string_view field, absl::string_view description);

// The payload that ToStatus attached; empty for any other status.
Mistakes MistakesOf(const absl::Status& status);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_MISTAKES_H_
