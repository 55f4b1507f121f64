#ifndef HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_
#define HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "absl/status/status.h"
#include "common/jobfile/mistakes.h"
#include "common/model/model_table.h"
#include "common/shared/shared.h"
#include "common/tokenizer/tokenizer.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// Looks at the tokenizers of a submission's jobs: text is tokenized only when a
// job runs, and whether that can be done is known before; so is where the
// template of conversations is, but not what it does. One that the tokenizer
// does not bring along is kept with the job, whatever becomes of its file. A
// directory is read once
// for each of the formats that jobs have.
//
// Not thread-safe. Reads files.
class TokenizerCheck {
 public:
  // `paths` must outlive this.
  explicit TokenizerCheck(const PathPolicy* paths) : paths_(*paths) {}

  // Requires the defaults of `spec` filled in. `vocabulary_size`: the model's,
  // if it is known; `objective`: what it learns of tokens. Returns the template
  // of conversations where that is not the tokenizer's own, else an empty text.
  Shared<std::string> Check(const hydra::v1::JobSpec& spec,
                            std::optional<int64_t> vocabulary_size,
                            Objective objective, Mistakes* mistakes,
                            std::vector<std::string>* warnings);

 private:
  struct Finding {
    std::vector<std::string> mistakes;
    // One more than the largest id; 0: not known.
    int64_t size = 0;
    std::optional<uint32_t> end_of_text_id;
    // Whether there are the tokens that stand about a text, and in place of
    // hidden ones.
    bool has_cls_and_sep = false;
    bool has_mask = false;
    // Of the template of conversations, if there is none to render with.
    std::string template_mistake;
    // That one, if it is not the tokenizer's.
    Shared<std::string> chat_template;
  };
  // All that a finding follows from.
  struct Asked {
    std::string directory;
    hydra::v1::DataFormat format;
    // Where conversations have their template, if the job says so.
    std::string chat_template;

    bool operator<(const Asked& other) const {
      return std::tie(directory, format, chat_template) <
             std::tie(other.directory, other.format, other.chat_template);
    }
  };
  Finding Look(const Asked& asked) const;
  absl::Status FindTemplate(const Asked& asked, const TokenizerFiles& files,
                            const Tokenizer& tokenizer, Finding& finding) const;

  const PathPolicy& paths_;
  std::map<Asked, Finding> seen_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_TOKENIZER_CHECK_H_
