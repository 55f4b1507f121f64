#ifndef HYDRA_COMMON_MODEL_MODEL_TABLE_H_
#define HYDRA_COMMON_MODEL_MODEL_TABLE_H_

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "common/model/lora_config.h"

namespace hydra {

// A model as everything but the worker's arithmetic sees it: a chain of layers,
// the boundary tensors between them, the parameter blocks that they use, and
// where each tensor lies in its block. No family of models is named here; see
// describe.h for how a table is made. Pure values.

// Every tensor of a block or boundary begins at a multiple of this.
inline constexpr int64_t kTensorAlignmentBytes = 64;
inline constexpr int64_t kFloatBytes = 4;

// `bytes` and what follows them up to the next tensor.
int64_t AlignedTensorBytes(int64_t bytes);

enum class ElementType {
  kFloat32,
  kInt64,
  kBFloat16,
  kFloat16,
  // A byte: of blocks whose matrices lie as quantized_rows.h says.
  kInt8
};

int64_t ElementBytes(ElementType type);

// How a tensor that is not read from a checkpoint begins.
struct TensorInit {
  enum class Kind { kZero, kOne, kNormal, kUniform };
  Kind kind = Kind::kZero;
  // Of kNormal; its mean is 0.
  double standard_deviation = 0;
  // Of kUniform, which lies between -bound and bound.
  double bound = 0;
};

// How the weight of a linear map of rows lies in memory.
enum class LinearLayout {
  // It is no such weight.
  kNone,
  // [out, in], as torch.nn.Linear has it.
  kOutIn,
  // [in, out], as Conv1D of transformers' GPT-2 has it.
  kInOut
};

// What training does to a tensor of a block that is not frozen.
enum class TensorUse {
  // The optimizer moves it by its gradient.
  kParameter,
  // It is no parameter, but what a batch norm remembers of the batches that it
  // saw: a running mean, or variance. Where its gradient would be, BACKWARD
  // puts what it is to be after the micro-batches so far, from what it was
  // before the step on; the update takes that as it is. Only evaluations, and
  // batch norms of which all of it is frozen, compute with it.
  kStatistic,
  // The same of how many micro-batches a batch norm saw: a whole number, exact
  // up to 2^24, where it stays. One element, which checkpoints have as int64.
  kCount
};

// One named tensor inside a parameter block.
struct TensorEntry {
  // As published checkpoints name it: "transformer.h.0.attn.c_attn.weight".
  std::string name;
  std::vector<int64_t> shape;
  int64_t element_count = 0;
  // From the start of its block.
  int64_t offset_bytes = 0;
  TensorInit init;
  // Another name under which a checkpoint may have it, beside or in place of
  // its own: that of a tensor which is tied to it. Empty: none.
  std::string alias = {};
  // Checkpoints of a model without this head do not have it: it is drawn then,
  // and must be trained.
  bool may_be_drawn = false;
  // If it is the weight of a linear map inside a layer, which an adapter can
  // add to; its name then is the module's and ".weight".
  LinearLayout linear = LinearLayout::kNone;
  // What transformers' model calls that module, where it is not what
  // checkpoints call it. Empty: it is.
  std::string module = {};
  TensorUse use = TensorUse::kParameter;
};

// A contiguous range of parameters that moves, updates and is versioned as one.
// Bytes between tensors are zero and stay zero under every optimizer.
//
// Its gradient, each of its moments and its master, if it has one, have a
// kFloat32 for each of its elements, in the same order, whatever its own type
// is.
struct ParameterBlock {
  std::vector<TensorEntry> tensors;
  // A multiple of kTensorAlignmentBytes.
  int64_t size_bytes = 0;
  // The layers that use it, ascending. With more than one it is tied: the later
  // ones hand their part of its gradient down, and the first one updates it.
  std::vector<int> layers;
  // Its owner reads only the rows that the batch's input tokens name, wherever
  // the block is, and makes a gradient of those rows alone, one for each token.
  // The block is one tensor [rows, width] then. Other layers that use it
  // compute with all of it.
  bool rows_are_gathered = false;
  // Of a frozen block it may be kBFloat16, kFloat16 or kInt8, of another one
  // kBFloat16. Passes and optimizers compute in kFloat32.
  ElementType type = ElementType::kFloat32;
  // Training does not change it: it has no gradient and no optimizer state, and
  // jobs that begin with the same values share it.
  bool frozen = false;
  // Adapters, see lora.h: the model's own checkpoints do not have it.
  bool is_adapter = false;
  // Of either part of a block that was divided (see frozen_layers.h): the
  // numbers that its tensors have in the whole one, ascending. Empty: it is
  // whole.
  std::vector<int> places;
  // Of the part that is frozen: the number of the block which has the rest.
  // -1: it is no such part.
  int divided_from = -1;

