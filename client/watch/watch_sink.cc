#include "client/watch/watch_sink.h"

#include <cstddef>

#include "absl/strings/str_cat.h"
#include "client/render/format.h"
#include "client/render/json.h"
#include "client/watch/progress.h"
#include "common/text/printable.h"

namespace hydra {
namespace {

class LiveSink final : public WatchSink {
 public:
  explicit LiveSink(const CliContext& context) : context_(context) {}

  void Update(const v1::WatchResponse& response, const WatchModel& model,
              absl::Time now) override {
    const Terminal& terminal = context_.err_terminal;
    std::string frame = Rewind();
    const auto lines = RenderProgress(model, Size(), terminal.color);
    for (const std::string& line : lines) absl::StrAppend(&frame, line, "\n");
    drawn_lines_ = lines.size();
    // In one piece, so that the display does not flicker.
    *context_.err << frame << std::flush;
  }

  // The text stays above the next frame.
  void Notice(const std::string& text) override {
    *context_.err << Rewind() << "hydra: " << Printable(text) << "\n"
                  << std::flush;
    drawn_lines_ = 0;
  }

 private:
  // A terminal that does not tell its size is taken for a usual one: lines that
  // wrap would spoil the display.
  TerminalSize Size() const {
    TerminalSize size = context_.err_terminal.size();
    if (size.width <= 0) size.width = 80;
    if (size.height <= 0) size.height = 24;
    return size;
  }

  // Moves to where the last frame began, and clears from there.
  std::string Rewind() const {
    if (drawn_lines_ == 0) return "";
    return absl::StrCat("\r\033[", drawn_lines_, "A\033[J");
  }

  const CliContext& context_;
  size_t drawn_lines_ = 0;
};

class PlainSink final : public WatchSink {
 public:
  explicit PlainSink(const CliContext& context) : context_(context) {}

  void Update(const v1::WatchResponse& response, const WatchModel& model,
              absl::Time now) override {
    for (const std::string& line : progress_.Update(model, now)) {
      *context_.err << line << "\n";
    }
    context_.err->flush();
  }

  void Notice(const std::string& text) override {
    *context_.err << "hydra: " << Printable(text) << "\n" << std::flush;
  }

 private:
  const CliContext& context_;
  PlainProgress progress_;
};

class QuietSink final : public WatchSink {
 public:
  explicit QuietSink(const CliContext& context) : context_(context) {}

  void Update(const v1::WatchResponse& response, const WatchModel& model,
              absl::Time now) override {}

  void Notice(const std::string& text) override {
    *context_.err << "hydra: " << Printable(text) << "\n" << std::flush;
  }

 private:
  const CliContext& context_;
};

class JsonSink final : public WatchSink {
 public:
  explicit JsonSink(const CliContext& context) : context_(context) {}

  void Update(const v1::WatchResponse& response, const WatchModel& model,
              absl::Time now) override {
    *context_.out << JsonLine(response) << std::flush;
  }

  void Notice(const std::string& text) override {
    *context_.err << "hydra: " << Printable(text) << "\n" << std::flush;
  }

 private:
  const CliContext& context_;
};

}  // namespace

std::unique_ptr<WatchSink> MakeProgressSink(const CliContext& context) {
  if (context.err_terminal.in_place) return std::make_unique<LiveSink>(context);
  return std::make_unique<PlainSink>(context);
}

std::unique_ptr<WatchSink> MakeJsonSink(const CliContext& context) {
  return std::make_unique<JsonSink>(context);
}

std::unique_ptr<WatchSink> MakeQuietSink(const CliContext& context) {
  return std::make_unique<QuietSink>(context);
}

}  // namespace hydra
