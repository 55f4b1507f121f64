#ifndef HYDRA_SCHEDULER_SUBMISSION_DATA_CHECK_H_
#define HYDRA_SCHEDULER_SUBMISSION_DATA_CHECK_H_

#include <map>
#include <string>
#include <vector>

#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"
#include "scheduler/submission/path_policy.h"

namespace hydra {

// Looks at the data files of a submission's jobs: whether they can be read, and
// whether they are what data.format says, as far as their first bytes tell. Of
// pictures, whether there are folders; see ImageCheck.
// Each file is looked at once, and a mistake of it is told once, whatever names
// it.
//
// Not thread-safe. Reads files.
class DataCheck {
 public:
  // `paths` must outlive this.
  explicit DataCheck(const PathPolicy* paths) : paths_(*paths) {}

  // Fields that already have a mistake are left alone.
  void Check(const hydra::v1::DataSpec& data, Mistakes* mistakes,
             std::vector<std::string>* warnings);

 private:
  struct Finding {
    std::string mistake;
    std::string warning;
    // The field that first named the file.
    std::string field;
  };
  const Finding& Look(const std::string& path, hydra::v1::DataFormat format,
                      const std::string& field);

  const PathPolicy& paths_;
  // By path, and what it is to be.
  std::map<std::pair<std::string, hydra::v1::DataFormat>, Finding> seen_;
};

// Whether `mistakes` has one of this field.
bool HasMistake(const Mistakes& mistakes, absl::string_view field);

}  // namespace hydra

#endif  // HYDRA_SCHEDULER_SUBMISSION_DATA_CHECK_H_
