#ifndef HYDRA_COMMON_JOBFILE_IMPORT_DATA_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_DATA_H_

#include <cstddef>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "absl/strings/string_view.h"
#include "common/jobfile/import_ledger.h"
#include "common/jobfile/import_options.h"
#include "common/jobfile/trainer_tool.h"
#include "common/jobfile/yaml_tree.h"

namespace hydra {

// What another tool's file says of its data: the files of each split, what a
// row of them is, and what of it is trained on. The job file has one format for
// all of them.
//
// Not thread-safe; `tool`, `options` and `ledger` are the caller's, and live
// longer.
class ImportData {
 public:
  // Reads a key of one data set in the section "datasets", whose files are the
  // field `files`'s, as any other key is read.
  using ReadEntry = std::function<void(
      absl::string_view section, absl::string_view files, const YamlEntry&)>;

  ImportData(const TrainerTool& tool, const ImportOptions& options,
             ReadEntry read, ImportLedger* ledger)
      : tool_(tool),
        options_(options),
        read_(std::move(read)),
        ledger_(*ledger) {}

  // Where LLaMA-Factory's index of data sets lies.
  void set_dataset_dir(std::string directory) {
    dataset_dir_ = std::move(directory);
  }

  // Of keys that say what rows are, and what of them is trained on. True: this
  // was one, and all is told.
  bool TakeRows(absl::string_view section, const ImportLedger::Key& key,
                const YamlEntry& entry);

  // The files of the field `path`: paths, names of the index, data sets, or a
  // list of them.
  void TakeFiles(const std::string& path, const ImportLedger::Key& key,
                 const YamlNode& node);

  // Once all is read: what depends on what rows turned out to be.
  void Judge();

 private:
  void TakeRowFormat(const ImportLedger::Key& key, absl::string_view format);
  void TellFolder(const YamlEntry& entry);
  void AddNamed(const std::string& path, const ImportLedger::Key& key,
                absl::string_view name);
  void AddFile(const std::string& path, const ImportLedger::Key& key,
               const std::string& text);
  void JudgeRows();
  void JudgeTextField();

  const TrainerTool& tool_;
  const ImportOptions& options_;
  const ReadEntry read_;
  ImportLedger& ledger_;
  std::string dataset_dir_ = "data";
  std::set<absl::string_view> formats_;
  // What rows of JSON Lines are, where they are no texts.
  std::string row_format_;
  // By key: what it says, and its place in the ledger.
  struct Depending {
    size_t key;
    std::string value;
  };
  std::map<std::string, Depending> depending_;
  // Of a data set that names no field for its text.
  bool has_default_field_ = false;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_DATA_H_
