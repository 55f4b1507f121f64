#ifndef HYDRA_SCHEDULER_SUBMISSION_IMAGE_CHECK_H_
#define HYDRA_SCHEDULER_SUBMISSION_IMAGE_CHECK_H_

#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/jobfile/mistakes.h"
#include "common/model/class_labels.h"
#include "common/model/model_table.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// Looks at the folders of pictures of a submission's jobs, and at what their
// models say of pictures: whether each folder in them is a class, and whether
// the model's image processor is one that Hydra knows. The pictures are read
// only when a job runs. Folders are listed once, however many jobs name them.
//
// Not thread-safe. Reads files.
class ImageCheck {
 public:
  // `paths` must outlive this.
  explicit ImageCheck(const PathPolicy* paths) : paths_(*paths) {}

  // `config_json` is the text of the model's config.json, and `input` what it
  // takes. Requires data of pictures. The classes that the training folders
  // stand for, if the model has no names of its own for them; else empty. Valid
  // until the next call.
  const ClassNumbers& Check(const hydra::v1::JobSpec& spec,
                            absl::string_view config_json,
                            const ExampleInput& input, Mistakes* mistakes,
                            std::vector<std::string>* warnings);

 private:
  struct Finding {
    Mistakes mistakes;
    std::vector<std::string> warnings;
    ClassNumbers classes;
  };
  Finding Look(const hydra::v1::JobSpec& spec, absl::string_view config_json,
               const ExampleInput& input) const;
  void LookAtProcessor(const std::string& model, const ExampleInput& input,
                       Finding& finding) const;
  void LookAtFolders(const hydra::v1::DataSpec& data,
                     absl::string_view config_json, const ExampleInput& input,
                     Finding& finding) const;

  const PathPolicy& paths_;
  // By the data and the model's directory.
  std::map<std::string, Finding> seen_;
};

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_IMAGE_CHECK_H_
