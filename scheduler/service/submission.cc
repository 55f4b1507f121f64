#include "scheduler/service/submission.h"

#include <algorithm>
#include <fstream>
#include <optional>
#include <set>
#include <sstream>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "absl/strings/strip.h"
#include "common/jobfile/expand.h"
#include "common/jobfile/validate.h"
#include "common/model/gpt2_config.h"
#include "common/safetensors/weight_directory.h"
#include "scheduler/service/tokenizer_files.h"

namespace hydra {
namespace {

namespace v1 = hydra::v1;

constexpr int64_t kMaxConfigBytes = 1 << 20;
// No machine has so much, and sums of such sizes do not overflow.
constexpr double kMaxBoundaryBytes = 1e15;

void AddStatus(absl::string_view field, const absl::Status& status,
               Mistakes& mistakes) {
  if (!status.ok()) AddMistake(field, status.message(), &mistakes);
}

// A model directory as one submission sees it: read once for all its jobs.
struct Model {
  std::string config_json;
  std::optional<Gpt2Config> config;
  // What is wrong with it, each with its field.
  Mistakes mistakes;
};

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::string text(kMaxConfigBytes + 1, '\0');
  file.read(text.data(), text.size());
  text.resize(file.gcount());
  if (text.size() > kMaxConfigBytes) {
    return absl::InvalidArgumentError(
        absl::StrCat(path, " is larger than ", kMaxConfigBytes, " bytes"));
  }
  return text;
}

std::string ShapeText(absl::Span<const int64_t> shape) {
  return absl::StrCat("[", absl::StrJoin(shape, ", "), "]");
}

// Published checkpoints name tensors with and without the prefix.
const safetensors::Weight* FindWeight(
    const safetensors::WeightDirectory& weights, const std::string& name) {
  const safetensors::Weight* found = weights.Find(name);
  if (found != nullptr) return found;
  return weights.Find(absl::StripPrefix(name, "transformer."));
}

void CheckWeights(const std::string& path,
                  const std::vector<std::string>& read_roots,
                  const ModelTable& table, Mistakes& mistakes) {
  safetensors::WeightDirectoryOptions options;
  options.allowed_roots = read_roots;
  const absl::StatusOr<safetensors::WeightDirectory> weights =
      safetensors::WeightDirectory::Open(path, options);
  if (!weights.ok()) {
    AddStatus("model.path", weights.status(), mistakes);
    return;
  }
  for (const ParameterBlock& block : table.parameter_blocks) {
    for (const TensorEntry& tensor : block.tensors) {
      const safetensors::Weight* weight = FindWeight(*weights, tensor.name);
      if (weight == nullptr) {
        AddMistake("model.path",
                   absl::StrCat("the weights have no tensor ", tensor.name,
                                " of shape ", ShapeText(tensor.shape)),
                   &mistakes);
      } else if (weight->tensor->shape != tensor.shape) {
        AddMistake(
            "model.path",
            absl::StrCat("tensor ", tensor.name, " has shape ",
                         ShapeText(weight->tensor->shape),
                         "; config.json asks for ", ShapeText(tensor.shape)),
            &mistakes);
      }
    }
  }
}

Model ReadModel(const v1::ModelSpec& spec, const PathPolicy& paths) {
  Model model;
  if (absl::Status directory = paths.CheckReadableDirectory(spec.path());
      !directory.ok()) {
    AddStatus("model.path", directory, model.mistakes);
    return model;
  }
  const std::string file = absl::StrCat(spec.path(), "/config.json");
  if (absl::Status status = paths.CheckReadableFile(file); !status.ok()) {
    AddStatus("model.path", status, model.mistakes);
    return model;
  }
  const absl::StatusOr<std::string> text = ReadSmallFile(file);
  if (!text.ok()) {
    AddStatus("model.path", text.status(), model.mistakes);
    return model;
  }
  model.config_json = *text;
  const absl::StatusOr<Gpt2Config> config = ParseGpt2Config(*text);
  if (!config.ok()) {
    for (absl::string_view line :
         absl::StrSplit(config.status().message(), '\n')) {
      AddMistake("model.path", absl::StrCat("config.json: ", line),
                 &model.mistakes);
    }
    return model;
  }
  model.config = *config;
  if (spec.init() == v1::INITIALIZATION_PRETRAINED) {
    CheckWeights(spec.path(), paths.read_roots(), BuildGpt2Table(*config),
                 model.mistakes);
  }
  return model;
}

void CheckFiles(absl::string_view field,
                const google::protobuf::RepeatedPtrField<std::string>& files,
                const PathPolicy& paths, Mistakes& mistakes) {
  for (int i = 0; i < files.size(); ++i) {
    AddStatus(absl::StrCat(field, "[", i, "]"),
              paths.CheckReadableFile(files[i]), mistakes);
  }
}

// Its files go along with the trained model, so all of them must be readable
// for the submitter; only text needs any.
void CheckTokenizer(const v1::JobSpec& spec, const PathPolicy& paths,
                    Mistakes& mistakes) {
  for (const char* name : kTokenizerFiles) {
    const std::string path =
        absl::StrCat(spec.model().tokenizer_path(), "/", name);
    const absl::Status status = paths.CheckReadableFile(path);
    const bool needed =
        spec.data().format() == v1::DATA_FORMAT_TEXT && IsNeededForText(name);
    if (needed || !absl::IsNotFound(status)) {
      AddStatus("model.tokenizer_path", status, mistakes);
    }
  }
}

void CheckData(const v1::JobSpec& spec, const PathPolicy& paths,
               Mistakes& mistakes) {
  CheckFiles("data.train_files", spec.data().train_files(), paths, mistakes);
  CheckFiles("data.validation_files", spec.data().validation_files(), paths,
             mistakes);
  CheckFiles("data.test_files", spec.data().test_files(), paths, mistakes);
  CheckTokenizer(spec, paths, mistakes);
}

// What depends on the model's dimensions; fills in the context length.
void CheckAgainstModel(const Gpt2Config& config, v1::JobSpec& spec,
                       Mistakes& mistakes) {
  v1::TrainSpec& train = *spec.mutable_train();
  if (!train.has_context_length()) {
    train.set_context_length(config.n_positions);
  }
  if (train.context_length() > config.n_positions) {
    AddMistake("train.context_length",
               absl::StrCat("found ", train.context_length(),
                            "; the model's longest is ", config.n_positions),
               &mistakes);
  }
  CheckStepTokens(spec, &mistakes);
  const double boundary_bytes =
      4.0 * config.n_embd * train.context_length() *
      std::max<double>(train.per_device_train_batch_size(),
                       spec.evaluation().per_device_eval_batch_size()) *
      train.gradient_accumulation_steps() * config.n_layer;
  if (boundary_bytes > kMaxBoundaryBytes) {
    AddMistake("train.per_device_train_batch_size",
               absl::StrCat("found ", train.per_device_train_batch_size(),
                            "; with this context, width and accumulation the "
                            "boundary tensors would take ",
                            boundary_bytes, " bytes"),
               &mistakes);
  }
  const int layers = BuildGpt2Table(config).layer_count();
  for (int i = 0; i < spec.partition().cut_points_size(); ++i) {
    if (spec.partition().cut_points(i) >= layers) {
      AddMistake(absl::StrCat("partition.cut_points[", i, "]"),
                 absl::StrCat("found ", spec.partition().cut_points(i),
                              "; the model has layers 0 to ", layers - 1),
                 &mistakes);
    }
  }
}

Gpt2Config WithDropout(Gpt2Config config, const v1::TrainSpec& train) {
  if (train.has_dropout()) {
    config.embd_pdrop = train.dropout();
    config.attn_pdrop = train.dropout();
    config.resid_pdrop = train.dropout();
  }
  return config;
}

// The same mistake in twelve jobs of a sweep is one mistake.
Mistakes WithoutRepeats(const Mistakes& mistakes) {
  std::set<std::pair<std::string, std::string>> seen;
  Mistakes once;
  for (const v1::FieldViolation& mistake : mistakes) {
    if (seen.emplace(mistake.field(), mistake.description()).second) {
      once.push_back(mistake);
    }
  }
  return once;
}

}  // namespace

