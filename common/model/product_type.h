#ifndef HYDRA_COMMON_MODEL_PRODUCT_TYPE_H_
#define HYDRA_COMMON_MODEL_PRODUCT_TYPE_H_

#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// What the products of a model's linear maps, and of its head, are rounded to:
// operands and results are, sums are float32's. Adapters' products are float32,
// as all else is. Pure.

// As a job has it: kBFloat16 with train.bf16, kFloat16 with train.fp16, else
// kFloat32, which rounds nothing.
ElementType ProductTypeOf(const hydra::v1::TrainSpec& train);

// The model with products of this type, which has two bytes. Requires the types
// of blocks that the model has in the end (WithFrozenType).
ModelTable WithProductType(ModelTable table, ElementType type);

// Of the layer's products; kFloat32 where it has none that are rounded.
ElementType ProductTypeOf(const LayerEntry& layer);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_PRODUCT_TYPE_H_
