#ifndef HYDRA_CLIENT_RENDER_FORMAT_H_
#define HYDRA_CLIENT_RENDER_FORMAT_H_

#include <cstdint>
#include <string>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "google/protobuf/timestamp.pb.h"
#include "hydra/v1/status.pb.h"

namespace hydra {

// How the client writes values for people. Pure functions, safe everywhere.

// Columns that printable text takes: one for each code point.
int DisplayWidth(absl::string_view text);

// The first `width` columns of `text`; when that loses something, the last of
// them is an ellipsis. Width 0 means no limit.
std::string TruncateToWidth(absl::string_view text, int width);

// "512 B", "1.5 GiB"
std::string BytesText(int64_t bytes);

// "0.4s", "42s", "3m05s", "2h07m", "3d04h"; "-" when infinite or negative.
std::string DurationText(absl::Duration duration);

// "2026-11-22 18:04:05" in `zone`.
std::string TimeText(const google::protobuf::Timestamp& time,
                     absl::TimeZone zone);

// A time to come, as far as it is known: "~14:20" on the day of `now`, else
// "~Dec 3 14:20"; with the year where that is another one.
std::string ForecastText(const google::protobuf::Timestamp& time,
                         absl::Time now, absl::TimeZone zone);

// Four digits after the point, and as an exponent where those say nothing.
std::string LossText(double loss);
std::string PerplexityText(double perplexity);
// A part of 1: "0.9722".
std::string AccuracyText(double accuracy);

// "running", "evaluate", "ready"
std::string StateName(v1::JobState state);
std::string PhaseName(v1::JobPhase phase);
std::string StateName(v1::WorkerState state);

bool HasEnded(const v1::JobStatus& job);

}  // namespace hydra

#endif  // HYDRA_CLIENT_RENDER_FORMAT_H_
