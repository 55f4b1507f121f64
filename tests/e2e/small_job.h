#ifndef HYDRA_TESTS_E2E_SMALL_JOB_H_
#define HYDRA_TESTS_E2E_SMALL_JOB_H_

#include <string>
#include <vector>

#include "hydra/v1/job.pb.h"

namespace hydra {

// Directories and files of a small training job, made in `directory`.
struct SmallJobFiles {
  // The parity fixture: 134,912 parameters, 4 layers (embedding, two blocks,
  // head), vocabulary 512, pretrained weights.
  std::string tiny_model;
  // GPT-2's full vocabulary at width 32, 5 layers: its head needs tens of MB of
  // a device where its table is held whole. Only a config.json.
  std::string wide_model;
  // The same with a table of the head's own.
  std::string untied_model;
  // Raw token ids below 512, two bytes each.
  std::string train_tokens;
  std::string validation_tokens;
};
SmallJobFiles MakeSmallJobFiles(const std::string& directory);

// A model directory of its own, below `directory`, with what tests/parity has
// of a model: "gpt2-tiny". Bazel's own files are links, which lead out of it.
std::string CopyOfFixture(const std::string& fixture,
                          const std::string& directory);

// Six steps of AdamW on the tiny model, cut before the given layers.
hydra::v1::JobSpec SmallJob(const SmallJobFiles& files,
                            const std::vector<int>& cut_points);

}  // namespace hydra

#endif  // HYDRA_TESTS_E2E_SMALL_JOB_H_
