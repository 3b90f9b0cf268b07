"""The command `completion`: a script by which a shell completes this command. A static text."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from typing import Any

PROGRAM = "transfer-pipeline"
SHELLS = ("bash", "zsh", "fish")


@dataclasses.dataclass(frozen=True)
class Words:
    """The words that may stand behind the command's name."""

    about: str
    options: list[str]


def words_of(root: Any) -> dict[str, Words]:
    """Returns the subcommands of a Typer application's command, with their options."""
    return {
        name: Words(
            (command.help or "").strip().partition("\n")[0],
            [
                option
                for parameter in command.params
                for option in (*parameter.opts, *parameter.secondary_opts)
                if option.startswith("--")
            ],
        )
        for name, command in root.commands.items()
    }


def script(shell: str, commands: dict[str, Words]) -> str:
    """Returns the script of one of `SHELLS`; files complete where no option is begun."""
    return {"bash": _bash, "zsh": _zsh, "fish": _fish}[shell](commands)


def _cases(commands: dict[str, Words]) -> Iterable[str]:
    for name, words in commands.items():
        yield f'    {name}) options="{" ".join([*words.options, "--help"])}" ;;'


def _bash(commands: dict[str, Words]) -> str:
    cases = "\n".join(_cases(commands))
    return f"""# bash: add to ~/.bashrc:  source <({PROGRAM} completion bash)
_transfer_pipeline() {{
  local word="${{COMP_WORDS[COMP_CWORD]}}" options=""
  if [ "$COMP_CWORD" -eq 1 ]; then
    COMPREPLY=($(compgen -W "{" ".join([*commands, "--version", "--help"])}" -- "$word"))
    return
  fi
  case "${{COMP_WORDS[1]}}" in
{cases}
  esac
  case "$word" in
    -*) COMPREPLY=($(compgen -W "$options" -- "$word")) ;;
    *) COMPREPLY=() ;;
  esac
}}
complete -o default -F _transfer_pipeline {PROGRAM}
"""


def _zsh(commands: dict[str, Words]) -> str:
    cases = "\n".join(_cases(commands))
    names = "\n".join(f"    '{name}:{_plain(words.about)}'" for name, words in commands.items())
    return f"""#compdef {PROGRAM}
# zsh: add to ~/.zshrc, after compinit:  source <({PROGRAM} completion zsh)
_transfer_pipeline() {{
  local options=""
  local -a names
  names=(
{names}
  )
  if (( CURRENT == 2 )); then
    _describe 'command' names
    return
  fi
  case "${{words[2]}}" in
{cases}
  esac
  if [[ "${{words[CURRENT]}}" == -* ]]; then
    compadd -- ${{=options}}
  else
    _files
  fi
}}
compdef _transfer_pipeline {PROGRAM}
"""


def _fish(commands: dict[str, Words]) -> str:
    lines = [f"# fish: {PROGRAM} completion fish > ~/.config/fish/completions/{PROGRAM}.fish"]
    for name, words in commands.items():
        about = _plain(words.about)
        lines.append(f"complete -c {PROGRAM} -n __fish_use_subcommand -f -a {name} -d '{about}'")
        lines += [
            f"complete -c {PROGRAM} -n '__fish_seen_subcommand_from {name}' -l {option[2:]}"
            for option in words.options
        ]
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Returns a text that needs no quoting within single quotes, nor ends a name in zsh."""
    return text.replace("'", "").replace(":", ",").replace("`", "")
