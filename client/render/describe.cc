#include "client/render/describe.h"

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "client/render/device_time.h"
#include "client/render/format.h"
#include "client/render/job_cells.h"
#include "client/render/step_traffic.h"
#include "client/render/table.h"
#include "common/data/data_format.h"
#include "common/jobfile/job_fields.h"
#include "common/jobfile/job_yaml.h"
#include "common/status/proto_time.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Facts = std::vector<std::pair<std::string, std::string>>;

std::string Section(absl::string_view title, bool color) {
  return absl::StrCat("\n", Styled(title, Style::kBold, color), "\n");
}

// "  name   value" lines, values aligned. Empty values are left out.
std::string FactLines(const Facts& facts) {
  size_t longest = 0;
  for (const auto& [name, value] : facts) {
    longest = std::max(longest, name.size());
  }
  std::string text;
  for (const auto& [name, value] : facts) {
    if (value.empty()) continue;
    absl::StrAppend(&text, "  ", name,
                    std::string(longest - name.size() + 2, ' '),
                    Printable(value), "\n");
  }
  return text;
}

std::string OptionalTime(bool has, const google::protobuf::Timestamp& time,
                         absl::TimeZone zone) {
  return has ? TimeText(time, zone) : "";
}

// To the minute; empty where it is not known.
std::string AboutText(bool has, const google::protobuf::Timestamp& time,
                      absl::TimeZone zone) {
  return has ? absl::FormatTime("%Y-%m-%d %H:%M", FromProto(time), zone) : "";
}

// Of the newest step: "65536", or "65536, which overflowed"; empty where the
// loss is not scaled.
std::string LossScaleText(const v1::JobDetail& job) {
  if (job.steps().empty() || !job.steps().rbegin()->has_loss_scale()) return "";
  const v1::StepMetrics& newest = *job.steps().rbegin();
  return absl::StrFormat("%.0f%s", newest.loss_scale(),
                         newest.overflowed() ? ", which overflowed" : "");
}

std::string StatusSection(const v1::JobDetail& detail, bool color,
                          absl::TimeZone zone) {
  const v1::JobStatus& job = detail.status();
  const bool classifies = HasClasses(detail.spec().data().format());
  return absl::StrCat(
      Styled(Printable(absl::StrCat(job.job_id(), " ", job.name())),
             Style::kBold, color),
      "\n",
      FactLines(
          {{"state", StateName(job.state())},
           {"phase", PhaseText(job)},
           {"reason", job.reason()},
           {"priority",
            job.priority() == 0 ? "" : absl::StrCat(job.priority())},
           {"sweep", job.sweep_id()},
           {"owner", job.owner()},
           {"project", job.project()},
           {"parameters", absl::StrJoin(job.parameters(), " ")},
           {"step", StepText(job)},
           {"train loss", TrainLossText(job)},
           {"loss scale", LossScaleText(detail)},
           {"validation",
            classifies
                ? absl::StrCat("loss ", ValidationLossText(job), ", accuracy ",
                               ValidationAccuracyText(job))
                : absl::StrCat("loss ", ValidationLossText(job),
                               ", perplexity ", ValidationPerplexityText(job))},
           {"test", classifies
                        ? absl::StrCat("accuracy ", TestAccuracyText(job))
                        : absl::StrCat("perplexity ", TestPerplexityText(job))},
           {RateUnit(job), RateText(job)},
           {"remaining", RemainingText(job)},
           {"submitted",
            OptionalTime(job.has_submitted_at(), job.submitted_at(), zone)},
           {"started",
            OptionalTime(job.has_started_at(), job.started_at(), zone)},
           {"starts about",
            AboutText(job.has_forecast_start(), job.forecast_start(), zone)},
           {"ends about",
            AboutText(job.has_forecast_end(), job.forecast_end(), zone)},
           {"ended", OptionalTime(job.has_ended_at(), job.ended_at(), zone)},
           {"output", detail.output_path()}}));
}

std::string WarningsSection(const v1::JobDetail& job, bool color) {
  std::string text = Section("warnings", color);
  for (const std::string& warning : job.warnings()) {
    absl::StrAppend(&text, "  ", Printable(warning), "\n");
  }
  return text;
}

