#include "worker/model/head_layer.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "ATen/core/Tensor.h"
#include "ATen/ops/addmm.h"
#include "ATen/ops/empty.h"
#include "ATen/ops/empty_like.h"
#include "ATen/ops/mm.h"
#include "c10/core/GradMode.h"
#include "c10/util/Exception.h"
#include "common/model/bert_table.h"
#include "common/model/product_type.h"
#include "worker/model/element_type.h"
#include "worker/model/parameter_gradients.h"
#include "worker/model/quantized_tensor.h"
#include "worker/model/rounded_product.h"

namespace hydra {
namespace {

bool IsRounded(ElementType product_type) {
  return product_type != ElementType::kFloat32;
}

// Room for one slice of logits, used again for each. The logits of each range
// lie by themselves: a product's bits must not depend on what lies beside it.
class LogitsBuffer {
 public:
  // For the logits of so many rows of the vocabulary.
  LogitsBuffer(const at::Tensor& normalized, int64_t rows,
               const at::Tensor& bias, ElementType product_type)
      : buffer_(
            at::empty({std::min(normalized.size(0), kLossSliceTokens) * rows},
                      normalized.options())),
        bias_(bias),
        product_type_(product_type) {}

  // Of `tokens` tokens and a range, behind those of `rows_before` other rows.
  at::Tensor At(int64_t tokens, const RowRange& range,
                int64_t rows_before = 0) const {
    return buffer_.narrow(0, tokens * rows_before, tokens * range.count())
        .view({tokens, range.count()});
  }

  at::Tensor Fill(const at::Tensor& normalized, const at::Tensor& weight,
                  const RowRange& range, int64_t rows_before = 0) const {
    at::Tensor logits = At(normalized.size(0), range, rows_before);
    const at::Tensor bias =
        bias_.defined() ? bias_.narrow(0, range.first, range.count()) : bias_;
    if (IsRounded(product_type_)) {
      logits.copy_(RoundedProduct(normalized, weight.t(), product_type_, bias));
      return logits;
    }
    at::mm_out(logits, normalized, weight.t());
    if (bias.defined()) logits.add_(bias);
    return logits;
  }

