#include "scheduler/storage/saved_model.h"

#include <algorithm>

#include "common/model/gpt2_table.h"
#include "gtest/gtest.h"

namespace hydra {
namespace {

constexpr int64_t kPoolBytes = 1 << 20;

ModelTable SmallTable() {
  Gpt2Config config;
  config.vocab_size = 11;
  config.n_positions = 4;
  config.n_embd = 4;
  config.n_layer = 1;
  config.n_head = 1;
  config.n_inner = 8;
  return BuildGpt2Table(config);
}

}  // namespace

SavedModel::SavedModel() {
  folder_.MakeDirectory("tokenizer");
  folder_.Write("tokenizer/vocab.json", "{}");
  PoolFile::CreateOptions options;
  options.path = folder_.PathOf("pool");
  options.size_bytes = kPoolBytes;
  auto pool = PoolFile::Create(options);
  if (!pool.ok()) {
    ADD_FAILURE() << pool.status();
    return;
  }
  pool_ = *std::move(pool);
  pool_->RemoveOnClose();

  save.job = checkpoint.job = JobId(7);
  save.table = checkpoint.table = SmallTable();
  save.config_json = checkpoint.config_json = "{}";
  folder_.MakeDirectory("model");
  save.model_dir = PathOf("model");
  save.tokenizer_dir = checkpoint.tokenizer_dir = PathOf("tokenizer");
  save.directory = PathOf("out");
  checkpoint.directory = PathOf("checkpoint-1");
  checkpoint.manifest.mutable_spec()->mutable_train()->set_optim(
      hydra::v1::OPTIMIZER_SGD);

  int64_t offset = pool_->data_offset();
  for (int i = 0; i < save.table.parameter_blocks.size(); ++i) {
    const int64_t bytes = save.table.parameter_blocks[i].size_bytes;
    float* const first =
        reinterpret_cast<float*>(pool_->Range(offset, bytes).data());
    std::fill_n(first, bytes / kFloatBytes, 1.0f);
    Version version;
    version.size_bytes = bytes;
    version.slot = Slot{offset, bytes};
    save.blocks.emplace_back(ParametersKey(i), version);
    offset += bytes;
  }
  checkpoint.blocks = save.blocks;
}

}  // namespace hydra
