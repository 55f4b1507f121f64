#ifndef HYDRA_TESTS_REFERENCE_WEIGHT_FILES_H_
#define HYDRA_TESTS_REFERENCE_WEIGHT_FILES_H_

#include <string>
#include <vector>

#include "ATen/core/Tensor.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "common/model/model_families.h"
#include "common/model/model_table.h"

namespace hydra {

// The table of a Hugging Face model directory's config.json, or of an exported
// chain's chain.json.
absl::StatusOr<ModelTable> ReadTable(const std::string& directory,
                                     const ModelOverrides& overrides);

// Fills `flats`, fp32, one for each parameter block of `table`, with a Hugging
// Face model directory's weights; those of adapters stay as they are, and so do
// tensors that a checkpoint may lack and does. Names are
// found as in MatchWeights.
absl::Status LoadWeights(const std::string& directory, const ModelTable& table,
                         const std::vector<at::Tensor>& flats);

// Rounds the matrices of frozen blocks to an int8 for each number and a scale
// for each row, and back, as a job file's model.frozen_dtype says; blocks with
// what a batch norm remembers stay as they are.
void RoundFrozenToInt8(const ModelTable& table,
                       const std::vector<at::Tensor>& flats);

// Writes them as one safetensors file, each block's rounded to its type; of a
// model with adapters these alone.
absl::Status SaveWeights(const std::string& path, const ModelTable& table,
                         const std::vector<at::Tensor>& flats);

}  // namespace hydra

#endif  // HYDRA_TESTS_REFERENCE_WEIGHT_FILES_H_