 private:
  const at::Tensor buffer_;
  // Of all rows of the vocabulary; undefined: none.
  const at::Tensor bias_;
  const ElementType product_type_;
};

at::Tensor RowsOf(const at::Tensor& table, const RowRange& range) {
  return table.narrow(0, range.first, range.count());
}

// What products take of some rows of the table. RoundedProducts take rows that
// are rounded already as they are: so rows that several of them need are
// rounded once.
at::Tensor Operand(const at::Tensor& rows, ElementType product_type) {
  return IsRounded(product_type)
             ? Dequantized(rows).to(TorchTypeOf(product_type))
             : Widened(rows);
}

// All rows of a table as RoundedProducts take them. One of int8 is dequantized
// range by range.
at::Tensor RoundedTable(const at::Tensor& table,
                        const std::vector<RowRange>& ranges,
                        ElementType product_type) {
  if (!IsQuantized(table)) return Operand(table, product_type);
  at::Tensor rounded;
  for (const RowRange& range : ranges) {
    const at::Tensor rows = Dequantized(RowsOf(table, range));
    if (!rounded.defined()) {
      rounded = at::empty({table.size(0), rows.size(1)},
                          rows.options().dtype(TorchTypeOf(product_type)));
    }
    RowsOf(rounded, range).copy_(rows);
  }
  return rounded;
}

// Calls body(first token, rows of `normalized`) for slice after slice.
template <typename Body>
void ForEachSlice(const at::Tensor& normalized, Body body) {
  const int64_t tokens = normalized.size(0);
  for (int64_t first = 0; first < tokens; first += kLossSliceTokens) {
    body(first, normalized.narrow(0, first,
                                  std::min(kLossSliceTokens, tokens - first)));
  }
}

// Calls body(index, range, the one after it) for range after range.
template <typename Body>
void ForEachRange(const std::vector<RowRange>& ranges, Body body) {
  const int count = static_cast<int>(ranges.size());
  for (int i = 0; i < count; ++i) {
    body(i, ranges[i], i + 1 < count ? i + 1 : RowStream::kNone);
  }
}

// Adds up the losses, range after range; rows_of(index, the next one's) is a
// range of the table, and `behind` is asked for after the last one.
template <typename RowsOfRange>
void SweepForLoss(const at::Tensor& normalized,
                  const std::vector<RowRange>& ranges, RowsOfRange rows_of,
                  int behind, const at::Tensor& bias, ElementType product_type,
                  CrossEntropy& loss) {
  const LogitsBuffer buffer(normalized, ranges.front().count(), bias,
                            product_type);
  ForEachRange(ranges, [&](int i, const RowRange& range, int next) {
    const at::Tensor weight = Operand(
        rows_of(i, next == RowStream::kNone ? behind : next), product_type);
    ForEachSlice(normalized, [&](int64_t first, const at::Tensor& slice) {
      at::Tensor logits = buffer.Fill(slice, weight, range);
      loss.Add(first, i, logits);
    });
  });
  ForEachSlice(normalized, [&](int64_t first, const at::Tensor& slice) {
    loss.Finish(first, slice.size(0));
  });
}

void AddScaled(const at::Tensor& product, double scale, bool add,
               const at::Tensor& to) {
  if (add) {
    to.add_(product, scale);
  } else {
    to.copy_(product).mul_(scale);
  }
}

}  // namespace

HeadLayer::HeadLayer(const LayerContext& context)
    : blocks_(context),
      norm_(FinalNormOf(context.entry)),
      product_type_(ProductTypeOf(context.entry)),
      has_bias_(context.entry.op == kBertMaskedHeadOp) {
  TORCH_CHECK(blocks_.size() == 2, "a head has 2 blocks, this one has ",
              blocks_.size());
}

at::Tensor HeadLayer::BiasOf(const Tensors& norm) const {
  return has_bias_ ? norm[bert_head::kBias] : at::Tensor();
}

void HeadLayer::AddBiasGradient(const at::Tensor& logit_gradient, double scale,
                                bool add, const at::Tensor& to) const {
  AddScaled(logit_gradient.sum(0), scale, add, to);
}

// The same product wherever it is used: a slice's part of the gradient of a
// range's rows.
void HeadLayer::AddWeightGradient(const at::Tensor& logit_gradient,
                                  const at::Tensor& slice, double scale,
                                  bool add, const at::Tensor& to) const {
  if (IsRounded(product_type_)) {
    AddScaled(RoundedProduct(logit_gradient.t(), slice, product_type_), scale,
              add, to);
  } else {
    to.addmm_(logit_gradient.t(), slice, /*beta=*/add ? 1 : 0, scale);
  }
}

// And a range's part of the gradient of a slice.
void HeadLayer::AddSliceGradient(const at::Tensor& logit_gradient,
                                 const at::Tensor& weight, double scale,
                                 bool add, at::Tensor to) const {
  if (IsRounded(product_type_)) {
    AddScaled(RoundedProduct(logit_gradient, weight, product_type_), scale, add,
              to);
  } else {
    at::addmm_out(to, to, logit_gradient, weight, /*beta=*/add ? 1 : 0, scale);
  }
}

LayerOutput HeadLayer::Forward(const LayerInput& input) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = input.boundary.front();
  const Tensors norm = blocks_.WidenedViews(kNorm, input.flats);
  Tensors statistics;
  const at::Tensor normalized =
      norm_->Forward(hidden, norm, &statistics).view({-1, hidden.size(-1)});
  CrossEntropy loss = LossOf(input.micro_batch, normalized);
  const std::vector<RowRange> ranges = TableRanges(vocabulary());
  const at::Tensor table = input.rows == nullptr
                               ? blocks_.Views(kWeight, input.flats).front()
                               : at::Tensor();
  const auto rows_of = [&](int i, int next) {
    return input.rows == nullptr ? RowsOf(table, ranges[i])
                                 : input.rows->Rows(i, next);
  };
  SweepForLoss(normalized, ranges, rows_of, RowStream::kNone, BiasOf(norm),
               product_type_, loss);
  LayerOutput output;
  output.loss = loss.Loss();
  return output;
}

Tape HeadLayer::Record(const LayerInput& input) const {
  Tape tape;
  tape.inputs = input.boundary;
  tape.inputs.front() = tape.inputs.front().detach();
  tape.parameters = input.flats;
  tape.rows = input.rows;
  tape.micro_batch = input.micro_batch;
  return tape;
}

LayerGradients HeadLayer::Backward(Tape tape,
                                   const Tensors& /*output_gradients*/,
                                   const Tensors& flat_gradients,
                                   bool accumulate) const {
  const at::NoGradGuard no_grad;
  const at::Tensor& hidden = tape.inputs.front();
  const Tensors norm = blocks_.WidenedViews(kNorm, tape.parameters);
  Tensors statistics;
  at::Tensor normalized =
      norm_->Forward(hidden, norm, &statistics).view({-1, hidden.size(-1)});

  const Tensors norm_gradients = blocks_.Views(kNorm, flat_gradients);
  const Bias bias = {BiasOf(norm), BiasOf(norm_gradients)};
  LayerGradients gradients;
  if (tape.rows == nullptr) {
    gradients.loss =
        BackwardWhole(tape, bias, flat_gradients, accumulate, normalized);
  } else {
    normalized =
        BackwardStreamed(tape, bias, accumulate, normalized, gradients.loss);
  }
  // From here on the norm's output is its own gradient.
  gradients.inputs.resize(tape.inputs.size());
  gradients.inputs.front() =
      norm_
          ->Backward(normalized, hidden.view(normalized.sizes()), norm,
                     statistics, ParameterGradients(accumulate), norm_gradients)
          .view(hidden.sizes());
  if (!accumulate) blocks_.ZeroPadding(flat_gradients);
  return gradients;
}

