#include "worker/data/token_masking.h"

#include "absl/numeric/int128.h"
#include "common/data/batch_plan.h"
#include "common/hash/split_mix.h"

namespace hydra {
namespace {

constexpr double kMasked = 0.8;
constexpr double kMaskedOrRandom = 0.9;

// Every input bit reaches every output bit.
uint64_t Mix(uint64_t value) { return SplitMix(value + kSplitMixStep); }

uint64_t Combine(uint64_t seed, uint64_t value) {
  return Mix(Mix(seed) ^ value);
}

// From 0 to below 1.
double Uniform(uint64_t random) {
  return static_cast<double>(random >> 11) * 0x1.0p-53;
}

}  // namespace

int64_t MaskTokens(const TokenMasking& masking, absl::Span<const int64_t> rows,
                   int64_t context, absl::Span<int64_t> tokens,
                   absl::Span<int64_t> targets) {
  const uint64_t of_epoch = Combine(masking.seed, masking.epoch);
  int64_t untrained = 0;
  for (size_t row = 0; row < rows.size(); ++row) {
    const uint64_t of_row = Combine(of_epoch, rows[row]);
    for (int64_t place = 0; place < context; ++place) {
      int64_t& target = targets[row * context + place];
      if (target == kNoTarget) {
        ++untrained;
        continue;
      }
      const uint64_t random = Combine(of_row, place);
      if (Uniform(random) >= masking.probability) {
        target = kNoTarget;
        ++untrained;
        continue;
      }
      int64_t& token = tokens[row * (context + 1) + place];
      const double way = Uniform(Mix(random));
      if (way < kMasked) {
        token = masking.mask_id;
      } else if (way < kMaskedOrRandom) {
        token = static_cast<int64_t>(absl::Uint128High64(
            absl::uint128(Mix(Mix(random))) * masking.vocabulary_size));
      }
    }
  }
  return untrained;
}

}  // namespace hydra
