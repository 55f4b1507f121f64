#include "worker/data/chat/chat_build.h"

#include <memory>
#include <utility>

#include "absl/algorithm/container.h"
#include "absl/strings/str_cat.h"
#include "worker/data/chat/chat_renderer.h"
#include "worker/data/chat/chat_row.h"
#include "worker/data/input_file.h"
#include "worker/data/marked_writer.h"
#include "worker/data/text_tokenizer.h"
#include "worker/data/token_source.h"

namespace hydra {
namespace {

class Builder {
 public:
  Builder(const TokenBuild& build, const ChatOptions& options, PosixFile* file,
          TaskControl* control)
      : build_(build),
        options_(options),
        control_(*control),
        tokenizer_(*build.tokenizer),
        writer_(file, /*has_rows=*/!options.packing) {}

  absl::Status Build() {
    auto renderer = ChatRenderer::Start(options_.chat_template, control_);
    if (!renderer.ok()) return renderer.status();
    renderer_ = *std::move(renderer);
    absl::Status done = writer_.Begin();
    for (size_t i = 0; done.ok() && i < build_.files.size(); ++i) {
      done = Read(build_.files[i]);
    }
    if (!done.ok()) return done;
    const std::string files =
        absl::StrCat(build_.files.front().path,
                     build_.files.size() > 1 ? " and others" : "");
    if (counts_.read_rows == 0) {
      return absl::InvalidArgumentError(absl::StrCat(
          files, " has no rows; each line must be an object, {...}"));
    }
    if (counts_.dropped_rows == counts_.read_rows) {
      return absl::InvalidArgumentError(absl::StrCat(
          "of ", counts_.read_rows, " rows in ", files,
          ", none has a token to train on",
          options_.packing
              ? ""
              : absl::StrCat(" among its first ", options_.context_length)));
    }
    return writer_.Finish(counts_);
  }

 private:
  absl::Status Read(const TokenBuild::File& named) {
    absl::StatusOr<PosixFile> source =
        OpenInputFile(named.path, build_.access);
    if (!source.ok()) return source.status();
    const absl::StatusOr<FileDigest> digest =
        ReadRows(&*source, control_,
                 [this](absl::string_view row) { return TakeRow(row); });
    if (!digest.ok()) return digest.status();
    if (digest->sha256 == named.sha256) return absl::OkStatus();
    return absl::FailedPreconditionError(
        absl::StrCat(named.path, " changed while it was read"));
  }

  absl::Status TakeRow(absl::string_view row) {
    // Rendering a piece of a file may take minutes.
    if (absl::Status on = control_.Advance(); !on.ok()) return on;
    const bool wants_answers = !options_.train_on_prompt;
    const absl::StatusOr<std::string> messages =
        MessagesOfRow(row, build_.format, wants_answers);
    if (!messages.ok()) return messages.status();
    const absl::StatusOr<RenderedChat> chat =
        renderer_->Render(*messages, wants_answers, control_);
    if (!chat.ok()) {
      // The row is what was read.
      return absl::Status(
          chat.status().code(),
          absl::StrCat("cannot be rendered by ", chat.status().message()));
    }
    Tokenize(*chat);
    ++counts_.read_rows;
    Cut();
    if (!HasTarget()) {
      ++counts_.dropped_rows;
      return absl::OkStatus();
    }
    return writer_.Append(ids_);
  }

  // The text's ids, with marks.
  void Tokenize(const RenderedChat& chat) {
    ids_.clear();
    if (options_.train_on_prompt) return tokenizer_.Encode(chat.text, &ids_);
    std::vector<size_t> places;
    for (const auto& [begin, end] : chat.answers) {
      places.push_back(begin);
      places.push_back(end);
    }
    // Answers may lie in each other.
    std::vector<size_t> in_order = places;
    absl::c_sort(in_order);
    const std::vector<TokenPlace> found =
        tokenizer_.EncodeWithPlaces(chat.text, in_order, &ids_);
    const auto at = [&](size_t place) {
      return found[absl::c_lower_bound(in_order, place) - in_order.begin()];
    };
    std::vector<bool> is_trained(ids_.size());
    for (const auto& [begin, end] : chat.answers) {
      const size_t last = at(end).first_behind;
      for (size_t i = at(begin).first_reaching; i < last; ++i) {
        is_trained[i] = true;
      }
    }
    for (size_t i = 0; i < ids_.size(); ++i) {
      if (!is_trained[i]) ids_[i] |= kUntrainedMark;
    }
  }

  void Cut() {
    const int64_t most = options_.context_length;
    const int64_t count = static_cast<int64_t>(ids_.size());
    if (options_.packing || count <= most) return;
    ++counts_.cut_rows;
    counts_.cut_tokens += count - most;
    ids_.resize(most);
  }

  // Whether something is to be learned from the row. Its first token follows
  // nothing.
  bool HasTarget() const {
    for (size_t i = 1; i < ids_.size(); ++i) {
      if ((ids_[i] & kUntrainedMark) == 0) return true;
    }
    return false;
  }

  const TokenBuild& build_;
  const ChatOptions& options_;
  TaskControl& control_;
  TextTokenizer tokenizer_;
  MarkedWriter writer_;
  std::unique_ptr<ChatRenderer> renderer_;
  MarkedTokens counts_;
  std::vector<uint32_t> ids_;  // Of one row.
};

}  // namespace

absl::Status BuildConversations(const TokenBuild& build,
                                const ChatOptions& options, PosixFile* file,
                                TaskControl& control) {
  return Builder(build, options, file, &control).Build();
}

}  // namespace hydra