LossSum HeadLayer::BackwardWhole(const Tape& tape, const Bias& bias,
                                 const Tensors& flat_gradients, bool accumulate,
                                 const at::Tensor& normalized) const {
  const at::Tensor table = blocks_.Views(kWeight, tape.parameters).front();
  const std::vector<RowRange> ranges = TableRanges(vocabulary());
  // For all slices; what is widened is so range by range.
  const at::Tensor weight = IsRounded(product_type_)
                                ? RoundedTable(table, ranges, product_type_)
                                : table;
  const at::Tensor gradient = blocks_.Views(kWeight, flat_gradients).front();
  const Scales scales = ScalesOf(tape.micro_batch);
  const double scale = scales.of_products;
  CrossEntropy loss = LossOf(tape.micro_batch, normalized);
  const LogitsBuffer buffer(normalized, vocabulary(), bias.values,
                            product_type_);
  ForEachSlice(normalized, [&](int64_t first, const at::Tensor& slice) {
    ForEachRange(ranges, [&](int i, const RowRange& range, int) {
      at::Tensor logits =
          buffer.Fill(slice, Operand(RowsOf(weight, range), product_type_),
                      range, range.first);
      loss.Add(first, i, logits);
    });
    loss.Finish(first, slice.size(0));
    ForEachRange(ranges, [&](int i, const RowRange& range, int) {
      at::Tensor logits = buffer.At(slice.size(0), range, range.first);
      loss.ToGradient(first, i, logits);
      if (scales.of_logits != 1) logits.mul_(scales.of_logits);
      if (bias.gradient.defined()) {
        AddBiasGradient(logits, scale, accumulate || first > 0,
                        RowsOf(bias.gradient, range));
      }
      if (!gradient.defined()) return;
      AddWeightGradient(logits, slice, scale, accumulate || first > 0,
                        RowsOf(gradient, range));
    });
    ForEachRange(ranges, [&](int i, const RowRange& range, int) {
      AddSliceGradient(buffer.At(slice.size(0), range, range.first),
                       Operand(RowsOf(weight, range), product_type_), scale,
                       /*add=*/i > 0, slice);
    });
  });
  return loss.Loss();
}

at::Tensor HeadLayer::BackwardStreamed(const Tape& tape, const Bias& bias,
                                       bool accumulate,
                                       const at::Tensor& normalized,
                                       LossSum& loss_sum) const {
  RowStream& rows = *tape.rows;
  const Scales scales = ScalesOf(tape.micro_batch);
  const double scale = scales.of_products;
  const std::vector<RowRange> ranges = TableRanges(vocabulary());
  CrossEntropy loss = LossOf(tape.micro_batch, normalized);
  SweepForLoss(
      normalized, ranges, [&](int i, int next) { return rows.Rows(i, next); },
      /*behind=*/0, bias.values, product_type_, loss);
  loss_sum = loss.Loss();
  const at::Tensor hidden_gradient = at::empty_like(normalized);
  const LogitsBuffer buffer(normalized, ranges.front().count(), bias.values,
                            product_type_);
  ForEachRange(ranges, [&](int i, const RowRange& range, int next) {
    const at::Tensor weight = Operand(rows.Rows(i, next), product_type_);
    at::Tensor gradient;
    if (!blocks_.block(kWeight).frozen)
      gradient = rows.Gradient(i, next, accumulate);
    ForEachSlice(normalized, [&](int64_t first, const at::Tensor& slice) {
      at::Tensor logits = buffer.Fill(slice, weight, range);
      loss.Exponentiate(first, i, logits);
      loss.ToGradient(first, i, logits);
      if (scales.of_logits != 1) logits.mul_(scales.of_logits);
      if (bias.gradient.defined()) {
        AddBiasGradient(logits, scale, accumulate || first > 0,
                        RowsOf(bias.gradient, range));
      }
      if (gradient.defined()) {
        AddWeightGradient(logits, slice, scale, accumulate || first > 0,
                          gradient);
      }
      AddSliceGradient(logits, weight, scale, /*add=*/i > 0,
                       hidden_gradient.narrow(0, first, slice.size(0)));
    });
    if (gradient.defined()) rows.GiveGradient(i, std::move(gradient));
  });
  return hidden_gradient;
}

HeadLayer::Scales HeadLayer::ScalesOf(const MicroBatch& micro_batch) const {
  const double scale = micro_batch.gradient_scale;
  if (product_type_ == ElementType::kFloat16) return {scale, 1};
  return {1, scale};
}

CrossEntropy HeadLayer::LossOf(const MicroBatch& micro_batch,
                               const at::Tensor& normalized) const {
  return CrossEntropy(micro_batch, TableRanges(vocabulary()),
                      normalized.options());
}

}  // namespace hydra
