#include "scheduler/notify/notice.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/string_view.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

// Linux takes 128 KiB; a mail's subject or a message in a chat takes less.
constexpr size_t kMaxValueBytes = 4096;

void Add(absl::string_view name, absl::string_view value,
         std::vector<std::string>& environment) {
  if (value.empty()) return;
  std::string text = Printable(value);
  if (text.size() > kMaxValueBytes) {
    size_t end = kMaxValueBytes;
    // At the beginning of a character.
    while (end > 0 && (text[end] & 0xc0) == 0x80) --end;
    text.resize(end);
  }
  environment.push_back(absl::StrCat("HYDRA_", name, "=", text));
}

}  // namespace

const char* NameOf(Notice::Event event) {
  switch (event) {
    case Notice::Event::kCompleted:
      return "completed";
    case Notice::Event::kFailed:
      return "failed";
    case Notice::Event::kCancelled:
      return "cancelled";
    case Notice::Event::kPaused:
      return "paused";
    case Notice::Event::kSweepEnded:
      return "sweep_ended";
  }
  return "";
}

std::vector<std::string> EnvironmentOf(const Notice& notice) {
  const v1::JobStatus& job = notice.job;
  std::vector<std::string> environment;
  Add("EVENT", NameOf(notice.event), environment);
  Add("SWEEP_ID", job.sweep_id(), environment);
  Add("JOB_NAME", job.name(), environment);
  Add("OWNER", job.owner(), environment);
  if (job.has_owner_user()) {
    Add("OWNER_UID", absl::StrCat(job.owner_user()), environment);
  }
  Add("PROJECT", job.project(), environment);
  if (notice.event == Notice::Event::kSweepEnded) {
    Add("COMPLETED_JOBS", absl::StrCat(notice.completed), environment);
    Add("FAILED_JOBS", absl::StrCat(notice.failed), environment);
    Add("CANCELLED_JOBS", absl::StrCat(notice.cancelled), environment);
    return environment;
  }
  Add("JOB_ID", job.job_id(), environment);
  Add("REASON", job.reason(), environment);
  Add("PARAMETERS", absl::StrJoin(job.parameters(), " "), environment);
  Add("STEP", absl::StrCat(job.step()), environment);
  if (job.total_steps() > 0) {
    Add("TOTAL_STEPS", absl::StrCat(job.total_steps()), environment);
  }
  if (job.has_train_loss()) {
    Add("TRAIN_LOSS", absl::StrCat(job.train_loss()), environment);
  }
  if (job.has_validation_loss()) {
    Add("VALIDATION_LOSS", absl::StrCat(job.validation_loss()), environment);
  }
  if (job.has_test_loss()) {
    Add("TEST_LOSS", absl::StrCat(job.test_loss()), environment);
  }
  return environment;
}

}  // namespace hydra
