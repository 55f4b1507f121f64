#ifndef HYDRA_COMMON_JOBFILE_IMPORT_LEDGER_H_
#define HYDRA_COMMON_JOBFILE_IMPORT_LEDGER_H_

#include <cstddef>
#include <map>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "common/jobfile/imported_key.h"
#include "common/jobfile/job_yaml.h"
#include "hydra/v1/job.pb.h"

namespace hydra {

// What has been read of another tool's file so far: the values of the job
// file's fields, by their paths, and what became of each key. Not thread-safe.
class ImportLedger {
 public:
  using Fate = ImportedKey::Fate;

  // A key of the file; line 0: it is not there, and the tool does what it says.
  struct Key {
    std::string name;
    int line;
  };

  // Says what became of `key`. A key that is not in the file is assumed, not
  // taken.
  void Tell(Fate fate, const Key& key, std::string what,
            absl::string_view field = "");
  // Nothing became of `key`, which means the field `path`, because of `why`.
  void Refuse(absl::string_view path, const Key& key, absl::string_view why);

  // Gives the field its only value, and tells that with `note`; refuses what
  // the field does not take, and another value than it has already.
  void Set(const std::string& path, const Key& key, const std::string& text,
           absl::string_view note);
  // `texts` in place of what the field has, unchecked; tells `what`.
  void Give(const std::string& path, const Key& key,
            std::vector<std::string> texts, std::string what);
  // As Give, by no key.
  void SetUntold(absl::string_view path, absl::string_view text);

  // Of the key that was told last: more to say, and that it has no counterpart
  // after all, with a reason or without.
  void AddToLast(absl::string_view note);
  void LoseLast(absl::string_view why = "");

  // The number of the next key that is told; and, once it is, what became of it
  // in place of what was said.
  size_t next_key() const { return keys_.size(); }
  void Judge(size_t key, Fate fate, absl::string_view why);

  // Of the keys that gave the field its value, if it has one.
  void JudgeGivers(absl::string_view path, Fate fate, absl::string_view why);
  // And takes the value away again.
  void Drop(absl::string_view path, Fate fate, absl::string_view why);

  bool Has(absl::string_view path) const { return values_.count(path) != 0; }
  // The values of the field, or none; the first of them, or "".
  std::vector<std::string> TextsOf(absl::string_view path) const;
  std::string FirstOf(absl::string_view path) const;
  size_t field_count() const { return values_.size(); }

  JobFields Fields() const;
  const std::vector<ImportedKey>& keys() const { return keys_; }

 private:
  // And the keys that gave it, as places in keys_.
  struct Value {
    std::vector<std::string> texts;
    std::vector<size_t> givers;
  };

  std::map<std::string, Value, std::less<>> values_;
  std::vector<ImportedKey> keys_;
  // Only to see whether values are right.
  v1::JobSpec scratch_;
};

}  // namespace hydra

#endif  // HYDRA_COMMON_JOBFILE_IMPORT_LEDGER_H_
