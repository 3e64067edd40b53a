import type { Noun } from '../command.ts';

export const completionCommand: Noun = {
  name: 'completion',
  describe: 'Lets a shell complete commands, options and names of models',
  verbs: [
    {
      name: '$0 <shell>',
      describe: 'What a shell has to read to complete the commands of aixcl: bash, zsh or fish',
      passesOn: true,
      examples: [
        ["echo 'source <($0 completion bash)' >> ~/.bashrc", 'for bash'],
        ["echo 'source <($0 completion zsh)' >> ~/.zshrc", 'for zsh, behind compinit'],
        ['$0 completion fish > ~/.config/fish/completions/aixcl.fish', 'for fish'],
      ],
      run: async (context, argv) => (await import('./completion/run.ts')).completion(context, argv),
    },
  ],
};
