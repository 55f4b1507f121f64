#include "common/jobfile/job_file.h"

#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "common/jobfile/expand.h"
#include "common/jobfile/job_aliases.h"
#include "common/jobfile/mistakes.h"
#include "common/jobfile/path_rules.h"
#include "common/jobfile/suggest.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/jobfile/yaml_tree.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Kind = YamlNode::Kind;

constexpr absl::string_view kSweep = "sweep";
constexpr absl::string_view kGridPath = "sweep.grid";

void AddUnexpected(absl::string_view field, absl::string_view expected,
                   const YamlNode& node, Mistakes* mistakes) {
  AddMistake(field,
             AtLine(node.line, absl::StrCat("expected ", expected, ", found ",
                                            Found(node))),
             mistakes);
}

void AppendValue(const YamlNode& node, v1::GridAxis* axis, Mistakes* mistakes) {
  if (node.kind == Kind::kScalar) {
    axis->add_values(node.text);
  } else {
    AddUnexpected(axis->field(), "single values in the list", node, mistakes);
  }
}

// The axis, unchecked.
v1::GridAxis ReadAxis(const YamlEntry& entry, Mistakes* mistakes) {
  v1::GridAxis axis;
  axis.set_field(entry.key);
  const YamlNode& node = entry.value;
  switch (node.kind) {
    case Kind::kSequence:
      for (const YamlNode& item : node.items) {
        AppendValue(item, &axis, mistakes);
      }
      break;
    case Kind::kScalar:
      AppendValue(node, &axis, mistakes);
      break;
    case Kind::kMap:
      AddUnexpected(entry.key,
                    "a list of values under a field's whole path, such as "
                    "'train.learning_rate'",
                    node, mistakes);
      break;
    case Kind::kNull:
      AddUnexpected(entry.key, "a list of values", node, mistakes);
      break;
  }
  return axis;
}

// Adds CheckAxis's mistakes with the line of the axis's key.
void CheckAxisAtLine(int line, const v1::GridAxis& axis, Mistakes* mistakes) {
  Mistakes found;
  CheckAxis(axis, &found);
  for (const Mistake& mistake : found) {
    AddMistake(mistake.field(), AtLine(line, mistake.description()), mistakes);
  }
}

void ReadGrid(const YamlNode& node, std::vector<v1::GridAxis>* grid,
              Mistakes* mistakes) {
  if (node.kind == Kind::kNull) return;
  if (node.kind != Kind::kMap) {
    AddUnexpected(kGridPath, "field paths with lists of values", node,
                  mistakes);
    return;
  }
  std::map<absl::string_view, int> line_of_axis;
  for (const YamlEntry& entry : node.entries) {
    if (IsFull(*mistakes)) return;
    const auto [first, is_new] = line_of_axis.emplace(entry.key, entry.line);
    if (!is_new) {
      AddMistake(entry.key,
                 AtLine(entry.line,
                        absl::StrCat("this key is given twice, first in line ",
                                     first->second)),
                 mistakes);
      continue;
    }
    const size_t mistakes_before = mistakes->size();
    v1::GridAxis axis = ReadAxis(entry, mistakes);
    if (mistakes->size() == mistakes_before) {
      CheckAxisAtLine(entry.line, axis, mistakes);
    }
    if (mistakes->size() == mistakes_before) grid->push_back(std::move(axis));
  }
}

void ReadSweep(const YamlNode& node, std::vector<v1::GridAxis>* grid,
               Mistakes* mistakes) {
  if (node.kind == Kind::kNull) return;
  if (node.kind != Kind::kMap) {
    AddUnexpected(kSweep, "a section with the key 'grid'", node, mistakes);
    return;
  }
  bool has_grid = false;
  for (const YamlEntry& entry : node.entries) {
    const std::string path = absl::StrCat(kSweep, ".", entry.key);
    if (path != kGridPath) {
      AddMistake(
          path,
          AtLine(entry.line,
                 absl::StrCat("unknown key ", Quoted(entry.key), "; ",
                              KeyHint(*v1::JobSpec::descriptor(), kSweep,
                                      entry.key, {"grid"}, JobAliases()))),
          mistakes);
    } else if (std::exchange(has_grid, true)) {
      AddMistake(path, AtLine(entry.line, "this key is given twice"), mistakes);
    } else {
      ReadGrid(entry.value, grid, mistakes);
    }
  }
}

// Takes the top level's `sweep` entries out of `root`.
std::vector<YamlEntry> TakeSweeps(YamlNode* root) {
  std::vector<YamlEntry> sweeps;
  std::vector<YamlEntry> others;
  for (YamlEntry& entry : root->entries) {
    (entry.key == kSweep ? sweeps : others).push_back(std::move(entry));
  }
  root->entries = std::move(others);
  return sweeps;
}

// A message does not tell an empty name from none.
void CheckNameIsNotEmpty(const YamlNode& root, Mistakes* mistakes) {
  for (const YamlEntry& entry : root.entries) {
    const bool is_empty = entry.key == "name" &&
                          entry.value.kind == Kind::kScalar &&
                          entry.value.text.empty();
    if (!is_empty) continue;
    AddMistake("name",
               AtLine(entry.line,
                      "expected a name, found ''; leave the key "
                      "out for the name 'job'"),
               mistakes);
  }
}

}  // namespace

absl::StatusOr<JobFileDraft> ReadJobFile(absl::string_view text) {
  JobFileDraft draft;
  Mistakes& mistakes = draft.mistakes;
  absl::StatusOr<YamlNode> root = ParseYaml(text);
  if (!root.ok()) {
    AddMistake("", root.status().message(), &mistakes);
    return ToStatus(mistakes);
  }
  draft.order = FieldOrder(*root);
  const std::vector<YamlEntry> sweeps = TakeSweeps(&*root);

  JobFile& file = draft.file;
  YamlToProto(*root, JobAliases(), &file.job, &mistakes, {kSweep});
  CheckNameIsNotEmpty(*root, &mistakes);
  for (const YamlEntry& sweep : sweeps) {
    if (&sweep == &sweeps.front()) {
      ReadSweep(sweep.value, &file.grid, &mistakes);
    } else {
      AddMistake(kSweep,
                 AtLine(sweep.line,
                        absl::StrCat("this key is given twice, first in line ",
                                     sweeps.front().line)),
                 &mistakes);
    }
  }
  // Axes are known to be right by now; this adds what they do together.
  for (const Mistake& mistake : CheckGrid(file.grid)) {
    AddMistake(mistake.field(), mistake.description(), &mistakes);
  }
  draft.order.Sort(&mistakes);
  return draft;
}

absl::StatusOr<JobFile> ParseJobFile(absl::string_view text) {
  absl::StatusOr<JobFileDraft> draft = ReadJobFile(text);
  if (!draft.ok()) return draft.status();
  if (!draft->mistakes.empty()) return ToStatus(draft->mistakes);
  return std::move(draft->file);
}

void MakePathsAbsolute(absl::string_view base_dir, JobFile* file) {
  for (const PathField& path : PathsOf(&file->job)) {
    *path.value = AbsolutePath(*path.value, base_dir);
  }
  for (v1::GridAxis& axis : file->grid) {
    if (!IsPathField(axis.field())) continue;
    for (std::string& value : *axis.mutable_values()) {
      value = AbsolutePath(value, base_dir);
    }
  }
}

}  // namespace hydra
