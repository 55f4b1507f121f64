#ifndef HYDRA_TESTS_CHAOS_TINY_JOB_H_
#define HYDRA_TESTS_CHAOS_TINY_JOB_H_

#include <string>

#include "hydra/v1/hydra.pb.h"

namespace hydra {

// A sweep of the smallest jobs there are, one for each of `jobs` seeds: one
// step of one sequence of eight tokens, a model of width 8, one shard, nothing
// evaluated or written. A job takes little more of the pool than `vocabulary`
// (at least 64) times 64 bytes. Makes its files in `directory`.
hydra::v1::SubmitRequest TinySweep(const std::string& directory, int jobs,
                                   int vocabulary);

}  // namespace hydra

#endif  // HYDRA_TESTS_CHAOS_TINY_JOB_H_
