#ifndef HYDRA_COMMON_CHECKPOINT_MERGE_ADAPTER_H_
#define HYDRA_COMMON_CHECKPOINT_MERGE_ADAPTER_H_

#include <cstddef>
#include <cstdint>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "common/model/model_table.h"

namespace hydra {

// The weight W of a linear map, and the adapter B A that is to be added to it,
// see lora.h. Nothing is owned.
struct AdaptedWeight {
  // Its shape, and how W lies in it.
  const TensorEntry* weight = nullptr;
  // Of W's elements, and of what it becomes: kFloat32, kBFloat16 or kFloat16;
  // or kInt8 (quantized_rows.h), which becomes kFloat32.
  ElementType type = ElementType::kFloat32;
  const std::byte* bytes = nullptr;
  // [r, in] and [out, r].
  const float* lora_a = nullptr;
  const float* lora_b = nullptr;
  int64_t r = 0;
  double scale = 0;
};

// Makes W + scale * B A, as PEFT merges an adapter, and hands it out in pieces
// of whole rows: write() gets their bytes, one piece after another, and each
// piece goes when it returns. It computes in float32, each element's r products
// in their order and none fused, and rounds once, so that the bits depend on
// nothing but the numbers. It takes 2 r operations for each element of W, on
// the calling thread, and memory for the adapter's transposed matrices and one
// piece of about 64K elements; a row may have more.
//
// Errors; nothing more is handed out after one:
// INVALID_ARGUMENT: a finite element is beyond what float16 has.
// Others: the first of write()'s.
absl::Status MergeAdapter(
    const AdaptedWeight& adapted,
    absl::FunctionRef<absl::Status(const std::byte* bytes, int64_t size_bytes)>
        write);

}  // namespace hydra

#endif  // HYDRA_COMMON_CHECKPOINT_MERGE_ADAPTER_H_