std::string SpecSection(const v1::JobSpec& spec, bool color) {
  std::string text = Section("job file", color);
  for (const absl::string_view line :
       absl::StrSplit(JobYaml(FieldsOf(spec)), '\n', absl::SkipEmpty())) {
    absl::StrAppend(&text, "  ", Printable(line), "\n");
  }
  return text;
}

std::vector<Cell> LayerRow(const v1::LayerProfile& layer, int shard) {
  return {absl::StrCat(shard),
          absl::StrCat(layer.layer()),
          layer.kind(),
          BytesText(layer.parameter_bytes()),
          BytesText(layer.saved_bytes()),
          BytesText(layer.peak_bytes()),
          DurationText(FromProto(layer.forward())),
          DurationText(FromProto(layer.backward()))};
}

int ShardOf(const v1::Partition& partition, int layer) {
  int shard = 0;
  for (const int cut : partition.cut_points()) shard += cut <= layer ? 1 : 0;
  return shard;
}

// "on the host: 0.2s of a step there, 0.5s on the device"; empty where it makes
// no difference.
std::string UpdatesText(const v1::Partition& partition) {
  if (!partition.has_updates()) return "";
  const v1::UpdatePlan& updates = partition.updates();
  std::string place = updates.place() == v1::UPDATE_PLACE_HOST
                          ? "on the host"
                          : "on the device";
  if (!updates.has_on_host()) return place;
  return absl::StrCat(
      place, ": a step's take ", DurationText(FromProto(updates.on_host())),
      " on the host, ", DurationText(FromProto(updates.on_device())),
      " on the device");
}

// "1.2s as predicted, 1.6s in the longest shards; 1.3s measured"; empty where
// nothing is known.
std::string StepTimeText(const v1::JobDetail& job) {
  std::vector<std::string> parts;
  const v1::Partition& partition = job.partition();
  if (partition.has_step()) {
    parts.push_back(absl::StrCat(DurationText(FromProto(partition.step())),
                                 " as predicted"));
    if (FromProto(partition.step_of_longest_shards()) >
        FromProto(partition.step())) {
      absl::StrAppend(
          &parts.back(), ", ",
          DurationText(FromProto(partition.step_of_longest_shards())),
          " in the longest shards");
    }
  }
  const v1::TrainSpec& train = job.spec().train();
  const double tokens = static_cast<double>(train.context_length()) *
                        train.per_device_train_batch_size() *
                        train.gradient_accumulation_steps();
  if (job.status().tokens_per_second() > 0) {
    parts.push_back(absl::StrCat(
        DurationText(absl::Seconds(tokens / job.status().tokens_per_second())),
        " measured"));
  }
  return absl::StrJoin(parts, "; ");
}

std::string PartitionSection(const v1::JobDetail& job, int width, bool color) {
  const v1::Partition& partition = job.partition();
  std::string text = Section("partition", color);
  absl::StrAppend(
      &text,
      FactLines({{"source", partition.source()},
                 {"shards", absl::StrCat(partition.cut_points_size() + 1)},
                 {"cut points", absl::StrJoin(partition.cut_points(), ", ")},
                 {"a step", StepTimeText(job)},
                 {"updates", UpdatesText(partition)}}));
  if (partition.layers().empty()) return text;
  Table table({{"SHARD", true},
               {"LAYER", true},
               {"KIND", false, /*flexible=*/true},
               {"PARAMETERS", true},
               {"SAVED", true},
               {"PEAK", true},
               {"FORWARD", true},
               {"BACKWARD", true}});
  for (const v1::LayerProfile& layer : partition.layers()) {
    table.AddRow(LayerRow(layer, ShardOf(partition, layer.layer())));
  }
  return text + table.Render(width, color);
}

// "4 of 16 micro-batches, as the pool holds the boundaries of no more"; empty
// for one.
std::string RoundsText(const v1::PoolDemand& demand,
                       const v1::TrainSpec& train) {
  if (demand.rounds() <= 1) return "";
  const int micro_batches = train.gradient_accumulation_steps();
  const int least = micro_batches / demand.rounds();
  const int most = (micro_batches + demand.rounds() - 1) / demand.rounds();
  const int asked = train.micro_batches_per_round();
  const bool as_asked =
      asked > 0 && (micro_batches + asked - 1) / asked == demand.rounds();
  return absl::StrCat(demand.rounds(), " of ", least,
                      least < most ? absl::StrCat(" or ", most) : "",
                      most == 1 ? " micro-batch, " : " micro-batches, ",
                      as_asked ? "as train.micro_batches_per_round says"
                               : "as the pool holds the boundaries of no more");
}

