import type { Noun } from '../command.ts';

const path = { type: 'string', requiresArg: true } as const;
const text = { type: 'string', requiresArg: true } as const;

export const consolidateCommand: Noun = {
  name: 'consolidate',
  describe: 'Merge a trained adapter into its base; every way back stays open',
  verbs: [
    {
      name: '$0',
      describe: 'Merge a trained adapter into its base; every way back stays open',
      options: {
        base: {
          ...path,
          demandOption: true,
          describe: 'GGUF model that the adapter was trained on: name or path',
        },
        adapter: {
          ...path,
          demandOption: true,
          describe: 'The adapter: its directory, or a GGUF by path or name',
        },
        output: {
          ...text,
          demandOption: true,
          describe: 'Name that the merged model gets; it has to be free',
        },
        description: { ...text, demandOption: true, describe: 'What it is, for people' },
        'training-data': {
          type: 'string',
          array: true,
          describe: 'Files and folders it was trained on: recorded by size and sha256, not kept',
        },
        evolution: {
          ...path,
          describe: 'Folder with the JSON or JSONL snapshots of the run, kept as they are',
        },
        metrics: { ...path, describe: 'JSON file with what was measured' },
        type: {
          ...text,
          choices: ['F32', 'F16', 'BF16'],
          describe: "Type of the merged weights; the base's unless it is said",
        },
        quantize: {
          ...text,
          describe: "Quantize the merged model with the runtime's llama-quantize: Q4_K_M, …",
        },
        'merge-command': {
          ...text,
          describe: 'Your own merge, run by sh -c with BASE, ADAPTER and OUTPUT in its environment',
        },
        'remove-adapter': {
          type: 'boolean',
          default: false,
          describe: 'In the end, take the adapter away; its backup is verified once more before',
        },
      },
      examples: [
        [
          '$0 consolidate --base tea.gguf --adapter ./tea-lora --output tea-tuned --description "rank 16, 3 epochs"',
          'asks first; --dry-run says sizes, space, memory, steps',
        ],
        [
          '$0 consolidate --base tea.gguf --adapter ./lora --output tea-tuned --description mine --merge-command "python3 merge.py"',
          'the merge is yours, everything around it the same',
        ],
      ],
      run: async (context, argv) => (await import('./consolidate/run.ts')).consolidate(context, argv),
    },
  ],
};
