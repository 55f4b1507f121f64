#ifndef HYDRA_TESTS_E2E_EVERY_PARTITION_H_
#define HYDRA_TESTS_E2E_EVERY_PARTITION_H_

#include <string>
#include <vector>

#include "hydra/v1/job.pb.h"
#include "hydra/v1/status.pb.h"
#include "tests/e2e/cluster.h"

// What the tests of one family of models do alike.
namespace hydra {

// Six steps of AdamW, each of two micro-batches of four, on the model in this
// directory, with an evaluation after the third; without data.
hydra::v1::JobSpec SixSteps(const std::string& name, const std::string& model);

// Runs the job, which is to complete.
hydra::v1::JobDetail RunCompleted(Cluster& cluster,
                                  const hydra::v1::JobSpec& spec);

// Expects that the job has the bits of plain training (see outcome.h, of
// `data` too) in one piece, cut before the third of its `layers` layers, and
// before each. On one of the two devices copies take time, and updates are the
// host's. `settings` are more of the daemon's.
void ExpectTheBitsOfPlainTraining(
    hydra::v1::JobSpec spec, int layers, const std::string& data,
    const std::vector<std::string>& settings = {});

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_EVERY_PARTITION_H_
