import type { GgufValue } from './gguf/format.ts';
import { type TensorToWrite, writeGguf } from './gguf/write.ts';

export const selfTestSentence = 'aixcl works: your own machine answered this.';

/**
 * Writes a real GGUF model of some 0.2 MB that answers every prompt with `sentence` and then stops, at any temperature. Throws
 * `EEXIST` when `path` is taken.
 *
 * How: the llama architecture with one layer whose attention and feed-forward are zero, so that what leaves the model is the embedding of
 * the last token alone. Embeddings are one-hot: one dimension for each piece of the sentence and one shared by all other tokens. The
 * output matrix is a table of the next token, with logits so far apart that sampling has no choice.
 */
export async function writeSelfTestModel(path: string, sentence = selfTestSentence): Promise<void> {
  const { metadata, tensors } = selfTestModel(sentence);
  await writeGguf(path, metadata, tensors);
}

/** The parts of the self-test model, for tests that write it otherwise: split, damaged, with other metadata. */
export function selfTestModel(sentence = selfTestSentence): {
  metadata: Map<string, GgufValue>;
  tensors: TensorToWrite[];
} {
  const pieces = piecesOf(sentence);
  const vocabulary = vocabularyOf(pieces);
  const first = vocabulary.tokens.length - pieces.length;
  const width = Math.ceil((pieces.length + 1) / 64) * 64;
  const feedForward = 64;

  const embedding = new Float32Array(vocabulary.tokens.length * width);
  const output = new Float32Array(vocabulary.tokens.length * width);
  for (let token = 0; token < vocabulary.tokens.length; token++) {
    const state = Math.max(0, token - first + 1);
    embedding[token * width + state] = 1;
  }
  for (let state = 0; state <= pieces.length; state++) {
    const next = state === pieces.length ? endOfText : first + state;
    output[next * width + state] = 100;
  }

  const ones = new Float32Array(width).fill(1);
  const tensors = [
    matrix('token_embd.weight', [width, vocabulary.tokens.length], embedding),
    matrix('blk.0.attn_norm.weight', [width], ones),
    zeros('blk.0.attn_q.weight', [width, width]),
    zeros('blk.0.attn_k.weight', [width, width]),
    zeros('blk.0.attn_v.weight', [width, width]),
    zeros('blk.0.attn_output.weight', [width, width]),
    matrix('blk.0.ffn_norm.weight', [width], ones),
    zeros('blk.0.ffn_gate.weight', [width, feedForward]),
    zeros('blk.0.ffn_up.weight', [width, feedForward]),
    zeros('blk.0.ffn_down.weight', [feedForward, width]),
    matrix('output_norm.weight', [width], ones),
    matrix('output.weight', [width, vocabulary.tokens.length], output),
  ];
  const metadata = new Map<string, GgufValue>([
    ['general.architecture', text('llama')],
    ['general.name', text('aixcl self-test')],
    ['general.license', text('apache-2.0')],
    ['general.file_type', uint32(0)],
    ['llama.vocab_size', uint32(vocabulary.tokens.length)],
    ['llama.context_length', uint32(8192)],
    ['llama.embedding_length', uint32(width)],
    ['llama.block_count', uint32(1)],
    ['llama.feed_forward_length', uint32(feedForward)],
    ['llama.rope.dimension_count', uint32(32)],
    ['llama.attention.head_count', uint32(width / 32)],
    ['llama.attention.head_count_kv', uint32(width / 32)],
    ['llama.attention.layer_norm_rms_epsilon', { type: 'float32', value: 1e-5 }],
    ['tokenizer.ggml.model', text('llama')],
    ['tokenizer.ggml.tokens', { type: 'array', of: 'string', value: vocabulary.tokens }],
    ['tokenizer.ggml.scores', { type: 'array', of: 'float32', value: vocabulary.scores }],
    ['tokenizer.ggml.token_type', { type: 'array', of: 'int32', value: vocabulary.types }],
    ['tokenizer.ggml.unknown_token_id', uint32(0)],
    ['tokenizer.ggml.bos_token_id', uint32(1)],
    ['tokenizer.ggml.eos_token_id', uint32(endOfText)],
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: true }],
    ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: false }],
    ['tokenizer.chat_template', text(chatTemplate)],
  ]);
  return { metadata, tensors };
}

const endOfText = 2;
const chatTemplate =
  "{% for message in messages %}{{ message['role'] }}: {{ message['content'] }}\n{% endfor %}" +
  '{% if add_generation_prompt %}assistant: {% endif %}';

/** Token types of `llama.h`. */
const tokenType = { normal: 1, unknown: 2, control: 3, byte: 6 } as const;

function vocabularyOf(pieces: readonly string[]): { tokens: string[]; scores: number[]; types: number[] } {
  const tokens = ['<unk>', '<s>', '</s>'];
  const types: number[] = [tokenType.unknown, tokenType.control, tokenType.control];
  for (let byte = 0; byte < 256; byte++) {
    tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
    types.push(tokenType.byte);
  }
  for (const piece of pieces) {
    tokens.push(piece.replaceAll(' ', '▁'));
    types.push(tokenType.normal);
  }
  return { tokens, scores: tokens.map((_, index) => -index), types };
}

/**
 * The sentence cut into different pieces of four characters or more, a space only at the front of a piece. Shorter ones could be put together
 * from the characters of a prompt by the tokenizer, and a prompt that ends with a piece would be answered from its middle.
 */
function piecesOf(sentence: string): string[] {
  const words = sentence.match(/\s*\S+/gu) ?? [];
  const pieces: string[] = [];
  let piece = '';
  for (const word of words) {
    piece += word;
    if ([...piece].length < 4 || pieces.includes(piece)) continue;
    pieces.push(piece);
    piece = '';
  }
  if (piece) pieces.push(`${pieces.pop() ?? ''}${piece}`);
  if (pieces.length === 0) throw new Error('A self-test model needs a sentence');
  return pieces;
}

function matrix(name: string, shape: readonly number[], values: Float32Array): TensorToWrite {
  return { name, shape, type: 'F32', data: () => [new Uint8Array(values.buffer)] };
}

function zeros(name: string, shape: readonly number[]): TensorToWrite {
  return matrix(name, shape, new Float32Array(shape.reduce((product, size) => product * size, 1)));
}

function text(value: string): GgufValue {
  return { type: 'string', value };
}

function uint32(value: number): GgufValue {
  return { type: 'uint32', value };
}
