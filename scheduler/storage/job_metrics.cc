#include "scheduler/storage/job_metrics.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "common/data/data_format.h"
#include "common/file/private_places.h"
#include "common/status/proto_time.h"
#include "scheduler/core/job.h"
#include "scheduler/journal/recovery.h"
#include "scheduler/journal/tables.h"
#include "scheduler/storage/metrics_rows.h"

namespace hydra {
namespace {

namespace jv1 = hydra::journal::v1;

constexpr int kRowsInOneGo = 1000;

// None: nothing was recorded of it yet.
absl::StatusOr<std::optional<jv1::JobProgress>> ReadProgress(
    const RecordStore& jobs, JobId job) {
  std::optional<jv1::JobProgress> progress;
  absl::Status read = jobs.ForEachOf(
      kProgressTable, static_cast<int64_t>(job.value()),
      [&](int64_t, int64_t, absl::string_view value) {
        return progress.emplace().ParseFromArray(value.data(),
                                                 static_cast<int>(value.size()))
                   ? absl::OkStatus()
                   : absl::DataLossError(absl::StrCat(
                         "the progress of ", JobName(job), " is no message"));
      });
  if (!read.ok()) return read;
  return progress;
}

// What data, once they are prepared, say of a step.
int64_t TokensOfAStep(const v1::TrainSpec& train,
                      const jv1::JobProgress& progress) {
  Job job;
  *job.submitted.spec.mutable_train() = train;
  job.splits.assign(progress.splits().begin(), progress.splits().end());
  return job.StepTokens();
}

}  // namespace

absl::StatusOr<JobMetrics::Files> JobMetrics::FilesOf(JobId job) const {
  const absl::StatusOr<jv1::SubmittedJob> submitted =
      ReadSubmitted(*jobs_, job);
  if (!submitted.ok()) return submitted.status();
  const v1::JobSpec& spec = submitted->spec();
  Files files;
  files.folder = OutputPath(job, submitted->output_dir(), spec.name());
  files.writer = WriterOf(files.folder,
                          submitted->has_owner_user()
                              ? std::optional<uint32_t>(submitted->owner_user())
                              : std::nullopt);
  files.context.train = spec.train();
  files.context.counts_examples = HasExamples(spec.data().format());
  files.has_events = spec.output().tensorboard();
  files.submitted_at = FromProto(submitted->submitted_at());
  return files;
}

absl::StatusOr<std::optional<MetricsRow>> JobMetrics::RowOf(JobId job,
                                                            int64_t place,
                                                            bool ended) const {
  auto row = ReadMetricsRow(*jobs_, job, place, ended);
  if (!row.ok() || row->has_value()) return row;
  const auto progress = ReadProgress(*jobs_, job);
  if (!progress.ok()) return progress.status();
  if (!progress->has_value()) {
    return absl::CancelledError("the job was deleted");
  }
  return row;
}

absl::Status JobMetrics::Look(JobId job, bool ended, Files& files) const {
  const absl::StatusOr<HeldDirectory> folder =
      HeldDirectory::Open(files.folder, files.writer);
  if (absl::IsNotFound(folder.status())) {
    files.lines = MetricsFileEnd();
    files.events_next = 0;
    files.events.reset();
    files.last_time = files.submitted_at;
    return absl::OkStatus();
  }
  if (!folder.ok()) return folder.status();
  const absl::StatusOr<MetricsFileEnd> end = CutMetricsFile(
      *folder, [&](int64_t place) { return RowOf(job, place, ended); });
  if (!end.ok()) return end.status();
  files.had_folder = true;
  files.events_next = end->next;
  if (files.has_events) {
    const absl::StatusOr<int64_t> missing = FirstPlaceWithoutEvents(*folder);
    if (!missing.ok()) return missing.status();
    // A file of this process has nothing else than what was recorded. Where
    // its lines were cut, that is no longer so.
    if (files.may_be_stale && *missing > end->next) files.events.reset();
    files.events_next =
        files.events.has_value() ? *missing : std::min(end->next, *missing);
  }
  const int64_t step = StepAt(files.events_next);
  files.last_time = files.submitted_at;
  if (step > 0) {
    const absl::StatusOr<std::optional<MetricsRow>> before =
        ReadMetricsRow(*jobs_, job, PlaceOfStep(step - 1), ended);
    if (!before.ok()) return before.status();
    if (before->has_value()) {
      files.last_time =
          FromProto(std::get<v1::StepMetrics>((*before)->metrics).time());
    }
  }
  files.may_be_stale = false;
  files.lines = *end;
  return absl::OkStatus();
}

absl::Status JobMetrics::WriteEvents(const HeldDirectory& folder,
                                     const std::vector<MetricsRow>& rows,
                                     Files& files) const {
  std::vector<MetricsRow> missing;
  for (const MetricsRow& row : rows) {
    if (row.place() >= files.events_next) missing.push_back(row);
  }
  if (missing.empty()) return absl::OkStatus();
  if (!files.events.has_value()) {
    absl::StatusOr<EventFile> begun =
        BeginEventFile(folder, host_, StepAt(files.events_next), absl::Now());
    if (!begun.ok()) return begun.status();
    files.events = *std::move(begun);
  }
  absl::Status appended = AppendEvents(folder, missing, files.context,
                                       files.last_time, *files.events);
  if (appended.ok()) files.events_next = missing.back().place() + 1;
  return appended;
}

absl::StatusOr<HeldDirectory> JobMetrics::OpenFolder(bool ended,
                                                     const Files& files) {
  const bool may_make = files.has_new_rows && !(ended && files.had_folder);
  return may_make ? HeldDirectory::Make(files.folder, files.writer)
                  : HeldDirectory::Open(files.folder, files.writer);
}

// Events first: lines say how far they are.
absl::StatusOr<bool> JobMetrics::WriteSome(JobId job, bool ended,
                                           Files& files) const {
  int64_t from = files.lines->next;
  if (files.has_events) from = std::min(from, files.events_next);
  absl::StatusOr<std::vector<MetricsRow>> rows =
      ReadMetricsRows(*jobs_, job, from, kRowsInOneGo, ended);
  if (!rows.ok()) return rows.status();
  if (rows->empty()) return false;
  if (files.has_events && !files.events.has_value()) {
    // A further file says from which step on it counts, so it has all of it.
    files.events_next = FirstPlaceOf(StepAt(files.events_next));
    rows = ReadMetricsRows(*jobs_, job, std::min(from, files.events_next),
                           kRowsInOneGo, ended);
    if (!rows.ok()) return rows.status();
  }
  const absl::StatusOr<HeldDirectory> folder = OpenFolder(ended, files);
  if (absl::IsNotFound(folder.status())) return false;
  if (!folder.ok()) return folder.status();
  files.had_folder = true;
  if (files.has_events) {
    absl::Status written = WriteEvents(*folder, *rows, files);
    if (!written.ok()) return written;
  }
  std::string text;
  for (const MetricsRow& row : *rows) {
    if (row.place() < files.lines->next) continue;
    text += MetricsLine(row, files.context);
  }
  if (text.empty()) return true;
  absl::Status appended = AppendToMetricsFile(
      *folder, text, rows->back().place() + 1, *files.lines);
  if (!appended.ok()) return appended;
  return true;
}

absl::Status JobMetrics::WriteAll(JobId job, const jv1::JobProgress& progress,
                                  int64_t changed_from, Files& files) const {
  const bool ended = progress.has_ended_at();
  files.context.total_steps = progress.total_steps();
  files.context.tokens_of_a_step = TokensOfAStep(files.context.train, progress);
  const int64_t written_to =
      std::max(files.lines.has_value() ? files.lines->next : 0,
               files.events.has_value() ? files.events_next : 0);
  // It may also be a row that was read just before this was told of it.
  if (changed_from < written_to) {
    files.may_be_stale = true;
    files.lines.reset();
  }
  if (!files.lines.has_value()) {
    absl::Status looked = Look(job, ended, files);
    if (!looked.ok()) return looked;
  }
  while (true) {
    const absl::StatusOr<bool> wrote = WriteSome(job, ended, files);
    if (!wrote.ok()) return wrote.status();
    if (!*wrote) break;
  }
  if (!ended || files.lines->bytes == 0) return absl::OkStatus();
  const absl::StatusOr<HeldDirectory> folder =
      HeldDirectory::Open(files.folder, files.writer);
  if (!folder.ok()) return folder.status();
  return SyncMetricsFile(*folder);
}

absl::Status JobMetrics::Update(JobId job, int64_t changed_from) {
  absl::Status updated = UpdateKnown(job, changed_from);
  if (updated.ok()) return updated;
  // If it was deleted meanwhile, its files stay as they are.
  const auto progress = ReadProgress(*jobs_, job);
  if (!progress.ok() || progress->has_value()) return updated;
  files_.erase(job);
  return absl::OkStatus();
}

absl::Status JobMetrics::UpdateKnown(JobId job, int64_t changed_from) {
  const absl::StatusOr<std::optional<jv1::JobProgress>> progress =
      ReadProgress(*jobs_, job);
  if (!progress.ok()) {
    // What was changed is not known the next time.
    files_.erase(job);
    return progress.status();
  }
  if (!progress->has_value()) {
    // It was deleted, or is not there yet. Its files stay as they are.
    files_.erase(job);
    return absl::OkStatus();
  }
  auto known = files_.find(job);
  if (known == files_.end()) {
    absl::StatusOr<Files> files = FilesOf(job);
    if (!files.ok()) return files.status();
    known = files_.emplace(job, *std::move(files)).first;
  }
  Files& files = known->second;
  const bool ended = (*progress)->has_ended_at();
  if (changed_from != kNothingOlder) files.has_new_rows = true;
  absl::Status written = WriteAll(job, **progress, changed_from, files);
  // Whoever changed the files, or removed them, is seen to at once.
  if (absl::IsAborted(written) || (absl::IsNotFound(written) && !ended)) {
    files.lines.reset();
    files.events.reset();
    written = WriteAll(job, **progress, changed_from, files);
  }
  if (absl::IsNotFound(written) && ended) written = absl::OkStatus();
  if (!written.ok()) files.lines.reset();
  if (written.ok() && ended) files_.erase(known);
  return written;
}

}  // namespace hydra
