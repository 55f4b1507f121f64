#include "scheduler/core/rounds.h"

#include "scheduler/core/admission.h"

namespace hydra {
namespace {

using hydra::v1::PoolDemand;

PoolDemand DemandIn(int rounds, const JobShape& shape) {
  JobShape divided = shape;
  divided.rounds = rounds;
  return DemandOf(divided);
}

}  // namespace

int RoundsThatFit(const JobShape& shape,
                  absl::FunctionRef<bool(const PoolDemand&)> fits) {
  const PoolDemand fewest = DemandIn(shape.rounds, shape);
  if (fits(fewest) || shape.rounds == shape.micro_batches) return shape.rounds;
  const PoolDemand most = DemandIn(shape.micro_batches, shape);
  if (!fits(most)) {
    return most.total_bytes() < fewest.total_bytes() ? shape.micro_batches
                                                     : shape.rounds;
  }
  // From two rounds on, more of them need no more.
  int too_few = shape.rounds;
  int enough = shape.micro_batches;
  while (too_few + 1 < enough) {
    const int middle = too_few + (enough - too_few) / 2;
    (fits(DemandIn(middle, shape)) ? enough : too_few) = middle;
  }
  return enough;
}

std::vector<PoolDemand> DemandsInRounds(const JobShape& shape) {
  std::vector<PoolDemand> demands = {DemandIn(shape.rounds, shape)};
  if (shape.rounds < shape.micro_batches) {
    demands.push_back(DemandIn(shape.micro_batches, shape));
  }
  return demands;
}

}  // namespace hydra
