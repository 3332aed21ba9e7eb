# Completion of unwind for bash; it needs nothing but bash, from 3.2 on.
# In ~/.bashrc: source <(unwind completion bash)

_unwind_complete() {
  local line=${COMP_LINE:0:COMP_POINT} current='' answer ask
  read -ra ask <<<"$line" # words as they are written: nothing of them is carried out
  if [[ $line != *[[:space:]] ]]; then
    current=${ask[${#ask[@]} - 1]}
    [[ $current == -* ]] || unset "ask[${#ask[@]}-1]"
  fi
  COMPREPLY=()
  while IFS= read -r answer; do
    answer=${answer%%:*} # the rest says what it is for
    if [[ -n $answer && $answer == "$current"* ]]; then COMPREPLY+=("$answer"); fi
  done < <("${ask[0]/#\~\//$HOME/}" "${ask[@]:1}" --generate-shell-completion 2>/dev/null)
}

complete -o bashdefault -o default -F _unwind_complete unwind
