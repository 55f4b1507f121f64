#include "worker/data/token_build.h"

#include <memory>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "glog/logging.h"
#include "worker/data/input_file.h"
#include "worker/data/prepare_progress.h"
#include "worker/data/text_tokenizer.h"
#include "worker/data/token_writer.h"

namespace hydra {
namespace {

class Builder {
 public:
  Builder(const TokenBuild& build, PosixFile* file, PosixFile* progress,
          TaskControl* control)
      : build_(build),
        file_(*file),
        progress_file_(*progress),
        control_(*control) {
    if (build.tokenizer != nullptr) {
      tokenizer_ = std::make_unique<TextTokenizer>(*build.tokenizer);
    }
  }

  absl::StatusOr<int64_t> Build() {
    if (absl::Status begun = Begin(); !begun.ok()) return begun;
    const int64_t file_count = build_.files.size();
    for (int64_t i = start_.file; i < file_count; ++i) {
      const absl::Status read =
          Read(i, i == start_.file ? start_.place : SourcePlace());
      if (!read.ok()) return read;
    }
    if (absl::Status done = writer_->Finish(); !done.ok()) return done;
    return start_.written.token_count;
  }

 private:
  // Where an earlier call ended, or at the beginning.
  absl::Status Begin() {
    const absl::StatusOr<PrepareProgress> saved = LoadProgress(&progress_file_);
    if (saved.ok()) {
      writer_.emplace(&file_);
      const absl::Status resumed = writer_->Resume(saved->written, control_);
      if (resumed.ok()) start_ = *saved;
      if (!absl::IsDataLoss(resumed)) return resumed;
      LOG(WARNING) << resumed.message() << "; begins anew";
    } else if (!absl::IsDataLoss(saved.status())) {
      return saved.status();
    }
    writer_.emplace(&file_);
    return writer_->Begin();
  }

  absl::Status Read(int64_t index, const SourcePlace& start) {
    const TokenBuild::File& named = build_.files[index];
    absl::StatusOr<PosixFile> source = OpenInputFile(named.path, build_.access);
    if (!source.ok()) return source.status();
    int64_t taken_bytes = start.end_bytes;
    const auto take = [&](absl::Span<const uint32_t> ids, int64_t end_bytes,
                          absl::FunctionRef<SourcePlace()> place) {
      const absl::Status appended = writer_->Append(ids);
      if (!appended.ok()) return appended;
      unsaved_bytes_ += end_bytes - std::exchange(taken_bytes, end_bytes);
      if (unsaved_bytes_ < build_.save_bytes) return absl::OkStatus();
      return Save(index, place());
    };
    const absl::StatusOr<FileDigest> digest = ReadTokens(
        &*source, start, {build_.format, tokenizer_.get(), build_.text_field},
        control_, take);
    if (!digest.ok()) return digest.status();
    if (digest->sha256 == named.sha256) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(named.path, " changed while it was read"));
  }

  absl::Status Save(int64_t file, SourcePlace place) {
    absl::StatusOr<WrittenTokens> written = writer_->Save();
    if (!written.ok()) return written.status();
    unsaved_bytes_ = 0;
    return SaveProgress({file, std::move(place), *std::move(written)},
                        &progress_file_);
  }

  const TokenBuild& build_;
  PosixFile& file_;
  PosixFile& progress_file_;
  TaskControl& control_;
  std::unique_ptr<TextTokenizer> tokenizer_;
  std::optional<TokenWriter> writer_;
  // Where this call began.
  PrepareProgress start_;
  int64_t unsaved_bytes_ = 0;
};

}  // namespace

absl::StatusOr<int64_t> BuildTokens(const TokenBuild& build, PosixFile* file,
                                    PosixFile* progress, TaskControl& control) {
  return Builder(build, file, progress, &control).Build();
}

}  // namespace hydra