std::string PoolSection(const v1::JobDetail& job, bool color) {
  const v1::PoolDemand& demand = job.pool_demand();
  return absl::StrCat(
      Section("pool demand", color),
      FactLines({{"rounds of a step", RoundsText(demand, job.spec().train())},
                 {"frozen parameters",
                  demand.base_bytes() > 0
                      ? absl::StrCat(BytesText(demand.base_bytes()),
                                     ", once for all jobs with the same")
                      : ""},
                 {"parameters and state", BytesText(demand.committed_bytes())},
                 {demand.rounds() > 1 ? "boundaries of a round"
                                      : "boundaries of a step",
                  BytesText(demand.boundary_bytes())},
                 {"gradients that wait", BytesText(demand.gradient_bytes())},
                 {"largest write", BytesText(demand.largest_write_bytes())},
                 {"total", BytesText(demand.total_bytes())}}));
}

std::string TotalsSection(const v1::JobTotals& totals, bool color) {
  return absl::StrCat(
      Section("totals", color),
      FactLines({{"tasks", absl::StrCat(totals.tasks())},
                 {"retried tasks", absl::StrCat(totals.retried_tasks())},
                 {"promoted", BytesText(totals.promoted_bytes())},
                 {"demoted", BytesText(totals.demoted_bytes())},
                 {"already on device", BytesText(totals.cached_bytes())},
                 {"compute", DurationText(FromProto(totals.compute()))},
                 {"device time", DeviceTimeText(totals)},
                 {"energy", EnergyText(totals)},
                 {"nonfinite steps", absl::StrCat(totals.nonfinite_steps())}}));
}

std::string EvaluationsSection(const v1::JobDetail& job, int width,
                               bool color) {
  const bool classifies = HasClasses(job.spec().data().format());
  Table table({{"STEP", true},
               {"SPLIT", false, /*flexible=*/true},
               {"LOSS", true},
               {classifies ? "ACCURACY" : "PERPLEXITY", true},
               {classifies ? "EXAMPLES" : "TOKENS", true}});
  for (const v1::EvaluationMetrics& evaluation : job.evaluations()) {
    table.AddRow({absl::StrCat(evaluation.step()), evaluation.split(),
                  LossText(evaluation.loss()),
                  classifies ? AccuracyText(evaluation.accuracy())
                             : PerplexityText(evaluation.perplexity()),
                  absl::StrCat(evaluation.tokens())});
  }
  return Section("evaluations", color) + table.Render(width, color);
}

std::string CheckpointsSection(const v1::JobDetail& job, int width, bool color,
                               absl::TimeZone zone) {
  Table table({{"STEP", true},
               {"WRITTEN"},
               {"SIZE", true},
               {"VAL LOSS", true},
               {"NOTE"},
               {"PATH", false, /*flexible=*/true}});
  for (const v1::CheckpointInfo& checkpoint : job.checkpoints()) {
    table.AddRow(
        {absl::StrCat(checkpoint.step()), TimeText(checkpoint.time(), zone),
         BytesText(checkpoint.bytes()),
         checkpoint.has_validation_loss()
             ? LossText(checkpoint.validation_loss())
             : "-",
         checkpoint.inside_step() ? "inside step" : "-", checkpoint.path()});
  }
  return Section("checkpoints", color) + table.Render(width, color);
}

}  // namespace

std::string RenderJobDetail(const v1::JobDetail& job, int width, bool color,
                            absl::TimeZone zone) {
  std::string text = StatusSection(job, color, zone);
  if (!job.warnings().empty()) text += WarningsSection(job, color);
  text += SpecSection(job.spec(), color);
  if (job.has_partition()) {
    text += PartitionSection(job, width, color);
  }
  if (job.has_pool_demand()) text += PoolSection(job, color);
  if (job.has_totals()) text += TotalsSection(job.totals(), color);
  if (job.traffic().steps() > 0) {
    text += Section("bytes of a step", color) +
            RenderStepTraffic(job.traffic(), width, color);
  }
  if (!job.evaluations().empty()) text += EvaluationsSection(job, width, color);
  if (!job.checkpoints().empty()) {
    text += CheckpointsSection(job, width, color, zone);
  }
  return text;
}

}  // namespace hydra
