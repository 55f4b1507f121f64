#ifndef HYDRA_TESTS_E2E_OUTCOME_H_
#define HYDRA_TESTS_E2E_OUTCOME_H_

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "hydra/v1/status.pb.h"

namespace hydra {

// All of a completed job that must not depend on how it was run.
struct Outcome {
  std::string weights;
  // Each step, once and in order, and its loss.
  std::vector<std::pair<int64_t, double>> losses;
  // Step, split, loss, and accuracy of a classification.
  std::vector<std::tuple<int64_t, std::string, double, double>> evaluations;
};

// Empty if the job did not complete.
Outcome OutcomeOf(const hydra::v1::JobDetail& job);

// What differs first, such as "loss 6: step 7, 5.25 and step 7, 5.5"; empty if
// all is the same, bit for bit.
std::string Difference(const Outcome& a, const Outcome& b);

// What differs first from the same training by the plain LibTorch program
// (tests/reference), which is run here: in one process, without pool and
// shards. `model` and `data`, a file of ids or of tensors, are the job's; empty
// of a model that takes sequences whole. `are_rows`: ids are of one more than
// the context length each, and sequences of their own.
std::string DifferenceToPlainTraining(const hydra::v1::JobDetail& job,
                                      const std::string& model,
                                      const std::string& data,
                                      int token_bytes = 2,
                                      bool are_rows = false);

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_OUTCOME_H_
