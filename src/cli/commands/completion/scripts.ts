/**
 * What each shell reads. All of them ask `aixcl completion words -- WORDS…`, the last word being the one that is typed; it answers a candidate
 * a line, and `:files` where files may stand too.
 */
export const scripts: Readonly<Record<string, string>> = {
  // Bash splits words at colons, of which names of models have some; so the line is split again, and what bash has already is left out.
  bash: `_aixcl() {
  local line=\${COMP_LINE:0:COMP_POINT} current candidate
  local -a typed
  read -ra typed <<< "$line"
  [[ $line == *[[:space:]] ]] && typed+=('')
  current=\${typed[-1]}
  local behind=\${current%"\${current##*:}"}
  COMPREPLY=()
  while IFS= read -r candidate; do
    if [[ $candidate == :files ]]; then
      compopt -o default
    elif [[ $candidate == "$current"* ]]; then
      candidate=\${candidate#"$behind"}
      COMPREPLY+=("$(printf %q "$candidate")")
    fi
  done < <(aixcl completion words -- "\${typed[@]:1}" 2>/dev/null)
}
complete -F _aixcl aixcl
`,
  zsh: `#compdef aixcl
_aixcl() {
  local -a found
  found=("\${(@f)$(aixcl completion words -- "\${(@)words[2,CURRENT]}" 2>/dev/null)}")
  (( \${found[(Ie):files]} )) && _files
  compadd -- "\${(@)found:#(:files|)}"
}
compdef _aixcl aixcl
`,
  fish: `function __aixcl_complete
    set -l typed (commandline -opc) (commandline -ct)
    for found in (aixcl completion words -- $typed[2..-1] 2>/dev/null)
        if test "$found" = :files
            __fish_complete_path (commandline -ct)
        else
            echo $found
        end
    end
end
complete -c aixcl -f -a '(__aixcl_complete)'
`,
};
