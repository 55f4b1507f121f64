#include "worker/data/sequence_build.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "common/tokenizer/tokenizer.h"
#include "worker/data/input_file.h"
#include "worker/data/marked_writer.h"
#include "worker/data/text_tokenizer.h"
#include "worker/data/token_header.h"
#include "worker/data/token_source.h"

namespace hydra {
namespace {

// How many tokens of two texts stay, of `room` for both, as transformers'
// truncation has it: the longer one is cut until they are as long, then both.
void CutLonger(int64_t room, size_t& first, size_t& second) {
  const auto most = static_cast<size_t>(room);
  if (first + second <= most) return;
  size_t& shorter = first <= second ? first : second;
  size_t& longer = first <= second ? second : first;
  if (shorter <= most / 2) {
    longer = most - shorter;
  } else {
    shorter = most / 2;
    longer = most - shorter;
  }
}

class Builder {
 public:
  Builder(const TokenBuild& build, const SequenceOptions& options,
          PosixFile* file, TaskControl* control)
      : build_(build),
        options_(options),
        control_(*control),
        tokenizer_(*build.tokenizer),
        cls_(*build.tokenizer->cls_id),
        sep_(*build.tokenizer->sep_id),
        writer_(file, WholeOf(build, options)) {}

  absl::Status Build() {
    absl::Status done = writer_.Begin();
    for (size_t i = 0; done.ok() && i < build_.files.size(); ++i) {
      done = Read(build_.files[i]);
    }
    if (done.ok() && !options_.labeled.has_value()) done = WriteWindow();
    if (!done.ok()) return done;
    if (!has_rows_) {
      return absl::InvalidArgumentError(
          absl::StrCat(build_.files.front().path,
                       build_.files.size() > 1 ? " and others have" : " has",
                       " no text to train on"));
    }
    return writer_.Finish(counts_);
  }

 private:
  static WholeRows WholeOf(const TokenBuild& build,
                           const SequenceOptions& options) {
    if (options.labeled.has_value()) return {options.labeled->class_count, 0};
    return {0, *build.tokenizer->mask_id};
  }

  absl::Status Read(const TokenBuild::File& named) {
    absl::StatusOr<PosixFile> source = OpenInputFile(named.path, build_.access);
    if (!source.ok()) return source.status();
    const absl::StatusOr<FileDigest> digest = options_.labeled.has_value()
                                                  ? ReadRowsOf(*source)
                                                  : ReadTextOf(*source);
    if (!digest.ok()) return digest.status();
    if (digest->sha256 == named.sha256) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(named.path, " changed while it was read"));
  }

  absl::StatusOr<FileDigest> ReadRowsOf(PosixFile& source) {
    return ReadLabeledRows(
        &source, *options_.labeled, control_,
        [this](const LabeledText& row) { return TakeRow(row); });
  }

  absl::StatusOr<FileDigest> ReadTextOf(PosixFile& source) {
    return ReadTokens(
        &source, SourcePlace(), {build_.format, &tokenizer_, build_.text_field},
        control_,
        [this](absl::Span<const uint32_t> ids, int64_t,
               absl::FunctionRef<SourcePlace()>) { return TakeText(ids); });
  }

  absl::Status TakeRow(const LabeledText& row) {
    ++counts_.read_rows;
    if (row.text.empty() && row.text_pair.empty()) return absl::OkStatus();
    const bool has_pair = !options_.labeled->text_pair_field.empty();
    std::vector<uint32_t> first, second;
    tokenizer_.Encode(row.text, &first);
    if (has_pair) tokenizer_.Encode(row.text_pair, &second);
    size_t first_count = first.size();
    size_t second_count = second.size();
    CutLonger(options_.context_length - (has_pair ? 3 : 2), first_count,
              second_count);
    const size_t lost =
        first.size() + second.size() - first_count - second_count;
    if (lost > 0) {
      ++counts_.cut_rows;
      counts_.cut_tokens += static_cast<int64_t>(lost);
    }
    ids_ = {cls_};
    ids_.insert(ids_.end(), first.begin(), first.begin() + first_count);
    ids_.push_back(sep_);
    const size_t behind_first = ids_.size();
    if (has_pair) {
      ids_.insert(ids_.end(), second.begin(), second.begin() + second_count);
      ids_.push_back(sep_);
    }
    absl::Status known = CheckIds();
    if (!known.ok()) return known;
    for (size_t i = behind_first; i < ids_.size(); ++i) {
      ids_[i] |= kSecondTextMark;
    }
    has_rows_ = true;
    return writer_.Append(ids_, row.row_class);
  }

  absl::Status TakeText(absl::Span<const uint32_t> ids) {
    const auto room = static_cast<size_t>(options_.context_length - 2);
    for (uint32_t id : ids) {
      window_.push_back(id);
      if (window_.size() < room) continue;
      const absl::Status written = WriteWindow();
      if (!written.ok()) return written;
    }
    return absl::OkStatus();
  }

  // What stands between rows of jsonl is not to be hidden, either.
  absl::Status WriteWindow() {
    if (window_.empty()) return absl::OkStatus();
    ids_ = {cls_};
    ids_.insert(ids_.end(), window_.begin(), window_.end());
    ids_.push_back(sep_);
    window_.clear();
    absl::Status known = CheckIds();
    if (!known.ok()) return known;
    for (uint32_t& id : ids_) {
      if (id == cls_ || id == sep_) id |= kUntrainedMark;
    }
    has_rows_ = true;
    ++counts_.read_rows;
    return writer_.Append(ids_);
  }

  absl::Status CheckIds() const {
    const uint32_t largest = *std::max_element(ids_.begin(), ids_.end());
    if (largest < kSecondTextMark) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat(
        "has a token whose id is ", largest, "; no model has so many"));
  }

  const TokenBuild& build_;
  const SequenceOptions& options_;
  TaskControl& control_;
  TextTokenizer tokenizer_;
  const uint32_t cls_;
  const uint32_t sep_;
  MarkedWriter writer_;
  MarkedTokens counts_;
  bool has_rows_ = false;
  std::vector<uint32_t> ids_;     // Of one row.
  std::vector<uint32_t> window_;  // Of text, what is not written yet.
};

}  // namespace

absl::Status BuildSequences(const TokenBuild& build,
                            const SequenceOptions& options, PosixFile* file,
                            TaskControl& control) {
  if (options.context_length < kLeastSequence) {
    return absl::InvalidArgumentError(
        absl::StrCat("sequences of ", options.context_length,
                     " tokens have no room for a text; at least ",
                     kLeastSequence, " are needed"));
  }
  if (!build.tokenizer->cls_id.has_value() ||
      !build.tokenizer->sep_id.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer ", kHasNoClsOrSep));
  }
  if (!options.labeled.has_value() && !build.tokenizer->mask_id.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrCat("the tokenizer ", kHasNoMask));
  }
  return Builder(build, options, file, &control).Build();
}

}  // namespace hydra
