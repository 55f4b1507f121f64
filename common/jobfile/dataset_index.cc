#include "common/jobfile/dataset_index.h"

#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
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

// Columns and tags of rows as Hydra reads them, by the names that the index has
// for them.
struct KnownName {
  absl::string_view of;
  absl::string_view name;
};
constexpr KnownName kInstructionColumns[] = {{"prompt", "instruction"},
                                             {"query", "input"},
                                             {"response", "output"},
                                             {"system", "system"},
                                             {"history", "history"}};
constexpr KnownName kChatColumns[] = {{"messages", "conversations"},
                                      {"messages", "messages"},
                                      {"system", "system"}};
constexpr KnownName kSharedTags[] = {{"role_tag", "from"},
                                     {"content_tag", "value"},
                                     {"user_tag", "human"},
                                     {"assistant_tag", "gpt"},
                                     {"system_tag", "system"}};
constexpr KnownName kMessageTags[] = {{"role_tag", "role"},
                                      {"content_tag", "content"},
                                      {"user_tag", "user"},
                                      {"assistant_tag", "assistant"},
                                      {"system_tag", "system"}};

// The first name of `map`, which may be null, that is none of `known`; empty:
// all are.
std::string Unknown(const YamlNode* map, absl::Span<const KnownName> known) {
  if (map == nullptr) return "";
  for (const YamlEntry& entry : map->entries) {
    const bool is_known = absl::c_any_of(known, [&](const KnownName& one) {
      return one.of == entry.key && one.name == entry.value.text;
    });
    if (!is_known) return absl::StrCat(entry.key, ": ", entry.value.text);
  }
  return "";
}

std::string HasNoCounterpart(absl::string_view what) {
  return absl::StrCat("its rows have ", Quoted(what),
                      ", which has no counterpart: make rows with the usual "
                      "fields of them");
}

// Of a conversation's rows, whose messages may be written in two ways.
std::string DifferenceOfChat(const YamlNode* columns, const YamlNode* tags) {
  const std::string column = Unknown(columns, kChatColumns);
  if (!column.empty()) return HasNoCounterpart(column);
  const std::string tag = Unknown(tags, kMessageTags);
  if (tag.empty() || Unknown(tags, kSharedTags).empty()) return "";
  return HasNoCounterpart(tag);
}

// Keys that say something of all rows.
std::string DifferenceOf(const YamlNode& dataset) {
  for (const YamlEntry& entry : dataset.entries) {
    const bool is_plain =
        entry.key == "file_name" || entry.key == "file_sha1" ||
        entry.key == "columns" || entry.key == "tags" ||
        entry.key == "formatting" ||
        (entry.key == "ranking" && entry.value.text == "false");
    if (is_plain) continue;
    return absl::StrCat(Quoted(entry.key), " in line ", entry.line, " of ",
                        kDatasetIndexFile, " has no counterpart");
  }
  return "";
}

// Says what rows of `dataset` are.
void ReadRows(const YamlNode& dataset, IndexedDataset& found) {
  const YamlNode* const columns = FindKey(dataset, "columns");
  const std::string formatting = TextOf(dataset, "formatting");
  std::string difference;
  if (formatting == "sharegpt") {
    found.format = "chat";
    difference = DifferenceOfChat(columns, FindKey(dataset, "tags"));
  } else if (!formatting.empty() && formatting != "alpaca") {
    difference = HasNoCounterpart(absl::StrCat("formatting: ", formatting));
  } else if (columns != nullptr && columns->entries.size() == 1 &&
             columns->entries.front().key == "prompt") {
    found.format = "jsonl";
    found.text_field = columns->entries.front().value.text;
  } else {
    found.format = "instruction";
    const std::string unknown = Unknown(columns, kInstructionColumns);
    if (!unknown.empty()) difference = HasNoCounterpart(unknown);
  }
  if (found.difference.empty()) found.difference = std::move(difference);
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
  found.difference = DifferenceOf(*dataset);
  ReadRows(*dataset, found);
  return found;
}

}  // namespace hydra
