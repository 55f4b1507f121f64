#include "worker/model/adafactor.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <vector>

#include "worker/model/parallel_for.h"

namespace hydra {
namespace {

constexpr double kDecayRate = -0.8;
// Added to each squared gradient: eps[0].
constexpr float kLeastSquare = 1e-30f;
// clip_threshold.
constexpr double kLargestRms = 1;

// What a thread takes at once, at least: some microseconds of work.
constexpr int64_t kElementsOfThread = 1 << 13;
// Columns of one thread, at least: a cache line of them.
constexpr int64_t kLeastColumns = 16;
// A tensor of one dimension is taken as rows that are so long, as far as sums
// of it go.
constexpr int64_t kPieceElements = 1 << 12;
// Sums that are added up side by side, whatever the processor's registers hold.
constexpr int kLanes = 8;

// The sum of term(0) to term(count - 1).
template <typename Term>
double SumOf(int64_t count, const Term& term) {
  std::array<double, kLanes> sums = {};
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) {
    for (int lane = 0; lane < kLanes; ++lane) sums[lane] += term(i + lane);
  }
  for (int lane = 0; i < count; ++i, ++lane) sums[lane] += term(i);
  double sum = 0;
  for (double lane : sums) sum += lane;
  return sum;
}

float Square(float gradient, float scale) {
  const float scaled = scale * gradient;
  return scaled * scaled + kLeastSquare;
}

float Mixed(const AdafactorScalars& scalars, float old, double mean) {
  return scalars.kept * old + scalars.into * static_cast<float>(mean);
}

// What an update of these squares is divided by.
float DivisorOf(const std::vector<double>& squares, int64_t count) {
  double sum = 0;
  for (double of_row : squares) sum += of_row;
  const double rms = std::sqrt(sum / static_cast<double>(count));
  return static_cast<float>(std::max(1.0, rms / kLargestRms));
}

void Step(const AdafactorScalars& scalars, const AdafactorArrays& arrays,
          int64_t element, float update, float divisor) {
  const float parameter = arrays.parameters[element];
  const float kept = parameter - scalars.decay * parameter;
  arrays.new_parameters[element] = kept - update / divisor * scalars.step_size;
}

// Where a moment is, of a state that may be zero.
const float* OldOf(const AdafactorArrays& arrays, const FactoredMoment& of) {
  return arrays.state == nullptr ? nullptr
                                 : arrays.state + of.offset_bytes / kFloatBytes;
}
float* NewOf(const AdafactorArrays& arrays, const FactoredMoment& of) {
  return arrays.new_state + of.offset_bytes / kFloatBytes;
}
float At(const float* moment, int64_t i) {
  return moment == nullptr ? 0 : moment[i];
}

// A tensor of matrices, whose rows and columns have a mean each.
class Matrices {
 public:
  Matrices(const AdafactorScalars& scalars, const FactoredMoments& kept,
           const AdafactorArrays& arrays)
      : scalars_(scalars),
        arrays_(arrays),
        matrices_(kept.matrices),
        rows_(kept.rows),
        columns_(kept.columns),
        old_rows_(OldOf(arrays, kept.moments[0])),
        old_columns_(OldOf(arrays, kept.moments[1])),
        new_rows_(NewOf(arrays, kept.moments[0])),
        new_columns_(NewOf(arrays, kept.moments[1])),
        row_factors_(matrices_ * rows_),
        column_factors_(matrices_ * columns_) {}

  void Update() {
    MakeRowMeans();
    MakeColumnsAndFactors();
    std::vector<double> squares(matrices_ * rows_);
    ForEachRow([&](int64_t row) {
      squares[row] = SumOf(columns_, [&](int64_t column) {
        const double update = UpdateOf(row, column);
        return update * update;
      });
    });
    const float divisor = DivisorOf(squares, matrices_ * rows_ * columns_);
    ForEachRow([&](int64_t row) {
      for (int64_t column = 0; column < columns_; ++column) {
        Step(scalars_, arrays_, row * columns_ + column, UpdateOf(row, column),
             divisor);
      }
    });
  }

 private:
  // `row` counts those of all matrices.
  template <typename Body>
  void ForEachRow(const Body& body) const {
    ParallelFor(0, matrices_ * rows_,
                std::max<int64_t>(1, kElementsOfThread / columns_),
                [&](int64_t first, int64_t last) {
                  for (int64_t row = first; row < last; ++row) body(row);
                });
  }

  float SquareAt(int64_t row, int64_t column) const {
    return Square(arrays_.gradient[row * columns_ + column],
                  scalars_.gradient_scale);
  }

  float UpdateOf(int64_t row, int64_t column) const {
    // Both factors together may be too large where all of a row's and of a
    // column's gradients are zero.
    const float of_column =
        column_factors_[row / rows_ * columns_ + column] *
        (scalars_.gradient_scale * arrays_.gradient[row * columns_ + column]);
    return row_factors_[row] * of_column;
  }

  void MakeRowMeans() {
    ForEachRow([&](int64_t row) {
      const double sum = SumOf(
          columns_, [&](int64_t column) { return SquareAt(row, column); });
      new_rows_[row] = Mixed(scalars_, At(old_rows_, row),
                             sum / static_cast<double>(columns_));
    });
  }

  // A thread has some columns of a single matrix, or some of many matrices.
  void MakeColumnsAndFactors() {
    if (matrices_ == 1) {
      const int64_t grain = std::max(kLeastColumns, kElementsOfThread / rows_);
      ParallelFor(0, columns_, grain, [&](int64_t first, int64_t last) {
        std::vector<double> sums(last - first);
        MakeColumnMeans(0, first, last, sums);
      });
      MakeFactors(0);
      return;
    }
    const int64_t grain =
        std::max<int64_t>(1, kElementsOfThread / (rows_ * columns_));
    ParallelFor(0, matrices_, grain, [&](int64_t first, int64_t last) {
      std::vector<double> sums(columns_);
      for (int64_t matrix = first; matrix < last; ++matrix) {
        std::fill(sums.begin(), sums.end(), 0.0);
        MakeColumnMeans(matrix, 0, columns_, sums);
        MakeFactors(matrix);
      }
    });
  }