SubmissionChecker::SubmissionChecker(PathPolicy paths,
                                     std::string default_output_dir)
    : paths_(std::move(paths)),
      default_output_dir_(std::move(default_output_dir)) {}

absl::StatusOr<std::vector<NewJob>> SubmissionChecker::Check(
    const v1::SubmitRequest& request) const {
  const std::vector<v1::GridAxis> grid(request.grid().begin(),
                                       request.grid().end());
  absl::StatusOr<std::vector<ExpandedJob>> expanded =
      ExpandGrid(request.job(), grid);
  if (!expanded.ok()) return expanded.status();
  std::map<std::string, Model> models;
  Mistakes mistakes;
  std::vector<NewJob> jobs;
  for (ExpandedJob& one : *expanded) {
    NewJob job;
    job.spec = std::move(one.spec);
    job.parameters = std::move(one.parameters);
    Mistakes own;
    ValidateJob(job.spec, &own);
    if (own.empty()) {
      FillDefaults(&job.spec);
      CheckData(job.spec, paths_, own);
      job.output_dir = job.spec.output().output_dir().empty()
                           ? default_output_dir_
                           : job.spec.output().output_dir();
      AddStatus("output.output_dir",
                paths_.CheckOutputDirectory(job.output_dir), own);
      job.spec.mutable_output()->set_output_dir(job.output_dir);
      const std::string key = job.spec.model().SerializeAsString();
      if (models.count(key) == 0) {
        models[key] = ReadModel(job.spec.model(), paths_);
      }
      const Model& model = models[key];
      own.insert(own.end(), model.mistakes.begin(), model.mistakes.end());
      if (model.config.has_value()) {
        CheckAgainstModel(*model.config, job.spec, own);
        job.table =
            BuildGpt2Table(WithDropout(*model.config, job.spec.train()));
        job.model_config_json = model.config_json;
      }
    }
    mistakes.insert(mistakes.end(), own.begin(), own.end());
    jobs.push_back(std::move(job));
  }
  if (!mistakes.empty()) return ToStatus(WithoutRepeats(mistakes));
  return jobs;
}

}  // namespace hydra
