#include "scheduler/recover.h"

#include <stdio.h>
#include <unistd.h>

#include <cerrno>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "common/file/file.h"
#include "scheduler/daemon/journal_files.h"
#include "scheduler/daemon/state_directory.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/salvage.h"
#include "scheduler/journal/sqlite_file.h"
#include "scheduler/mend_jobs.h"

namespace hydra {
namespace {

bool Exists(const std::string& path) { return access(path.c_str(), F_OK) == 0; }

// Every record is read and compared with its checksum, and they agree.
absl::Status CheckWhole(const std::string& path) {
  const auto store = OpenJobsJournal(path);
  if (!store.ok()) return store.status();
  absl::Status whole = (*store)->CheckAll();
  if (whole.ok()) whole = ReadJobs(**store).status();
  return whole;
}

// Says for people what is lost.
absl::StatusOr<std::string> SalvageAndMend(const std::string& path,
                                           const std::string& recovered) {
  const auto report = Salvage(path, recovered, JobsSchema());
  if (!report.ok()) return report.status();
  const auto store = OpenJobsJournal(recovered);
  if (!store.ok()) return store.status();
  const absl::StatusOr<std::string> mended = MendJobs(**store);
  if (!mended.ok()) return mended.status();
  return report->ToText() + *mended;
}

std::string FreeName(const std::string& path) {
  int number = 1;
  while (Exists(absl::StrCat(path, ".damaged-", number))) ++number;
  return absl::StrCat(path, ".damaged-", number);
}

// Gives the file a second name, if there is one.
absl::Status Link(const std::string& from, const std::string& to) {
  if (link(from.c_str(), to.c_str()) == 0 || errno == ENOENT) {
    return absl::OkStatus();
  }
  return absl::ErrnoToStatus(errno,
                             absl::StrCat("cannot keep ", from, " as ", to));
}

// There is a jobs.db at every moment: without one, a daemon would begin anew.
// The log goes first, since SQLite would apply it to whatever has its name.
absl::Status Replace(const std::string& path, const std::string& recovered,
                     const std::string& kept) {
  absl::Status linked = Link(path, kept);
  if (linked.ok()) linked = Link(path + "-wal", kept + "-wal");
  if (linked.ok()) linked = SyncDirectory(SplitPath(path).folder);
  if (!linked.ok()) return linked;
  const std::string log = path + "-wal";
  if (unlink(log.c_str()) != 0 && errno != ENOENT) {
    return absl::ErrnoToStatus(errno, absl::StrCat("cannot remove ", log));
  }
  if (rename(recovered.c_str(), path.c_str()) != 0) {
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot rename ", recovered, " to ", path));
  }
  return SyncDirectory(SplitPath(path).folder);
}

}  // namespace

absl::StatusOr<RecoverOutcome> Recover(const config::v1::DaemonConfig& config,
                                       bool write) {
  const std::string path = JobsJournalPath(config);
  if (!Exists(path)) {
    return absl::NotFoundError(absl::StrCat("there is no file ", path));
  }
  // Until the end no daemon starts.
  const absl::StatusOr<StateDirectory> owned =
      StateDirectory::Open(config.state_dir(), /*others_pass=*/true);
  if (!owned.ok()) return owned.status();
  const absl::Status whole = CheckWhole(path);
  if (whole.ok()) {
    return RecoverOutcome{RecoverOutcome::State::kWhole,
                          absl::StrCat(path, " is whole\n")};
  }
  if (!absl::IsDataLoss(whole)) return whole;

  const std::string recovered = path + ".recovered";
  absl::Status removed = RemoveSqliteFile(recovered);
  if (!removed.ok()) return removed;
  const absl::StatusOr<std::string> lost = SalvageAndMend(path, recovered);
  if (!lost.ok()) return lost.status();
  RecoverOutcome outcome;
  outcome.text =
      absl::StrCat(path, " is damaged: ", whole.message(), "\n", *lost);
  if (!write) {
    outcome.state = RecoverOutcome::State::kDamaged;
    absl::StrAppend(&outcome.text, "what can be read of it is in ", recovered,
                    "; `hydrad recover --write` puts that in its place\n");
    return outcome;
  }
  const std::string kept = FreeName(path);
  absl::Status replaced = Replace(path, recovered, kept);
  if (!replaced.ok()) return replaced;
  outcome.state = RecoverOutcome::State::kRepaired;
  absl::StrAppend(&outcome.text, "what can be read of it is now ", path,
                  "; the damaged file is kept as ", kept, "\n");
  return outcome;
}

}  // namespace hydra
