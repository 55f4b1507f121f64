#ifndef HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_
#define HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// Looks at the tokenizers of a submission's jobs: text is tokenized only when a
// job runs, and whether that can be done is known before. A directory is read
// once.
//
// Not thread-safe. Reads files.
class TokenizerCheck {
 public:
  // `paths` must outlive this.
  explicit TokenizerCheck(const PathPolicy* paths) : paths_(*paths) {}

  // Requires the defaults of `spec` filled in. `vocabulary_size`: the model's,
  // if it is known.
  void Check(const hydra::v1::JobSpec& spec,
             std::optional<int64_t> vocabulary_size, Mistakes* mistakes,
             std::vector<std::string>* warnings);

 private:
  struct Finding {
    std::vector<std::string> mistakes;
    // One more than the largest id; 0: not known.
    int64_t size = 0;
    std::optional<uint32_t> end_of_text_id;
  };
  Finding Look(const std::string& directory, bool is_for_text) const;

  const PathPolicy& paths_;
  // By directory, and whether it has to tokenize.
  std::map<std::pair<std::string, bool>, Finding> seen_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_
