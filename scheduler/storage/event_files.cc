#include "scheduler/storage/event_files.h"

#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <optional>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/strip.h"
#include "common/chain/split.h"
#include "common/file/file.h"
#include "common/status/proto_time.h"
#include "hydra/tensorboard/v1/event.pb.h"
#include "scheduler/storage/event_frame.h"

namespace hydra {
namespace {

using tensorboard::v1::Event;
using tensorboard::v1::SessionLog;
using tensorboard::v1::Summary;

constexpr char kPrefix[] = "events.out.tfevents.";
// More seconds, or steps, are of no file of ours: numbers made of these stay
// far from overflowing.
constexpr int64_t kMostInAFile = int64_t{1} << 60;
// Of curves.
constexpr char kTrain[] = "train/";
constexpr char kEval[] = "eval/";

// The seconds that a file's name says, if it is one of ours.
std::optional<int64_t> SecondsOf(absl::string_view name) {
  if (!absl::ConsumePrefix(&name, kPrefix)) return std::nullopt;
  int64_t seconds = 0;
  if (!absl::SimpleAtoi(name.substr(0, name.find('.')), &seconds) ||
      seconds < 0 || seconds > kMostInAFile) {
    return std::nullopt;
  }
  return seconds;
}

// Names of such files, the newest last.
absl::StatusOr<std::vector<std::string>> EventFileNames(
    const HeldDirectory& folder) {
  absl::StatusOr<std::vector<std::string>> names = folder.Names();
  if (!names.ok()) return names;
  names->erase(std::remove_if(names->begin(), names->end(),
                              [](const std::string& name) {
                                return !SecondsOf(name).has_value();
                              }),
               names->end());
  std::stable_sort(names->begin(), names->end(),
                   [](const std::string& a, const std::string& b) {
                     return *SecondsOf(a) < *SecondsOf(b);
                   });
  return names;
}

double UnixSeconds(absl::Time time) {
  return absl::ToDoubleSeconds(time - absl::UnixEpoch());
}

void AddValue(const std::string& tag, double value, Summary& summary) {
  Summary::Value& added = *summary.add_value();
  added.set_tag(tag);
  added.set_simple_value(static_cast<float>(value));
}

void Fill(const v1::StepMetrics& step, const MetricsContext& context,
          Summary& summary) {
  AddValue(absl::StrCat(kTrain, "loss"), step.train_loss(), summary);
  AddValue(absl::StrCat(kTrain, "learning_rate"), LearningRateOf(step, context),
           summary);
  if (step.has_grad_norm()) {
    AddValue(absl::StrCat(kTrain, "grad_norm"), step.grad_norm(), summary);
  }
  if (step.has_loss_scale()) {
    AddValue(absl::StrCat(kTrain, "loss_scale"), step.loss_scale(), summary);
  }
  if (const std::optional<double> rate = RateOf(step, context)) {
    AddValue(
        absl::StrCat(kTrain, context.counts_examples ? "examples_per_second"
                                                     : "tokens_per_second"),
        *rate, summary);
  }
}

// Validation's curves are named as Hugging Face's trainer names them.
void Fill(const v1::EvaluationMetrics& evaluation, const MetricsContext&,
          Summary& summary) {
  const std::string group = SplitOf(evaluation) == worker::v1::SPLIT_VALIDATION
                                ? kEval
                                : absl::StrCat(evaluation.split(), "/");
  AddValue(absl::StrCat(group, "loss"), evaluation.loss(), summary);
  if (evaluation.has_accuracy()) {
    AddValue(absl::StrCat(group, "accuracy"), evaluation.accuracy(), summary);
  } else {
    AddValue(absl::StrCat(group, "perplexity"), evaluation.perplexity(),
             summary);
  }
}

std::string FrameOf(const Event& event) {
  return EventFrame(event.SerializeAsString());
}

// The first place that an event, and so all before it in its file, leaves open.
std::optional<int64_t> PlaceBehind(const Event& event) {
  if (event.step() < 0 || event.step() > kMostInAFile) return std::nullopt;
  // What counts no more is to be written anew.
  if (event.has_session_log()) return FirstPlaceOf(event.step());
  if (event.summary().value().empty()) return std::nullopt;
  const std::string& tag = event.summary().value(0).tag();
  if (absl::StartsWith(tag, kTrain)) return PlaceOfStep(event.step()) + 1;
  return FirstPlaceOf(event.step()) + (absl::StartsWith(tag, kEval) ? 1 : 2);
}

// The same of the last event of a file, of those that are whole. None: it has
// none, or is a link, no regular file, or not to be read, and so of others.
absl::StatusOr<std::optional<int64_t>> PlaceBehind(const HeldDirectory& folder,
                                                   const std::string& name) {
  const std::string path = folder.PathOf(name);
  const absl::StatusOr<UniqueFd> file =
      OpenRegularFileIn(folder.fd(), folder.path(), name, folder.user());
  if (absl::IsInvalidArgument(file.status()) ||
      absl::IsPermissionDenied(file.status())) {
    return std::nullopt;
  }
  if (!file.ok()) return file.status();
  std::optional<int64_t> place;
  const absl::StatusOr<int64_t> read =
      ForEachEventFrame(*file, path, [&](absl::string_view data) {
        Event event;
        if (!event.ParseFromArray(data.data(), static_cast<int>(data.size()))) {
          return;
        }
        const std::optional<int64_t> behind = PlaceBehind(event);
        if (behind.has_value()) place = behind;
      });
  if (!read.ok()) return read.status();
  return place;
}

}  // namespace

absl::StatusOr<int64_t> FirstPlaceWithoutEvents(const HeldDirectory& folder) {
  const absl::StatusOr<std::vector<std::string>> names = EventFileNames(folder);
  if (!names.ok()) return names.status();
  for (auto name = names->rbegin(); name != names->rend(); ++name) {
    const auto place = PlaceBehind(folder, *name);
    if (!place.ok()) return place.status();
    if (place->has_value()) return **place;
  }
  return 0;
}

absl::StatusOr<EventFile> BeginEventFile(const HeldDirectory& folder,
                                         const std::string& host,
                                         int64_t first_step, absl::Time now) {
  const absl::StatusOr<std::vector<std::string>> names = EventFileNames(folder);
  if (!names.ok()) return names.status();
  int64_t seconds = absl::ToUnixSeconds(now);
  if (!names->empty()) {
    seconds = std::max(seconds, *SecondsOf(names->back()) + 1);
  }
  EventFile made;
  made.name = absl::StrFormat("%s%010d.%s", kPrefix, seconds, host);
  Event version;
  version.set_wall_time(UnixSeconds(now));
  version.set_file_version("brain.Event:2");
  Event start;
  start.set_wall_time(UnixSeconds(now));
  start.set_step(first_step);
  start.mutable_session_log()->set_status(SessionLog::START);
  const std::string text = FrameOf(version) + FrameOf(start);
  const absl::StatusOr<UniqueFd> file = folder.CreateFile(made.name);
  if (!file.ok()) return file.status();
  made.bytes = static_cast<int64_t>(text.size());
  absl::Status written =
      WriteExactly(*file, folder.PathOf(made.name), 0, made.bytes, text.data());
  if (written.ok()) return made;
  // Where there is no room, each attempt would leave one.
  (void)folder.Remove(made.name);
  return written;
}

absl::Status AppendEvents(const HeldDirectory& folder,
                          const std::vector<MetricsRow>& rows,
                          const MetricsContext& context, absl::Time& last_time,
                          EventFile& file) {
  std::string text;
  for (const MetricsRow& row : rows) {
    if (const auto* step = std::get_if<v1::StepMetrics>(&row.metrics)) {
      last_time = FromProto(step->time());
    }
    Event event;
    event.set_wall_time(UnixSeconds(last_time));
    event.set_step(row.step());
    std::visit(
        [&](const auto& one) { Fill(one, context, *event.mutable_summary()); },
        row.metrics);
    text += FrameOf(event);
  }
  const std::string path = folder.PathOf(file.name);
  const absl::StatusOr<UniqueFd> opened = folder.OpenToAppend(file.name);
  if (!opened.ok()) return opened.status();
  const absl::StatusOr<int64_t> bytes = FileBytes(*opened, path);
  if (!bytes.ok()) return bytes.status();
  if (*bytes != file.bytes) {
    return absl::AbortedError(absl::StrCat(path, " has ", *bytes, " B where ",
                                           file.bytes, " B were written"));
  }
  const auto more = static_cast<int64_t>(text.size());
  absl::Status written =
      WriteExactly(*opened, path, file.bytes, more, text.data());
  if (written.ok()) {
    file.bytes += more;
  } else if (ftruncate(opened->get(), file.bytes) != 0) {
    return FileError(errno, absl::StrCat("cannot shorten ", path,
                                         " after: ", written.message()));
  }
  return written;
}

}  // namespace hydra