  // Of some columns, row by row; `sums` has a zero for each.
  void MakeColumnMeans(int64_t matrix, int64_t first, int64_t last,
                       std::vector<double>& sums) {
    for (int64_t row = matrix * rows_; row < (matrix + 1) * rows_; ++row) {
      for (int64_t column = first; column < last; ++column) {
        sums[column - first] += SquareAt(row, column);
      }
    }
    for (int64_t column = first; column < last; ++column) {
      const int64_t place = matrix * columns_ + column;
      new_columns_[place] =
          Mixed(scalars_, At(old_columns_, place),
                sums[column - first] / static_cast<double>(rows_));
    }
  }

  void MakeFactors(int64_t matrix) {
    const float* const means = new_rows_ + matrix * rows_;
    const double sum = SumOf(rows_, [&](int64_t row) { return means[row]; });
    const auto mean = static_cast<float>(sum / static_cast<double>(rows_));
    // Each has a root that is far from zero; their quotient may be none.
    const float root = std::sqrt(mean);
    for (int64_t row = 0; row < rows_; ++row) {
      row_factors_[matrix * rows_ + row] = root / std::sqrt(means[row]);
    }
    const int64_t first = matrix * columns_;
    for (int64_t i = first; i < first + columns_; ++i) {
      column_factors_[i] = 1 / std::sqrt(new_columns_[i]);
    }
  }

  const AdafactorScalars& scalars_;
  const AdafactorArrays& arrays_;
  const int64_t matrices_;
  const int64_t rows_;
  const int64_t columns_;
  const float* const old_rows_;
  const float* const old_columns_;
  float* const new_rows_;
  float* const new_columns_;
  std::vector<float> row_factors_;
  std::vector<float> column_factors_;
};

// Each number has a moment.
void UpdateVector(const AdafactorScalars& scalars, const FactoredMoments& kept,
                  const AdafactorArrays& arrays) {
  const int64_t count = kept.columns;
  const float* const old = OldOf(arrays, kept.moments.front());
  float* const made = NewOf(arrays, kept.moments.front());
  const auto update_of = [&](int64_t i) {
    return 1 / std::sqrt(made[i]) *
           (scalars.gradient_scale * arrays.gradient[i]);
  };
  const int64_t pieces = (count + kPieceElements - 1) / kPieceElements;
  std::vector<double> squares(pieces);
  const auto for_each_piece = [&](const auto& body) {
    ParallelFor(0, pieces, /*grain=*/2, [&](int64_t first, int64_t last) {
      for (int64_t piece = first; piece < last; ++piece) {
        const int64_t begin = piece * kPieceElements;
        body(piece, begin, std::min(count - begin, kPieceElements));
      }
    });
  };
  for_each_piece([&](int64_t piece, int64_t begin, int64_t size) {
    for (int64_t i = begin; i < begin + size; ++i) {
      made[i] = Mixed(scalars, At(old, i),
                      Square(arrays.gradient[i], scalars.gradient_scale));
    }
    squares[piece] = SumOf(size, [&](int64_t i) {
      const double update = update_of(begin + i);
      return update * update;
    });
  });
  const float divisor = DivisorOf(squares, count);
  for_each_piece([&](int64_t, int64_t begin, int64_t size) {
    for (int64_t i = begin; i < begin + size; ++i) {
      Step(scalars, arrays, i, update_of(i), divisor);
    }
  });
}

}  // namespace

AdafactorScalars AdafactorScalarsAt(const Hyperparameters& hyperparameters,
                                    int64_t step) {
  const double kept = 1 - std::pow(static_cast<double>(step), kDecayRate);
  AdafactorScalars scalars;
  scalars.kept = static_cast<float>(kept);
  scalars.into = static_cast<float>(1 - kept);
  scalars.step_size = static_cast<float>(hyperparameters.learning_rate);
  scalars.decay = static_cast<float>(hyperparameters.weight_decay *
                                     hyperparameters.learning_rate);
  return scalars;
}

void UpdateTensor(const AdafactorScalars& scalars, const FactoredMoments& kept,
                  const AdafactorArrays& arrays) {
  if (kept.is_factored()) {
    Matrices(scalars, kept, arrays).Update();
  } else {
    UpdateVector(scalars, kept, arrays);
  }
}

void UpdateTensors(const AdafactorScalars& scalars, const ParameterBlock& block,
                   bool decays_matrices_alone, const AdafactorArrays& arrays) {
  const std::vector<FactoredMoments> kept = FactoredMomentsOf(block);
  for (size_t i = 0; i < kept.size(); ++i) {
    const TensorEntry& tensor = block.tensors[i];
    const int64_t first = block.FirstElement(tensor);
    AdafactorScalars of_tensor = scalars;
    if (decays_matrices_alone && tensor.shape.size() < 2) of_tensor.decay = 0;
    AdafactorArrays of_arrays = arrays;
    of_arrays.gradient += first;
    of_arrays.parameters += first;
    of_arrays.new_parameters += first;
    if (tensor.use != TensorUse::kParameter) {
      std::copy_n(of_arrays.gradient, tensor.element_count,
                  of_arrays.new_parameters);
      continue;
    }
    UpdateTensor(of_tensor, kept[i], of_arrays);
  }
}

}  // namespace hydra
