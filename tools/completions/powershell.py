"""The module for PowerShell, from 5.1 on."""

from collections.abc import Iterator, Sequence

from tools.completions.app import Command, Option

_BEGIN = """\
# {note}

$script:commands = [ordered]@{{
"""
_END = """\
)

function script:New-Completion([string] $text, [string] $type, [string] $help) {
    [System.Management.Automation.CompletionResult]::new($text, $text, $type, $help)
}

function script:Find-Option($options, [string] $typed) {
    if ($typed -notlike '-*') { return }
    foreach ($option in $options) {
        $option.names -clike "$typed*" | ForEach-Object { New-Completion $_ 'ParameterName' $option.help }
    }
}

function script:Find-Value($option, [string] $typed, [string] $program) {
    if ($option.choices) {
        $option.choices -like "$typed*" | ForEach-Object { New-Completion $_ 'ParameterValue' $option.help }
    } elseif ($option.value -eq 'FILE') {
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed)
    } elseif ($option.value -eq 'MODEL') {
        $env:_BERTCLI_COMPLETE = 'models'
        try { $models = @(& $program 2>$null) } finally { Remove-Item -Path Env:_BERTCLI_COMPLETE }
        $models -like "$typed*" | ForEach-Object { New-Completion $_ 'ParameterValue' 'model' }
        [System.Management.Automation.CompletionCompleters]::CompleteFilename($typed) |
            Where-Object { $_.ResultType -eq 'ProviderContainer' }
    }
}

Register-ArgumentCompleter -Native -CommandName bertcli -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @(
        $commandAst.CommandElements |
            Where-Object { $_.Extent.EndOffset -lt $cursorPosition } |
            ForEach-Object { $_.ToString() }
    )
    $typed = "$wordToComplete"
    if ($words.Count -lt 2) {
        $script:commands.Keys -like "$typed*" |
            ForEach-Object { New-Completion $_ 'ParameterValue' $script:commands[$_].help }
        Find-Option $script:options $typed
        return
    }
    $command = $script:commands[$words[1]]
    # After -- there are texts alone.
    if (-not $command -or $words -contains '--') { return }
    $previous = $command.options | Where-Object { $_.value -and $_.names -ccontains $words[-1] }
    if ($previous) {
        Find-Value $previous $typed $words[0]
    } else {
        Find-Option $command.options $typed
    }
}

Export-ModuleMember -Function @()
"""


def script(app: Command, commands: Sequence[Command], note: str) -> str:
    """The whole file."""
    described = "".join(line for command in commands for line in _command(command))
    options = "".join(_options(app, indent=4))
    return f"{_BEGIN.format(note=note)}{described}}}\n$script:options = @(\n{options}{_END}"


def _command(command: Command) -> Iterator[str]:
    yield f"    {_quoted(command.name)} = @{{\n"
    yield f"        help = {_quoted(command.help)}\n"
    yield "        options = @(\n"
    yield from _options(command, indent=12)
    yield "        )\n"
    yield "    }\n"


def _options(command: Command, indent: int) -> Iterator[str]:
    return (f"{' ' * indent}@{{ {'; '.join(_option(option))} }}\n" for option in command.options)


def _option(option: Option) -> Iterator[str]:
    yield f"names = {_array(option.names)}"
    if option.value is not None:
        yield f"value = {_quoted(option.value)}"
    if option.choices:
        yield f"choices = {_array(option.choices)}"
    yield f"help = {_quoted(option.help)}"


def _array(words: Sequence[str]) -> str:
    return f"@({', '.join(map(_quoted, words))})"


def _quoted(text: str) -> str:
    """The text as a string in which nothing stands for something else."""
    return "'" + text.replace("'", "''") + "'"
