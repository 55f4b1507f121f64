#ifndef HYDRA_COMMON_JOBFILE_UNREAD_FIELDS_H_
#define HYDRA_COMMON_JOBFILE_UNREAD_FIELDS_H_

#include <string>
#include <vector>

#include "common/jobfile/mistakes.h"
#include "hydra/v1/job.pb.h"

// Fields of a job file whose values are not known, because the file is wrong
// there. The rest of the file can be checked all the same, if nothing is said
// of what only follows from such a mistake. Pure.
namespace hydra {

// The fields that `mistakes`, found while reading `job`, leave unread: that of
// each mistake, with all fields below it; the one that an unknown key probably
// stands for; and, where a mistake is in the sweep, all that `job` does not
// set.
std::vector<std::string> UnreadFields(const Mistakes& mistakes,
                                      const v1::JobSpec& job);

// Gives each of the `unread` fields a value, so that none counts as missing: of
// those with a choice of words the one that asks the least of other fields and
// files. The values themselves may be refused.
void FillUnread(const std::vector<std::string>& unread, v1::JobSpec* job);

// Those of `found` that do not follow from a field's being unread.
Mistakes WithoutConsequences(const std::vector<std::string>& unread,
                             const Mistakes& found);

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_UNREAD_FIELDS_H_