  // Of kInt8: bytes, scales among them.
  int64_t element_count() const { return size_bytes / ElementBytes(type); }
  // And of each of its moments, and of its master.
  int64_t gradient_bytes() const { return element_count() * kFloatBytes; }
  // Training changes a kFloat32 of each element, and this block is its
  // rounding.
  bool has_master() const { return !frozen && type != ElementType::kFloat32; }
  // Of a tensor of this block.
  int64_t FirstElement(const TensorEntry& tensor) const {
    return tensor.offset_bytes / ElementBytes(type);
  }
  bool tied() const { return layers.size() > 1; }
  // Not all of its tensors are parameters.
  bool has_statistics() const;
  // Its update belongs to this layer's BACKWARD.
  int owner() const { return layers.front(); }
  bool gathered_by(int layer) const {
    return rows_are_gathered && owner() == layer;
  }
};

// Stand in a boundary tensor's shape for what each batch has of its own.
inline constexpr int64_t kBatchSequences = -1;
inline constexpr int64_t kBatchContext = -2;

// One tensor that a layer hands to the next one. Only those of kFloat32 have
// gradients.
struct BoundaryTensor {
  ElementType type = ElementType::kFloat32;
  std::vector<int64_t> shape;

  std::vector<int64_t> ShapeOf(int64_t sequences, int64_t context) const;
  // Without what follows it up to the next tensor.
  int64_t Bytes(int64_t sequences, int64_t context) const;
};

// Together, each with what follows it up to the next tensor.
int64_t BytesOf(const std::vector<BoundaryTensor>& tensors, int64_t sequences,
                int64_t context);

// What a layer's arithmetic takes of a device for one micro-batch, beside its
// parameters, their gradients, and the boundary tensors before and behind it.
// Plans reckon with it (device_need.h), before anything ran; what it says is
// held to what is measured.
struct LayerMemory {
  // What a recorded forward keeps for its backward, its outputs not included.
  std::vector<BoundaryTensor> kept;
  // All that is there at once, at each of the moments that may be the worst, of
  // a forward which keeps nothing, and of a backward: of this, too, what was
  // kept and is still there.
  std::vector<std::vector<BoundaryTensor>> forward;
  std::vector<std::vector<BoundaryTensor>> backward;
};

// Where a boundary's tensor lies in its block.
struct BoundaryPlace {
  // Points into the table.
  const BoundaryTensor* tensor = nullptr;
  int64_t begin_bytes = 0;
  // Without what follows it up to the next tensor.
  int64_t end_bytes = 0;
};

// The code of a layer whose arithmetic is its user's own: see chain_table.h. A
// file of the model's directory.
struct LayerFile {
  // Plain: it names no folder.
  std::string name;
  // Of the file's bytes, in lower-case hexadecimal digits. A file with another
  // one is not this layer's.
  std::string sha256;
  // Of one example, as the code takes it: the batch's own, or what the layer
  // before made.
  std::vector<int64_t> input_shape;
  // What the code calls each tensor of the layer's blocks, one block after
  // another; a tensor may have several names there.
  std::vector<std::vector<std::string>> parameters;
};

// One link of the chain. It takes the boundary tensors that the layer before it
// made. Beside these the first layer takes the batch's input ids or examples,
// and the last one its target ids or classes, and makes the loss.
struct LayerEntry {
  // What it computes: by this name worker/model finds its arithmetic.
  std::string op;
  // As people see it: "embedding", "block", "head".
  std::string kind;
  // Indices into ModelTable::parameter_blocks, in the order that the layer's
  // arithmetic expects.
  std::vector<int> parameter_blocks;
  // Which of these, by its place among them, the arithmetic can take in ranges
  // of rows where it is too large for the device: one tensor [rows, width].
  // -1: none.
  int streamed_block = -1;
  // None of the last layer.
  std::vector<BoundaryTensor> outputs;
  // What else its arithmetic depends on: numbers of heads, an epsilon.
  std::map<std::string, double> attributes;
  // Of a layer that is not Hydra's. What its memory is nobody knows beforehand,
  // and `memory` is empty.
  std::optional<LayerFile> file;
  LayerMemory memory;
  // Beside two for each parameter and token: what the forward calculates for
  // each pair of tokens of a sequence. Attention does.
  int64_t flops_per_token_pair = 0;
  // Sequences that a micro-batch has at least where a block of the layer is
  // trained that has what batch norms remember.
  int64_t least_sequences = 1;
};

// What a model that classifies is fed in place of token ids: examples, of which
// each is one tensor, and the class of each.
struct ExampleInput {
  // As files of data name it: "pixel_values".
  std::string name;
  // Of one example: [channels, height, width].
  std::vector<int64_t> shape;
  // Classes are numbered from 0.
  int64_t class_count = 0;

