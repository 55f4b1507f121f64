#ifndef HYDRA_COMMON_JOBFILE_DATASET_INDEX_H_
#define HYDRA_COMMON_JOBFILE_DATASET_INDEX_H_

#include <string>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace hydra {

// The file of LLaMA-Factory's `dataset_dir` that says what a data set's name
// stands for.
inline constexpr absl::string_view kDatasetIndexFile = "dataset_info.json";

struct IndexedDataset {
  // Relative to the directory of the index.
  std::string file;
  // data.format's value for its rows; empty: none that Hydra reads.
  absl::string_view format;
  // Of jsonl: where a row has its text; empty: the index does not say.
  std::string text_field;
  // Why training on such rows is not what the tool does; empty: it is.
  std::string difference;
};

// What the text of an index says of the data set `name`. Pure.
//
// INVALID_ARGUMENT: the index cannot be read, or is none; with the line.
// NOT_FOUND: there is no such name, or it is no file: the message is a clause
//   on what to do.
absl::StatusOr<IndexedDataset> FindDataset(absl::string_view index,
                                           absl::string_view name);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_DATASET_INDEX_H_
