#include "common/jobfile/job_file_check.h"

#include <utility>

#include "common/jobfile/unread_fields.h"

namespace hydra {

absl::StatusOr<JobFileToCheck> ReadJobFileToCheck(absl::string_view text) {
  absl::StatusOr<JobFileDraft> draft = ReadJobFile(text);
  if (!draft.ok()) return draft.status();
  JobFileToCheck read;
  read.file = std::move(draft->file);
  read.known.mistakes = std::move(draft->mistakes);
  read.known.order = std::move(draft->order);
  read.known.unread = UnreadFields(read.known.mistakes, read.file.job);
  FillUnread(read.known.unread, &read.file.job);
  return read;
}

absl::Status AllMistakes(const JobFileMistakes& known, const Mistakes& theirs) {
  Mistakes all = known.mistakes;
  const Mistakes others = WithoutConsequences(known.unread, theirs);
  all.insert(all.end(), others.begin(), others.end());
  known.order.Sort(&all);
  return ToStatus(all);
}

}  // namespace hydra
