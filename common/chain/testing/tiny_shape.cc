#include "common/chain/testing/tiny_shape.h"

#include "common/model/gpt2_table.h"

namespace hydra {

JobShape TinyShape(const TinySizes& sizes, const std::vector<int>& cuts) {
  Gpt2Config config;
  config.vocab_size = sizes.vocabulary;
  config.n_positions = sizes.context;
  config.n_embd = sizes.width;
  config.n_layer = sizes.blocks;
  config.n_head = 2;
  config.n_inner = 4 * sizes.width;
  JobShape shape;
  shape.table = BuildGpt2Table(config);
  shape.micro_batch_size = 2;
  shape.context_length = sizes.context;
  shape.state_factor = 2;
  shape.shards = ShardsOf(cuts, shape.table->layer_count());
  return shape;
}

}  // namespace hydra
