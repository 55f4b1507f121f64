#include "common/jobfile/dataset_index.h"

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "common/jobfile/yaml_to_proto.h"
#include "common/jobfile/yaml_tree.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

using Kind = YamlNode::Kind;

const YamlNode* FindKey(const YamlNode& map, absl::string_view key) {
  const auto entry = absl::c_find_if(
      map.entries, [&](const YamlEntry& other) { return other.key == key; });
  return entry == map.entries.end() ? nullptr : &entry->value;
}

std::string TextOf(const YamlNode& map, absl::string_view key) {
  const YamlNode* const node = FindKey(map, key);
  return node == nullptr ? "" : node->text;
}

// Of a row that is made of several fields, or cut, one field is not all.
std::string DifferenceOf(const YamlNode& dataset) {
  for (const YamlEntry& entry : dataset.entries) {
    const bool is_plain = entry.key == "file_name" ||
                          entry.key == "file_sha1" || entry.key == "columns";
    if (is_plain) continue;
    return absl::StrCat(Quoted(entry.key), " in line ", entry.line, " of ",
                        kDatasetIndexFile, " has no counterpart");
  }
  const YamlNode* const columns = FindKey(dataset, "columns");
  if (columns == nullptr) {
    return "its rows are instructions with answers: make one text of each row";
  }
  for (const YamlEntry& entry : columns->entries) {
    if (entry.key == "prompt") continue;
    return absl::StrCat("its rows have ", Quoted(entry.key),
                        " too: make one text of each row");
  }
  return "";
}

}  // namespace

absl::StatusOr<IndexedDataset> FindDataset(absl::string_view index,
                                           absl::string_view name) {
  const absl::StatusOr<YamlNode> root = ParseYaml(index);
  if (!root.ok()) return root.status();
  if (root->kind != Kind::kMap) {
    return absl::InvalidArgumentError(AtLine(
        root->line,
        absl::StrCat("expected names of data sets, found ", Found(*root))));
  }
  const YamlNode* const dataset = FindKey(*root, name);
  if (dataset == nullptr) {
    return absl::NotFoundError(absl::StrCat(Quoted(name), " is not in ",
                                            kDatasetIndexFile,
                                            "; write that data set's files"));
  }
  IndexedDataset found;
  found.file = TextOf(*dataset, "file_name");
  if (found.file.empty()) {
    return absl::NotFoundError(
        absl::StrCat(Quoted(name),
                     " is no file; Hydra reads files of its "
                     "server alone, so download it and write "
                     "its files"));
  }
  const YamlNode* const columns = FindKey(*dataset, "columns");
  if (columns != nullptr) found.text_field = TextOf(*columns, "prompt");
  found.difference = DifferenceOf(*dataset);
  return found;
}

}  // namespace hydra