  // Numbers of one example.
  int64_t element_count() const;
};

// What a model that is fed token ids learns of a sequence of them.
enum class Objective {
  // Each token from those before it.
  kNextToken,
  // Tokens that were hidden from it, from all others: a sequence is taken
  // whole, with the tokenizer's special tokens about its text.
  kMaskedTokens,
  // Its class; it is taken whole, too.
  kClass,
};

// The classes of Objective::kClass.
struct SequenceClasses {
  // They are numbered from 0.
  int64_t count = 0;
  // By the names that rows of data may have in place of them.
  std::map<std::string, int64_t> numbers;
};

// How published checkpoints of an architecture may differ in the names of their
// tensors from its table.
struct WeightNames {
  // Begins the names of the module's tensors; a checkpoint has it or not.
  // "transformer."
  std::string module_prefix;
  // The name, behind that prefix, of a tensor that every model of this
  // architecture has and nothing else has: where it is found in a checkpoint
  // tells what else stands before the names. "h.0.ln_1.weight"
  std::string landmark;
  // Ends of tensors' names in old checkpoints, and what they are by now:
  // ".gamma", ".weight".
  std::vector<std::pair<std::string, std::string>> renamed_suffixes = {};
  // Tensors whose names end like this are kept by some checkpoints, and Hydra
  // has no use for them.
  std::vector<std::string> unread_suffixes;
  // What they are, and why they are not read, for a message: "attention masks",
  // "every layer is causal without them".
  std::string unread_what;
  std::string unread_why;
  // How matrices come to be stored transposed, and what to do about it, for a
  // message. "as torch.nn.Linear keeps them", "transpose the weights of c_fc".
  std::string transposed_why;
  std::string transposed_remedy;
};

// What an architecture's config.json says beside a model's dimensions.
struct ConfigNames {
  // What that file is called.
  std::string file = "config.json";
  // What transformers calls the family, and the class of the models that
  // training makes. "GPT-2", "GPT2LMHeadModel". No class: transformers knows
  // nothing of the model.
  std::string family;
  std::string model_class;
  // That class has a head for classes, which keys like id2label describe.
  bool classifies = false;
  // The keys that are this architecture's own: Hydra uses them, or transformers
  // computes nothing with them during training.
  std::vector<std::string> keys;
};

struct ModelTable {
  std::vector<LayerEntry> layers;
  std::vector<ParameterBlock> parameter_blocks;
  // Of a model that classifies. To whatever counts tokens, an example is a
  // sequence of one, and its class is that one's target.
  std::optional<ExampleInput> examples;
  // Of any other model: token ids are below it.
  int64_t vocabulary_size = 0;
  // And what it learns of them.
  Objective objective = Objective::kNextToken;
  SequenceClasses classes;
  // Of one that takes sequences whole: a sequence may have so many texts.
  int64_t token_types = 1;
  // Tokens in the longest sequence; 1 of a model that classifies.
  int64_t longest_context = 0;
  // Names what is computed: models with equal keys take equal memory and time.
  // What was measured of a model is kept on disk under this key.
  std::string architecture_key;
  WeightNames weight_names;
  ConfigNames config_names;
  // The modules that PEFT gives adapters to where nobody says which.
  std::vector<std::string> lora_modules;
  // Of a model with adapters; its target_modules are what was found.
  std::optional<LoraConfig> lora;

  int layer_count() const { return static_cast<int>(layers.size()); }
  // Its sequences have a length of their own, and no token of one is the target
  // of another.
  bool takes_whole_sequences() const {
    return !examples.has_value() && objective != Objective::kNextToken;
  }
  // A target is a class of an example or of a whole sequence.
  bool classifies() const {
    return examples.has_value() || objective == Objective::kClass;
  }
  // Of all blocks, and of those that training changes; padding included.
  int64_t ParameterBytes() const;
  int64_t TrainedBytes() const;
  // Of the latter, and of all their gradients; padding included.
  int64_t TrainedElements() const;
  int64_t GradientBytes() const { return TrainedElements() * kFloatBytes; }
  bool HasMasters() const;
  // Parameters of the model, and those that training changes; neither padding
  // nor what a batch norm remembers is included.
  int64_t ParameterCount() const;
  int64_t TrainedCount() const;
  // The first layer that uses a block which is not frozen: gradients end there.
  // layer_count() if there is none.
  int FirstTrainedLayer() const;

  // A layer's arithmetic is its user's own code.
  bool RunsOwnCode() const;

  // What `layer` takes from the one before it, which is what lies between two
  // shards that are cut there. Of the first layer: nothing.
  const std::vector<BoundaryTensor>& BoundaryBefore(int layer) const;
  // Where those tensors lie in their block, in their order.
  std::vector<BoundaryPlace> BoundaryPlaces(int layer, int64_t sequences,
                                            int64_t context) const;
  // Bytes of that block.
  int64_t BoundaryBytes(int layer, int64_t sequences, int64_t context) const;
  // Of all places where the model can be cut.
  int64_t LargestBoundaryBytes(int64_t sequences, int64_t context) const;
};

// For those who build a table.

// Appends a tensor to `block`, behind those that are there.
void AddTensor(std::string name, std::vector<int64_t> shape, TensorInit init,
               ParameterBlock& block);

// The same for the weight of a linear map, see TensorEntry::linear.
void AddLinear(std::string name, std::vector<int64_t> shape,
               LinearLayout layout, TensorInit init, ParameterBlock& block);

// The same for what is no parameter, see TensorUse.
void AddStatistic(std::string name, std::vector<int64_t> shape, TensorUse use,
                  TensorInit init, ParameterBlock& block);

// Fills in the blocks' users from the layers.
void NoteUsers(ModelTable& table);

}  // namespace hydra

#endif  // HYDRA_COMMON_MODEL_MODEL_TABLE_H_
